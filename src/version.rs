//! The version of the library and of its ABI.

use super::guard;
use std::ffi::c_char;

/// Version of the library that this header belongs to: major.
pub const ARR_VERSION_MAJOR: u32 = 0;
/// Version of the library that this header belongs to: minor.
pub const ARR_VERSION_MINOR: u32 = 1;
/// Version of the library that this header belongs to: patch.
pub const ARR_VERSION_PATCH: u32 = 0;
/// Version of the ABI that this header describes. It changes only when existing programs would break; added functions,
/// constants and struct fields leave it unchanged.
pub const ARR_ABI_VERSION: u32 = 1;

/// Returns the ABI version of the loaded library.
///
/// Check once, at startup, that it equals ARR_ABI_VERSION: otherwise the loaded library does not match this header.
///
/// Does not block. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn arr_abi_version() -> u32 {
    guard::value("arr_abi_version", 0, || ARR_ABI_VERSION)
}

/// Returns the version of the loaded library, for example "0.1.0". The string is static: never free it.
///
/// Does not block. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn arr_version_string() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    guard::value("arr_version_string", c"".as_ptr(), || VERSION.as_ptr().cast())
}

/// Returns the version of the loaded library as a number: major * 1000000 + minor * 1000 + patch, so 1002003 is 1.2.3.
///
/// Does not block. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn arr_version_number() -> u32 {
    guard::value("arr_version_number", 0, || {
        ARR_VERSION_MAJOR * 1_000_000 + ARR_VERSION_MINOR * 1_000 + ARR_VERSION_PATCH
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_same_everywhere() {
        let header = format!("{ARR_VERSION_MAJOR}.{ARR_VERSION_MINOR}.{ARR_VERSION_PATCH}");
        assert_eq!(header, env!("CARGO_PKG_VERSION"), "src/version.rs and Cargo.toml differ");
        let number = arr_version_number();
        assert_eq!(header, format!("{}.{}.{}", number / 1_000_000, number / 1_000 % 1_000, number % 1_000));
        let changes = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("CHANGELOG.md");
        let changes = std::fs::read_to_string(changes).unwrap();
        assert!(changes.contains(&format!("## {header}")), "CHANGELOG.md has no entry for {header}");
    }
}
