//! Who may do what: the only place that reads `Authorization`.

use std::sync::Arc;

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use uuid::Uuid;

use super::reply;
use crate::guid;
use crate::service::Service;

/// The account that a request may act for. Only [`require_token`] makes one, and the session routes ask for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller(pub(super) Uuid);

/// Lets a request through that carries a token for the account in its path. What it says to others has no body
/// (`docs/service.md`, "Errors").
pub(super) async fn require_token(
    State(service): State<Arc<Service>>,
    path: Result<RawPathParams, RawPathParamsRejection>,
    mut request: Request,
    next: Next,
) -> Response {
    let now = service.clock.unix_time();
    let token = bearer(request.headers());
    let Some(account) = token.and_then(|token| service.tokens.account_of(token, now)) else {
        return reply::empty(StatusCode::UNAUTHORIZED);
    };
    if account_in(path) != Some(account) {
        return reply::empty(StatusCode::FORBIDDEN);
    }
    request.extensions_mut().insert(Caller(account));
    next.run(request).await
}

/// Whether a token request carries `{id}:{key}` of the account in its path.
pub(super) fn has_account_key(service: &Service, account: Uuid, headers: &HeaderMap) -> bool {
    let Some((id, key)) = bearer(headers).and_then(|credential| credential.split_once(':')) else {
        return false;
    };
    let mut known = service.accounts.iter().filter(|known| known.guid() == account);
    guid::parse(id) == Some(account) && known.any(|known| known.has_key(key))
}

fn account_in(path: Result<RawPathParams, RawPathParamsRejection>) -> Option<Uuid> {
    let path = path.ok()?;
    let (_, account) = path.iter().find(|(name, _)| *name == "account")?;
    guid::parse(account)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credential) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then_some(credential.trim())
}
