//! The token service (`docs/service.md`, "Token").

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, PRAGMA};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;

use super::{access, reply};
use crate::guid;
use crate::service::Service;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TokenBody {
    access_token: String,
}

/// `GET /accounts/{account}/token`: the account's key for a token.
pub(super) async fn token(
    State(service): State<Arc<Service>>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    let account = path.ok().and_then(|Path(account)| guid::parse(&account));
    let account = account.filter(|account| access::has_account_key(&service, *account, &headers));
    let Some(account) = account else {
        return reply::empty(StatusCode::UNAUTHORIZED);
    };
    let access_token = service.tokens.issue(account, service.clock.unix_time());
    let mut response = reply::json(StatusCode::OK, &TokenBody { access_token });
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store, no-cache"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}
