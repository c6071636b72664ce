//! Sizes of rendering servers.

/// The size of the rendering server. It determines the price and cannot change during a session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionSize {
    /// Up to 20 million primitives.
    Standard,
    /// No fixed limit.
    Premium,
    /// A size that this version of the library does not know, as the service spelled it.
    Unknown(String),
}

impl SessionSize {
    /// The C ABI's number for a size, which never changes; 0 for an unknown size.
    pub(crate) const fn code(size: Option<&SessionSize>) -> i32 {
        match size {
            Some(SessionSize::Standard) => 1,
            Some(SessionSize::Premium) => 2,
            Some(SessionSize::Unknown(_)) | None => 0,
        }
    }

    /// The size with this number.
    pub(crate) const fn of_code(code: i32) -> Option<SessionSize> {
        match code {
            1 => Some(SessionSize::Standard),
            2 => Some(SessionSize::Premium),
            _ => None,
        }
    }

    /// The size in lower case, as REST v1 spells it; an unknown one as the service spelled it.
    pub fn as_str(&self) -> &str {
        match self {
            SessionSize::Standard => "standard",
            SessionSize::Premium => "premium",
            SessionSize::Unknown(word) => word,
        }
    }

    pub(crate) fn read(text: &str) -> SessionSize {
        match text {
            _ if text.eq_ignore_ascii_case("standard") => SessionSize::Standard,
            _ if text.eq_ignore_ascii_case("premium") => SessionSize::Premium,
            _ => SessionSize::Unknown(text.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_any_letter_case() {
        assert_eq!(SessionSize::read("PreMium"), SessionSize::Premium);
    }
}
