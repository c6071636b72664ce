//! The token service: account key or Microsoft Entra token in, access token out (docs/service.md, "Token").

use super::json::Members;
use super::reply::{Reply, Server};
use super::request::{Method, Request};
use crate::config::{AccountId, Credential, Endpoint, Secret};
use crate::error::{Error, ErrorKind, Result};

const CALL: &str = "getting a token";

const TOKEN_SERVICE: Server = Server {
    name: "token service",
    option: "`account_domain`",
    not_found: "the token service does not know this account; check `account_id` and `account_domain`",
};

/// `GET /accounts/{account}/token`. The correlation vector identifies the request to the service's operators.
pub(crate) fn token(
    token_service: &Endpoint,
    account: &AccountId,
    credential: &Credential,
    correlation_vector: String,
) -> Request {
    let url = token_service.join(&["accounts", account.as_str(), "token"]);
    Request {
        bearer: credential.bearer(account),
        correlation_vector: Some(correlation_vector),
        ..Request::unsigned(Method::Get, url, None)
    }
}

/// The token of a reply. The capital letters of its name are the service's.
pub(crate) fn read_token(reply: &Reply, credential: &Credential) -> Result<Secret> {
    if !reply.is_success() {
        let error = reply.error_at(CALL, &TOKEN_SERVICE);
        if error.kind() != ErrorKind::Unauthorized {
            return Err(error);
        }
        // The real service's 401 has an empty body, so the message is entirely ours.
        let message = format!("{CALL} failed with 401: {}", credential.refused());
        return Err(error.recast(ErrorKind::Unauthorized, message));
    }
    token_in(&reply.text()).map_err(|what| {
        let message = format!(
            "{CALL} failed: the reply ({}) has {what} instead of a token; check `account_domain`, and that no gateway \
             or sign-in page replies in place of the token service",
            reply.status
        );
        Error::new(ErrorKind::InvalidToken, message).with_reply(reply.facts())
    })
}

/// The token, or a description of what the reply has in its place, which quotes nothing.
fn token_in(body: &str) -> std::result::Result<Secret, &'static str> {
    let Ok(members) = Members::read(body) else {
        return Err(match body.trim_start().chars().next() {
            None => "an empty body",
            Some('<') => "HTML or XML",
            Some('{') => "malformed JSON",
            Some(_) => "text that is not a JSON object",
        });
    };
    match members.get::<Secret>("AccessToken") {
        Ok(Some(token)) if token.expose().is_empty() => Err("an empty \"AccessToken\""),
        Ok(Some(token)) if token.expose().bytes().all(|byte| byte.is_ascii_graphic()) => Ok(token),
        Ok(Some(_)) => Err("invalid characters in \"AccessToken\""),
        Ok(None) => Err("JSON with \"AccessToken\" missing or null"),
        Err(_) => Err("an \"AccessToken\" that is not text"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::config;
    use crate::wire::tests::reply;

    fn key() -> Credential {
        Credential::AccountKey("key=".into())
    }

    #[test]
    fn the_request_names_the_account_in_the_path_and_the_key_in_the_header() {
        let settings = config().check().unwrap();
        let request = token(&settings.token_service, &settings.account_id, &settings.credential, "cv".into());
        assert_eq!(
            request.url.as_str(),
            "https://sts.westus2.mixedreality.azure.com/accounts/68321d5a-7978-4ceb-b880-0f49751daae9/token"
        );
        assert_eq!((request.method, request.body), (Method::Get, None));
        assert_eq!(request.correlation_vector.as_deref(), Some("cv"));
        assert_eq!(request.bearer.expose(), "68321d5a-7978-4ceb-b880-0f49751daae9:key=");
    }

    #[test]
    fn a_token_is_used_unchanged() {
        assert_eq!(read_token(&reply(200, r#"{"AccessToken":"a.b.c","other":1}"#), &key()).unwrap().expose(), "a.b.c");
    }

    #[test]
    fn an_invalid_token_is_not_quoted_in_the_error() {
        for body in [
            "",
            "{}",
            r#"{"accessToken":"a.b.c"}"#,
            r#"{"AccessToken":null}"#,
            r#"{"AccessToken":""}"#,
            "{\"AccessToken\":\"se cret\"}",
            "\"secret\"",
        ] {
            let error = read_token(&reply(200, body), &key()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidToken, "{body}: {error:?}");
            assert!(!error.message().contains("cret"), "{error}");
        }
    }

    #[test]
    fn an_empty_401_is_reported_as_a_wrong_key() {
        let error = read_token(&reply(401, ""), &key()).unwrap_err();
        assert_eq!((error.kind(), error.http_status()), (ErrorKind::Unauthorized, Some(401)));
        assert!(error.message().contains("account key"));
    }
}
