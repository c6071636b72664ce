//! The exchange of an account key for a token.

use std::time::{Duration, Instant};

use arr_service::{Account, Config, DEVELOPMENT_ACCOUNT_ID as ID, DEVELOPMENT_ACCOUNT_KEY as KEY, Emulator};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::http::{Connection, Reply};
use crate::story::{OTHER_ACCOUNT, Story, token_for};

fn ask(story: &mut Story, path: &str, authorization: &str) -> Reply {
    story.connection.call("GET", path, &[("Authorization", authorization)], b"")
}

#[test]
fn a_key_gets_a_jwt_that_is_not_cacheable() {
    let mut story = Story::begin();
    let reply = ask(&mut story, &format!("/accounts/{ID}/token"), &format!("Bearer {ID}:{KEY}"));
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("Cache-Control"), Some("no-store, no-cache"));
    assert_eq!(reply.header("Pragma"), Some("no-cache"));
    let text = reply.text();
    assert!(text.starts_with(r#"{"AccessToken":"eyJ"#) && text.ends_with(r#""}"#), "{text}");

    let body = reply.json();
    let token = body["AccessToken"].as_str().expect("a token");
    let parts: Vec<_> = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part)).collect();
    assert_eq!(parts.len(), 3);
    let claims: serde_json::Value = serde_json::from_slice(parts[1].as_ref().expect("base64url")).expect("JSON");
    let now = story.clock.unix_time().as_secs();
    assert_eq!(claims["sub"], ID);
    assert_eq!(claims["iat"], now);
    assert_eq!(claims["nbf"], now);
    assert_eq!(claims["exp"], now + 24 * 60 * 60);
}

#[test]
fn every_spelling_that_clients_use_is_accepted() {
    let mut story = Story::begin();
    let upper = ID.to_ascii_uppercase();
    for (path, authorization) in [
        (format!("/Accounts/{ID}/token?api-version=2019-02-28-preview"), format!("Bearer {ID}:{KEY}")),
        (format!("/ACCOUNTS/{ID}/token/"), format!("bearer {ID}:{KEY}")),
        (format!("/accounts/{upper}/token"), format!("Bearer {ID}:{KEY}")),
        (format!("/accounts/{ID}/token"), format!("Bearer {upper}:{KEY}")),
    ] {
        let reply = ask(&mut story, &path, &authorization);
        assert_eq!(reply.status, 200, "{path} with {authorization}");
    }
}

#[test]
fn without_a_valid_key_the_reply_is_an_empty_401() {
    let mut story = Story::begin();
    let path = format!("/accounts/{ID}/token");
    let unknown = "99999999-2222-3333-4444-aaaaaaaaaaaa";
    for authorization in [
        format!("Bearer {ID}:wrong"),
        format!("Bearer {ID}:{KEY}x"),
        format!("Bearer {ID}:"),
        format!("Bearer {ID}"),
        format!("Bearer {KEY}"),
        format!("Basic {ID}:{KEY}"),
        format!("{ID}:{KEY}"),
        "Bearer ".to_owned(),
        // Another account's key.
        format!("Bearer {OTHER_ACCOUNT}"),
        format!("Bearer 11111111-2222-3333-4444-aaaaaaaaaaaa:{KEY}"),
    ] {
        ask(&mut story, &path, &authorization).assert_empty(401);
    }
    story.connection.call("GET", &path, &[], b"").assert_empty(401);
    let reply = ask(&mut story, &format!("/accounts/{unknown}/token"), &format!("Bearer {unknown}:{KEY}"));
    reply.assert_empty(401);
    let reply = ask(&mut story, "/accounts/not-a-guid/token", &format!("Bearer {ID}:{KEY}"));
    reply.assert_empty(401);
    let reply = ask(&mut story, "/accounts/%ff/token", &format!("Bearer {ID}:{KEY}"));
    reply.assert_empty(401);
}

#[test]
fn a_token_expires_by_the_emulators_clock() {
    let mut story = Story::begin_with(Config { token_lifetime: Duration::from_secs(600), ..Config::default() });
    assert_eq!(story.call("GET", "/sessions", "").status, 200);
    story.clock.advance(Duration::from_secs(600) - Duration::from_nanos(1));
    assert_eq!(story.call("GET", "/sessions", "").status, 200);
    story.clock.advance(Duration::from_nanos(1));
    story.call("GET", "/sessions", "").assert_empty(401);
    story.token = token_for(&mut story.connection, &Account::development());
    assert_eq!(story.call("GET", "/sessions", "").status, 200);
}

#[test]
fn an_account_may_have_two_keys() {
    let accounts = ["primary", "secondary"].map(|key| Account::new(ID, key).expect("an account"));
    let emulator =
        Emulator::start(Config { accounts: accounts.to_vec(), ..Config::default() }).expect("the emulator starts");
    let mut connection = Connection::open(emulator.url());
    for account in &accounts {
        token_for(&mut connection, account);
    }
}

#[test]
fn many_wrong_keys_are_answered_with_growing_delay() {
    let mut story = Story::begin();
    let account = story.emulator.account().clone();
    let path = format!("/accounts/{}/token", account.id());
    let mut status = |key: &str| {
        let credential = format!("Bearer {}:{key}", account.id());
        story.connection.call("GET", &path, &[("Authorization", &credential)], b"").status
    };
    let begin = Instant::now();
    assert_eq!([0; 12].map(|_| status("wrong")), [401; 12]);
    // The eleventh is delayed by half a second, and so is the twelfth if it follows at once.
    assert!(begin.elapsed() >= Duration::from_millis(500), "{:?}", begin.elapsed());
    assert_eq!(status(account.key()), 200);
}
