//! Sessions, REST 2021-01-01 (`docs/service-2021-01-01.md`).

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{any, get, post};
use axum::{Extension, Router};

use super::json::{self, SessionBody, SessionList};
use super::paging::{self, CONTINUATION};
use super::version::{self, Version};
use crate::api::access::{self, Caller, Gate, Refusal};
use crate::config::Wire;
use crate::http::body::{JsonObject, Unreadable};
use crate::http::reply;
use crate::http::session_param::SessionSegment;
use crate::session::{Creation, OtherSettings, Session, SessionId, SessionStatus, Wanted};
use crate::state::Service;

/// The session in a path, by the very id that it was created under.
fn wanted(SessionSegment(session): &SessionSegment) -> Wanted<'_> {
    Wanted::Exactly(session)
}

/// The routes, none of which is reached without a version and a token, or too often.
pub(in crate::api) fn routes(service: &Arc<Service>) -> Router<Arc<Service>> {
    Router::new()
        // An older axum took a colon for a parameter, and the present one refuses it.
        .without_v07_checks()
        .route("/accounts/{account}/sessions", get(list))
        .route("/accounts/{account}/sessions/{session}", get(read).put(create).patch(update))
        .route("/accounts/{account}/sessions/{session}/:stop", post(stop))
        .route("/accounts/{account}/conversions", any(conversions))
        .route("/accounts/{account}/conversions/{*rest}", any(conversions))
        .route_layer(from_fn_with_state(Gate::new(service, refuse), access::gate))
        .route_layer(from_fn_with_state(service.clone(), version::require))
}

/// Whether a path is this version's, even if nothing is there.
pub(in crate::api) fn owns(path: &str) -> bool {
    let mut segments = path.split('/').skip(1);
    segments.next() == Some("accounts") && matches!(segments.nth(1), Some("sessions" | "conversions"))
}

/// What is said about a request that reaches no operation.
pub(in crate::api) fn problem(service: &Service, status: StatusCode, text: &str) -> Response {
    version::with_header(json::problem(service.wire, status, text), service.wire)
}

/// What is said to those who are not let in: nothing but a header.
fn refuse(refusal: Refusal) -> Response {
    let (status, header) = match refusal {
        Refusal::NoToken => {
            let invalid = HeaderValue::from_static("Bearer error=\"invalid_token\"");
            (StatusCode::UNAUTHORIZED, Some((WWW_AUTHENTICATE, invalid)))
        }
        Refusal::OtherAccount => (StatusCode::FORBIDDEN, None),
        Refusal::TooSoon { wait_seconds } => (StatusCode::TOO_MANY_REQUESTS, Some((RETRY_AFTER, wait_seconds.into()))),
    };
    let mut response = reply::empty(status);
    response.headers_mut().extend(header);
    response
}

/// `PUT …/sessions/{session}` ("Create").
async fn create(
    State(service): State<Arc<Service>>,
    Extension(Caller(account)): Extension<Caller>,
    segment: SessionSegment,
    body: Result<JsonObject, Unreadable>,
) -> Result<Response, Response> {
    let bad_request = |text: String| json::problem(service.wire, StatusCode::BAD_REQUEST, &text);
    let id = SessionId::parse(&segment.0).map_err(|error| bad_request(error.to_string()))?;
    let JsonObject(body) = body.map_err(|Unreadable(reason)| bad_request(reason))?;
    let settings = json::settings(&body).map_err(|error| bad_request(error.to_string()))?;

    let moment = service.clock.moment();
    let mut sessions = service.sessions();
    let (status, session) = match sessions.create_as(moment, account, id, settings) {
        Ok(Creation::New(session)) => (StatusCode::CREATED, session),
        Ok(Creation::There(session)) => (StatusCode::OK, session),
        Err(OtherSettings) => {
            let text = "A resource already exists under the given ID.";
            return Err(json::problem(service.wire, StatusCode::CONFLICT, text));
        }
    };
    Ok(reply::json(status, &SessionBody::of(session, moment.now, service.wire)))
}

/// `GET …/sessions/{session}` ("Get").
async fn read(
    State(service): State<Arc<Service>>,
    Extension(Caller(account)): Extension<Caller>,
    segment: SessionSegment,
) -> Response {
    let now = service.clock.now();
    let mut sessions = service.sessions();
    let Some(session) = sessions.find(now, account, wanted(&segment)) else {
        return reply::empty(StatusCode::NOT_FOUND);
    };
    let response = reply::json(StatusCode::OK, &SessionBody::of(session, now, service.wire));
    match service.wire {
        Wire::V2021 => response,
        Wire::V2022 => reply::not_to_be_kept(response),
    }
}

/// `PATCH …/sessions/{session}` ("Update").
async fn update(
    State(service): State<Arc<Service>>,
    Extension(Caller(account)): Extension<Caller>,
    segment: SessionSegment,
    body: Result<JsonObject, Unreadable>,
) -> Result<Response, Response> {
    let problem = |status, text: String| json::problem(service.wire, status, &text);
    let now = service.clock.now();
    let mut sessions = service.sessions();
    let session = sessions.find(now, account, wanted(&segment)).ok_or_else(|| reply::empty(StatusCode::NOT_FOUND))?;
    let JsonObject(body) = body.map_err(|Unreadable(reason)| problem(StatusCode::BAD_REQUEST, reason))?;
    let lease = json::max_lease(&body);
    let lease = lease.map_err(|error| problem(StatusCode::BAD_REQUEST, error.to_string()))?;
    session
        .extend(now, lease)
        .map_err(|refused| problem(StatusCode::UNPROCESSABLE_ENTITY, json::lease_refused(&refused, lease)))?;
    Ok(reply::json(StatusCode::OK, &SessionBody::of(session, now, service.wire)))
}

/// `POST …/sessions/{session}/:stop` ("Stop").
async fn stop(
    State(service): State<Arc<Service>>,
    Extension(Caller(account)): Extension<Caller>,
    segment: SessionSegment,
) -> Response {
    let now = service.clock.now();
    match service.sessions().stop(now, account, wanted(&segment)) {
        Some(()) => reply::empty(StatusCode::NO_CONTENT),
        None => reply::empty(StatusCode::NOT_FOUND),
    }
}

/// `GET …/sessions` ("List").
async fn list(
    State(service): State<Arc<Service>>,
    Extension(Caller(account)): Extension<Caller>,
    Extension(version): Extension<Version>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let from = paging::continuation(uri.query()).ok_or_else(|| {
        let text = format!("{CONTINUATION} is not what @nextLink had; begin anew without it");
        json::problem(service.wire, StatusCode::BAD_REQUEST, &text)
    })?;
    let now = service.clock.now();
    let sessions = service.sessions();
    let is_listed =
        |session: &&Session| session.identity.number >= from && session.status(now) != SessionStatus::Stopping;
    let mut listed = sessions.active(now, account).filter(is_listed);
    let page = listed.by_ref().take(service.page_size).map(|session| SessionBody::of(session, now, service.wire));
    let page: Vec<_> = page.collect();
    let next_link =
        listed.next().map(|next| paging::next_link(service.scheme, version, &uri, &headers, next.identity.number));
    Ok(reply::not_to_be_kept(reply::json(StatusCode::OK, &SessionList { sessions: page, next_link })))
}

/// The conversion of models, which is no part of this emulator.
async fn conversions(State(service): State<Arc<Service>>) -> Response {
    let text = "this emulator has sessions only: it converts no models";
    json::problem(service.wire, StatusCode::NOT_IMPLEMENTED, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_paths_are_those_of_sessions_and_conversions_of_accounts() {
        for path in ["/accounts/a/sessions", "/accounts/a/sessions/b/c/d", "/accounts/a/conversions/x"] {
            assert!(owns(path), "{path}");
        }
        for path in [
            "/",
            "/accounts/a",
            "/accounts/a/token",
            "/v1/accounts/a/sessions",
            "/accounts/sessions",
            "accounts/a/sessions",
        ] {
            assert!(!owns(path), "{path}");
        }
    }
}
