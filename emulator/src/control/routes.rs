//! The control calls, by which tests and people move the emulator: they are no part of the service, so none is
//! recorded, throttled or hit by a fault (`docs/emulator.md`, "Control calls").

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{from_fn_with_state, map_response_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use serde::de::DeserializeOwned;
use tokio::task::spawn_blocking;

use super::json::{
    AddFaults, AdvanceClock, AskEntraToken, Closed, EntraToken, Faults, ForceStatus, Requests, Sessions, Time,
};
use super::{access, json};
use crate::faults;
use crate::faults::json::StandingForm;
use crate::format::guid;
use crate::http::common_headers::with_common_headers;
use crate::http::reply;
use crate::http::session_param::SessionSegment;
use crate::session::{SessionStatus, StatusRefused};
use crate::state::Service;

/// What can be called, for those who called something else.
const WHAT_THERE_IS: &str = "there is no such control call; there are \
     GET, POST and DELETE /emulator/faults, GET and DELETE /emulator/requests, GET and POST /emulator/clock, \
     GET /emulator/sessions, POST /emulator/sessions/{sessionId}, POST /emulator/connections/close, \
     POST /emulator/entra-token";

/// The calls, below `/emulator`.
pub(crate) fn routes(service: &Arc<Service>) -> Router {
    Router::new()
        .route("/faults", get(list_faults).post(add_faults).delete(clear_faults))
        .route("/requests", get(list_requests).delete(clear_requests))
        .route("/clock", get(tell_time).post(advance_clock))
        .route("/sessions", get(list_sessions))
        .route("/sessions/{session}", post(force_status))
        .route("/connections/close", post(close_connections))
        .route("/entra-token", post(entra_token))
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
        .layer(from_fn_with_state(service.clone(), access::guard))
        .layer(map_response_with_state(service.clone(), complete))
        .with_state(service.clone())
}

async fn complete(State(service): State<Arc<Service>>, mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    with_common_headers(response, service.clock.unix_time())
}

async fn unknown() -> Response {
    reply::error(StatusCode::NOT_FOUND, WHAT_THERE_IS)
}

async fn list_faults(State(service): State<Arc<Service>>) -> Response {
    let rules = service.faults.all().iter().map(StandingForm::of).collect();
    reply::json(StatusCode::OK, &Faults { rules })
}

async fn add_faults(State(service): State<Arc<Service>>, Json(body): Json<AddFaults>) -> Response {
    let added = faults::json::read(&body.rules).and_then(|faults| service.faults.add(faults));
    match added {
        Ok(()) => list_faults(State(service)).await,
        Err(error) => reply::error(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

async fn clear_faults(State(service): State<Arc<Service>>) -> Response {
    service.faults.clear();
    reply::empty(StatusCode::NO_CONTENT)
}

async fn list_requests(State(service): State<Arc<Service>>) -> Response {
    // A long record takes a while, in which the one thread that serves everybody must not stand still.
    let write = move || {
        let requests = service.requests.all().into_iter().map(Into::into).collect();
        reply::json(StatusCode::OK, &Requests { requests })
    };
    spawn_blocking(write).await.unwrap_or_else(|_| reply::empty(StatusCode::INTERNAL_SERVER_ERROR))
}

async fn clear_requests(State(service): State<Arc<Service>>) -> Response {
    service.requests.clear();
    reply::empty(StatusCode::NO_CONTENT)
}

async fn tell_time(State(service): State<Arc<Service>>) -> Response {
    reply::json(StatusCode::OK, &Time::of(&service.clock))
}

async fn advance_clock(State(service): State<Arc<Service>>, Json(body): Json<AdvanceClock>) -> Response {
    service.clock.advance(Duration::from_millis(body.advance_ms));
    tell_time(State(service)).await
}

async fn list_sessions(State(service): State<Arc<Service>>) -> Response {
    let now = service.clock.now();
    let sessions = service.sessions().views(now).into_iter().map(Into::into).collect();
    reply::json(StatusCode::OK, &Sessions { sessions })
}

async fn force_status(
    State(service): State<Arc<Service>>,
    SessionSegment(session): SessionSegment,
    Json(body): Json<ForceStatus>,
) -> Response {
    let Some(status) = SessionStatus::parse(&body.status) else {
        let text = "status must be Starting, Ready, Stopping, Stopped, Expired or Error";
        return reply::error(StatusCode::BAD_REQUEST, text);
    };
    let now = service.clock.now();
    match service.sessions().force(now, &session, status, body.message.as_deref()) {
        Ok(view) => reply::json(StatusCode::OK, &json::Session::from(view)),
        Err(refused) => reply::error(status_of(&refused), &refused.to_string()),
    }
}

fn status_of(refused: &StatusRefused) -> StatusCode {
    match refused {
        StatusRefused::NoSession(_) => StatusCode::NOT_FOUND,
        StatusRefused::Impossible { .. } => StatusCode::CONFLICT,
        StatusRefused::NoPlaceForMessage(_) => StatusCode::BAD_REQUEST,
    }
}

async fn close_connections(State(service): State<Arc<Service>>) -> Response {
    let closed = service.connections.close_idle().await;
    reply::json(StatusCode::OK, &Closed { closed })
}

async fn entra_token(State(service): State<Arc<Service>>, Json(body): Json<AskEntraToken>) -> Response {
    let wanted = body.account_id.as_deref().map(guid::parse);
    let mut accounts = service.accounts.iter();
    let Some(account) = accounts.find(|account| wanted.is_none_or(|wanted| wanted == Some(account.guid()))) else {
        return reply::error(StatusCode::BAD_REQUEST, "account_id is none of this emulator's accounts");
    };
    let token = service.entra_token(account, Duration::from_secs(body.lifetime_seconds));
    reply::json(StatusCode::OK, &EntraToken { token })
}

/// A body of this form. No body is an empty object, and no `Content-Type` is asked for: curl has its own ideas of it.
struct Json<T>(T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Json<T>, Response> {
        let bytes: Result<Bytes, BytesRejection> = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|rejection| reply::error(rejection.status(), &rejection.body_text()))?;
        let text = if bytes.trim_ascii().is_empty() { b"{}" } else { &bytes[..] };
        serde_json::from_slice(text)
            .map(Json)
            .map_err(|error| reply::error(StatusCode::BAD_REQUEST, &format!("the body cannot be read: {error}")))
    }
}
