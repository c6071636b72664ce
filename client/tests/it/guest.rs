//! The library's threads in a process that changes its own threads' settings.

use crate::support::threads;
use crate::support::wire::{Wire, in_both_versions_in_own_processes};
use crate::support::{HOUR, World, an_hour};
use arr_client::WatchOptions;
use std::fs;
use std::process::Command;
use std::time::Duration;

in_both_versions_in_own_processes![threads_do_not_inherit_the_callers_processor_priority_or_signals];

/// A render thread on one processor at real-time priority makes the first call.
fn threads_do_not_inherit_the_callers_processor_priority_or_signals(wire: &'static Wire) {
    const SIGUSR1_BIT: u64 = 1 << 9;
    let here = fs::read_link("/proc/thread-self").unwrap();
    let thread = here.file_name().unwrap().to_str().unwrap();
    let set = |program: &str, words: &[&str]| Command::new(program).args(words).arg(thread).output().unwrap();
    assert!(set("taskset", &["-cp", "0"]).status.success());
    assert!(set("renice", &["-n", "5", "-p"]).status.success());
    let real_time = set("chrt", &["-r", "-p", "10"]).status.success();
    assert!(real_time || std::env::var_os("CI").is_none(), "chrt needs permission to set real-time priority");

    let world = World::with_startup(wire, Duration::ZERO);
    let session = world.client.create_session(&an_hour()).run().unwrap();
    session.watch(WatchOptions::default(), 1).unwrap();
    session.wait_until_ready().timeout(HOUR).run().unwrap();
    let listed = world.client.list_sessions().start().unwrap();
    listed.wait(HOUR);

    let of = |path: String| fs::read_to_string(path).unwrap_or_default();
    let of_main = |file: &str| of(format!("/proc/self/task/{}/{file}", std::process::id()));
    let processors = |status: &str| {
        status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).map(|list| list.trim().to_owned())
    };
    // The fields after the name, which is in parentheses. The policy is the 41st field, and the nice value the 19th.
    let schedule = |stat: &str| {
        let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        (fields[38].to_owned(), fields[16].to_owned())
    };
    // A build may run under `nice`.
    let (expected, (_, nice)) = (processors(&of_main("status")), schedule(&of_main("stat")));
    let mut seen = Vec::new();
    for task in fs::read_dir("/proc/self/task").unwrap().flatten() {
        let task = task.path();
        let name = fs::read_to_string(task.join("comm")).unwrap_or_default().trim_end().to_owned();
        let (status, stat) = (of(format!("{}/status", task.display())), of(format!("{}/stat", task.display())));
        if !threads::is_ours(&name) || status.is_empty() {
            continue;
        }
        assert_eq!(processors(&status), expected, "{name}");
        assert_eq!(schedule(&stat), ("0".to_owned(), nice.clone()), "{name}");
        let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).unwrap().trim();
        assert_ne!(u64::from_str_radix(mask, 16).unwrap() & SIGUSR1_BIT, 0, "{name}");
        seen.push(name);
    }
    for name in ["arr-driver", "arr-worker", "reqwest-interna"] {
        assert!(seen.iter().any(|seen| seen.starts_with(name)), "{name}: {seen:?}");
    }
}
