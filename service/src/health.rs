//! `GET /health`, for supervisors and load balancers. It needs no token, and is not part of the service: neither recorded,
//! throttled nor subject to faults (`docs/emulator.md`, "Health").

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;

use crate::api::FOREIGN_HOST;
use crate::clock::Timestamp;
use crate::http::common_headers::with_common_headers;
use crate::http::reply;
use crate::session::SessionStore;
use crate::state::ServiceState;

#[derive(Serialize)]
struct Health {
    status: &'static str,
    version: &'static str,
    /// In real time.
    uptime_seconds: u64,
    /// Those that have not ended, of all accounts.
    sessions: usize,
}

/// The route.
pub(crate) fn routes(state: &Arc<ServiceState>) -> Router {
    Router::new().route("/health", get(health)).with_state(state.clone())
}

async fn health(State(state): State<Arc<ServiceState>>, headers: HeaderMap, uri: Uri) -> Response {
    let mut response = if state.hostnames.may_serve_request(&headers, &uri) {
        report(&state)
    } else {
        reply::error(StatusCode::MISDIRECTED_REQUEST, FOREIGN_HOST)
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    with_common_headers(response, state.clock.unix_time())
}

fn report(state: &ServiceState) -> Response {
    // It waits for nothing: a supervisor must get a reply even if the disk hangs.
    let report = |sessions: &mut SessionStore, at: Timestamp| (sessions.running(at.now), sessions.is_writable());
    let ((sessions, is_writable), _) = state.begin_sessions(report);
    let (code, status) = if is_writable {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "cannot write its state folder")
    };
    let uptime_seconds = state.started_at.elapsed().as_secs();
    reply::json(code, &Health { status, version: env!("CARGO_PKG_VERSION"), uptime_seconds, sessions })
}
