//! The session in a path.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use serde::Deserialize;

/// The session in a path. Where it cannot be decoded it has a character that no session has in its id.
pub(crate) struct SessionSegment(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for SessionSegment {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<SessionSegment, Infallible> {
        let path = Path::<SessionPath>::from_request_parts(parts, state).await;
        let undecodable = |_| char::REPLACEMENT_CHARACTER.to_string();
        Ok(SessionSegment(path.map_or_else(undecodable, |Path(path)| path.session)))
    }
}

#[derive(Deserialize)]
struct SessionPath {
    session: String,
}
