//! What is known of each platform in the end: a row of a table.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

/// How far a platform could be proved here.
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

impl Row {
    pub(crate) fn failed(platform: &'static str) -> Self {
        let failed = || "FAILED".to_owned();
        Self { platform, built: failed(), exports: failed(), imports: failed(), run: failed(), size: None }
    }

    fn cells(&self) -> [String; 6] {
        let size = self.size.map_or("-".to_owned(), |bytes| format!("{:.2} MB", bytes as f64 / 1e6));
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
