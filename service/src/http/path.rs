//! URL paths: from the client's spelling to that of the routes.

use std::borrow::Cow;

use axum::http::Uri;
use axum::http::uri::PathAndQuery;

use crate::session::SessionId;

/// The path and query as sent, but without the secret of a shared access signature.
pub(crate) fn as_sent(uri: &Uri) -> String {
    let sent = uri.path_and_query().map(PathAndQuery::as_str).unwrap_or_default();
    let Some((path, query)) = sent.split_once('?') else { return truncated(sent).to_owned() };
    let redacted = |parameter: &str| match parameter.split_once('=') {
        Some((name, _)) if name.eq_ignore_ascii_case("sig") => format!("{name}=<redacted>"),
        _ => parameter.to_owned(),
    };
    let query: Vec<_> = query.split('&').map(redacted).collect();
    truncated(&format!("{path}?{}", query.join("&"))).to_owned()
}

/// A path, cut to the length that is logged or repeated in a reply. No real path is longer.
pub(crate) fn truncated(path: &str) -> &str {
    const LONGEST: usize = 1024;
    &path[..path.floor_char_boundary(LONGEST)]
}

/// The session that a path names, in either version of the API. The path is normalised, and may be relative.
pub(crate) fn session(path: &str) -> Option<String> {
    let mut segments = path.trim_start_matches('/').split('/');
    let is_v1 = segments.clone().next() == Some("v1");
    let id = segments.find(|segment| *segment == "sessions").and_then(|_| segments.next())?;
    let is_create = is_v1 && id == "create";
    SessionId::parse(id).ok().filter(|_| !is_create).map(|id| id.to_string())
}

/// Gives a path the spelling of the routes: without trailing slashes, with an initial `accounts` in lower case, and
/// with colons not percent-encoded. The service accepts other spellings, and clients use them (`docs/service.md`,
/// "Token" and "Create").
pub(crate) fn normalize(uri: &mut Uri) {
    let path = normalized(uri.path());
    if path == uri.path() {
        return;
    }
    let path_and_query = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = PathAndQuery::try_from(path_and_query).ok();
    if let Ok(normalized_uri) = Uri::from_parts(parts) {
        *uri = normalized_uri;
    }
}

pub(crate) fn normalized(path: &str) -> String {
    const ACCOUNTS: &str = "/accounts/";
    let path = if path.contains('%') { Cow::from(path.replace("%3A", ":").replace("%3a", ":")) } else { path.into() };
    let path = match path.trim_end_matches('/') {
        "" => "/",
        rest => rest,
    };
    match path.split_at_checked(ACCOUNTS.len()) {
        Some((start, rest)) if start.eq_ignore_ascii_case(ACCOUNTS) => format!("{ACCOUNTS}{rest}"),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalized_uri(uri: &str) -> String {
        let mut uri = uri.parse().expect("a URI");
        normalize(&mut uri);
        uri.to_string()
    }

    #[test]
    fn trailing_slashes_and_the_case_of_accounts_do_not_matter() {
        for (sent, known) in [
            ("/Accounts/A/token/", "/accounts/A/token"),
            ("/ACCOUNTS/A/token?api-version=1/", "/accounts/A/token?api-version=1/"),
            ("/Accounts/a/sessions/b/%3Astop?x=%3A", "/accounts/a/sessions/b/:stop?x=%3A"),
            ("/v1/accounts/a/sessions//", "/v1/accounts/a/sessions"),
            ("/v1/accounts/a/sessions/?x=1", "/v1/accounts/a/sessions?x=1"),
            ("http://host:1/Accounts/a/token/", "http://host:1/accounts/a/token"),
            ("/", "/"),
            ("//", "/"),
            ("*", "*"),
            ("/%C3%A9", "/%C3%A9"),
        ] {
            assert_eq!(normalized_uri(sent), known, "{sent}");
        }
    }

    #[test]
    fn the_secret_of_a_shared_access_signature_is_not_recorded() {
        for (sent, recorded) in [
            ("/a?api-version=1", "/a?api-version=1"),
            ("/a?", "/a?"),
            ("/a", "/a"),
            ("/a?sv=2015&sig=s3cret&x&signed=1", "/a?sv=2015&sig=<redacted>&x&signed=1"),
            ("http://host/a?SIG=s3cret", "/a?SIG=<redacted>"),
        ] {
            assert_eq!(as_sent(&sent.parse().expect("a URI")), recorded);
        }
    }

    #[test]
    fn the_session_in_a_path_is_found() {
        for (path, id) in [
            ("/v1/accounts/a/sessions/b/properties", Some("b")),
            ("/v1/accounts/a/sessions/create", None),
            ("accounts/a/sessions/b", Some("b")),
            ("/accounts/a/sessions/create/:stop", Some("create")),
            ("/accounts/a/sessions/%3Cb%3E", None),
            ("/accounts/a/sessions", None),
            ("/accounts/a/token", None),
            ("https://example.org/", None),
        ] {
            assert_eq!(session(path).as_deref(), id, "{path}");
        }
    }

    #[test]
    fn the_session_paths_keep_their_letter_case() {
        assert_eq!(normalized_uri("/V1/Accounts/a"), "/V1/Accounts/a");
    }
}
