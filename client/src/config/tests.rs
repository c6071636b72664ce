//! Fixtures shared by the tests of all layers.

use super::{ClientConfig, Credential};

pub(crate) const ACCOUNT: &str = "68321d5a-7978-4ceb-b880-0f49751daae9";

/// A valid configuration for the former public service.
pub(crate) fn config() -> ClientConfig {
    ClientConfig {
        account_id: ACCOUNT.into(),
        credential: Credential::AccountKey("key=".into()),
        account_domain: "westus2.mixedreality.azure.com".into(),
        service_endpoint: "https://remoterendering.westus2.mixedreality.azure.com/".into(),
        ..ClientConfig::default()
    }
}
