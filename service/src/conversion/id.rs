//! Conversion ids, which the client chooses (`docs/service-2021-01-01.md`, "Conversions").

use std::fmt;

/// A valid conversion id: 1 to 256 letters, digits, hyphens and underscores. Letter case matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConversionId(String);

/// The text is not a valid conversion id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a conversion id is 1 to 256 letters, digits, hyphens and underscores")]
pub(crate) struct InvalidConversionId;

impl ConversionId {
    const LONGEST: usize = 256;

    pub(crate) fn parse(text: &str) -> Result<ConversionId, InvalidConversionId> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if text.is_empty() || text.len() > ConversionId::LONGEST || !text.bytes().all(allowed) {
            return Err(InvalidConversionId);
        }
        Ok(ConversionId(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConversionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
