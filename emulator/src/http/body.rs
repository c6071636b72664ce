//! Request bodies: bounded in size, read as JSON.

use std::error::Error as _;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use http_body_util::LengthLimitError;
use serde_json::{Map, Value};

use super::reply;
use crate::format::lenient_json;

/// The largest body that is looked at, in bytes.
const LARGEST: usize = 64 * 1024;
/// The largest body that is read, in bytes: a sender who is only somewhat over the limit sees a reply, not a
/// connection that closes under its hands.
const LARGEST_READ: usize = 1024 * 1024;

/// Why a body was not received.
pub(crate) struct Unreceived {
    pub(crate) status: StatusCode,
    pub(crate) text: String,
    /// Whether it was read to its end all the same. What is left of another one is no next request.
    pub(crate) wholly_read: bool,
}

/// Reads a request to its end before anything is said about it. With part of a body unread, the connection could not
/// be used again, and a client that is told 401 is to find it open for its second try.
pub(crate) async fn received(request: Request) -> Result<Request, Unreceived> {
    let (head, body) = request.into_parts();
    match to_bytes(body, LARGEST_READ).await {
        Ok(bytes) if bytes.len() <= LARGEST => Ok(Request::from_parts(head, Body::from(bytes))),
        Err(error) if !error.source().is_some_and(|cause| cause.is::<LengthLimitError>()) => {
            let text = "the body broke off, or its framing is malformed".to_owned();
            Err(Unreceived { status: StatusCode::BAD_REQUEST, text, wholly_read: false })
        }
        too_large => {
            let text = format!("the body is larger than {LARGEST} bytes");
            Err(Unreceived { status: StatusCode::PAYLOAD_TOO_LARGE, text, wholly_read: too_large.is_ok() })
        }
    }
}

/// A request body that is a JSON object. What it should hold is for the operation to say.
pub(crate) struct JsonObject(pub(crate) Map<String, Value>);

/// Why a body is no JSON object. Where nobody says otherwise, it is told in version 1's words.
pub(crate) struct Unreadable(pub(crate) String);

impl IntoResponse for Unreadable {
    fn into_response(self) -> Response {
        reply::error(StatusCode::BAD_REQUEST, &self.0)
    }
}

impl<S: Send + Sync> FromRequest<S> for JsonObject {
    type Rejection = Unreadable;

    async fn from_request(request: Request, state: &S) -> Result<JsonObject, Unreadable> {
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|rejection| Unreadable(rejection.body_text()))?;
        match lenient_json::parse(&bytes) {
            Ok(Value::Object(members)) => Ok(JsonObject(members)),
            Ok(_) => Err(Unreadable("the body is JSON, but not an object".to_owned())),
            Err(reason) => Err(Unreadable(reason)),
        }
    }
}
