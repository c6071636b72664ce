//! Versions of the REST API.

/// A version of the REST API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(non_camel_case_types, reason = "the service's own name")]
pub enum ApiVersion {
    /// The first version, under the path `/v1`: the service chooses the session id.
    V1,
    /// The last version, `?api-version=2021-01-01`: the client chooses the session id, so a create can be repeated
    /// safely. Leases are whole minutes, one day at most.
    V2021_01_01,
}
