//! Sessions, REST 2021-01-01 (`docs/service-2021-01-01.md`).

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{any, get, post};
use axum::{Extension, Router};

use super::json::{self, SessionPage, SessionResource};
use super::paging::{self, CONTINUATION};
use super::version::{self, ApiVersion};
use crate::api::access::{self, AccessCheck, AccessDenied, Caller};
use crate::config::WireFormat;
use crate::http::body::{InvalidBody, JsonObject};
use crate::http::reply;
use crate::http::session_param::SessionParam;
use crate::session::{Creation, Session, SessionId, SessionSelector, SessionStatus, SettingsConflict};
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
        .route("/accounts/{account}/conversions", any(conversions))
        .route("/accounts/{account}/conversions/{*rest}", any(conversions))
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
    let settings = json::settings(&body).map_err(|error| bad_request(error.to_string()))?;

    let timestamp = state.clock.timestamp();
    let mut sessions = state.sessions();
    let (status, session) = match sessions.create_as(timestamp, account, id, settings) {
        Ok(Creation::New(session)) => (StatusCode::CREATED, session),
        Ok(Creation::Existing(session)) => (StatusCode::OK, session),
        Err(SettingsConflict) => {
            let text = "A resource already exists under the given ID.";
            return Err(json::error_reply(state.wire, StatusCode::CONFLICT, text));
        }
    };
    Ok(reply::json(status, &SessionResource::of(session, timestamp.now, state.wire)))
}

/// `GET …/sessions/{session}` ("Get").
async fn read(
    State(state): State<Arc<ServiceState>>,
    Extension(Caller(account)): Extension<Caller>,
    session: SessionParam,
) -> Response {
    let now = state.clock.now();
    let mut sessions = state.sessions();
    let Some(session) = sessions.find(now, account, selector(&session)) else {
        return reply::empty(StatusCode::NOT_FOUND);
    };
    let response = reply::json(StatusCode::OK, &SessionResource::of(session, now, state.wire));
    match state.wire {
        WireFormat::V2021 => response,
        WireFormat::V2022 => reply::uncacheable(response),
    }
}

/// `PATCH …/sessions/{session}` ("Update").
async fn update(
    State(state): State<Arc<ServiceState>>,
    Extension(Caller(account)): Extension<Caller>,
    session: SessionParam,
    body: Result<JsonObject, InvalidBody>,
) -> Result<Response, Response> {
    let problem = |status, text: String| json::error_reply(state.wire, status, &text);
    let now = state.clock.now();
    let mut sessions = state.sessions();
    let session = sessions.find(now, account, selector(&session)).ok_or_else(|| reply::empty(StatusCode::NOT_FOUND))?;
    let JsonObject(body) = body.map_err(|InvalidBody(reason)| problem(StatusCode::BAD_REQUEST, reason))?;
    let lease = json::max_lease(&body);
    let lease = lease.map_err(|error| problem(StatusCode::BAD_REQUEST, error.to_string()))?;
    session
        .extend(now, lease)
        .map_err(|refused| problem(StatusCode::UNPROCESSABLE_ENTITY, json::lease_refused(&refused, lease)))?;
    Ok(reply::json(StatusCode::OK, &SessionResource::of(session, now, state.wire)))
}

/// `POST …/sessions/{session}/:stop` ("Stop").
async fn stop(
    State(state): State<Arc<ServiceState>>,
    Extension(Caller(account)): Extension<Caller>,
    session: SessionParam,
) -> Response {
    let now = state.clock.now();
    match state.sessions().stop(now, account, selector(&session)) {
        Some(()) => reply::empty(StatusCode::NO_CONTENT),
        None => reply::empty(StatusCode::NOT_FOUND),
    }
}

/// `GET …/sessions` ("List").
async fn list(
    State(state): State<Arc<ServiceState>>,
    Extension(Caller(account)): Extension<Caller>,
    Extension(version): Extension<ApiVersion>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let from = paging::continuation(uri.query()).ok_or_else(|| {
        let text = format!("{CONTINUATION} is not what @nextLink had; begin anew without it");
        json::error_reply(state.wire, StatusCode::BAD_REQUEST, &text)
    })?;
    let now = state.clock.now();
    let sessions = state.sessions();
    let is_listed =
        |session: &&Session| session.identity.number >= from && session.status(now) != SessionStatus::Stopping;
    let mut listed = sessions.active(now, account).filter(is_listed);
    let page = listed.by_ref().take(state.page_size).map(|session| SessionResource::of(session, now, state.wire));
    let page: Vec<_> = page.collect();
    let next_link =
        listed.next().map(|next| paging::next_link(state.scheme, version, &uri, &headers, next.identity.number));
    Ok(reply::uncacheable(reply::json(StatusCode::OK, &SessionPage { sessions: page, next_link })))
}

/// The conversion of models, which the emulator does not implement.
async fn conversions(State(state): State<Arc<ServiceState>>) -> Response {
    let text = "this emulator has sessions only: it converts no models";
    json::error_reply(state.wire, StatusCode::NOT_IMPLEMENTED, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_paths_are_those_of_sessions_and_conversions_of_accounts() {
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
