//! The JSON of version 1 (`docs/service.md`, "Create", "Properties" and "Update").

use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::format::timespan::{self, TimeSpanError};
use crate::session::{LeaseRefused, Session, SessionId, SessionSettings, SessionSize};

/// Why a request body is refused. The text is for the author of the request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum V1BodyError {
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{name} must be {what}")]
    WrongType { name: &'static str, what: &'static str },
    #[error("maxLeaseTime: {0}")]
    TimeSpan(#[from] TimeSpanError),
    #[error("maxLeaseTime must be greater than zero")]
    NoTime,
    #[error("maxLeaseTime must be at most {}, the longest lease of this emulator", timespan::format(*.0))]
    TooLong(Duration),
    #[error("size must be \"standard\" or \"premium\"")]
    UnknownSize,
}

/// Reads the body of a create. Unknown members are ignored, as the service does.
pub(super) fn settings(body: &Map<String, Value>, longest: Duration) -> Result<SessionSettings, V1BodyError> {
    let settings = SessionSettings {
        max_lease: max_lease(body, longest)?,
        size: SessionSize::parse(text(body, "size")?).ok_or(V1BodyError::UnknownSize)?,
    };
    check_models(body)?;
    Ok(settings)
}

/// Reads the `maxLeaseTime` of a create or an update.
pub(super) fn max_lease(body: &Map<String, Value>, longest: Duration) -> Result<Duration, V1BodyError> {
    let lease = timespan::parse(text(body, "maxLeaseTime")?)?;
    if lease.is_zero() {
        return Err(V1BodyError::NoTime);
    }
    if lease > longest {
        return Err(V1BodyError::TooLong(longest));
    }
    Ok(lease)
}

/// The error text for a refused lease.
pub(super) fn lease_refused(refused: &LeaseRefused, asked: Duration) -> String {
    match refused {
        LeaseRefused::Over(status) => format!("the session is {status}; its lease can no longer be changed"),
        LeaseRefused::NotLarger { current } => format!(
            "maxLeaseTime is the whole lease and can only grow: {} is not larger than the current {}",
            timespan::format(asked),
            timespan::format(*current)
        ),
    }
}

/// Models to load in advance. There is no renderer to load them, so only the form of the list is checked.
fn check_models(body: &Map<String, Value>) -> Result<(), V1BodyError> {
    match body.get("models") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::Array(models)) if models.iter().all(Value::is_string) => Ok(()),
        Some(_) => Err(V1BodyError::WrongType { name: "models", what: "an array of strings" }),
    }
}

fn text<'a>(body: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, V1BodyError> {
    match body.get(name) {
        Some(Value::String(text)) => Ok(text),
        None | Some(Value::Null) => Err(V1BodyError::Missing(name)),
        Some(_) => Err(V1BodyError::WrongType { name, what: "a string" }),
    }
}

/// The reply to a create: 52 bytes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreateReply<'a> {
    pub(super) session_id: &'a SessionId,
}

/// The reply to a list.
#[derive(Serialize)]
pub(super) struct SessionList {
    pub(super) sessions: Vec<SessionProperties>,
}

/// A session's properties, in the order of the documented sample.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionProperties {
    message: Option<String>,
    session_elapsed_time: String,
    session_hostname: Option<String>,
    session_id: SessionId,
    session_max_lease_time: String,
    session_size: &'static str,
    session_status: &'static str,
    arr_inspector_port: u16,
    handshake_port: u16,
}

impl SessionProperties {
    /// The session as it is now.
    pub(super) fn of(session: &Session, now: Duration) -> SessionProperties {
        let (arr_inspector_port, handshake_port) = session.ports(now).unwrap_or_default();
        // The service counts in whole seconds.
        let elapsed = Duration::from_secs(session.elapsed(now).as_secs());
        SessionProperties {
            message: session.message(now),
            session_elapsed_time: timespan::format(elapsed),
            session_hostname: session.hostname(now),
            session_id: session.identity.id.clone(),
            session_max_lease_time: timespan::format(session.settings.max_lease),
            session_size: session.settings.size.as_str(),
            session_status: session.status(now).as_str(),
            arr_inspector_port,
            handshake_port,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn create(body: Value) -> Result<SessionSettings, V1BodyError> {
        settings(body.as_object().expect("an object"), Duration::from_secs(86_400))
    }

    #[test]
    fn a_create_may_have_unknown_members() {
        let body = json!({"maxLeaseTime": "4:0:0", "size": "Premium", "models": ["a"], "x": {}});
        let expected = SessionSettings { max_lease: Duration::from_secs(14_400), size: SessionSize::Premium };
        assert_eq!(create(body), Ok(expected));
    }

    #[test]
    fn an_invalid_create_says_why() {
        for (body, message) in [
            (json!({"size": "standard"}), "maxLeaseTime is missing"),
            (json!({"maxLeaseTime": null, "size": "standard"}), "maxLeaseTime is missing"),
            (json!({"maxLeaseTime": 4, "size": "standard"}), "maxLeaseTime must be a string"),
            (json!({"maxLeaseTime": "0:0:0", "size": "standard"}), "maxLeaseTime must be greater than zero"),
            (json!({"maxLeaseTime": "-4:0:0", "size": "standard"}), "maxLeaseTime: \"-4:0:0\" is negative"),
            (
                json!({"maxLeaseTime": "10675199.02:48:05.4775807", "size": "standard"}),
                "maxLeaseTime must be at most 1.00:00:00, the longest lease of this emulator",
            ),
            (json!({"maxLeaseTime": "4:0:0"}), "size is missing"),
            (json!({"maxLeaseTime": "4:0:0", "size": "big"}), "size must be \"standard\" or \"premium\""),
            (json!({"maxLeaseTime": "4:0:0", "size": "standard", "models": "a"}), "models must be an array of strings"),
            (json!({"maxLeaseTime": "4:0:0", "size": "standard", "models": [1]}), "models must be an array of strings"),
        ] {
            let error = create(body.clone()).expect_err("incomplete");
            assert_eq!(error.to_string(), message, "{body}");
        }
    }
}
