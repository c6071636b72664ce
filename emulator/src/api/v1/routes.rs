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

use super::json::{self, Created, Properties, SessionList};
use crate::api::access::{self, Caller, Gate, Refusal};
use crate::http::body::{JsonObject, Unreadable};
use crate::http::reply;
use crate::http::session_param::SessionSegment;
use crate::session::{LeaseRefused, Settings, Wanted};
use crate::state::Service;

/// The session in a path: a GUID in any letter case, or the very id that a client of the later version chose.
fn wanted(SessionSegment(session): &SessionSegment) -> Wanted<'_> {
    Wanted::GuidInAnyCase(session)
}

/// The routes, none of which is reached without a token, or too often.
pub(in crate::api) fn routes(service: &Arc<Service>) -> Router<Arc<Service>> {
    Router::new()
        .route("/v1/accounts/{account}/sessions/create", post(create))
        .route("/v1/accounts/{account}/sessions", get(list))
        .route("/v1/accounts/{account}/sessions/{session}", patch(update).delete(stop))
        .route("/v1/accounts/{account}/sessions/{session}/properties", get(properties))
        .route_layer(from_fn_with_state(Gate::new(service, refuse), access::gate))
}

/// What is said to those who are not let in (`docs/service.md`, "Errors").
fn refuse(refusal: Refusal) -> Response {
    let wait_seconds = match refusal {
        Refusal::NoToken => return reply::empty(StatusCode::UNAUTHORIZED),
        Refusal::OtherAccount => return reply::empty(StatusCode::FORBIDDEN),
        Refusal::TooSoon { wait_seconds } => wait_seconds,
    };
    let text = format!("too many requests; wait {wait_seconds} s");
    let mut response = reply::error(StatusCode::TOO_MANY_REQUESTS, &text);
    response.headers_mut().insert(RETRY_AFTER, wait_seconds.into());
    response
}

/// `POST …/sessions/create` (`docs/service.md`, "Create").
async fn create(
    State(service): State<Arc<Service>>,
    Extension(Caller(account)): Extension<Caller>,
    JsonObject(body): JsonObject,
) -> Response {
    match json::settings(&body) {
        Ok(settings) => created(&service, account, settings),
        Err(error) => reply::error(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

fn created(service: &Service, account: Uuid, settings: Settings) -> Response {
    let session_id = service.sessions().create(service.clock.moment(), account, settings);
    let mut response = reply::json(StatusCode::ACCEPTED, &Created { session_id: &session_id });
    // Relative, as the service has it: neither a slash nor the version in front.
    let location = format!("accounts/{account}/sessions/{session_id}");
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// `GET …/sessions` (`docs/service.md`, "List").
async fn list(State(service): State<Arc<Service>>, Extension(Caller(account)): Extension<Caller>) -> Response {
    let now = service.clock.now();
    let view = |session: &_| Properties::of(session, now);
    let sessions = service.sessions().active(now, account).map(view).collect();
    reply::json(StatusCode::OK, &SessionList { sessions })
}

/// `GET …/sessions/{session}/properties` (`docs/service.md`, "Properties").
async fn properties(
    State(service): State<Arc<Service>>,
    Extension(Caller(account)): Extension<Caller>,
    segment: SessionSegment,
) -> Response {
    let now = service.clock.now();
    let mut sessions = service.sessions();
    match sessions.find(now, account, wanted(&segment)) {
        Some(session) => reply::json(StatusCode::OK, &Properties::of(session, now)),
        None => reply::empty(StatusCode::NOT_FOUND),
    }
}

/// `PATCH …/sessions/{session}` (`docs/service.md`, "Update").
async fn update(
    State(service): State<Arc<Service>>,
    Extension(Caller(account)): Extension<Caller>,
    segment: SessionSegment,
    body: Result<JsonObject, Unreadable>,
) -> Response {
    let now = service.clock.now();
    let mut sessions = service.sessions();
    let Some(session) = sessions.find(now, account, wanted(&segment)) else {
        return reply::empty(StatusCode::NOT_FOUND);
    };
    let lease = match body.and_then(|JsonObject(body)| json::max_lease(&body).map_err(|e| Unreadable(e.to_string()))) {
        Ok(lease) => lease,
        Err(unreadable) => return unreadable.into_response(),
    };
    match session.extend(now, lease) {
        Ok(()) => reply::empty(StatusCode::OK),
        Err(refused) => reply::error(status_of(&refused), &json::lease_refused(&refused, lease)),
    }
}

fn status_of(refused: &LeaseRefused) -> StatusCode {
    match refused {
        LeaseRefused::Over(_) => StatusCode::CONFLICT,
        LeaseRefused::NotLarger { .. } => StatusCode::BAD_REQUEST,
    }
}

/// `DELETE …/sessions/{session}` (`docs/service.md`, "Stop").
async fn stop(
    State(service): State<Arc<Service>>,
    Extension(Caller(account)): Extension<Caller>,
    segment: SessionSegment,
) -> Response {
    let now = service.clock.now();
    let mut sessions = service.sessions();
    match sessions.stop(now, account, wanted(&segment)) {
        Some(()) => reply::empty(StatusCode::NO_CONTENT),
        None => reply::empty(StatusCode::NOT_FOUND),
    }
}
