//! Request bodies: bounded in size, read as JSON.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt as _;
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::body_budget::{BodyBudget, BodyShare};
use super::reply;
use crate::format::lenient_json;

/// The largest body that the service accepts, in bytes.
pub(crate) const LARGEST: usize = 64 * 1024;
/// The largest body that is read, and that control calls accept, in bytes. A client slightly over the limit gets a reply,
/// not a closed connection.
pub(crate) const LARGEST_READ: usize = 1024 * 1024;

/// Why a body could not be received.
pub(crate) struct ReceiveError {
    pub(crate) status: StatusCode,
    pub(crate) text: String,
    /// Whether it was nevertheless read to its end. If not, the connection cannot serve another request.
    pub(crate) fully_read: bool,
}

/// How to receive bodies.
pub(crate) struct BodyLimits<'a> {
    /// The largest body that is accepted, in bytes.
    pub(crate) largest: usize,
    /// How long it may take.
    pub(crate) time: Duration,
    /// For this and all other bodies.
    pub(crate) budget: &'a BodyBudget,
}

/// Reads a request to its end before it is answered: a client that receives 401 should be able to retry on the
/// connection, which could not be reused with part of a body unread. Unless `kept`, the body is discarded as it
/// arrives: a peer without a token must not take memory.
pub(crate) async fn receive(request: Request, kept: bool, limits: BodyLimits<'_>) -> Result<Request, ReceiveError> {
    let BodyLimits { largest, time, budget } = limits;
    let (mut head, body) = request.into_parts();
    let failed = |status, text: String, fully_read| Err(ReceiveError { status, text, fully_read });
    match timeout(time, read(body, kept, largest, budget)).await {
        Ok(Ok(Some((bytes, share)))) => {
            // Given back with the request.
            head.extensions.insert(Arc::new(share));
            Ok(Request::from_parts(head, Body::from(bytes)))
        }
        Ok(Ok(None)) => failed(StatusCode::PAYLOAD_TOO_LARGE, too_large(largest), true),
        Ok(Err(ReadError::TooLarge)) => failed(StatusCode::PAYLOAD_TOO_LARGE, too_large(largest), false),
        Ok(Err(ReadError::Broken)) => {
            let text = "the body ended early, or its framing is malformed".to_owned();
            failed(StatusCode::BAD_REQUEST, text, false)
        }
        Ok(Err(ReadError::NoMemory)) => {
            let text = "too many large bodies are in flight; try again later".to_owned();
            failed(StatusCode::SERVICE_UNAVAILABLE, text, false)
        }
        Err(_) => {
            let text = format!("the body did not arrive within {} s", time.as_secs());
            failed(StatusCode::REQUEST_TIMEOUT, text, false)
        }
    }
}

fn too_large(largest: usize) -> String {
    format!("the body is larger than {largest} bytes")
}

/// Why a body was not read to its end.
enum ReadError {
    TooLarge,
    Broken,
    NoMemory,
}

/// The body with its share of the budget; `None` if it is too large to accept.
async fn read(
    mut body: Body,
    kept: bool,
    largest: usize,
    budget: &BodyBudget,
) -> Result<Option<(Vec<u8>, BodyShare)>, ReadError> {
    let (mut bytes, mut length, mut share) = (Vec::new(), 0, budget.share());
    while let Some(frame) = body.frame().await {
        let Ok(part) = frame.map_err(|_| ReadError::Broken)?.into_data() else { continue };
        length += part.len();
        if length > LARGEST_READ {
            return Err(ReadError::TooLarge);
        }
        if kept && length <= largest {
            if !share.grow_to(length) {
                return Err(ReadError::NoMemory);
            }
            bytes.extend_from_slice(&part);
        }
    }
    Ok((length <= largest).then_some((bytes, share)))
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
