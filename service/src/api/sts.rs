//! The token service (`docs/service.md`, "Token").

use std::sync::Arc;
use std::time::Instant;

use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Serialize;
use tokio::time::sleep;

use super::access;
use crate::format::guid;
use crate::http::reply;
use crate::net::ConnectionHandle;
use crate::state::ServiceState;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TokenBody {
    access_token: String,
}

/// `GET /accounts/{account}/token`: exchanges the account's key, or a Microsoft Entra token, for an access token.
pub(super) async fn token(
    State(state): State<Arc<ServiceState>>,
    Extension(connection): Extension<ConnectionHandle>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    let account = path.ok().and_then(|Path(account)| guid::parse(&account));
    let account = account.and_then(|account| access::authenticate(&state, account, &headers));
    let Some(account) = account else {
        sleep(state.wrong_keys.add(connection.peer, Instant::now())).await;
        return reply::empty(StatusCode::UNAUTHORIZED);
    };
    let access_token = state.access_token(account);
    reply::uncacheable(reply::json(StatusCode::OK, &TokenBody { access_token }))
}
