//! The regions of the former public service, by name.

/// The parent domain of all hosts of the public service.
pub(crate) const DOMAIN: &str = "mixedreality.azure.com";

/// The regions where sessions could be created (docs/service.md, "Regions").
pub(crate) const NAMES: [&str; 10] = [
    "australiaeast",
    "eastus",
    "eastus2",
    "japaneast",
    "northeurope",
    "southcentralus",
    "southeastasia",
    "uksouth",
    "westeurope",
    "westus2",
];

/// Finds a region by name, in any letter case, also in the form that Azure displays: `West US 2`.
pub(crate) fn find(text: &str) -> Option<&'static str> {
    let plain: String = text.chars().filter(|c| *c != ' ').map(|c| c.to_ascii_lowercase()).collect();
    NAMES.into_iter().find(|name| *name == plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_found_by_its_name_or_its_displayed_name() {
        for text in ["westus2", "WestUS2", "West US 2"] {
            assert_eq!(find(text), Some("westus2"));
        }
        for text in ["", "westus", "westus22", "west-us-2", "westus2.mixedreality.azure.com"] {
            assert_eq!(find(text), None, "{text}");
        }
    }
}
