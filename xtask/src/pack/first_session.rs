//! The first session in the README.md of a package: its commands run as printed there, and print what it shows.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::runner::Runner;
use crate::platforms::product::Tools;
use crate::process;
use crate::story::text::{PORTS, expect};
use crate::workspace::Workspace;

const PORT: &str = "8722";
const EMULATOR: &str = "bin/arr-emulator";
/// Ends the emulator after a failure, and waits until it listens, as a person who types is slow enough.
const BEFORE: &str = "set -eu\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n";
const LISTENS: &str = " &\nuntil (: </dev/tcp/127.0.0.1/@PORT@) 2>/dev/null; do kill -0 %1; sleep 0.1; done\n";

/// Fails unless the quickstart, compiled by hand and with CMake, prints the story that the page shows.
pub(super) fn follow(package: &Path, workspace: &Workspace, tools: &Tools, runner: &Runner) -> Result<()> {
    let page = fs::read_to_string(package.join("README.md")).context("the package has no README.md")?;
    let shown = blocks(&page, "text");
    let mut bash = Command::new("bash");
    // The page does not name a generator.
    bash.current_dir(package).env("CMAKE_GENERATOR", "Ninja").env("XDG_STATE_HOME", package.join("state")).arg("-c");
    bash.arg(script(&blocks(&page, "sh"), &free_port()?, tools, runner)?);
    let mut finished = process::run(bash, 5 * process::TOOL_LIMIT)?;
    ensure!(finished.exit_code() == Some(0), "README.md's first session: {finished}");
    let output = finished.stdout.replace("\r\n", "\n");
    let (first, last) = (format!("arr_session {}\n", workspace.version), "  status     stopped\n");
    let stories: Vec<&str> = output.split(&first).skip(1).collect();
    ensure!(stories.len() == 2, "it should print the story twice: {finished}");
    let ends = |story: &str| story.rfind(last).map_or(story.len(), |at| at + last.len());
    let stories = stories.iter().map(|story| format!("{first}{}", &story[..ends(story)]));
    for story in stories.chain([shown]) {
        finished.stdout = story;
        expect(workspace, "quickstart", &finished).context("README.md's first session")?;
    }
    Ok(())
}

/// The fenced blocks of this language.
fn blocks(page: &str, language: &str) -> String {
    let parts = page.split("```").skip(1).step_by(2);
    parts.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n')).collect()
}

/// The page's commands, with another port in case 8722 is in use, and with this machine's cross compiler and the runner for its
/// programs.
fn script(typed: &str, port: &str, tools: &Tools, runner: &Runner) -> Result<String> {
    let mut script = format!("{BEFORE}{typed}");
    let (cc, cmake) = (format!("{} ", tools.cc), tools.cmake().join("' '"));
    let waits = runner.in_shell(true);
    let foreign = !matches!(runner, Runner::Here);
    let of_windows = runner.suffix() == ".exe";
    let arr = format!("\nbin/arr{} ", runner.suffix());
    for (from, to, is_here) in [
        (PORT, port.to_owned(), true),
        // The emulator would invent others.
        (" &\n", format!(" --session-ports {PORTS} &\n"), true),
        (" &\n", LISTENS.replace("@PORT@", port), true),
        (EMULATOR, format!("{}{EMULATOR}", runner.in_shell(false)), foreign),
        (&arr, format!("\n{waits}{}", arr.trim_start()), foreign),
        ("./quickstart", format!("{waits}./quickstart"), foreign),
        ("build/quickstart", format!("{waits}build/quickstart"), foreign),
        ("\ncc ", format!("\n{cc}"), foreign && !of_windows),
        ("\ngcc ", format!("\n{cc}"), of_windows),
        ("cmake -S examples/c", format!("cmake -S examples/c '{cmake}'"), foreign),
    ] {
        ensure!(!is_here || script.contains(from), "README.md has no command `{}`", from.trim());
        if is_here {
            script = script.replace(from, &to);
        }
    }
    Ok(script)
}

fn free_port() -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").context("there is no free port")?;
    Ok(listener.local_addr()?.port().to_string())
}
