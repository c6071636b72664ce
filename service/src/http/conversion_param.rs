//! The path parameter `{conversion}`.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use serde::Deserialize;

/// The conversion id in a path. One that cannot be decoded becomes a character that no conversion id contains.
pub(crate) struct ConversionParam(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for ConversionParam {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<ConversionParam, Infallible> {
        let path = Path::<ConversionPath>::from_request_parts(parts, state).await;
        let undecodable = |_| char::REPLACEMENT_CHARACTER.to_string();
        Ok(ConversionParam(path.map_or_else(undecodable, |Path(path)| path.conversion)))
    }
}

#[derive(Deserialize)]
struct ConversionPath {
    conversion: String,
}
