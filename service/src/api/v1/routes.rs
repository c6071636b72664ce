//! Sessions, version 1 of the API.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{LOCATION, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post};
use axum::{Extension, Router};
use uuid::Uuid;

use super::json::{self, CreateReply, SessionList, SessionProperties};
use crate::api::access::{self, AccessCheck, AccessDenied, Caller};
use crate::clock::Timestamp;
use crate::http::body::{InvalidBody, JsonObject};
use crate::http::reply;
use crate::http::session_param::SessionParam;
use crate::session::{LeaseRefused, NotStored, SessionSelector, SessionSettings, SessionStore};
use crate::state::ServiceState;

/// The session in a path: by a GUID in any letter case, or by the exact id that a client of 2021-01-01 chose.
fn selector(SessionParam(session): &SessionParam) -> SessionSelector<'_> {
    SessionSelector::GuidIgnoringCase(session)
}

/// The routes, behind the access check.
pub(in crate::api) fn routes(state: &Arc<ServiceState>) -> Router<Arc<ServiceState>> {
    Router::new()
        .route("/v1/accounts/{account}/sessions/create", post(create))
        .route("/v1/accounts/{account}/sessions", get(list))
        .route("/v1/accounts/{account}/sessions/{session}", patch(update).delete(stop))
        .route("/v1/accounts/{account}/sessions/{session}/properties", get(properties))
        .route_layer(from_fn_with_state(AccessCheck::new(state, deny), access::authorize))
}

/// The reply to a refused request (`docs/service.md`, "Errors").
fn deny(denied: AccessDenied) -> Response {
    let retry_after_seconds = match denied {
        AccessDenied::InvalidToken => return reply::empty(StatusCode::UNAUTHORIZED),
        AccessDenied::OtherAccount => return reply::empty(StatusCode::FORBIDDEN),
        AccessDenied::Throttled { retry_after_seconds } => retry_after_seconds,
    };
    let text = format!("too many requests; wait {retry_after_seconds} s");
    let mut response = reply::error(StatusCode::TOO_MANY_REQUESTS, &text);
    response.headers_mut().insert(RETRY_AFTER, retry_after_seconds.into());
    response
}

/// `POST …/sessions/create` (`docs/service.md`, "Create").
async fn create(
    State(state): State<Arc<ServiceState>>,
    Extension(Caller(account)): Extension<Caller>,
    JsonObject(body): JsonObject,
) -> Response {
    let settings = match json::settings(&body, state.max_lease) {
        Ok(settings) => settings,
        Err(error) => return reply::error(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let created = state.sessions(|sessions, at| created(sessions, at, account, settings)).await;
    created.unwrap_or_else(unavailable)
}

fn created(sessions: &mut SessionStore, timestamp: Timestamp, account: Uuid, settings: SessionSettings) -> Response {
    if sessions.is_full(timestamp.now) {
        return reply::error_with_code(StatusCode::TOO_MANY_REQUESTS, reply::SERVICE_FULL, reply::SERVICE_FULL_TEXT);
    }
    let session_id = sessions.create(timestamp, account, settings);
    let mut response = reply::json(StatusCode::ACCEPTED, &CreateReply { session_id: &session_id });
    // Relative, as the service sends it: without a leading slash and without the version.
    let location = format!("accounts/{account}/sessions/{session_id}");
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// `GET …/sessions` (`docs/service.md`, "List").
async fn list(State(state): State<Arc<ServiceState>>, Extension(Caller(account)): Extension<Caller>) -> Response {
    let list = |sessions: &mut SessionStore, at: Timestamp| {
        sessions.active(at.now, account, 0).map(|session| SessionProperties::of(session, at.now)).collect()
    };
    let listed = state.sessions(list).await;
    listed.map_or_else(unavailable, |sessions| reply::json(StatusCode::OK, &SessionList { sessions }))
}

/// `GET …/sessions/{session}/properties` (`docs/service.md`, "Properties").
async fn properties(
    State(state): State<Arc<ServiceState>>,
    Extension(Caller(account)): Extension<Caller>,
    session: SessionParam,
) -> Response {
    let read =
        |sessions: &mut SessionStore, Timestamp { now, .. }| match sessions.find(now, account, selector(&session)) {
            Some(session) => reply::json(StatusCode::OK, &SessionProperties::of(session, now)),
            None => reply::empty(StatusCode::NOT_FOUND),
        };
    state.sessions(read).await.unwrap_or_else(unavailable)
}

/// `PATCH …/sessions/{session}` (`docs/service.md`, "Update").
async fn update(
    State(state): State<Arc<ServiceState>>,
    Extension(Caller(account)): Extension<Caller>,
    session: SessionParam,
    body: Result<JsonObject, InvalidBody>,
) -> Response {
    let lease = body.and_then(|JsonObject(body)| {
        json::max_lease(&body, state.max_lease).map_err(|error| InvalidBody(error.to_string()))
    });
    let update = |sessions: &mut SessionStore, Timestamp { now, .. }| {
        if sessions.find(now, account, selector(&session)).is_none() {
            return reply::empty(StatusCode::NOT_FOUND);
        }
        let lease = match lease {
            Ok(lease) => lease,
            Err(unreadable) => return unreadable.into_response(),
        };
        match sessions.extend(now, account, selector(&session), lease) {
            None => reply::empty(StatusCode::NOT_FOUND),
            Some(Ok(_)) => reply::empty(StatusCode::OK),
            Some(Err(refused)) => reply::error(status_of(&refused), &json::lease_refused(&refused, lease)),
        }
    };
    state.sessions(update).await.unwrap_or_else(unavailable)
}

fn status_of(refused: &LeaseRefused) -> StatusCode {
    match refused {
        LeaseRefused::Over(_) => StatusCode::CONFLICT,
        LeaseRefused::NotLarger { .. } => StatusCode::BAD_REQUEST,
    }
}

/// `DELETE …/sessions/{session}` (`docs/service.md`, "Stop").
async fn stop(
    State(state): State<Arc<ServiceState>>,
    Extension(Caller(account)): Extension<Caller>,
    session: SessionParam,
) -> Response {
    match state.sessions(|sessions, at| sessions.stop(at.now, account, selector(&session))).await {
        Ok(Some(())) => reply::empty(StatusCode::NO_CONTENT),
        Ok(None) => reply::empty(StatusCode::NOT_FOUND),
        Err(not_stored) => unavailable(not_stored),
    }
}

/// The reply if the state folder cannot be written.
fn unavailable(not_stored: NotStored) -> Response {
    reply::error(StatusCode::SERVICE_UNAVAILABLE, &not_stored.to_string())
}
