//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use arr_client::SessionId;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use crate::duration;

const ABOUT: &str = "Remote rendering sessions from the command line";

const LONG_ABOUT: &str = "Remote rendering sessions from the command line: create, wait, extend, hold, list, stop.\n\n\
    A session is a server that costs money from when it is ready until it is stopped or its lease ends. Standard \
    output has the result only; progress, notes and errors go to standard error.";

const AFTER: &str = "Examples:\n  \
    arr --emulator list                    what runs in a local emulator\n  \
    arr config import arrconfig.json       keep an account for later\n  \
    arr create --wait --lease 2h           a session, once it is ready\n  \
    ID=$(arr create --wait -o id)          the same in a script\n  \
    arr stop --mine                        stop what this command line created\n\n\
    Exit codes: 0 done, 1 failed, 2 usage, 3 credential, 4 not found, 5 conflict, 6 timeout or throttled, 7 network or\n\
    TLS, 8 outcome unknown (a session may be running), 130 interrupted.";

#[derive(Parser)]
#[command(name = "arr", version, about = ABOUT, long_about = LONG_ABOUT, after_help = AFTER)]
#[command(max_term_width = 100, propagate_version = true, disable_help_subcommand = false)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: Global,
}

/// The options of all commands.
#[derive(Args)]
pub(crate) struct Global {
    /// How to print the result
    #[arg(short, long, global = true, value_name = "FORMAT", default_value = "table", hide_default_value = true)]
    pub(crate) output: Format,
    /// Show every request, with its status and MS-CV
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    /// The time limit of a call to the service, with its retries [default: 1m]
    #[arg(long, global = true, value_name = "TIME", value_parser = duration::parse, hide_short_help = true)]
    pub(crate) request_timeout: Option<Duration>,
    /// The folder that remembers created sessions, or none [default: below the user's state folder]
    #[arg(long, global = true, value_name = "FOLDER", hide_short_help = true)]
    pub(crate) journal: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) account: Account,
}

/// Where the account comes from, and values that replace its own.
#[derive(Args, Default)]
#[command(next_help_heading = "Account")]
pub(crate) struct Account {
    /// Take the account from this file: arrconfig.json, or another that `arr config import` reads
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Take the account from this profile of config.toml, or of the --config file
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Use the development account of a local arr-emulator [default: http://127.0.0.1:8722]
    #[arg(long, global = true, value_name = "URL", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "http://127.0.0.1:8722", conflicts_with_all = ["config", "profile"])]
    pub(crate) emulator: Option<String>,
    /// The account's GUID
    #[arg(long, global = true, value_name = "GUID", hide_short_help = true)]
    pub(crate) account_id: Option<String>,
    /// The account's region, domain, or token service
    #[arg(long, global = true, value_name = "REGION|URL", hide_short_help = true)]
    pub(crate) account_domain: Option<String>,
    /// Where sessions run
    #[arg(long, global = true, value_name = "REGION|URL", hide_short_help = true)]
    pub(crate) service_endpoint: Option<String>,
    /// A file with the account key; - reads standard input
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub(crate) account_key_file: Option<PathBuf>,
    /// A file with a Microsoft Entra token; - reads standard input
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub(crate) entra_token_file: Option<PathBuf>,
    /// A file with an access token; - reads standard input
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub(crate) access_token_file: Option<PathBuf>,
    /// The version of the REST API: v1 or 2021-01-01 [default: v1]
    #[arg(long, global = true, value_name = "VERSION", hide_short_help = true)]
    pub(crate) api_version: Option<String>,
    /// A PEM file of a private certificate authority to trust too
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub(crate) ca_file: Option<PathBuf>,
    /// system, none, or the proxy's URL [default: system]
    #[arg(long, global = true, value_name = "PROXY", hide_short_help = true)]
    pub(crate) proxy: Option<String>,

    // Refused with a hint: other users see the values of options.
    #[arg(long, global = true, hide = true, num_args = 0..=1, aliases = ["key", "arr-account-key"])]
    pub(crate) account_key: Option<Option<String>>,
    #[arg(long, global = true, hide = true, num_args = 0..=1)]
    pub(crate) entra_token: Option<Option<String>>,
    #[arg(long, global = true, hide = true, num_args = 0..=1, alias = "token")]
    pub(crate) access_token: Option<Option<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Aligned columns for people (default)
    Table,
    /// One JSON document
    Json,
    /// One JSON object per line
    Ndjson,
    /// Only the ids, one per line
    Id,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Create a session
    Create(Create),
    /// List the account's sessions that have not ended
    #[command(visible_alias = "ls")]
    List(List),
    /// Show a session
    Show {
        /// The session's id
        id: SessionId,
    },
    /// Wait until a session is ready
    Wait {
        /// The session's id
        id: SessionId,
        #[command(flatten)]
        patience: Patience,
    },
    /// Extend a session's lease
    Extend(Extend),
    /// Stop sessions
    Stop(Stop),
    /// Show or keep the configuration
    #[command(subcommand)]
    Config(Config),
}

#[derive(Subcommand)]
pub(crate) enum Config {
    /// Show each value and where it comes from; secrets are not shown
    Show,
    /// Print where the profiles are
    Path,
    /// Keep the account of a file as a profile of config.toml
    Import {
        /// arrconfig.json, arr.account.xml of Showcase, ARR-profiles.json of ARRT, or a scene or asset of Unity
        file: PathBuf,
        /// Replace the profile if it exists
        #[arg(long)]
        force: bool,
    },
}

#[derive(Args)]
pub(crate) struct Patience {
    /// Give up waiting after this time; the session keeps running
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = duration::parse)]
    pub(crate) timeout: Duration,
}

#[derive(Args)]
pub(crate) struct Create {
    /// standard (20 million primitives) or premium [default: standard]
    #[arg(long, value_name = "SIZE")]
    pub(crate) size: Option<String>,
    /// How long the session may be ready before it ends, such as 1h30m [default: 1h]
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    pub(crate) lease: Option<Duration>,
    /// The id of the new session (REST 2021-01-01 only) [default: generated]
    #[arg(long)]
    pub(crate) id: Option<SessionId>,
    /// The URL of a model to load at the start (REST v1 only); may be given several times
    #[arg(long = "model", value_name = "URL")]
    pub(crate) models: Vec<String>,
    /// Further members of the request, as a JSON object
    #[arg(long, value_name = "JSON")]
    pub(crate) extra: Option<String>,
    /// Wait until it is ready; Ctrl+C meanwhile stops it
    #[arg(long)]
    pub(crate) wait: bool,
    #[command(flatten)]
    pub(crate) patience: Patience,
}

#[derive(Args)]
pub(crate) struct List {
    /// Only sessions that this command line created on this machine
    #[arg(long)]
    pub(crate) mine: bool,
    /// Only sessions with this status, such as ready; may be given several times
    #[arg(long, value_name = "STATUS")]
    pub(crate) status: Vec<String>,
}

#[derive(Args)]
#[group(id = "amount", required = true, multiple = false)]
pub(crate) struct NewLease {
    /// The whole lease, counted from when the session became ready
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    pub(crate) lease: Option<Duration>,
    /// How much to add to the lease
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    pub(crate) by: Option<Duration>,
}

#[derive(Args)]
pub(crate) struct Extend {
    /// The session's id
    pub(crate) id: SessionId,
    #[command(flatten)]
    pub(crate) amount: NewLease,
}

#[derive(Args)]
#[group(id = "which", required = true, multiple = false)]
pub(crate) struct Which {
    /// The sessions' ids
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<SessionId>,
    /// All that this command line created on this machine
    #[arg(long)]
    pub(crate) mine: bool,
    /// All of the account, also those that others may be using
    #[arg(long)]
    pub(crate) account: bool,
}

#[derive(Args)]
pub(crate) struct Stop {
    #[command(flatten)]
    pub(crate) which: Which,
    /// Do not ask before stopping sessions that others may be using
    #[arg(short, long, action = ArgAction::SetTrue)]
    pub(crate) yes: bool,
}
