//! The control calls. They are not part of the service, so they are not logged, throttled or subject to faults
//! (`docs/emulator.md`, "Control calls").

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
    AddFaults, AdvanceClock, AskEntraToken, ClockReply, ClosedReply, EntraTokenReply, FaultRulesReply, ForceStatus,
    RequestLogReply, SessionsReply,
};
use super::{access, json};
use crate::faults;
use crate::faults::json::FaultRuleState;
use crate::format::guid;
use crate::http::common_headers::with_common_headers;
use crate::http::reply;
use crate::http::session_param::SessionParam;
use crate::session::{SessionStatus, StatusRefused};
use crate::state::ServiceState;

/// The control calls, for requests to any other path.
const CONTROL_CALLS: &str = "there is no such control call; there are \
     GET, POST and DELETE /emulator/faults, GET and DELETE /emulator/requests, GET and POST /emulator/clock, \
     GET /emulator/sessions, POST /emulator/sessions/{sessionId}, POST /emulator/connections/close, \
     POST /emulator/entra-token";

/// The calls, below `/emulator`.
pub(crate) fn routes(state: &Arc<ServiceState>) -> Router {
    Router::new()
        .route("/faults", get(list_faults).post(add_faults).delete(clear_faults))
        .route("/requests", get(list_requests).delete(clear_requests))
        .route("/clock", get(read_clock).post(advance_clock))
        .route("/sessions", get(list_sessions))
        .route("/sessions/{session}", post(force_status))
        .route("/connections/close", post(close_connections))
        .route("/entra-token", post(entra_token))
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
        .layer(from_fn_with_state(state.clone(), access::check_origin))
        .layer(map_response_with_state(state.clone(), complete))
        .with_state(state.clone())
}

async fn complete(State(state): State<Arc<ServiceState>>, mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    with_common_headers(response, state.clock.unix_time())
}

async fn unknown() -> Response {
    reply::error(StatusCode::NOT_FOUND, CONTROL_CALLS)
}

async fn list_faults(State(state): State<Arc<ServiceState>>) -> Response {
    let rules = state.faults.all().iter().map(FaultRuleState::of).collect();
    reply::json(StatusCode::OK, &FaultRulesReply { rules })
}

async fn add_faults(State(state): State<Arc<ServiceState>>, JsonBody(body): JsonBody<AddFaults>) -> Response {
    let added = faults::json::read(&body.rules).and_then(|faults| state.faults.add(faults));
    match added {
        Ok(()) => list_faults(State(state)).await,
        Err(error) => reply::error(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

async fn clear_faults(State(state): State<Arc<ServiceState>>) -> Response {
    state.faults.clear();
    reply::empty(StatusCode::NO_CONTENT)
}

async fn list_requests(State(state): State<Arc<ServiceState>>) -> Response {
    // Writing a long log takes a while, and must not block the one thread that serves all connections.
    let write = move || {
        let requests = state.requests.all().into_iter().map(Into::into).collect();
        reply::json(StatusCode::OK, &RequestLogReply { requests })
    };
    spawn_blocking(write).await.unwrap_or_else(|_| reply::empty(StatusCode::INTERNAL_SERVER_ERROR))
}

async fn clear_requests(State(state): State<Arc<ServiceState>>) -> Response {
    state.requests.clear();
    reply::empty(StatusCode::NO_CONTENT)
}

async fn read_clock(State(state): State<Arc<ServiceState>>) -> Response {
    reply::json(StatusCode::OK, &ClockReply::of(&state.clock))
}

async fn advance_clock(State(state): State<Arc<ServiceState>>, JsonBody(body): JsonBody<AdvanceClock>) -> Response {
    state.clock.advance(Duration::from_millis(body.advance_ms));
    read_clock(State(state)).await
}

async fn list_sessions(State(state): State<Arc<ServiceState>>) -> Response {
    let now = state.clock.now();
    let sessions = state.sessions().views(now).into_iter().map(Into::into).collect();
    reply::json(StatusCode::OK, &SessionsReply { sessions })
}

async fn force_status(
    State(state): State<Arc<ServiceState>>,
    SessionParam(session): SessionParam,
    JsonBody(body): JsonBody<ForceStatus>,
) -> Response {
    let Some(status) = SessionStatus::parse(&body.status) else {
        let text = "status must be Starting, Ready, Stopping, Stopped, Expired or Error";
        return reply::error(StatusCode::BAD_REQUEST, text);
    };
    let now = state.clock.now();
    match state.sessions().force(now, &session, status, body.message.as_deref()) {
        Ok(view) => reply::json(StatusCode::OK, &json::SessionSummary::from(view)),
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

async fn close_connections(State(state): State<Arc<ServiceState>>) -> Response {
    let closed = state.connections.close_idle().await;
    reply::json(StatusCode::OK, &ClosedReply { closed })
}

async fn entra_token(State(state): State<Arc<ServiceState>>, JsonBody(body): JsonBody<AskEntraToken>) -> Response {
    let wanted = body.account_id.as_deref().map(guid::parse);
    let mut accounts = state.accounts.iter();
    let Some(account) = accounts.find(|account| wanted.is_none_or(|wanted| wanted == Some(account.guid()))) else {
        return reply::error(StatusCode::BAD_REQUEST, "account_id is none of this emulator's accounts");
    };
    let token = state.entra_token(account, Duration::from_secs(body.lifetime_seconds));
    reply::json(StatusCode::OK, &EntraTokenReply { token })
}

/// A body of this form. An absent body counts as an empty object. `Content-Type` is ignored, for curl sends a wrong
/// one.
struct JsonBody<T>(T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<JsonBody<T>, Response> {
        let bytes: Result<Bytes, BytesRejection> = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|rejection| reply::error(rejection.status(), &rejection.body_text()))?;
        let text = if bytes.trim_ascii().is_empty() { b"{}" } else { &bytes[..] };
        serde_json::from_slice(text)
            .map(JsonBody)
            .map_err(|error| reply::error(StatusCode::BAD_REQUEST, &format!("the body cannot be read: {error}")))
    }
}
