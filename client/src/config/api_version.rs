//! Versions of the REST API.

/// A version of the REST API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(non_camel_case_types, reason = "the service's own name")]
pub enum ApiVersion {
    /// The first one, under the path `/v1`: the service chooses the session's id.
    V1,
    /// The last one, `?api-version=2021-01-01`: the client chooses the id, so a create can be repeated; leases are whole
    /// minutes of at most a day.
    V2021_01_01,
}
