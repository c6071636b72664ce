//! The pages of the list (`docs/service-2021-01-01.md`, "List").

use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri};

use super::version::ApiVersion;

/// The query parameter with the number of a page's first session or conversion. The name is our choice: clients use the link as is.
const CONTINUATION: &str = "continuation";

/// The error text for a malformed one.
pub(super) const NO_CONTINUATION: &str =
    "continuation does not come from an @nextLink; omit it to start with the first page";

/// The number that a page begins with; `None` if the parameter is malformed.
pub(super) fn continuation(query: Option<&str>) -> Option<u64> {
    let mut parameters = query.unwrap_or_default().split('&').filter_map(|parameter| parameter.split_once('='));
    parameters.find(|(name, _)| *name == CONTINUATION).map_or(Some(0), |(_, number)| digits(number))
}

/// A number as `@nextLink` writes it, without a sign.
fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// The URL of the next page, with the host name that the client used; relative if that name is malformed.
pub(super) fn next_link(
    scheme: &str,
    ApiVersion(version): ApiVersion,
    uri: &Uri,
    headers: &HeaderMap,
    number: u64,
) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).and_then(|host| host.parse::<Authority>().ok());
    let host = uri.authority().cloned().or(host).filter(|host| !host.as_str().contains('@'));
    let host = host.map(|host| format!("{}://{host}", scheme)).unwrap_or_default();
    format!("{host}{}?api-version={version}&{CONTINUATION}={number}", uri.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_continuation_is_a_number_or_absent() {
        assert_eq!(continuation(None), Some(0));
        assert_eq!(continuation(Some("api-version=1")), Some(0));
        assert_eq!(continuation(Some("api-version=1&continuation=7")), Some(7));
        assert_eq!(continuation(Some("continuation=-1")), None);
        for odd in ["", "+7", "7x", " 7", "99999999999999999999"] {
            assert_eq!(continuation(Some(&format!("continuation={odd}"))), None, "{odd}");
        }
    }
}
