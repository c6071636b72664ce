//! Error replies to requests that reach no operation, in the format of the API version that their path belongs to.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use axum::response::Response;

use super::v2021_01_01;
use crate::http::{path, reply};
use crate::state::ServiceState;

/// The endpoints, for requests to any other.
const ENDPOINTS: &str = "GET /accounts/{accountId}/token, \
     POST /v1/accounts/{accountId}/sessions/create, \
     GET /v1/accounts/{accountId}/sessions, \
     GET /v1/accounts/{accountId}/sessions/{sessionId}/properties, \
     PATCH and DELETE /v1/accounts/{accountId}/sessions/{sessionId}, \
     and with ?api-version=2021-01-01: \
     GET /accounts/{accountId}/sessions, \
     PUT, GET and PATCH /accounts/{accountId}/sessions/{sessionId}, \
     POST /accounts/{accountId}/sessions/{sessionId}/:stop, \
     GET /accounts/{accountId}/conversions, \
     PUT and GET /accounts/{accountId}/conversions/{conversionId}";

/// An error reply in the format of the API version that this path belongs to.
pub(super) fn for_path(state: &ServiceState, path: &str, status: StatusCode, text: &str) -> Response {
    if v2021_01_01::owns_path(path) {
        v2021_01_01::error_reply(state, status, text)
    } else {
        reply::error(status, text)
    }
}

pub(super) async fn unknown_path(State(state): State<Arc<ServiceState>>, uri: Uri) -> Response {
    let text = format!("there is nothing at {}; the endpoints are {ENDPOINTS}", path::truncated(uri.path()));
    for_path(&state, uri.path(), StatusCode::NOT_FOUND, &text)
}

pub(super) async fn method_not_allowed(State(state): State<Arc<ServiceState>>, method: Method, uri: Uri) -> Response {
    let text = format!("{} does not support {method}; the endpoints are {ENDPOINTS}", path::truncated(uri.path()));
    for_path(&state, uri.path(), StatusCode::METHOD_NOT_ALLOWED, &text)
}
