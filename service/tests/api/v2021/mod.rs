//! REST 2021-01-01 as a client sees it.

mod access;
mod conversion_recordings;
mod conversions;
mod create;
mod lifecycle;
mod list;
mod neighbours;
mod recordings;
mod update;
mod versions;
