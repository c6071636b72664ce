//! Keep-alive, for the replies that the HTTP library does not send.

use axum::body::HttpBody;
use axum::extract::Request;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Version};
use axum::response::Response;

/// Whether a connection is reused after a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeepAlive {
    /// The default since HTTP/1.1.
    Yes,
    /// The HTTP/1.0 client requested it, and the reply must confirm it.
    OnRequest,
    No,
}

impl KeepAlive {
    pub(crate) fn asked_for(request: &Request<impl HttpBody>) -> KeepAlive {
        let options = request.headers().get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
        let options: Vec<_> = options.flat_map(|value| value.split(',')).map(str::trim).collect();
        let has = |wanted: &str| options.iter().any(|option| option.eq_ignore_ascii_case(wanted));
        match request.version() {
            _ if has("close") => KeepAlive::No,
            Version::HTTP_11 => KeepAlive::Yes,
            _ if has("keep-alive") => KeepAlive::OnRequest,
            _ => KeepAlive::No,
        }
    }

    /// The reply, with a `Connection` header unless this is the default.
    pub(crate) fn announced_in(self, mut response: Response) -> Response {
        let option = match self {
            KeepAlive::Yes => return response,
            KeepAlive::OnRequest => "keep-alive",
            KeepAlive::No => "close",
        };
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static(option));
        response
    }

    /// Whether the connection serves another request.
    pub(crate) fn is_kept(self) -> bool {
        self != KeepAlive::No
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_kept_by_default_since_http_1_1() {
        for (version, options, expected) in [
            (Version::HTTP_11, &[][..], KeepAlive::Yes),
            (Version::HTTP_11, &["TE, Close"], KeepAlive::No),
            (Version::HTTP_11, &["te", "close"], KeepAlive::No),
            (Version::HTTP_10, &[], KeepAlive::No),
            (Version::HTTP_10, &["Keep-Alive"], KeepAlive::OnRequest),
            (Version::HTTP_10, &["keep-alive, close"], KeepAlive::No),
        ] {
            let mut request = Request::builder().version(version);
            for option in options {
                request = request.header(CONNECTION, *option);
            }
            let request = request.body(axum::body::Body::empty()).expect("a request");
            assert_eq!(KeepAlive::asked_for(&request), expected, "{version:?} {options:?}");
        }
    }
}
