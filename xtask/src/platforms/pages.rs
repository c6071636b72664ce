//! The tables of README.md and docs/platforms.md, which tell strangers how far each platform was proved: no platform is
//! forgotten, and none is said to be more than it is.

#![cfg(test)]

use super::PLATFORMS;
use super::row::Reached;

/// A page, with the column of its table that says how far.
const PAGES: [(&str, &str, usize); 2] = [
    ("README.md", include_str!("../../../README.md"), 1),
    ("docs/platforms.md", include_str!("../../../docs/platforms.md"), 2),
];

/// What is wrong with the first table whose head begins with `platform`.
fn problems(page: &str, column: usize) -> Vec<String> {
    let table = page.lines().skip_while(|line| !line.starts_with("| platform |")).skip(2);
    let rows: Vec<Vec<&str>> = table
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let mut problems = Vec::new();
    for cells in &rows {
        let says = said(cells.get(column).unwrap_or(&""));
        let names = names(cells[0]);
        if names.is_empty() && says.is_some() {
            problems.push(format!("{} is said to be proved, and names no platform", cells[0]));
        }
        for name in names {
            match PLATFORMS.iter().find(|platform| platform.name == name) {
                None => problems.push(format!("there is no platform {name}")),
                Some(platform) if says != Some(platform.reached) => {
                    problems.push(format!("{name} is {}, which is not what is said of it", platform.reached));
                }
                Some(_) => {}
            }
        }
    }
    let forgotten =
        PLATFORMS.iter().filter(|platform| !rows.iter().any(|cells| names(cells[0]).contains(&platform.name)));
    problems.extend(forgotten.map(|platform| format!("{} is forgotten", platform.name)));
    problems
}

/// The names in a cell: what is in backticks.
fn names(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// The word that a cell begins with, if it is one of ours.
fn said(cell: &str) -> Option<Reached> {
    let cell = cell.trim_start_matches('*');
    let word = cell.split(|letter: char| !letter.is_alphanumeric() && letter != '-').next().unwrap_or_default();
    Reached::ALL.into_iter().find(|reached| reached.word() == word)
}

#[test]
fn the_pages_tell_of_every_platform_what_is_proved_of_it() {
    for (name, page, column) in PAGES {
        assert_eq!(problems(page, column), [""; 0], "{name}");
    }
}

#[test]
fn a_platform_that_is_forgotten_or_praised_is_seen() {
    let row = |names: &str, says: &str| format!("| A system ({names}) | {says} |\n");
    let mut good = String::from("| platform | state |\n|---|---|\n");
    for platform in PLATFORMS {
        good += &row(&format!("`{}`", platform.name), &format!("**{}** by somebody", platform.reached));
    }
    assert_eq!(problems(&good, 1), [""; 0]);
    let cases = [
        (good.replace("`uwp-arm64`", "UWP"), "uwp-arm64 is forgotten"),
        (good.replace("`uwp-arm64`", "UWP"), "A system (UWP) is said to be proved, and names no platform"),
        (good.replace("`uwp-arm64`", "`uwp-arm65`"), "there is no platform uwp-arm65"),
        (
            good.replacen("**type-checked**", "**linked**", 1),
            "windows-msvc-x64 is type-checked, which is not what is said of it",
        ),
        (good.replacen("**linked**", "run", 1), "windows-arm64 is linked, which is not what is said of it"),
        (String::new(), "linux-x64 is forgotten"),
    ];
    for (page, expected) in cases {
        let problems = problems(&page, 1);
        assert!(problems.iter().any(|problem| problem == expected), "{expected}: {problems:?}");
    }
}
