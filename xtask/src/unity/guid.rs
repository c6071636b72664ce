//! The GUIDs by which Unity's scenes and assets name a package's files: the same in every release.

use anyhow::{Result, ensure};

/// Files that were moved after a release: where they are now, and the path that their GUID was made from.
const MOVED: &[(&str, &str)] = &[];

/// The GUID of a file or folder of the package, by its path in the package with `/` between folders. It is made from the
/// path alone, so that nobody can make one up or give one twice.
pub(crate) fn of(path: &str) -> String {
    let named = MOVED.iter().find(|(now, _)| *now == path).map_or(path, |(_, then)| then);
    format!("{:032x}", fnv1a_128(format!("com.arr-session/{named}").as_bytes()))
}

/// 32 lower-case hexadecimal digits, as Unity writes them.
pub(crate) fn check_form(guid: &str) -> Result<()> {
    let digits = guid.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    ensure!(guid.len() == 32 && digits, "`{guid}` is no GUID: it takes 32 lower-case hexadecimal digits");
    Ok(())
}

/// Fowler, Noll and Vo's hash with 128 bits: short, and the same everywhere.
fn fnv1a_128(bytes: &[u8]) -> u128 {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    bytes.iter().fold(OFFSET, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_guid_for_ever() {
        // What has been released must not change: scenes would lose their components.
        assert_eq!(of("Runtime/RemoteRenderingSession.cs"), "b236104a990c1cb60df04232af3faff0");
        assert_ne!(of("Runtime"), of("Editor"));
        check_form(&of("package.json")).unwrap();
    }

    #[test]
    fn what_is_no_guid_is_refused() {
        for bad in ["", "0123", "0123456789ABCDEF0123456789ABCDEF", "0123456789abcdef0123456789abcdeg"] {
            assert!(check_form(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(fnv1a_128(b""), 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
        assert_eq!(fnv1a_128(b"a"), 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964);
    }
}
