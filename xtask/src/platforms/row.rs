//! What is known of each platform in the end: a row of a table.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

/// How far a platform was proved, in the word that the pages have for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Reached {
    Run,
    Linked,
    Checked,
}

impl Reached {
    pub(crate) const ALL: [Self; 3] = [Self::Run, Self::Linked, Self::Checked];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Linked => "linked",
            Self::Checked => "type-checked",
        }
    }
}

impl std::fmt::Display for Reached {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

/// What could be proved of a platform here.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) platform: &'static str,
    /// `linked`, `type-checked`.
    pub(crate) built: String,
    pub(crate) exports: String,
    pub(crate) imports: String,
    /// What has run, and under what.
    pub(crate) run: String,
    pub(crate) size: Option<u64>,
}

/// In place of what there is not.
const NOTHING: &str = "-";

impl Row {
    pub(crate) fn failed(platform: &'static str) -> Self {
        let failed = || "FAILED".to_owned();
        Self { platform, built: failed(), exports: failed(), imports: failed(), run: failed(), size: None }
    }

    /// How far it came; `None` if it failed.
    pub(crate) fn reached(&self) -> Option<Reached> {
        let built = Reached::ALL.into_iter().find(|reached| self.built.starts_with(reached.word()))?;
        Some(if built == Reached::Linked && self.run != NOTHING { Reached::Run } else { built })
    }

    fn cells(&self) -> [String; 6] {
        let size = self.size.map_or(NOTHING.to_owned(), |bytes| format!("{:.2} MB", bytes as f64 / 1e6));
        [
            self.platform.to_owned(),
            self.built.clone(),
            self.exports.clone(),
            self.imports.clone(),
            size,
            self.run.clone(),
        ]
    }
}

pub(crate) fn size_of(path: &Path) -> Result<u64> {
    Ok(fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?.len())
}

const HEAD: [&str; 6] = ["platform", "built", "exports", "imports", "size", "run"];

/// All rows, each column as wide as its widest cell.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut lines = vec![HEAD.map(str::to_owned)];
    lines.extend(rows.iter().map(Row::cells));
    let width = |column: usize| lines.iter().map(|cells| cells[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..HEAD.len()).map(width).collect();
    let line = |cells: &[String; 6]| {
        let cells: Vec<String> = cells.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}")).collect();
        format!("  {}", cells.join("  ").trim_end())
    };
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_linked_and_ran_is_run() {
        let row = |built: &str, run: &str| Row { built: built.to_owned(), run: run.to_owned(), ..Row::failed("x") };
        assert_eq!(row("linked", "under qemu: 9 C tests").reached(), Some(Reached::Run));
        assert_eq!(row("linked with stand-ins", "-").reached(), Some(Reached::Linked));
        assert_eq!(row("type-checked", "-").reached(), Some(Reached::Checked));
        assert_eq!(Row::failed("x").reached(), None);
    }

    #[test]
    fn columns_are_as_wide_as_they_must_be() {
        let row = Row {
            platform: "linux-x64",
            built: "linked".to_owned(),
            exports: "68, equal".to_owned(),
            imports: "allowed".to_owned(),
            run: "here".to_owned(),
            size: Some(3_000_000),
        };
        let table = table(&[row, Row::failed("uwp")]);
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines[0], "  platform   built   exports    imports  size     run");
        assert_eq!(lines[1], "  linux-x64  linked  68, equal  allowed  3.00 MB  here");
        assert_eq!(lines[2], "  uwp        FAILED  FAILED     FAILED   -        FAILED");
    }
}
