//! Shared by the tests that run other programs.

mod folder;
mod run;

#[allow(unused_imports)] // Not every test names the type.
pub(crate) use folder::Folder;
pub(crate) use folder::folder;
pub(crate) use run::run;
