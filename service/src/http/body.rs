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

/// The largest body that is accepted, in bytes.
const LARGEST: usize = 64 * 1024;
/// The largest body that is read, in bytes: a client that is only slightly over the limit gets a reply, not a closed
/// connection.
const LARGEST_READ: usize = 1024 * 1024;

/// Why a body could not be received.
pub(crate) struct ReceiveError {
    pub(crate) status: StatusCode,
    pub(crate) text: String,
    /// Whether it was read to its end nevertheless. If not, the connection cannot serve another request.
    pub(crate) fully_read: bool,
}

/// Reads a request to its end before it is answered. With part of a body unread, the connection could not be reused,
/// and a client that receives 401 should be able to retry on it.
pub(crate) async fn receive(request: Request) -> Result<Request, ReceiveError> {
    let (head, body) = request.into_parts();
    match to_bytes(body, LARGEST_READ).await {
        Ok(bytes) if bytes.len() <= LARGEST => Ok(Request::from_parts(head, Body::from(bytes))),
        Err(error) if !error.source().is_some_and(|cause| cause.is::<LengthLimitError>()) => {
            let text = "the body broke off, or its framing is malformed".to_owned();
            Err(ReceiveError { status: StatusCode::BAD_REQUEST, text, fully_read: false })
        }
        too_large => {
            let text = format!("the body is larger than {LARGEST} bytes");
            Err(ReceiveError { status: StatusCode::PAYLOAD_TOO_LARGE, text, fully_read: too_large.is_ok() })
        }
    }
}

/// A request body that is a JSON object. The operation checks its members.
pub(crate) struct JsonObject(pub(crate) Map<String, Value>);

/// Why a body is not a JSON object. Its default reply has the format of version 1.
pub(crate) struct InvalidBody(pub(crate) String);

impl IntoResponse for InvalidBody {
    fn into_response(self) -> Response {
        reply::error(StatusCode::BAD_REQUEST, &self.0)
    }
}

impl<S: Send + Sync> FromRequest<S> for JsonObject {
    type Rejection = InvalidBody;

    async fn from_request(request: Request, state: &S) -> Result<JsonObject, InvalidBody> {
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|rejection| InvalidBody(rejection.body_text()))?;
        match lenient_json::parse(&bytes) {
            Ok(Value::Object(members)) => Ok(JsonObject(members)),
            Ok(_) => Err(InvalidBody("the body is JSON, but not an object".to_owned())),
            Err(reason) => Err(InvalidBody(reason)),
        }
    }
}
