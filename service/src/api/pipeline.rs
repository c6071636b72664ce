//! The pipeline of every request to the REST API: request log, path normalisation, fault injection, common headers.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::HttpBody as _;
use axum::extract::{Request, State};
use axum::http::header::LOCATION;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use super::{access, error_reply};
use crate::faults::{self, AfterFault, Fault, FaultOutcome, SocketFault};
use crate::http::body::{self, BodyLimits, ReceiveError};
use crate::http::common_headers::{MS_CV, with_common_headers};
use crate::http::keep_alive::KeepAlive;
use crate::http::{path, raw_reply};
use crate::log::LoggedCall;
use crate::net::ConnectionHandle;
use crate::request_log::{OpenRequest, RecordedRequest, recorded_headers, recorded_method};
use crate::state::ServiceState;

pub(crate) const FOREIGN_HOST: &str = "the URL has a host name that this emulator does not know; start it with that name as \
     --tls-name, or use its address";

/// Middleware that logs a request, reads its body, runs the operation and completes the reply. If a fault cuts the
/// connection, the logged request never gets a status.
pub(super) async fn process(
    State(state): State<Arc<ServiceState>>,
    Extension(connection): Extension<ConnectionHandle>,
    mut request: Request,
    next: Next,
) -> Response {
    let (method, path) = (recorded_method(request.method()), path::as_sent(request.uri()));
    let peer = (connection.peer, connection.number);
    let logged = LoggedCall::begin(&state.log, state.clock.unix_time(), peer, (&method, &path));
    path::normalize(request.uri_mut());
    let arrived = RecordedRequest {
        at: Duration::ZERO,
        connection: connection.number,
        method,
        path,
        headers: recorded_headers(request.headers()),
        status: 0,
        duration: None,
        ms_cv: None,
        session: path::session(request.uri().path()),
        fault: None,
    };
    let mut fault = None;
    let recorded = state.requests.begin(arrived, |arrived| {
        arrived.at = state.clock.uptime();
        fault = state.faults.match_request(request.method(), request.uri().path());
        arrived.fault = fault.as_ref().map(Fault::kind);
    });
    let path = request.uri().path().to_owned();
    let is_head = request.method() == Method::HEAD;
    let keep_alive = KeepAlive::asked_for(&request);
    let is_meant = state.hostnames.may_serve_request(request.headers(), request.uri());
    let kept = request.body().is_end_stream() || access::has_token(&state, request.headers());
    let limits = BodyLimits { largest: body::LARGEST, time: state.limits.body, budget: &state.bodies };
    let received = body::receive(request, kept, limits).await;
    let fully_read = received.as_ref().map_or_else(|error| error.fully_read, |_| true);
    let operation = async {
        match received {
            _ if !is_meant => error_reply::for_path(&state, &path, StatusCode::MISDIRECTED_REQUEST, FOREIGN_HOST),
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
            let response = with_common_headers(response, unix_time);
            finish(recorded, &response);
            logged.into_iter().for_each(|logged| logged.end(&response));
            response
        }
        FaultOutcome::Dripped(response, interval) => {
            let keep_alive = if fully_read { keep_alive } else { KeepAlive::No };
            let response = keep_alive.announced_in(with_common_headers(response, unix_time));
            finish(recorded, &response);
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

/// Records the reply. Version 1's create has the new session in its `Location`.
fn finish(recorded: OpenRequest, response: &Response) {
    let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let created = text(LOCATION).and_then(path::session);
    recorded.finish(response.status().as_u16(), text(MS_CV), created);
}
