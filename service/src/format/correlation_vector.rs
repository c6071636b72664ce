//! The correlation vector in every reply, `MS-CV` (`docs/service.md`, "Errors").

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use uuid::Uuid;

/// A new vector: a GUID in base64 (22 characters, which may include `+` and `/`), then `.0`.
pub(crate) fn generate() -> String {
    let mut text = STANDARD_NO_PAD.encode(Uuid::new_v4().as_bytes());
    text.push_str(".0");
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_vector_is_22_characters_of_base64_and_a_zero() {
        let vector = super::generate();
        let base = vector.strip_suffix(".0").expect("ends in .0");
        assert_eq!(base.len(), 22);
        assert!(base.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/'));
        assert_ne!(vector, super::generate());
    }
}
