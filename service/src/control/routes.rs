//! The control calls. They are not part of the service: not logged, not throttled, not subject to faults
//! (`docs/emulator.md`, "Control calls").

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state, map_response_with_state};
use axum::response::Response;
use axum::routing::{MethodRouter, delete, get, post};
use serde::de::DeserializeOwned;

use super::json::{AddFaults, AdvanceClock, AskEntraToken, ClockReply, ClosedReply, EntraTokenReply, FaultRulesReply};
use super::{access, conversions, requests, sessions};
use crate::faults;
use crate::faults::json::FaultRuleState;
use crate::format::guid;
use crate::http::body::{self, BodyLimits, ReceiveError};
use crate::http::common_headers::with_common_headers;
use crate::http::reply;
use crate::session::NotStored;
use crate::state::ServiceState;

/// The control calls, for requests to any other path.
const CONTROL_CALLS: &str = "there is no such control call; the calls are \
     GET, POST and DELETE /emulator/faults, DELETE /emulator/faults/{id}, GET and DELETE /emulator/requests, \
     GET and POST /emulator/clock, GET /emulator/sessions, POST and DELETE /emulator/sessions/{sessionId}, \
     GET /emulator/conversions, POST /emulator/conversions/{conversionId}, POST /emulator/connections/close, \
     POST /emulator/entra-token";

/// The calls, and what the page needs, below `/emulator`.
pub(crate) fn routes(state: &Arc<ServiceState>, page: Router<Arc<ServiceState>>) -> Router {
    page.route("/faults", get(list_faults).post(add_faults).delete(clear_faults))
        .route("/faults/{id}", delete(remove_fault))
        .route("/requests", get(list_requests).delete(clear_requests))
        .route("/clock", get(read_clock).post(advance_clock))
        .route("/sessions", get(sessions::list))
        .route("/sessions/{session}", post(sessions::change).delete(sessions::stop))
        .route("/conversions", get(conversions::list))
        .route("/conversions/{conversion}", post(conversions::force))
        .route("/connections/close", post(close_connections))
        .route("/entra-token", post(entra_token))
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
        .layer(from_fn_with_state(state.clone(), receive_body))
        .layer(from_fn_with_state(state.clone(), access::check_origin))
        .layer(map_response_with_state(state.clone(), complete))
        .with_state(state.clone())
}

/// Middleware that reads the body, within the limits of size, time and memory.
async fn receive_body(State(state): State<Arc<ServiceState>>, request: Request, next: Next) -> Response {
    let limits = BodyLimits { largest: body::LARGEST_READ, time: state.limits.body, budget: &state.bodies };
    match body::receive(request, true, limits).await {
        Ok(request) => next.run(request).await,
        Err(ReceiveError { status, text, .. }) => reply::error(status, &text),
    }
}

/// A route elsewhere, with the same protection.
pub(crate) fn guarded(state: &Arc<ServiceState>, route: MethodRouter) -> MethodRouter {
    route
        .route_layer(from_fn_with_state(state.clone(), access::check_origin))
        .route_layer(map_response_with_state(state.clone(), complete))
}

/// What browsers may do with any reply: the page runs its own script, shows its own style and icon, calls the emulator,
/// and nothing else.
const CONTENT_SECURITY_POLICY_TEXT: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types 'none'";

async fn complete(State(state): State<Arc<ServiceState>>, mut response: Response) -> Response {
    for (name, value) in [
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY_TEXT),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        // With "no-referrer", some browsers send `Origin: null` even to the page's own emulator.
        (REFERRER_POLICY, "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
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

async fn remove_fault(State(state): State<Arc<ServiceState>>, Path(id): Path<String>) -> Response {
    if id.parse().is_ok_and(|id| state.faults.remove(id)) {
        return reply::empty(StatusCode::NO_CONTENT);
    }
    reply::error(StatusCode::NOT_FOUND, "there is no fault rule with this id; it may have been used up")
}

async fn list_requests(State(state): State<Arc<ServiceState>>) -> Response {
    requests::reply(state)
}

async fn clear_requests(State(state): State<Arc<ServiceState>>) -> Response {
    state.requests.clear();
    reply::empty(StatusCode::NO_CONTENT)
}

async fn read_clock(State(state): State<Arc<ServiceState>>) -> Response {
    reply::json(StatusCode::OK, &ClockReply::of(&state.clock))
}

async fn advance_clock(State(state): State<Arc<ServiceState>>, JsonBody(body): JsonBody<AdvanceClock>) -> Response {
    let step = Duration::from_millis(body.advance_ms);
    if !state.clock.is_virtual()
        && let Err(not_stored) = state.sessions(|sessions, _| sessions.advance_clock(step)).await
    {
        return unavailable(not_stored);
    }
    // Not before that is stored: the clock cannot go back.
    state.clock.advance(step);
    read_clock(State(state)).await
}

/// The reply if the state folder cannot be written.
pub(super) fn unavailable(not_stored: NotStored) -> Response {
    reply::error(StatusCode::SERVICE_UNAVAILABLE, &not_stored.to_string())
}

async fn close_connections(State(state): State<Arc<ServiceState>>) -> Response {
    let closed = state.connections.close_idle().await;
    reply::json(StatusCode::OK, &ClosedReply { closed })
}

async fn entra_token(State(state): State<Arc<ServiceState>>, JsonBody(body): JsonBody<AskEntraToken>) -> Response {
    let wanted = body.account_id.as_deref().map(guid::parse);
    let mut accounts = state.accounts.iter();
    let Some(account) = accounts.find(|account| wanted.is_none_or(|wanted| wanted == Some(account.guid()))) else {
        return reply::error(StatusCode::BAD_REQUEST, "account_id is not an account of this emulator");
    };
    let token = state.entra_token(account, Duration::from_secs(body.lifetime_seconds));
    reply::json(StatusCode::OK, &EntraTokenReply { token })
}

/// A JSON body. An absent body counts as an empty object. `Content-Type` is ignored, because curl sends a wrong one.
pub(super) struct JsonBody<T>(pub(super) T);

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
