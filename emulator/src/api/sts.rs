//! The token service (`docs/service.md`, "Token").

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Serialize;

use super::access;
use crate::format::guid;
use crate::http::reply;
use crate::state::Service;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TokenBody {
    access_token: String,
}

/// `GET /accounts/{account}/token`: a token for the account's key, or for one of Microsoft Entra's.
pub(super) async fn token(
    State(service): State<Arc<Service>>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    let account = path.ok().and_then(|Path(account)| guid::parse(&account));
    let account = account.and_then(|account| access::who_may_have_a_token(&service, account, &headers));
    let Some(account) = account else {
        return reply::empty(StatusCode::UNAUTHORIZED);
    };
    let access_token = service.access_token(account);
    reply::not_to_be_kept(reply::json(StatusCode::OK, &TokenBody { access_token }))
}
