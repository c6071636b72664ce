//! The body of an error.

use super::json::{Members, Text};
use super::reply::Reply;

/// The parsed body of an error. Nothing is required of it: bodies seen are empty, text, `{"error":"text"}`,
/// `{"error":{"code","message"}}` and `{"message"}` (docs/service.md, "Errors").
#[derive(Debug, Default, PartialEq)]
pub(super) struct ServiceError {
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
}

impl ServiceError {
    pub(super) fn read(reply: &Reply) -> ServiceError {
        let text = reply.text();
        let only = |message: &str| ServiceError { code: None, message: reply.printable(message) };
        let Ok(outer) = Members::read(&text) else {
            // Truncated JSON is of no use to a reader, and may hide a secret that it echoes.
            let json = text.trim_start().starts_with(['{', '[', '"']);
            if std::str::from_utf8(&reply.body).is_err() {
                return ServiceError::default();
            }
            let text =
                serde_json::from_str(&text).map(Text::into_string).ok().or_else(|| (!json).then(|| text.into_owned()));
            return text.map_or_else(ServiceError::default, |text| only(&text));
        };
        if let Ok(Some(message)) = outer.text("error") {
            return only(&message);
        }
        let inner = outer.object("error").ok().flatten().unwrap_or(outer);
        let text_of = |names: [&str; 2]| names.iter().find_map(|name| reply.printable_member(&inner, name));
        ServiceError { code: text_of(["code", "Code"]), message: text_of(["message", "Message"]) }
    }
}
