//! The `api-version` in a query (`docs/service-2021-01-01.md`, "Versions").

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use percent_encoding::percent_decode_str;

use super::json;
use crate::config::WireFormat;
use crate::state::ServiceState;

/// The supported versions; they behave alike.
const SUPPORTED: [&str; 2] = ["2021-01-01-preview", "2021-01-01"];

const SUPPORTED_VERSIONS: HeaderName = HeaderName::from_static("api-supported-versions");

/// The version that a request names. Only [`require_version`] makes one.
#[derive(Clone, Copy, Debug)]
pub(super) struct ApiVersion(pub(super) &'static str);

/// Why a request names no supported version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum UnsupportedVersion<'a> {
    #[error("the query has no api-version; add ?api-version=2021-01-01")]
    Missing,
    #[error("api-version {0:?} is not supported; use {first} or {second}", first = SUPPORTED[0], second = SUPPORTED[1])]
    Unknown(Cow<'a, str>),
}

/// Middleware that admits requests which name a supported version.
pub(super) async fn require_version(
    State(state): State<Arc<ServiceState>>,
    mut request: Request,
    next: Next,
) -> Response {
    let response = match requested_version(request.uri().query()) {
        Ok(version) => {
            request.extensions_mut().insert(ApiVersion(version));
            next.run(request).await
        }
        Err(unsupported) => {
            let code = match unsupported {
                UnsupportedVersion::Missing => "ApiVersionUnspecified",
                UnsupportedVersion::Unknown(_) => "UnsupportedApiVersion",
            };
            json::error_reply_with_code(state.wire, StatusCode::BAD_REQUEST, code, &unsupported.to_string())
        }
    };
    with_supported_versions(response, state.wire)
}

/// The version that a query names.
fn requested_version(query: Option<&str>) -> Result<&'static str, UnsupportedVersion<'_>> {
    let mut parameters = query.unwrap_or_default().split('&').filter_map(|parameter| parameter.split_once('='));
    let asked = parameters.find(|(name, _)| name.eq_ignore_ascii_case("api-version"));
    let (_, asked) = asked.filter(|(_, version)| !version.is_empty()).ok_or(UnsupportedVersion::Missing)?;
    let asked = percent_decode_str(asked).decode_utf8_lossy();
    let mut versions = SUPPORTED.into_iter();
    versions.find(|version| version.eq_ignore_ascii_case(&asked)).ok_or(UnsupportedVersion::Unknown(asked))
}

/// Adds the list of versions that the service sent. The last one in the later list was never published and is not
/// supported here.
pub(super) fn with_supported_versions(mut response: Response, wire: WireFormat) -> Response {
    let versions = match wire {
        WireFormat::V2021 => "2021-01-01-preview, 2021-01-01",
        WireFormat::V2022 => "2021-01-01-preview, 2021-01-01, 2021-08-01-preview",
    };
    response.headers_mut().insert(SUPPORTED_VERSIONS, HeaderValue::from_static(versions));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_among_other_parameters_and_in_any_letter_case() {
        for (query, version) in [
            ("api-version=2021-01-01", "2021-01-01"),
            ("x=1&api-version=2021-01-01-Preview&y", "2021-01-01-preview"),
            ("api-version=2021%2D01-01", "2021-01-01"),
            ("API-Version=2021-01-01&api-version=9", "2021-01-01"),
        ] {
            assert_eq!(requested_version(Some(query)), Ok(version), "{query}");
        }
    }

    #[test]
    fn an_unsupported_version_gets_the_list_of_versions() {
        for query in [None, Some(""), Some("api-version"), Some("api-version="), Some("version=2021-01-01")] {
            assert_eq!(requested_version(query), Err(UnsupportedVersion::Missing), "{query:?}");
        }
        for version in ["2021-08-01-preview", "2021-01", "2020-01-01", "v1", "%"] {
            let error = requested_version(Some(&format!("api-version={version}"))).expect_err("unknown").to_string();
            let expected = "is not supported; use 2021-01-01-preview or 2021-01-01";
            assert!(error.contains(version) && error.ends_with(expected), "{error}");
        }
    }
}
