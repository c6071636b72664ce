//! Assembles the Unity package: sources, core, documentation, and binaries, each with its `.meta` file.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::artifacts::Library;
use crate::csharp;
use crate::notices::{self, Parts};
use crate::unity::manifest;
use crate::unity::meta;
use crate::unity::plugins::Platform;
use crate::workspace::Workspace;

/// The package's own files.
const SOURCES: &str = "bindings/unity";
/// The package's documentation: a page without links to other pages.
const PAGE: &str = "docs/unity.md";

/// The notices for the native library; the crates are appended.
pub(crate) const NOTICES: &str = "Third Party Notices.md";

/// A binary for the package.
pub(crate) struct Binary {
    pub(crate) platform: &'static Platform,
    pub(crate) file: PathBuf,
    /// Its parts, if known.
    pub(crate) parts: Option<Parts>,
}

impl Binary {
    /// The library built on this machine.
    pub(crate) fn of_this_machine(workspace: &Workspace, library: &Library) -> Result<Self> {
        let platform = Platform::for_target(&workspace.host)
            .with_context(|| format!("the Unity package has no place for a library of {}", workspace.host))?;
        Ok(Self { platform, file: library.shared.clone(), parts: None })
    }
}

/// The changes to a package's folder.
pub(crate) struct Assembled {
    pub(crate) files: usize,
    pub(crate) written: usize,
    pub(crate) removed: usize,
}

/// The package's folder, unless another is given.
pub(crate) fn default_folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("unity").join(manifest::NAME)
}

/// Assembles the package in `folder`, with these binaries. Unchanged files stay untouched, so that Unity does not reimport them;
/// files that no longer belong there are removed.
pub(crate) fn assemble(workspace: &Workspace, folder: &Path, binaries: &[Binary]) -> Result<Assembled> {
    ensure_ours(folder)?;
    lay_out(folder, &contents(workspace, binaries)?)
}

/// Gives `folder` exactly these contents.
pub(super) fn lay_out(folder: &Path, wanted: &Contents) -> Result<Assembled> {
    let mut removed = 0;
    for path in list(folder)?.iter().rev().filter(|path| !wanted.contains_key(*path)) {
        let stale = folder.join(path);
        let gone = if stale.is_dir() { fs::remove_dir(&stale) } else { fs::remove_file(&stale) };
        gone.with_context(|| format!("cannot remove {}", stale.display()))?;
        removed += 1;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let mut written = 0;
    let mut files = 0;
    for (path, content) in wanted {
        let target = folder.join(path);
        let Some(content) = content else {
            fs::create_dir_all(&target).with_context(|| format!("cannot make the folder {}", target.display()))?;
            continue;
        };
        files += 1;
        if fs::read(&target).is_ok_and(|there| there == *content) {
            continue;
        }
        fs::write(&target, content).with_context(|| format!("cannot write {}", target.display()))?;
        written += 1;
    }
    Ok(Assembled { files, written, removed })
}

/// Fails if the folder contains anything but an earlier package.
fn ensure_ours(folder: &Path) -> Result<()> {
    let empty = fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none());
    let ours = manifest::name(folder).is_some_and(|name| name == manifest::NAME);
    ensure!(
        empty || ours,
        "{} is neither empty nor an earlier version of this package: give another folder, or empty it",
        folder.display()
    );
    Ok(())
}

/// Everything in the package by its path: a file's content, or `None` for a folder.
pub(super) type Contents = BTreeMap<String, Option<Vec<u8>>>;

pub(super) fn contents(workspace: &Workspace, binaries: &[Binary]) -> Result<Contents> {
    let mut contents = Contents::new();
    let sources = workspace.root.join(SOURCES);
    for path in list(&sources)?.iter().filter(|path| !path.starts_with("Plugins~")) {
        add(&mut contents, path, &sources.join(path))?;
    }
    // The engine-free C#.
    for source in csharp::list(workspace, csharp::LIBRARY)? {
        let name = source.file_name().unwrap_or_default().to_string_lossy();
        add(&mut contents, &format!("Runtime/Core/{name}"), &source)?;
    }
    add(&mut contents, "Documentation~/unity.md", &workspace.root.join(PAGE))?;
    let notices = contents.get_mut(NOTICES).and_then(Option::as_mut).context("the notices are missing")?;
    let parts: Option<Vec<Parts>> = binaries.iter().map(|binary| binary.parts.clone()).collect();
    notices.extend(notices::of_libraries(workspace, parts.as_deref())?.into_bytes());

    for Binary { platform, file, .. } in binaries {
        platform.check_binary(file)?;
        ensure!(!contents.contains_key(&platform.path()), "two binaries are given for {}", platform.name);
        add(&mut contents, &platform.path(), file)?;
        // The notes about a platform's binary go beside it.
        let notes = workspace.root.join(platform.notes());
        for name in list(&notes)? {
            add(&mut contents, &format!("Plugins/{}/{name}", platform.name), &notes.join(&name))?;
        }
    }
    add_folders(&mut contents);
    add_metas(&mut contents)?;
    Ok(contents)
}

fn add(contents: &mut Contents, path: &str, from: &Path) -> Result<()> {
    let content = if from.is_dir() {
        None
    } else {
        Some(fs::read(from).with_context(|| format!("cannot read {}", from.display()))?)
    };
    contents.insert(path.to_owned(), content);
    Ok(())
}

fn add_folders(contents: &mut Contents) {
    let above = |path: &String| path.match_indices('/').map(|(at, _)| path[..at].to_owned()).collect::<Vec<_>>();
    let folders: Vec<String> = contents.keys().flat_map(above).collect();
    contents.extend(folders.into_iter().map(|folder| (folder, None)));
}

fn add_metas(contents: &mut Contents) -> Result<()> {
    let with_meta = contents.iter().filter(|(path, _)| has_meta(path));
    let meta = |(path, content): (&String, &Option<Vec<u8>>)| -> Result<_> {
        Ok((format!("{path}.meta"), Some(meta::of(path, content.is_none())?.into_bytes())))
    };
    let metas = with_meta.map(meta).collect::<Result<Vec<_>>>()?;
    contents.extend(metas);
    Ok(())
}

/// The paths of everything below a folder, with `/` between folders, each folder before its contents.
pub(crate) fn list(folder: &Path) -> Result<Vec<String>> {
    let mut paths = Vec::new();
    let mut waiting = if folder.is_dir() { vec![String::new()] } else { Vec::new() };
    while let Some(below) = waiting.pop() {
        let folder = folder.join(&below);
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))? {
            let entry = entry?;
            let path = format!("{below}{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                waiting.push(format!("{path}/"));
            }
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Whether Unity imports it: not if it, or a folder above it, is hidden or ends in `~`.
pub(crate) fn is_imported(path: &str) -> bool {
    !path.split('/').any(|name| name.starts_with('.') || name.ends_with('~'))
}

/// Whether it has a `.meta` file: if Unity imports it, or if it is in a sample. Unity copies samples into the project with their
/// `.meta` files, without which a component would have another GUID in each project.
pub(crate) fn has_meta(path: &str) -> bool {
    match path.strip_prefix("Samples~/") {
        Some(below) => below.split_once('/').is_some_and(|(_, in_sample)| is_imported(in_sample)),
        None => is_imported(path),
    }
}
