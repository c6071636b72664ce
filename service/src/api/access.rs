//! Authentication and authorisation: the only module that reads the `Authorization` header.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Uri};
use axum::middleware::Next;
use axum::response::Response;
use percent_encoding::percent_decode_str;
use uuid::Uuid;

use crate::auth::{Account, token};
use crate::format::guid;
use crate::state::ServiceState;

/// The account that a request may act for. Only [`authorize`] makes one; the session routes require it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller(pub(super) Uuid);

/// Why a request to the session service is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AccessDenied {
    /// It carries no valid token.
    InvalidToken,
    /// Its token is for another account than the one in its path.
    OtherAccount,
    /// The account exceeds the rate limit.
    Throttled { retry_after_seconds: u64 },
}

/// The check in front of the session routes. Each version of the API has its own replies to refused requests.
#[derive(Clone)]
pub(super) struct AccessCheck {
    state: Arc<ServiceState>,
    deny: fn(AccessDenied) -> Response,
}

impl AccessCheck {
    pub(super) fn new(state: &Arc<ServiceState>, deny: fn(AccessDenied) -> Response) -> AccessCheck {
        AccessCheck { state: state.clone(), deny }
    }

    fn admit(&self, headers: &HeaderMap, account: Option<Uuid>) -> Result<Caller, AccessDenied> {
        let token = bearer(headers).ok_or(AccessDenied::InvalidToken)?;
        let tokens = &self.state.tokens;
        let owner = tokens.account_of(token, self.state.clock.unix_time()).ok_or(AccessDenied::InvalidToken)?;
        // A token may be from an earlier run that had the account.
        if !self.state.accounts.iter().any(|known| known.guid() == owner) {
            return Err(AccessDenied::InvalidToken);
        }
        if account != Some(owner) {
            return Err(AccessDenied::OtherAccount);
        }
        let admitted = self.state.throttle.admit(self.state.clock.now(), owner);
        admitted.map_err(|wait| AccessDenied::Throttled {
            retry_after_seconds: wait.as_secs() + u64::from(wait.subsec_nanos() > 0),
        })?;
        Ok(Caller(owner))
    }
}

/// Middleware that admits requests with a token for the account in their path, within the account's rate limit.
pub(super) async fn authorize(State(check): State<AccessCheck>, mut request: Request, next: Next) -> Response {
    match check.admit(request.headers(), account_in(request.uri())) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(denied) => (check.deny)(denied),
    }
}

/// Whether a request carries a valid access token of any account.
pub(super) fn has_token(state: &ServiceState, headers: &HeaderMap) -> bool {
    bearer(headers).is_some_and(|token| state.tokens.account_of(token, state.clock.unix_time()).is_some())
}

/// The account in the path of a token request, if the request carries its `{id}:{key}` or a Microsoft Entra token for
/// it.
pub(super) fn authenticate<'a>(state: &'a ServiceState, account: Uuid, headers: &HeaderMap) -> Option<&'a Account> {
    let credential = bearer(headers)?;
    let mut known = state.accounts.iter().filter(|known| known.guid() == account);
    match credential.split_once(':') {
        Some((id, key)) if guid::parse(id) == Some(account) => known.find(|known| known.has_key(key)),
        Some(_) => None,
        None => known.next().filter(|_| is_entra_token(state, account, credential)),
    }
}

fn is_entra_token(state: &ServiceState, account: Uuid, token: &str) -> bool {
    let now = state.clock.unix_time();
    state.entra_tokens.account_of(token, now) == Some(account)
        || (state.accepts_any_entra_token && token::is_unexpired_jwt(token, now))
}

/// The account in a path. The rest of the path is not checked: the route validates the session id.
fn account_in(uri: &Uri) -> Option<Uuid> {
    let mut segments = uri.path().split('/').skip_while(|segment| *segment != "accounts");
    let account = percent_decode_str(segments.nth(1)?).decode_utf8().ok()?;
    guid::parse(&account)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credential) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then_some(credential.trim())
}
