//! Replies: JSON, an error text, or empty.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, PRAGMA};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// An error in version 1: a text in one member (`docs/service.md`, "Errors").
#[derive(Serialize)]
struct ErrorText<'a> {
    error: &'a str,
}

/// A reply with a JSON body.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => (status, [(CONTENT_TYPE, JSON)], bytes).into_response(),
        Err(_) => empty(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// A reply with this body, which is JSON.
pub(crate) fn json_body(body: Body) -> Response {
    ([(CONTENT_TYPE, JSON)], body).into_response()
}

/// An error reply.
pub(crate) fn error(status: StatusCode, text: &str) -> Response {
    json(status, &ErrorText { error: text })
}

/// The code of the 429 for a create when no more sessions may run.
pub(crate) const SERVICE_FULL: &str = "ServiceFull";
pub(crate) const SERVICE_FULL_TEXT: &str = "the service runs as many sessions as it can; retry when one has ended";

/// An error reply with a code, as other services of Azure write it.
pub(crate) fn error_with_code(status: StatusCode, code: &str, message: &str) -> Response {
    json(status, &json!({ "error": { "code": code, "message": message } }))
}

/// A reply without a body and without a `Content-Type`.
pub(crate) fn empty(status: StatusCode) -> Response {
    (status, Body::empty()).into_response()
}

/// The reply, with headers that forbid caching.
pub(crate) fn uncacheable(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store, no-cache"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}
