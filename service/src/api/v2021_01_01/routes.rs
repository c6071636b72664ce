//! Sessions, REST 2021-01-01 (`docs/service-2021-01-01.md`).

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};

use super::conversions;
use super::json::{self, SessionPage, SessionResource};
use super::paging;
use super::version::{self, ApiVersion};
use crate::api::access::{self, AccessCheck, AccessDenied, Caller};
use crate::clock::Timestamp;
use crate::config::WireFormat;
use crate::http::body::{InvalidBody, JsonObject};
use crate::http::reply;
use crate::http::session_param::SessionParam;
use crate::session::{
    Creation, NotStored, Session, SessionId, SessionSelector, SessionStatus, SessionStore, SettingsConflict,
};
use crate::state::ServiceState;

/// The session in a path, by the exact id that it was created under.
fn selector(SessionParam(session): &SessionParam) -> SessionSelector<'_> {
    SessionSelector::Exact(session)
}

/// The routes, behind the checks of version and access.
pub(in crate::api) fn routes(state: &Arc<ServiceState>) -> Router<Arc<ServiceState>> {
    Router::new()
        // In axum 0.7 a colon began a parameter; 0.8 refuses it without this.
        .without_v07_checks()
        .route("/accounts/{account}/sessions", get(list))
        .route("/accounts/{account}/sessions/{session}", get(read).put(create).patch(update))
        .route("/accounts/{account}/sessions/{session}/:stop", post(stop))
        .merge(conversions::routes())
        .route_layer(from_fn_with_state(AccessCheck::new(state, deny), access::authorize))
        .route_layer(from_fn_with_state(state.clone(), version::require_version))
}

/// Whether a path belongs to this version, even if it has no route.
pub(in crate::api) fn owns_path(path: &str) -> bool {
    let mut segments = path.split('/').skip(1);
    segments.next() == Some("accounts") && matches!(segments.nth(1), Some("sessions" | "conversions"))
}

/// An error reply to a request that reaches no operation.
pub(in crate::api) fn error_reply(state: &ServiceState, status: StatusCode, text: &str) -> Response {
    version::with_supported_versions(json::error_reply(state.wire, status, text), state.wire)
}

/// The reply to a refused request: a header and no body.
fn deny(denied: AccessDenied) -> Response {
    let (status, header) = match denied {
        AccessDenied::InvalidToken => {
            let invalid = HeaderValue::from_static("Bearer error=\"invalid_token\"");
            (StatusCode::UNAUTHORIZED, Some((WWW_AUTHENTICATE, invalid)))
        }
        AccessDenied::OtherAccount => (StatusCode::FORBIDDEN, None),
        AccessDenied::Throttled { retry_after_seconds } => {
            (StatusCode::TOO_MANY_REQUESTS, Some((RETRY_AFTER, retry_after_seconds.into())))
        }
    };
    let mut response = reply::empty(status);
    response.headers_mut().extend(header);
    response
}

/// `PUT …/sessions/{session}` ("Create").
async fn create(
    State(state): State<Arc<ServiceState>>,
    Extension(Caller(account)): Extension<Caller>,
    session: SessionParam,
    body: Result<JsonObject, InvalidBody>,
) -> Result<Response, Response> {
    let bad_request = |text: String| json::error_reply(state.wire, StatusCode::BAD_REQUEST, &text);
    let id = SessionId::parse(&session.0).map_err(|error| bad_request(error.to_string()))?;
    let JsonObject(body) = body.map_err(|InvalidBody(reason)| bad_request(reason))?;
    let settings = json::settings(&body, state.max_lease).map_err(|error| bad_request(error.to_string()))?;

    let create = |sessions: &mut SessionStore, timestamp: Timestamp| {
        let exists = sessions.find(timestamp.now, account, SessionSelector::Exact(id.as_str())).is_some();
        if !exists && sessions.is_full(timestamp.now) {
            let (status, code, text) = (StatusCode::TOO_MANY_REQUESTS, reply::SERVICE_FULL, reply::SERVICE_FULL_TEXT);
            return json::error_reply_with_code(state.wire, status, code, text);
        }
        let (status, session) = match sessions.create_as(timestamp, account, id, settings) {
            Ok(Creation::New(session)) => (StatusCode::CREATED, session),
            Ok(Creation::Existing(session)) => (StatusCode::OK, session),
            Err(SettingsConflict) => {
                return json::error_reply(state.wire, StatusCode::CONFLICT, json::CONFLICT_TEXT);
            }
        };
        reply::json(status, &SessionResource::of(session, timestamp.now, state.wire))
    };
    state.sessions(create).await.map_err(|not_stored| unavailable(state.wire, not_stored))
}

/// `GET …/sessions/{session}` ("Get").
async fn read(
    State(state): State<Arc<ServiceState>>,
    Extension(Caller(account)): Extension<Caller>,
    session: SessionParam,
) -> Response {
    let read = |sessions: &mut SessionStore, Timestamp { now, .. }| {
        let Some(session) = sessions.find(now, account, selector(&session)) else {
            return reply::empty(StatusCode::NOT_FOUND);
        };
        let response = reply::json(StatusCode::OK, &SessionResource::of(session, now, state.wire));
        match state.wire {
            WireFormat::V2021 => response,
            WireFormat::V2022 => reply::uncacheable(response),
        }
    };
    state.sessions(read).await.unwrap_or_else(|not_stored| unavailable(state.wire, not_stored))
}

/// `PATCH …/sessions/{session}` ("Update").
async fn update(
    State(state): State<Arc<ServiceState>>,
    Extension(Caller(account)): Extension<Caller>,
    session: SessionParam,
    body: Result<JsonObject, InvalidBody>,
) -> Response {
    let lease = body
        .map_err(|InvalidBody(reason)| reason)
        .and_then(|JsonObject(body)| json::max_lease(&body, state.max_lease).map_err(|error| error.to_string()));
    let problem = |status, text: &str| json::error_reply(state.wire, status, text);
    let update = |sessions: &mut SessionStore, Timestamp { now, .. }| {
        if sessions.find(now, account, selector(&session)).is_none() {
            return reply::empty(StatusCode::NOT_FOUND);
        }
        let lease = match lease {
            Ok(lease) => lease,
            Err(reason) => return problem(StatusCode::BAD_REQUEST, &reason),
        };
        match sessions.extend(now, account, selector(&session), lease) {
            None => reply::empty(StatusCode::NOT_FOUND),
            Some(Ok(session)) => reply::json(StatusCode::OK, &SessionResource::of(session, now, state.wire)),
            Some(Err(refused)) => problem(StatusCode::UNPROCESSABLE_ENTITY, &json::lease_refused(&refused, lease)),
        }
    };
    state.sessions(update).await.unwrap_or_else(|not_stored| unavailable(state.wire, not_stored))
}

/// `POST …/sessions/{session}/:stop` ("Stop").
async fn stop(
    State(state): State<Arc<ServiceState>>,
    Extension(Caller(account)): Extension<Caller>,
    session: SessionParam,
) -> Response {
    match state.sessions(|sessions, at| sessions.stop(at.now, account, selector(&session))).await {
        Ok(Some(())) => reply::empty(StatusCode::NO_CONTENT),
        Ok(None) => reply::empty(StatusCode::NOT_FOUND),
        Err(not_stored) => unavailable(state.wire, not_stored),
    }
}

/// The reply if the state folder cannot be written.
fn unavailable(wire: WireFormat, not_stored: NotStored) -> Response {
    json::error_reply(wire, StatusCode::SERVICE_UNAVAILABLE, &not_stored.to_string())
}

/// `GET …/sessions` ("List").
async fn list(
    State(state): State<Arc<ServiceState>>,
    Extension(Caller(account)): Extension<Caller>,
    Extension(version): Extension<ApiVersion>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let from = paging::continuation(uri.query())
        .ok_or_else(|| json::error_reply(state.wire, StatusCode::BAD_REQUEST, paging::NO_CONTINUATION))?;
    let list = |sessions: &mut SessionStore, Timestamp { now, .. }| {
        let is_listed = |session: &&Session| session.status(now) != SessionStatus::Stopping;
        let mut listed = sessions.active(now, account, from).filter(is_listed);
        let page = listed.by_ref().take(state.page_size).map(|session| SessionResource::of(session, now, state.wire));
        let page: Vec<_> = page.collect();
        let next_link =
            listed.next().map(|next| paging::next_link(state.scheme, version, &uri, &headers, next.identity.number));
        reply::uncacheable(reply::json(StatusCode::OK, &SessionPage { sessions: page, next_link }))
    };
    state.sessions(list).await.map_err(|not_stored| unavailable(state.wire, not_stored))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_version_owns_the_paths_of_sessions_and_conversions() {
        for path in ["/accounts/a/sessions", "/accounts/a/sessions/b/c/d", "/accounts/a/conversions/x"] {
            assert!(owns_path(path), "{path}");
        }
        for path in [
            "/",
            "/accounts/a",
            "/accounts/a/token",
            "/v1/accounts/a/sessions",
            "/accounts/sessions",
            "accounts/a/sessions",
        ] {
            assert!(!owns_path(path), "{path}");
        }
    }
}
