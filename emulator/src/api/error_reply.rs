//! What is said about a request that reaches no operation, in the words of the version that its path belongs to.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use axum::response::Response;

use super::v2021_01_01;
use crate::http::{path, reply};
use crate::state::Service;

/// What this server has, for those who asked for something else.
const WHAT_THERE_IS: &str = "GET /accounts/{accountId}/token, \
     POST /v1/accounts/{accountId}/sessions/create, \
     GET /v1/accounts/{accountId}/sessions, \
     GET /v1/accounts/{accountId}/sessions/{sessionId}/properties, \
     PATCH and DELETE /v1/accounts/{accountId}/sessions/{sessionId}, \
     and with ?api-version=2021-01-01: \
     GET /accounts/{accountId}/sessions, \
     PUT, GET and PATCH /accounts/{accountId}/sessions/{sessionId}, \
     POST /accounts/{accountId}/sessions/{sessionId}/:stop";

/// Says what is wrong with a request for this path.
pub(super) fn reply(service: &Service, path: &str, status: StatusCode, text: &str) -> Response {
    if v2021_01_01::owns(path) { v2021_01_01::problem(service, status, text) } else { reply::error(status, text) }
}

pub(super) async fn unknown_path(State(service): State<Arc<Service>>, uri: Uri) -> Response {
    let text = format!("there is nothing at {}; this server has {WHAT_THERE_IS}", path::shortened(uri.path()));
    reply(&service, uri.path(), StatusCode::NOT_FOUND, &text)
}

pub(super) async fn wrong_method(State(service): State<Arc<Service>>, method: Method, uri: Uri) -> Response {
    let text = format!("{method} does not work on {}; this server has {WHAT_THERE_IS}", path::shortened(uri.path()));
    reply(&service, uri.path(), StatusCode::METHOD_NOT_ALLOWED, &text)
}
