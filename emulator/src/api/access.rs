//! Who may do what: the only place that reads `Authorization`.

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
use crate::state::Service;

/// The account that a request may act for. Only [`gate`] makes one, and the session routes ask for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller(pub(super) Uuid);

/// Why a request for sessions is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It carries no valid token.
    NoToken,
    /// It carries one for another account than the one in its path.
    OtherAccount,
    /// The account's last call was too short a time ago.
    TooSoon { wait_seconds: u64 },
}

/// The gate in front of the session routes, which refuses in the words of the version that they belong to.
#[derive(Clone)]
pub(super) struct Gate {
    service: Arc<Service>,
    refuse: fn(Refusal) -> Response,
}

impl Gate {
    pub(super) fn new(service: &Arc<Service>, refuse: fn(Refusal) -> Response) -> Gate {
        Gate { service: service.clone(), refuse }
    }

    fn admit(&self, headers: &HeaderMap, account: Option<Uuid>) -> Result<Caller, Refusal> {
        let token = bearer(headers).ok_or(Refusal::NoToken)?;
        let tokens = &self.service.tokens;
        let owner = tokens.account_of(token, self.service.clock.unix_time()).ok_or(Refusal::NoToken)?;
        if account != Some(owner) {
            return Err(Refusal::OtherAccount);
        }
        let admitted = self.service.throttle.admit(self.service.clock.now(), owner);
        admitted
            .map_err(|wait| Refusal::TooSoon { wait_seconds: wait.as_secs() + u64::from(wait.subsec_nanos() > 0) })?;
        Ok(Caller(owner))
    }
}

/// Lets a request through that carries a token for the account in its path, if the account's last call is long enough
/// ago.
pub(super) async fn gate(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    match gate.admit(request.headers(), account_in(request.uri())) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(refusal) => (gate.refuse)(refusal),
    }
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

/// Read by itself: what a session is called is for its route to judge.
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
