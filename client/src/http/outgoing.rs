//! Makes the HTTP library's requests from ours.

use crate::error::{Error, ErrorKind};
use crate::wire::{Failure, Method, Request};
use reqwest::header::{AUTHORIZATION, HeaderMap};
use url::Url;

/// A request of either of the HTTP library's clients, whose types have nothing in common.
macro_rules! request {
    ($of:ty, $request:expr) => {{
        let (method, url, headers) = $crate::http::outgoing::head($request)?;
        let mut made = <$of>::new(method, url);
        *made.headers_mut() = headers;
        *made.body_mut() = $request.body.clone().map(Into::into);
        made
    }};
}
pub(super) use request;

/// The start of a request.
pub(super) fn head(request: &Request) -> Result<(reqwest::Method, Url, HeaderMap), Failure> {
    let method = match request.method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        Method::Patch => reqwest::Method::PATCH,
        Method::Delete => reqwest::Method::DELETE,
    };
    let mut headers = request.headers();
    let bearer = request.bearer.bearer().ok_or_else(|| {
        let message = "the request could not be built: its key or token has characters that no header can have";
        Failure::setup(request.origin(), Error::new(ErrorKind::Internal, message))
    })?;
    headers.insert(AUTHORIZATION, bearer);
    Ok((method, Url::clone(&request.url), headers))
}
