//! A session as JSON. Members are always there, and null if unknown.

use std::time::Duration;

use arr_client::{Claim, SessionProperties, SessionSize, SessionStatus};
use serde_json::{Value, json};

/// A session in the output.
pub(crate) struct Row {
    pub(crate) properties: SessionProperties,
    /// Whether this command line created it; `None` if that was not looked up.
    pub(crate) mine: Option<bool>,
    /// How certain that is, of a recovered session.
    pub(crate) claim: Option<Claim>,
}

impl Row {
    pub(crate) fn of(properties: SessionProperties) -> Row {
        Row { properties, mine: None, claim: None }
    }
}

pub(crate) fn document(row: &Row) -> Value {
    let it = &row.properties;
    let seconds = |length: Option<Duration>| length.map(|length| length.as_secs());
    let mut document = json!({
        "id": it.id.as_str(),
        "status": status_word(&it.status),
        "size": it.size.as_ref().map(size_word),
        "hostname": it.hostname,
        "arr_inspector_port": it.arr_inspector_port,
        "handshake_port": it.handshake_port,
        "max_lease_seconds": seconds(it.max_lease),
        "elapsed_seconds": seconds(it.elapsed),
        "remaining_seconds": seconds(it.remaining()),
        "creation_time": it.creation_time.map(|time| humantime::format_rfc3339_seconds(time).to_string()),
        "teraflops": it.teraflops,
        "error_code": it.error_code,
        "message": it.message,
    });
    if let Some(mine) = row.mine {
        document["mine"] = mine.into();
    }
    if let Some(claim) = row.claim {
        document["claim"] = claim_word(claim).into();
    }
    document
}

pub(crate) fn claim_word(claim: Claim) -> &'static str {
    match claim {
        Claim::Ours => "ours",
        Claim::OnlyCandidate => "only_candidate",
        _ => "candidate",
    }
}

pub(crate) fn status_word(status: &SessionStatus) -> &str {
    match status {
        SessionStatus::Starting => "starting",
        SessionStatus::Ready => "ready",
        SessionStatus::Stopping => "stopping",
        SessionStatus::Stopped => "stopped",
        SessionStatus::Expired => "expired",
        SessionStatus::Error => "error",
        SessionStatus::Unknown(word) => word,
        _ => "unknown",
    }
}

pub(crate) fn size_word(size: &SessionSize) -> &str {
    match size {
        SessionSize::Standard => "standard",
        SessionSize::Premium => "premium",
        SessionSize::Unknown(word) => word,
        _ => "unknown",
    }
}
