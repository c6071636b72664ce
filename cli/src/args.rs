//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use arr_client::SessionId;
use clap::{Arg, ArgAction, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::duration;
use crate::failure::{Failure, printable};

const ABOUT: &str = "Remote rendering sessions from the command line";

const AFTER: &str =
    "A session is a server that costs money from when it is ready until it is stopped or its lease ends.
Standard output has the result only; progress, notes and errors go to standard error.

Examples:
  arr --emulator list                  what runs in a local emulator
  arr config import arrconfig.json     keep an account for later
  arr create --wait --lease 2h         a session, once it is ready
  ID=$(arr create --wait -o id)        the same in a script
  arr stop --mine                      stop what this command line created

Exit codes:
  0 done                      3 credential     6 timeout, throttled, or service full
  1 failed                    4 not found      7 network, name resolution or TLS
  2 usage or configuration    5 conflict       8 outcome unknown: a session may be running
  130 interrupted";

/// Where an emulator listens by default.
pub(crate) const EMULATOR: &str = "http://127.0.0.1:8722";

#[derive(Parser)]
#[command(name = "arr", version, about = ABOUT, after_help = AFTER)]
#[command(max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: Global,
}

impl Cli {
    pub(crate) fn read() -> Cli {
        let matches = Cli::command().get_matches();
        let mut cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        let options = Account::augment_args(clap::Command::new("account"));
        let given = |option: &Arg| {
            let value = matches.get_raw(option.get_id().as_str())?.next()?;
            Some((format!("--{}", option.get_long()?), value.to_string_lossy().into_owned()))
        };
        cli.global.account.given = options.get_arguments().filter_map(given).collect();
        cli
    }
}

/// The options of RenderingSession.ps1, in lower case, and what replaces them.
const OF_THE_SCRIPT: [(&str, &str); 18] = [
    ("-createsession", "arr create, or arr create --wait"),
    ("-getsessionproperties", "arr show ID"),
    ("-getsessions", "arr list"),
    ("-updatesession", "arr extend ID --lease 2h"),
    ("-stopsession", "arr stop ID"),
    ("-poll", "arr create --wait, or arr wait ID"),
    ("-id", "the id without an option, or --id with create"),
    ("-vmsize", "--size"),
    ("-maxleasetime", "--lease"),
    ("-configfile", "--config"),
    ("-arraccountid", "--account-id"),
    ("-arraccountdomain", "--account-domain"),
    ("-remoterenderingdomain", "--service-endpoint"),
    ("-region", "--account-domain and --service-endpoint"),
    ("-authenticationendpoint", "--account-domain"),
    ("-serviceendpoint", "--service-endpoint"),
    ("-additionalparameters", "--extra JSON"),
    ("-verbose", "--verbose"),
];

/// What people type for other options.
const EXPECTED: [(&str, &str); 3] = [
    ("--json", "use -o json"),
    ("--all", "use --mine for what this command line created here, or --account for all of the account"),
    ("--to", "use --lease for the total lease, or --by for what to add"),
];

/// Refuses the options of RenderingSession.ps1, and those that would have a key or token as their value: they do not
/// exist, but people expect them.
pub(crate) fn refuse_expected(arguments: impl Iterator<Item = OsString>) -> Result<(), Failure> {
    let arguments = arguments.map(|it| it.to_string_lossy().into_owned()).take_while(|it| it != "--");
    let mut of_the_script = None;
    for argument in arguments {
        if let Some((_, ours)) = OF_THE_SCRIPT.iter().find(|(old, _)| argument.eq_ignore_ascii_case(old)) {
            let failure = of_the_script.unwrap_or_else(|| {
                Failure::usage(format!("{} is an option of RenderingSession.ps1", printable(&argument)))
            });
            of_the_script = Some(failure.hint(format!("for {argument}: {ours}")));
        }
        if let Some((_, instead)) = EXPECTED.iter().find(|(expected, _)| argument == *expected) {
            return Err(Failure::usage(format!("there is no {argument}")).hint(*instead));
        }
        let name = argument.split_once('=').map_or(argument.as_str(), |(name, _)| name).to_ascii_lowercase();
        let secret = match name.as_str() {
            "--account-key" | "--key" | "-arraccountkey" => "account-key",
            "--entra-token" => "entra-token",
            "--access-token" | "--token" => "access-token",
            _ => continue,
        };
        let variable = format!("ARR_{}", secret.replace('-', "_").to_ascii_uppercase());
        return Err(Failure::usage(format!("{name} takes no value on the command line"))
            .hint("other users of this machine can see it there, and the shell keeps it in its history")
            .hint(format!("use --{secret}-file FILE, --{secret}-file - for standard input, or {variable}")));
    }
    of_the_script.map_or(Ok(()), Err)
}

/// The options of all commands.
#[derive(Args)]
pub(crate) struct Global {
    /// How to print the result: table, json, ndjson, or id
    #[arg(short, long, global = true, value_name = "FORMAT", default_value = "table")]
    #[arg(hide_default_value = true, hide_possible_values = true, ignore_case = true)]
    pub(crate) output: Format,
    /// Show every request, with its status and MS-CV
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    /// The time limit of a call to the service, with its retries [default: 1m]
    #[arg(long, global = true, value_name = "TIME", value_parser = duration::parse)]
    pub(crate) request_timeout: Option<Duration>,
    /// How often to read a session's state [default: as often as the service allows]
    #[arg(long, global = true, value_name = "TIME", value_parser = duration::parse)]
    pub(crate) poll_interval: Option<Duration>,
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
    #[arg(default_missing_value = EMULATOR, conflicts_with_all = ["config", "profile"])]
    pub(crate) emulator: Option<String>,
    /// The account's GUID
    #[arg(long, global = true, value_name = "GUID")]
    pub(crate) account_id: Option<String>,
    /// The account's region, domain, or token service
    #[arg(long, global = true, value_name = "REGION|URL")]
    pub(crate) account_domain: Option<String>,
    /// Where sessions run
    #[arg(long, global = true, value_name = "REGION|URL")]
    pub(crate) service_endpoint: Option<String>,
    /// A file with the account key; - reads standard input
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) account_key_file: Option<PathBuf>,
    /// A file with a Microsoft Entra token; - reads standard input
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) entra_token_file: Option<PathBuf>,
    /// A file with an access token; - reads standard input
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) access_token_file: Option<PathBuf>,
    /// The version of the REST API: v1 or 2021-01-01 [default: v1]
    #[arg(long, global = true, value_name = "VERSION")]
    pub(crate) api_version: Option<String>,
    /// A PEM file of a private certificate authority to trust too
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// system, none, or the proxy's URL [default: system]
    #[arg(long, global = true, value_name = "PROXY")]
    pub(crate) proxy: Option<String>,
    /// The folder that remembers created sessions, or none [default: below the user's state folder]
    #[arg(long, global = true, value_name = "FOLDER")]
    pub(crate) journal: Option<PathBuf>,
    /// The options above that were given, with their values.
    #[arg(skip)]
    pub(crate) given: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Table,
    Json,
    Ndjson,
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
    #[command(override_usage = "arr stop [OPTIONS] <ID|--mine|--account>")]
    Stop(Stop),
    /// Keep a session's lease alive, in the foreground
    Hold(Hold),
    /// Show the account's sessions as they change
    Watch(Watch),
    /// Find sessions that a crash or a lost connection left behind
    Recover(Recover),
    /// Print an access token of the account
    Token,
    /// Check the configuration, the network, the credential, the region and the journal
    Doctor,
    /// Show or keep the configuration
    #[command(subcommand)]
    Config(Config),
    /// Print completions for a shell
    Completions {
        /// bash, zsh, fish, powershell, or elvish
        #[arg(value_name = "SHELL", hide_possible_values = true)]
        shell: Shell,
    },
    /// Print the manual page
    Man {
        /// Write the pages of all commands into this folder instead
        #[arg(long, value_name = "FOLDER")]
        folder: Option<PathBuf>,
    },
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
    #[command(flatten)]
    pub(crate) holding: Holding,
}

/// Holding what another command has made or found.
#[derive(Args)]
pub(crate) struct Holding {
    /// Keep the lease alive until Ctrl+C (with create: wait until it is ready first)
    #[arg(long, requires = "cap")]
    pub(crate) hold: bool,
    /// With --hold: the longest that the total lease may become
    #[arg(long, value_name = "TIME", value_parser = duration::parse, requires = "hold")]
    pub(crate) cap: Option<Duration>,
    /// With --hold: what Ctrl+C does to the session: stop or leave [default: stop if created, otherwise leave]
    #[arg(long, value_name = "HOW", hide_possible_values = true, requires = "hold")]
    pub(crate) on_exit: Option<OnExit>,
}

/// What becomes of a held session at Ctrl+C.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnExit {
    Stop,
    Leave,
}

#[derive(Args)]
pub(crate) struct Hold {
    /// The session's id
    pub(crate) id: SessionId,
    /// The longest that the total lease may become
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    pub(crate) cap: Duration,
    /// Whether Ctrl+C stops the session or leaves it running: stop or leave
    #[arg(long, value_name = "HOW", default_value = "leave", hide_possible_values = true)]
    pub(crate) on_exit: OnExit,
}

#[derive(Args)]
pub(crate) struct Watch {
    /// Only these sessions, until all have ended
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<SessionId>,
    /// How often to ask the service
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration::parse)]
    pub(crate) interval: Duration,
}

#[derive(Args)]
pub(crate) struct Recover {
    /// Stop those that are certainly ours
    #[arg(long, conflicts_with_all = ["keep", "hold"])]
    pub(crate) stop: bool,
    /// Leave those that are certainly ours running on purpose
    #[arg(long, conflicts_with = "hold")]
    pub(crate) keep: bool,
    #[command(flatten)]
    pub(crate) holding: Holding,
}

#[derive(Args)]
pub(crate) struct List {
    /// Only sessions that this command line created on this machine
    #[arg(long)]
    pub(crate) mine: bool,
    /// Only sessions with this status, such as ready; may be given several times
    #[arg(long, value_name = "STATUS", ignore_case = true, hide_possible_values = true)]
    #[arg(value_parser = ["starting", "ready", "stopping", "stopped", "expired", "error"])]
    pub(crate) status: Vec<String>,
}

#[derive(Args)]
#[group(id = "amount", required = true, multiple = false)]
pub(crate) struct NewLease {
    /// The total lease, counted from the moment the session became ready
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
#[group(id = "which", multiple = false)]
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
