//! The values that a source can have.

/// A value of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    AccountId,
    AccountKey,
    EntraToken,
    AccessToken,
    AccountDomain,
    ServiceEndpoint,
    ApiVersion,
    CaFile,
    Proxy,
    Size,
    Lease,
}

impl Setting {
    pub(crate) const ALL: [Setting; 11] = [
        Setting::AccountId,
        Setting::AccountKey,
        Setting::EntraToken,
        Setting::AccessToken,
        Setting::AccountDomain,
        Setting::ServiceEndpoint,
        Setting::ApiVersion,
        Setting::CaFile,
        Setting::Proxy,
        Setting::Size,
        Setting::Lease,
    ];
    pub(crate) const CREDENTIALS: [Setting; 3] = [Setting::AccountKey, Setting::EntraToken, Setting::AccessToken];

    /// The name in config.toml and in the output. The variable is `ARR_` and this in capitals, the option this with
    /// hyphens.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Setting::AccountId => "account_id",
            Setting::AccountKey => "account_key",
            Setting::EntraToken => "entra_token",
            Setting::AccessToken => "access_token",
            Setting::AccountDomain => "account_domain",
            Setting::ServiceEndpoint => "service_endpoint",
            Setting::ApiVersion => "api_version",
            Setting::CaFile => "ca_file",
            Setting::Proxy => "proxy",
            Setting::Size => "size",
            Setting::Lease => "lease",
        }
    }

    pub(crate) fn variable(self) -> String {
        format!("ARR_{}", self.name().to_ascii_uppercase())
    }

    /// The variable of the Azure SDK's tests.
    pub(crate) fn azure_variable(self) -> Option<String> {
        use Setting::{AccountDomain, AccountId, AccountKey, ServiceEndpoint};
        let known = matches!(self, AccountId | AccountKey | AccountDomain | ServiceEndpoint);
        known.then(|| format!("REMOTERENDERING_{}", self.variable()))
    }

    pub(crate) fn option(self) -> String {
        format!("--{}", self.name().replace('_', "-"))
    }

    pub(crate) fn is_credential(self) -> bool {
        Setting::CREDENTIALS.contains(&self)
    }

    /// Whether it says whose credential it is, or where it is sent: taken from one source, with the credential.
    pub(crate) fn is_of_account(self) -> bool {
        self.is_credential() || matches!(self, Setting::AccountId | Setting::AccountDomain | Setting::ServiceEndpoint)
    }
}
