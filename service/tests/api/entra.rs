//! Microsoft Entra tokens at the token service: those that the emulator issues, and real ones that it accepts
//! unverified.

use std::time::Duration;

use arr_service::{Account, Config, DEVELOPMENT_ACCOUNT_ID as ID};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::http::Reply;
use crate::story::{Story, other_account};

const HOUR: Duration = Duration::from_secs(60 * 60);

fn exchange(story: &mut Story, account: &str, entra_token: &str) -> Reply {
    let authorization = format!("Bearer {entra_token}");
    let path = format!("/accounts/{account}/token");
    story.connection.call("GET", &path, &[("Authorization", &authorization)], b"")
}

/// A token that anyone could make up.
fn made_up(expiry: u64) -> String {
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.{}", encode(r#"{"alg":"RS256"}"#), encode(&format!(r#"{{"exp":{expiry}}}"#)), encode("signature"))
}

#[test]
fn an_emulated_token_gets_an_access_token_until_it_expires() {
    let mut story = Story::begin();
    let entra_token = story.emulator.entra_token(HOUR);
    let reply = exchange(&mut story, ID, &entra_token);
    assert_eq!(reply.status, 200);
    story.token = reply.json()["AccessToken"].as_str().expect("a token").to_owned();
    story.create();

    story.clock.advance(HOUR - Duration::from_nanos(1));
    assert_eq!(exchange(&mut story, ID, &entra_token).status, 200);
    story.clock.advance(Duration::from_nanos(1));
    exchange(&mut story, ID, &entra_token).assert_empty(401);
}

#[test]
fn an_emulated_token_is_for_one_account_and_one_purpose() {
    let mut story = Story::begin();
    let entra_token = story.emulator.entra_token(HOUR);
    exchange(&mut story, other_account().id(), &entra_token).assert_empty(401);
    exchange(&mut story, ID, &format!("{entra_token}x")).assert_empty(401);
    let access_token = story.token.clone();
    exchange(&mut story, ID, &access_token).assert_empty(401);
    story.token = entra_token;
    story.call("GET", "/sessions", "").assert_empty(401);
}

#[test]
fn a_control_call_issues_an_emulated_token() {
    let mut story = Story::begin();
    for (body, account, lifetime) in [
        (String::new(), Account::development(), HOUR),
        (json!({"account_id": other_account().id(), "lifetime_seconds": 60}).to_string(), other_account(), HOUR / 60),
    ] {
        let reply = story.control("POST", "/entra-token", &body);
        assert_eq!(reply.status, 200, "{reply:?}");
        let token = reply.json()["token"].as_str().expect("a token").to_owned();
        story.clock.advance(lifetime - Duration::from_secs(1));
        assert_eq!(exchange(&mut story, account.id(), &token).status, 200);
        story.clock.advance(Duration::from_secs(1));
        exchange(&mut story, account.id(), &token).assert_empty(401);
    }
    for account in ["d31bddca-dab7-498e-9bc9-7594bc12862f", "x"] {
        let reply = story.control("POST", "/entra-token", &json!({"account_id": account}).to_string());
        assert_eq!((reply.status, reply.error().as_str()), (400, "account_id is not an account of this emulator"));
    }
}

#[test]
fn made_up_tokens_are_accepted_only_with_the_option() {
    let mut story = Story::begin();
    let now = story.clock.unix_time().as_secs();
    exchange(&mut story, ID, &made_up(now + 60)).assert_empty(401);

    let mut story = Story::begin_with(Config { accept_entra_tokens: true, ..Config::default() });
    assert_eq!(exchange(&mut story, ID, &made_up(now + 60)).status, 200);
    exchange(&mut story, ID, &made_up(now)).assert_empty(401);
    exchange(&mut story, ID, "no.jwt.at all").assert_empty(401);
    exchange(&mut story, "d31bddca-dab7-498e-9bc9-7594bc12862f", &made_up(now + 60)).assert_empty(401);
}

#[test]
fn the_library_issues_access_tokens_without_an_exchange() {
    let mut story = Story::begin();
    story.emulator.clear_requests();
    story.token = story.emulator.access_token();
    story.create();
    assert_eq!(story.emulator.requests().len(), 1);
}
