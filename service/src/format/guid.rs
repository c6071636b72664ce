//! GUIDs as the service writes them: 36 characters with hyphens, in any letter case.

use uuid::Uuid;

/// Reads the hyphenated form only: the service accepts none of the others that the `uuid` crate reads (braces, URNs, no
/// hyphens).
pub(crate) fn parse(text: &str) -> Option<Uuid> {
    const HYPHENATED_LENGTH: usize = 36;
    if text.len() != HYPHENATED_LENGTH {
        return None;
    }
    Uuid::try_parse(text).ok()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn only_the_hyphenated_form_is_a_guid() {
        assert!(parse("d31bddca-dab7-498e-9bc9-7594bc12862f").is_some());
        assert_eq!(parse("D31BDDCA-DAB7-498E-9BC9-7594BC12862F"), parse("d31bddca-dab7-498e-9bc9-7594bc12862f"));
        for wrong in [
            "",
            "create",
            "d31bddcadab7498e9bc97594bc12862f",
            "{d31bddca-dab7-498e-9bc9-7594bc12862f}",
            "d31bddca-dab7-498e-9bc9-7594bc12862g",
            " d31bddca-dab7-498e-9bc9-7594bc12862",
        ] {
            assert_eq!(parse(wrong), None, "{wrong:?}");
        }
    }
}
