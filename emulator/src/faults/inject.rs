//! How a fault is carried out on a request: by another reply, or by what happens to the connection.

use std::future::Future;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::json;
use tokio::time::sleep;

use super::fault::{Action, Fault};
use super::oversize::Oversize;
use super::socket_fault::Takeover;
use crate::http::reply;

/// What a fault makes of a request.
pub(crate) enum Outcome {
    /// An answer, although perhaps not the right one.
    Reply(Response),
    /// This answer with only so many bytes of its body.
    Truncated(Response, usize),
    /// This answer byte by byte.
    Dripped(Response, Duration),
    /// No answer.
    Cut(Takeover),
}

/// Carries out a fault on a request whose normal course is `operation`.
pub(crate) async fn carry_out(fault: Fault, operation: impl Future<Output = Response>) -> Outcome {
    let executes = fault.executes();
    if let Action::Delay(delay) = fault.action {
        return Outcome::Reply(delayed(delay, executes, operation).await);
    }
    let real = if executes { Some(operation.await) } else { None };
    match fault.action {
        Action::Delay(_) => Outcome::Reply(or_stand_in(real)),
        Action::Status { status, headers, body } => Outcome::Reply(answer(status, headers, body)),
        Action::Close | Action::CloseOnAccept => Outcome::Cut(Takeover::Close),
        Action::Reset => Outcome::Cut(Takeover::Reset),
        Action::Stall => Outcome::Cut(Takeover::Stall),
        Action::Garbage => Outcome::Cut(Takeover::Garbage),
        Action::Truncate { bytes } => Outcome::Truncated(or_stand_in(real), bytes),
        Action::Drip { interval } => Outcome::Dripped(or_stand_in(real), interval),
        Action::ContentType(content_type) => Outcome::Reply(relabelled(or_stand_in(real), &content_type)),
        Action::Oversize { bytes } => Outcome::Reply(oversized(or_stand_in(real), bytes)),
        Action::Redirect { status, location } => {
            Outcome::Reply(answer(status, vec![(LOCATION.to_string(), location)], Vec::new()))
        }
    }
}

async fn delayed(delay: Duration, executes: bool, operation: impl Future<Output = Response>) -> Response {
    if !executes {
        sleep(delay).await;
        return operation.await;
    }
    let response = operation.await;
    sleep(delay).await;
    response
}

/// Where there is no real reply to tamper with, one that nobody can take for the operation's.
fn or_stand_in(real: Option<Response>) -> Response {
    real.unwrap_or_else(|| reply::json(StatusCode::OK, &json!({ "emulator": "the operation was not carried out" })))
}

/// What is in a fault was checked when it was added.
fn answer(status: u16, headers: Vec<(String, String)>, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

fn relabelled(mut response: Response, content_type: &str) -> Response {
    if let Ok(value) = HeaderValue::try_from(content_type) {
        response.headers_mut().insert(CONTENT_TYPE, value);
    }
    response
}

fn oversized(response: Response, bytes: u64) -> Response {
    let mut response = response.map(|_| Body::new(Oversize::new(bytes)));
    // It is that of the body that was there before.
    response.headers_mut().remove(CONTENT_LENGTH);
    response
}
