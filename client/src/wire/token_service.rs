//! The token service: account key or Microsoft Entra token in, access token out (docs/service.md, "Token").

use super::reply::Reply;
use super::request::{Method, Request};
use crate::config::{AccountId, Credential, Endpoint, Secret};
use crate::error::{ErrorKind, Result};
use serde::Deserialize;

const CALL: &str = "getting a token";

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
    #[derive(Deserialize)]
    struct Body {
        #[serde(rename = "AccessToken")]
        access_token: Secret,
    }
    if !reply.is_success() {
        return Err(match reply.status {
            // The real service's 401 has an empty body, so the message is entirely ours.
            401 => {
                let message = format!("{CALL} was answered 401: {}", credential.refused());
                reply.error(CALL).recast(ErrorKind::Unauthorized, message)
            }
            _ => reply.error(CALL),
        });
    }
    let token = reply.json::<Body>(CALL)?.access_token;
    if token.expose().is_empty() || !token.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
        let error = reply.unexpected(CALL, "the token has characters that no token has");
        let message = error.message().to_owned();
        return Err(error.recast(ErrorKind::InvalidToken, message));
    }
    Ok(token)
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
    fn a_token_is_taken_as_it_is() {
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
            assert!(matches!(error.kind(), ErrorKind::UnexpectedReply | ErrorKind::InvalidToken), "{body}: {error:?}");
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
