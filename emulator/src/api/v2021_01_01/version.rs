//! The `api-version` in a query (`docs/service-2021-01-01.md`, "Versions").

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use percent_encoding::percent_decode_str;

use super::json;
use crate::config::Wire;
use crate::state::Service;

/// What is served, all of it alike.
const SERVED: [&str; 2] = ["2021-01-01-preview", "2021-01-01"];

const HEADER: HeaderName = HeaderName::from_static("api-supported-versions");

/// The version that a request names. Only [`require`] makes one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version(pub(super) &'static str);

/// Why a request is for no version that is served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Unserved<'a> {
    #[error("the query has no api-version; write ?api-version=2021-01-01")]
    Missing,
    #[error("there is no api-version {0:?} here; there are {first} and {second}", first = SERVED[0], second = SERVED[1])]
    Unknown(Cow<'a, str>),
}

/// Lets a request through that names a version which is served.
pub(super) async fn require(State(service): State<Arc<Service>>, mut request: Request, next: Next) -> Response {
    let response = match served(request.uri().query()) {
        Ok(version) => {
            request.extensions_mut().insert(Version(version));
            next.run(request).await
        }
        Err(unserved) => {
            let code = match unserved {
                Unserved::Missing => "ApiVersionUnspecified",
                Unserved::Unknown(_) => "UnsupportedApiVersion",
            };
            json::error(service.wire, StatusCode::BAD_REQUEST, code, &unserved.to_string())
        }
    };
    with_header(response, service.wire)
}

/// The version that a query names.
fn served(query: Option<&str>) -> Result<&'static str, Unserved<'_>> {
    let mut parameters = query.unwrap_or_default().split('&').filter_map(|parameter| parameter.split_once('='));
    let asked = parameters.find(|(name, _)| name.eq_ignore_ascii_case("api-version"));
    let (_, asked) = asked.filter(|(_, version)| !version.is_empty()).ok_or(Unserved::Missing)?;
    let asked = percent_decode_str(asked).decode_utf8_lossy();
    let mut versions = SERVED.into_iter();
    versions.find(|version| version.eq_ignore_ascii_case(&asked)).ok_or(Unserved::Unknown(asked))
}

/// Adds the versions that the service said it had. The last of the later ones was never published, and is not here.
pub(super) fn with_header(mut response: Response, wire: Wire) -> Response {
    let versions = match wire {
        Wire::V2021 => "2021-01-01-preview, 2021-01-01",
        Wire::V2022 => "2021-01-01-preview, 2021-01-01, 2021-08-01-preview",
    };
    response.headers_mut().insert(HEADER, HeaderValue::from_static(versions));
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
            assert_eq!(served(Some(query)), Ok(version), "{query}");
        }
    }

    #[test]
    fn what_is_no_served_version_is_told_which_there_are() {
        for query in [None, Some(""), Some("api-version"), Some("api-version="), Some("version=2021-01-01")] {
            assert_eq!(served(query), Err(Unserved::Missing), "{query:?}");
        }
        for version in ["2021-08-01-preview", "2021-01", "2020-01-01", "v1", "%"] {
            let error = served(Some(&format!("api-version={version}"))).expect_err("unknown").to_string();
            let expected = "here; there are 2021-01-01-preview and 2021-01-01";
            assert!(error.contains(version) && error.ends_with(expected), "{error}");
        }
    }
}
