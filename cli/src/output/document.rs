//! A session as JSON. Members are always there, and null if unknown.

use std::time::Duration;

use arr_client::{Claim, SessionProperties, SessionSize};
use serde::Serialize;

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

/// A session as JSON.
#[derive(Serialize)]
pub(crate) struct Document<'a> {
    id: &'a str,
    status: &'a str,
    size: Option<&'a str>,
    hostname: Option<&'a str>,
    arr_inspector_port: Option<u16>,
    handshake_port: Option<u16>,
    max_lease_seconds: Option<u64>,
    elapsed_seconds: Option<u64>,
    remaining_seconds: Option<u64>,
    creation_time: Option<String>,
    teraflops: Option<f64>,
    error_code: Option<&'a str>,
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mine: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claim: Option<&'a str>,
}

pub(crate) fn document(row: &Row) -> Document<'_> {
    let it = &row.properties;
    let seconds = |length: Option<Duration>| length.map(|length| length.as_secs());
    Document {
        id: it.id.as_str(),
        status: it.status.as_str(),
        size: it.size.as_ref().map(SessionSize::as_str),
        hostname: it.hostname.as_deref(),
        arr_inspector_port: it.arr_inspector_port,
        handshake_port: it.handshake_port,
        max_lease_seconds: seconds(it.max_lease),
        elapsed_seconds: seconds(it.elapsed),
        remaining_seconds: seconds(it.remaining()),
        creation_time: it.creation_time.map(|time| humantime::format_rfc3339_seconds(time).to_string()),
        teraflops: it.teraflops,
        error_code: it.error_code.as_deref(),
        message: it.message.as_deref(),
        mine: row.mine,
        claim: row.claim.map(claim_word),
    }
}

pub(crate) fn claim_word(claim: Claim) -> &'static str {
    match claim {
        Claim::Ours => "ours",
        Claim::OnlyCandidate => "only_candidate",
        _ => "candidate",
    }
}
