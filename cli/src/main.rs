//! `arr`: remote rendering sessions from the command line.
//!
//! | module | contents |
//! |---|---|
//! | `commands` | the commands, one file each |
//! | `context` | the client, and waiting for its operations |
//! | `output` | results on standard output, progress on standard error |
//! | `config` | where each value comes from, and the files that users have |
//! | `args` | the command line |
//! | `failure`, `interrupt`, `duration`, `paths` | exit codes and messages; Ctrl+C; lengths of time; folders |

mod args;
mod commands;
mod config;
mod context;
mod duration;
mod failure;
mod interrupt;
mod output;
mod paths;

use std::env;
use std::process::ExitCode;

use args::{Cli, Command, Format};
use commands::{create, doctor, extend, hold, list, pages, recover, show, stop, token, wait, watch};
use config::{INSTEAD, RETIRED, Settings};
use context::Context;
use failure::{Exit, Failure};

fn main() -> ExitCode {
    let mut format = Format::Table;
    let done = args::refuse_expected(env::args_os()).and_then(|()| {
        let cli = Cli::read();
        format = cli.global.output;
        interrupt::install();
        run(&cli)
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print(format);
            ExitCode::from(failure.exit as u8)
        }
    }
}

fn run(cli: &Cli) -> Result<(), Failure> {
    let global = &cli.global;
    match &cli.command {
        Command::Completions { shell } => return pages::completions(*shell),
        Command::Man { folder } => return pages::man(folder.as_deref()),
        Command::Config(args::Config::Path) => return commands::config::path(global.output),
        Command::Config(args::Config::Import { file, force }) => {
            return commands::config::import(file, global.account.profile.as_deref(), *force);
        }
        _ => {}
    }
    let resolved = config::resolve(&global.account)?;
    let context = Context { settings: Settings::new(resolved, global), global };
    if let Command::Config(_) = &cli.command {
        return commands::config::show(&context);
    }
    context.settings.resolved.notes.iter().for_each(|note| failure::note(note));
    let done = match &cli.command {
        Command::Create(args) => create::create(&context, args),
        Command::List(args) => list::list(&context, args),
        Command::Show { id } => show::show(&context, id),
        Command::Wait { id, patience } => wait::wait(&context, id, patience),
        Command::Extend(args) => extend::extend(&context, args),
        Command::Stop(args) => stop::stop(&context, args),
        Command::Hold(args) => hold::hold(&context, args),
        Command::Watch(args) => watch::watch(&context, args),
        Command::Recover(args) => recover::recover(&context, args),
        Command::Token => token::token(&context),
        Command::Doctor => doctor::doctor(&context),
        Command::Config(_) | Command::Completions { .. } | Command::Man { .. } => Ok(()),
    };
    done.map_err(|failure| match failure.exit {
        Exit::Network if context.settings.is_retired_service() => failure.hint(format!("{RETIRED}; {INSTEAD}")),
        _ => failure,
    })
}
