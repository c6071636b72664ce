//! The version of the library and of its ABI.

use super::guard;
use std::ffi::c_char;

/// The version of the library that this header belongs to: major.
pub const ARR_VERSION_MAJOR: u32 = 0;
/// The version of the library that this header belongs to: minor.
pub const ARR_VERSION_MINOR: u32 = 1;
/// The version of the library that this header belongs to: patch.
pub const ARR_VERSION_PATCH: u32 = 0;
/// The version of the binary interface that this header describes. It changes only when a program that was built
/// before would break; added functions, constants and struct fields leave it as it is.
pub const ARR_ABI_VERSION: u32 = 1;

/// The ABI version of the loaded library. A program checks at its start that it equals ARR_ABI_VERSION: then it and the
/// library fit together.
///
/// Threads: any.
#[unsafe(no_mangle)]
pub extern "C" fn arr_abi_version() -> u32 {
    guard::value("arr_abi_version", 0, || ARR_ABI_VERSION)
}

/// The version of the loaded library, for example "0.1.0". The text is static: never free it.
///
/// Threads: any.
#[unsafe(no_mangle)]
pub extern "C" fn arr_version_string() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    guard::value("arr_version_string", c"".as_ptr(), || VERSION.as_ptr().cast())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_same_everywhere() {
        let header = format!("{ARR_VERSION_MAJOR}.{ARR_VERSION_MINOR}.{ARR_VERSION_PATCH}");
        assert_eq!(header, env!("CARGO_PKG_VERSION"), "src/version.rs and Cargo.toml differ");
        let changes = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("CHANGELOG.md");
        let changes = std::fs::read_to_string(changes).unwrap();
        assert!(changes.contains(&format!("## {header}")), "CHANGELOG.md has no entry for {header}");
    }
}
