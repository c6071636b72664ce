//! Sessions, version 1 of the API.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{get, patch, post};
use axum::{Extension, Router};
use serde::Deserialize;
use uuid::Uuid;

use super::access::{self, Caller};
use super::body::JsonObject;
use super::reply;
use super::v1_bodies::{self, Create, Created, Properties, SessionList};
use crate::guid;
use crate::service::Service;
use crate::session::{LeaseRefused, SessionSize};

/// The session in a path. One that is not a GUID is one that does not exist.
#[derive(Deserialize)]
struct SessionPath {
    session: String,
}

impl SessionPath {
    fn id(&self) -> Option<Uuid> {
        guid::parse(&self.session)
    }
}

/// The routes, none of which is reached without a token, or too often.
pub(super) fn routes(service: &Arc<Service>) -> Router<Arc<Service>> {
    Router::new()
        .route("/v1/accounts/{account}/sessions/create", post(create))
        .route("/v1/accounts/{account}/sessions", get(list))
        .route("/v1/accounts/{account}/sessions/{session}", patch(update).delete(stop))
        .route("/v1/accounts/{account}/sessions/{session}/properties", get(properties))
        .route_layer(from_fn_with_state(service.clone(), access::throttle))
        .route_layer(from_fn_with_state(service.clone(), access::require_token))
}

/// `POST …/sessions/create` (`docs/service.md`, "Create").
async fn create(
    State(service): State<Arc<Service>>,
    Extension(Caller(account)): Extension<Caller>,
    JsonObject(body): JsonObject,
) -> Response {
    match Create::read(&body) {
        Ok(create) => created(&service, account, create.size, create.max_lease),
        Err(error) => reply::error(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

fn created(service: &Service, account: Uuid, size: SessionSize, max_lease: std::time::Duration) -> Response {
    let now = service.clock.now();
    let session_id = service.sessions().create(now, account, size, max_lease);
    let mut response = reply::json(StatusCode::ACCEPTED, &Created { session_id });
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
    Path(path): Path<SessionPath>,
) -> Response {
    let now = service.clock.now();
    let mut sessions = service.sessions();
    match path.id().and_then(|id| sessions.find(now, account, id)) {
        Some(session) => reply::json(StatusCode::OK, &Properties::of(session, now)),
        None => reply::empty(StatusCode::NOT_FOUND),
    }
}

/// `PATCH …/sessions/{session}` (`docs/service.md`, "Update").
async fn update(
    State(service): State<Arc<Service>>,
    Extension(Caller(account)): Extension<Caller>,
    Path(path): Path<SessionPath>,
    JsonObject(body): JsonObject,
) -> Response {
    let now = service.clock.now();
    let mut sessions = service.sessions();
    let Some(session) = path.id().and_then(|id| sessions.find(now, account, id)) else {
        return reply::empty(StatusCode::NOT_FOUND);
    };
    let lease = match v1_bodies::max_lease(&body) {
        Ok(lease) => lease,
        Err(error) => return reply::error(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    match session.extend(now, lease) {
        Ok(()) => reply::empty(StatusCode::OK),
        Err(refused) => reply::error(status_of(&refused), &refused.to_string()),
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
    Path(path): Path<SessionPath>,
) -> Response {
    let now = service.clock.now();
    let mut sessions = service.sessions();
    match path.id().and_then(|id| sessions.stop(now, account, id)) {
        Some(()) => reply::empty(StatusCode::NO_CONTENT),
        None => reply::empty(StatusCode::NOT_FOUND),
    }
}
