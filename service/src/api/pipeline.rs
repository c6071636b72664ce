//! What every request to the REST API passes through: the request log, path normalisation, fault injection, the common
//! headers.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;

use super::error_reply;
use crate::faults::{self, AfterFault, FaultOutcome, SocketFault};
use crate::http::body::{self, ReceiveError};
use crate::http::common_headers::with_common_headers;
use crate::http::keep_alive::KeepAlive;
use crate::http::{path, raw_reply};
use crate::net::ConnectionHandle;
use crate::request_log::{RecordedRequest, recorded_headers, recorded_method};
use crate::state::ServiceState;

/// Middleware that logs a request, reads its body, runs the operation and completes the reply. If a fault cuts the
/// connection, the logged request never gets a status.
pub(super) async fn process(
    State(state): State<Arc<ServiceState>>,
    Extension(connection): Extension<ConnectionHandle>,
    mut request: Request,
    next: Next,
) -> Response {
    let entry = state.requests.begin(RecordedRequest {
        at: state.clock.uptime(),
        connection: connection.number,
        method: recorded_method(request.method()),
        path: path::as_sent(request.uri()),
        headers: recorded_headers(request.headers()),
        status: 0,
    });
    path::normalize(request.uri_mut());
    let fault = state.faults.match_request(request.method(), request.uri().path());
    let path = request.uri().path().to_owned();
    let is_head = request.method() == Method::HEAD;
    let keep_alive = KeepAlive::asked_for(&request);
    let received = body::receive(request).await;
    let fully_read = received.as_ref().map_or_else(|error| error.fully_read, |_| true);
    let operation = async {
        match received {
            Ok(request) => next.run(request).await,
            Err(ReceiveError { status, text, .. }) => error_reply::for_path(&state, &path, status, &text),
        }
    };
    let outcome = match fault {
        Some(fault) => faults::inject(fault, operation).await,
        None => FaultOutcome::Reply(operation.await),
    };
    let unix_time = state.clock.unix_time();
    match outcome {
        FaultOutcome::Reply(response) => {
            state.requests.finish(entry, response.status().as_u16());
            with_common_headers(response, unix_time)
        }
        FaultOutcome::Dripped(response, interval) => {
            state.requests.finish(entry, response.status().as_u16());
            let keep_alive = if fully_read { keep_alive } else { KeepAlive::No };
            let response = keep_alive.announced_in(with_common_headers(response, unix_time));
            let (head, body) = raw_reply::serialize(response).await;
            let body = if is_head { &[] } else { &body[..] };
            let after = if keep_alive.is_kept() { AfterFault::Continue } else { AfterFault::Close };
            connection.apply_fault(SocketFault::Drip { reply: [&head, body].concat(), interval, after }).await
        }
        FaultOutcome::Truncated(response, bytes) => {
            let (head, body) = raw_reply::serialize(with_common_headers(response, unix_time)).await;
            let part = &body[..bytes.min(body.len())];
            connection.apply_fault(SocketFault::Truncate([head.as_slice(), part].concat())).await
        }
        FaultOutcome::Socket(fault) => connection.apply_fault(fault).await,
    }
}
