//! Paths as clients write them, and as the routes know them.

use axum::http::Uri;
use axum::http::uri::PathAndQuery;

/// The path and query as sent.
pub(crate) fn as_sent(uri: &Uri) -> String {
    shortened(uri.path_and_query().map(PathAndQuery::as_str).unwrap_or_default()).to_owned()
}

/// As much of a path as is worth keeping or repeating: no real one is longer.
pub(crate) fn shortened(path: &str) -> &str {
    const LONGEST: usize = 1024;
    &path[..path.floor_char_boundary(LONGEST)]
}

/// Gives a path the spelling that the routes know: no slash at the end, an `accounts` at its beginning in lower case, and
/// a colon as a colon. The service takes the other spellings too, and clients use them (`docs/service.md`, "Token" and
/// "Create").
pub(crate) fn straighten(uri: &mut Uri) {
    let path = straight(uri.path());
    if path == uri.path() {
        return;
    }
    let path_and_query = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = PathAndQuery::try_from(path_and_query).ok();
    if let Ok(straightened) = Uri::from_parts(parts) {
        *uri = straightened;
    }
}

pub(crate) fn straight(path: &str) -> String {
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

    fn straightened(uri: &str) -> String {
        let mut uri = uri.parse().expect("a URI");
        straighten(&mut uri);
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
            assert_eq!(straightened(sent), known, "{sent}");
        }
    }

    #[test]
    fn the_session_paths_keep_their_letter_case() {
        assert_eq!(straightened("/V1/Accounts/a"), "/V1/Accounts/a");
    }
}
