//! Carries out a fault on a request: with another reply, or on its connection.

use std::future::Future;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::json;
use tokio::time::sleep;

use super::fault::{Action, Fault};
use super::oversize::Oversize;
use super::socket_fault::SocketFault;
use crate::http::reply;

/// How a request is answered under a fault.
pub(crate) enum FaultOutcome {
    /// With this reply.
    Reply(Response),
    /// With this reply, cut after so many bytes of its body.
    Truncated(Response, usize),
    /// With this reply, byte by byte.
    Dripped(Response, Duration),
    /// With no reply.
    Socket(SocketFault),
}

/// Carries out a fault on a request whose normal processing is `operation`.
pub(crate) async fn inject(fault: Fault, operation: impl Future<Output = Response>) -> FaultOutcome {
    let executes = fault.executes();
    if let Action::Delay(delay) = fault.action {
        return FaultOutcome::Reply(delayed(delay, executes, operation).await);
    }
    let real = if executes { Some(operation.await) } else { None };
    match fault.action {
        Action::Delay(_) => FaultOutcome::Reply(or_placeholder(real)),
        Action::Status { status, headers, body } => FaultOutcome::Reply(build_reply(status, headers, body)),
        Action::Close | Action::CloseOnAccept => FaultOutcome::Socket(SocketFault::Close),
        Action::Reset => FaultOutcome::Socket(SocketFault::Reset),
        Action::Stall => FaultOutcome::Socket(SocketFault::Stall),
        Action::Garbage => FaultOutcome::Socket(SocketFault::Garbage),
        Action::Truncate { bytes } => FaultOutcome::Truncated(or_placeholder(real), bytes),
        Action::Drip { interval } => FaultOutcome::Dripped(or_placeholder(real), interval),
        Action::ContentType(content_type) => {
            FaultOutcome::Reply(with_content_type(or_placeholder(real), &content_type))
        }
        Action::Oversize { bytes } => FaultOutcome::Reply(oversized(or_placeholder(real), bytes)),
        Action::Redirect { status, location } => {
            FaultOutcome::Reply(build_reply(status, vec![(LOCATION.to_string(), location)], Vec::new()))
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

/// The real reply or, without one, a stand-in that cannot be mistaken for it.
fn or_placeholder(real: Option<Response>) -> Response {
    real.unwrap_or_else(|| reply::json(StatusCode::OK, &json!({ "emulator": "the operation was not carried out" })))
}

/// Status and headers were checked when the fault was added.
fn build_reply(status: u16, headers: Vec<(String, String)>, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    sandboxed(response)
}

/// A browser that is led to this reply must not run it as a script of the emulator's own page, which may control it.
fn sandboxed(mut response: Response) -> Response {
    response.headers_mut().entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static("sandbox"));
    response
}

fn with_content_type(mut response: Response, content_type: &str) -> Response {
    if let Ok(value) = HeaderValue::try_from(content_type) {
        response.headers_mut().insert(CONTENT_TYPE, value);
    }
    sandboxed(response)
}

fn oversized(response: Response, bytes: u64) -> Response {
    let mut response = response.map(|_| Body::new(Oversize::new(bytes)));
    // The length of the previous body.
    response.headers_mut().remove(CONTENT_LENGTH);
    response
}
