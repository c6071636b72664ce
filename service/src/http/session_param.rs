//! The path parameter `{session}`.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use serde::Deserialize;

/// The session id in a path. One that cannot be decoded becomes a character that no session id contains.
pub(crate) struct SessionParam(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for SessionParam {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<SessionParam, Infallible> {
        let path = Path::<SessionPath>::from_request_parts(parts, state).await;
        let undecodable = |_| char::REPLACEMENT_CHARACTER.to_string();
        Ok(SessionParam(path.map_or_else(undecodable, |Path(path)| path.session)))
    }
}

#[derive(Deserialize)]
struct SessionPath {
    session: String,
}
