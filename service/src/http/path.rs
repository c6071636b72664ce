//! URL paths: from the spelling of the client to that of the routes.

use axum::http::Uri;
use axum::http::uri::PathAndQuery;

/// The path and query as sent.
pub(crate) fn as_sent(uri: &Uri) -> String {
    truncated(uri.path_and_query().map(PathAndQuery::as_str).unwrap_or_default()).to_owned()
}

/// A path cut to the length that is logged or repeated in a reply. No real path is longer.
pub(crate) fn truncated(path: &str) -> &str {
    const LONGEST: usize = 1024;
    &path[..path.floor_char_boundary(LONGEST)]
}

/// Gives a path the spelling of the routes: no slash at the end, an initial `accounts` in lower case, and colons not
/// percent-encoded. The service accepts the other spellings too, and clients use them (`docs/service.md`, "Token" and
/// "Create").
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
    let path = path.replace("%3A", ":").replace("%3a", ":");
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
    fn slashes_at_the_end_and_the_case_of_accounts_do_not_matter() {
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
    fn the_session_paths_keep_their_letter_case() {
        assert_eq!(normalized_uri("/V1/Accounts/a"), "/V1/Accounts/a");
    }
}
