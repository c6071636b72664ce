//! The control calls for sessions.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::json::{ChangeSession, SessionSummary, SessionsReply};
use super::routes::{JsonBody, unavailable};
use crate::clock::Timestamp;
use crate::http::reply;
use crate::http::session_param::SessionParam;
use crate::session::{LeaseRefused, SessionSelector, SessionStatus, SessionStore, SessionView, StatusRefused};
use crate::state::ServiceState;

pub(super) async fn list(State(state): State<Arc<ServiceState>>) -> Response {
    match state.sessions(|sessions, at| sessions.views(at.now)).await {
        Ok(views) => {
            let sessions = views.into_iter().map(Into::into).collect();
            reply::json(StatusCode::OK, &SessionsReply { sessions })
        }
        Err(not_stored) => unavailable(not_stored),
    }
}

/// Forces a status or extends the lease.
pub(super) async fn change(
    State(state): State<Arc<ServiceState>>,
    SessionParam(session): SessionParam,
    JsonBody(body): JsonBody<ChangeSession>,
) -> Response {
    match body {
        ChangeSession { status: Some(status), message, lease_minutes: None } => {
            force_status(&state, &session, &status, message.as_deref()).await
        }
        ChangeSession { status: None, message: None, lease_minutes: Some(minutes) } => {
            extend(&state, &session, Duration::from_secs(60 * u64::from(minutes))).await
        }
        _ => reply::error(StatusCode::BAD_REQUEST, "give either a status, perhaps with a message, or lease_minutes"),
    }
}

async fn force_status(state: &ServiceState, session: &str, status: &str, message: Option<&str>) -> Response {
    let Some(status) = SessionStatus::parse(status) else {
        let text = "status must be Starting, Ready, Stopping, Stopped, Expired or Error";
        return reply::error(StatusCode::BAD_REQUEST, text);
    };
    let forced = state.sessions(|sessions, at| sessions.force(at.now, session, status, message)).await;
    match forced.unwrap_or(Err(StatusRefused::NotStored)) {
        Ok(view) => reply::json(StatusCode::OK, &SessionSummary::from(view)),
        Err(refused) => {
            let code = match &refused {
                StatusRefused::NoSession(_) => StatusCode::NOT_FOUND,
                StatusRefused::Impossible { .. } => StatusCode::CONFLICT,
                StatusRefused::NoPlaceForMessage(_) => StatusCode::BAD_REQUEST,
                StatusRefused::NotStored => StatusCode::SERVICE_UNAVAILABLE,
            };
            reply::error(code, &refused.to_string())
        }
    }
}

async fn extend(state: &ServiceState, session: &str, lease: Duration) -> Response {
    if lease > state.max_lease {
        let text = format!("lease_minutes must be at most {}", state.max_lease.as_secs() / 60);
        return reply::error(StatusCode::BAD_REQUEST, &text);
    }
    state.sessions(|sessions, at| extended(sessions, at.now, session, lease)).await.unwrap_or_else(unavailable)
}

fn extended(sessions: &mut SessionStore, now: Duration, session: &str, lease: Duration) -> Response {
    let Some(identity) = sessions.identify(now, session) else { return no_session(session) };
    match sessions.extend(now, identity.account, SessionSelector::Exact(identity.id.as_str()), lease) {
        None => no_session(session),
        Some(Ok(session)) => reply::json(StatusCode::OK, &SessionSummary::from(SessionView::of(session, now))),
        Some(Err(LeaseRefused::Over(status))) => {
            reply::error(StatusCode::CONFLICT, &format!("a session that is {status} cannot be extended"))
        }
        Some(Err(LeaseRefused::NotLarger { current })) => {
            let minutes = current.as_secs_f64() / 60.0;
            let text = format!("lease_minutes is the whole lease, and must be more than the current {minutes}");
            reply::error(StatusCode::CONFLICT, &text)
        }
    }
}

/// Stops a session as its client would. No effect if it has ended or is stopping.
pub(super) async fn stop(State(state): State<Arc<ServiceState>>, SessionParam(session): SessionParam) -> Response {
    let stop = |sessions: &mut SessionStore, at: Timestamp| {
        let found = sessions.identify(at.now, &session)?;
        sessions.stop(at.now, found.account, SessionSelector::Exact(found.id.as_str()))
    };
    match state.sessions(stop).await {
        Ok(Some(())) => reply::empty(StatusCode::NO_CONTENT),
        Ok(None) => no_session(&session),
        Err(not_stored) => unavailable(not_stored),
    }
}

fn no_session(id: &str) -> Response {
    reply::error(StatusCode::NOT_FOUND, &StatusRefused::NoSession(id.to_owned()).to_string())
}
