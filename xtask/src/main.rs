//! The workspace's tasks. `cargo xtask` lists them.

mod abi;
mod artifacts;
mod bench;
mod c;
mod context;
mod cpp;
mod csharp;
mod csharp_pages;
mod demo;
mod dependencies;
mod emulator;
mod links;
mod notices;
mod once;
mod pack;
mod packages;
mod pages;
mod parallel;
mod platforms;
mod process;
mod python;
mod python_sdk;
mod rust;
mod sanitize;
mod scripts;
mod step;
mod story;
mod test;
mod unity;
mod wine;
mod workspace;

use std::path::Path;
use std::process::ExitCode;

use step::EXIT_UNUSABLE;

const HELP: &str = "\
Tasks of this workspace.

Usage: cargo xtask <command>

  demo             build everything and run examples/c/quickstart.c against the emulator
  test             run every check, from formatting to the C programs under valgrind and the official Python SDK
  test PART        run only the checks with PART in their names, and what they need; `test list` lists them
  sanitize [RUNS]  run threads that share the library under ThreadSanitizer (RUNS times, default 1) and under valgrind
  bench [--quick]  measure the library beside libcurl, reqwest, ureq and the Python SDK, and rewrite docs/performance.md
  platforms [NAME] build for every platform or one, inspect the results, and run them where possible
  pack             make the packages and check each separately, as `platforms` does; `--update` accepts the files in them,
                   `--reproduce` makes them again in another folder and compares the bytes
  inspect PLATFORM FILE  inspect a library or archive that was built elsewhere: format, processor, exports and imports
  notices FILE     write the third-party notices of a library that was built elsewhere: the crates of all systems and their licences
  header           regenerate include/arr_session.h, the C# declarations and abi/ from the Rust sources; refuses changes that would
                   break existing programs
  unity [FOLDER]   make the Unity package with this machine's library, in target/unity or FOLDER; PLATFORM=FILE adds a
                   library for another platform
  help             show this list
";

fn main() -> ExitCode {
    let arguments: Vec<String> =
        std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();

    let outcome = match arguments[..] {
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        ["demo"] => demo::run(),
        ["test"] => test::run(""),
        ["test", "list"] => test::list(),
        ["test", part] => test::run(part),
        ["bench"] => bench::run(&[]),
        ["bench", "--quick"] => bench::run(&["--quick"]),
        ["platforms"] => pack::platforms(None),
        ["platforms", name] => pack::platforms(Some(name)),
        ["pack"] => pack::run(pack::Mode::Check),
        ["pack", "--update"] => pack::run(pack::Mode::Update),
        ["pack", "--reproduce"] => pack::run(pack::Mode::Reproduce),
        ["inspect", platform, file] => platforms::inspect(platform, file),
        ["inspect", ..] => {
            return unusable(&format!("`inspect` takes a platform ({}) and a file", platforms::inspected()));
        }
        ["notices", file] if !file.starts_with('-') => notices::run(Path::new(file)),
        ["notices", ..] => return unusable("`notices` takes one argument, the file to write"),
        ["sanitize"] => sanitize::run(sanitize::DEFAULT_RUNS),
        ["sanitize", runs] => match runs.parse() {
            Ok(runs) => sanitize::run(runs),
            Err(_) => return unusable(&format!("`{runs}` is not a number of runs")),
        },
        ["header"] => abi::header::run(),
        ["unity", ref what @ ..] => unity::run(what),
        [command @ ("demo" | "test" | "sanitize" | "header" | "bench" | "platforms" | "pack"), option, ..] => {
            return unusable(&format!("`{command}` has no option `{option}`"));
        }
        [command, ..] => return unusable(&format!("there is no command `{command}`")),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn unusable(complaint: &str) -> ExitCode {
    eprintln!("error: {complaint}; see `cargo xtask help`");
    ExitCode::from(EXIT_UNUSABLE)
}
