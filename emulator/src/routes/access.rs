//! Who may do what: the only place that reads `Authorization`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request, State};
use axum::http::header::{AUTHORIZATION, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use uuid::Uuid;

use super::reply;
use crate::service::Service;
use crate::{Account, guid, token};

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

/// Lets an account's call through if its last one is long enough ago.
pub(super) async fn throttle(
    State(service): State<Arc<Service>>,
    Extension(Caller(account)): Extension<Caller>,
    request: Request,
    next: Next,
) -> Response {
    let Err(wait) = service.throttle.admit(service.clock.now(), account) else {
        return next.run(request).await;
    };
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let mut response = reply::error(StatusCode::TOO_MANY_REQUESTS, &format!("too many requests; wait {seconds} s"));
    response.headers_mut().insert(RETRY_AFTER, seconds.into());
    response
}

/// The account in the path of a token request, if the request carries `{id}:{key}` of it, or a token of Microsoft
/// Entra's that stands for it.
pub(super) fn who_may_have_a_token<'a>(
    service: &'a Service,
    account: Uuid,
    headers: &HeaderMap,
) -> Option<&'a Account> {
    let credential = bearer(headers)?;
    let mut known = service.accounts.iter().filter(|known| known.guid() == account);
    match credential.split_once(':') {
        Some((id, key)) if guid::parse(id) == Some(account) => known.find(|known| known.has_key(key)),
        Some(_) => None,
        None => known.next().filter(|_| is_entra_token(service, account, credential)),
    }
}

fn is_entra_token(service: &Service, account: Uuid, token: &str) -> bool {
    let now = service.clock.unix_time();
    service.entra_tokens.account_of(token, now) == Some(account)
        || (service.accepts_any_entra_token && token::claims_to_be_valid(token, now))
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
