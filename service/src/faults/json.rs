//! The JSON of faults in the control API (`docs/emulator.md`, "Faults").

use crate::format::milliseconds;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::fault::{Action, Fault};
use super::rules::{ActiveFault, FaultError};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    #[serde(default = "any_method")]
    method: String,
    #[serde(default = "any_path")]
    path: String,
    #[serde(default = "once")]
    times: u32,
    #[serde(default)]
    skip: u32,
    action: Map<String, Value>,
}

/// The action without `execute`, which all actions have.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum ActionJson {
    Delay {
        #[serde(default = "a_second")]
        ms: u64,
    },
    Status {
        #[serde(default = "unavailable")]
        status: u16,
        #[serde(default)]
        headers: BTreeMap<String, String>,
        #[serde(default)]
        body: String,
    },
    Close {},
    Reset {},
    Truncate {
        #[serde(default)]
        bytes: usize,
    },
    Drip {
        #[serde(default = "a_moment")]
        interval_ms: u64,
    },
    Stall {},
    ContentType {
        #[serde(default = "html")]
        content_type: String,
    },
    Garbage {},
    Oversize {
        #[serde(default = "sixteen_mebibytes")]
        bytes: u64,
    },
    Redirect {
        #[serde(default = "found")]
        status: u16,
        location: String,
    },
    CloseOnAccept {},
}

fn any_method() -> String {
    "*".to_owned()
}

fn any_path() -> String {
    "**".to_owned()
}

fn once() -> u32 {
    1
}

fn a_second() -> u64 {
    1000
}

fn unavailable() -> u16 {
    503
}

fn a_moment() -> u64 {
    100
}

fn html() -> String {
    "text/html".to_owned()
}

fn sixteen_mebibytes() -> u64 {
    16 * 1024 * 1024
}

fn found() -> u16 {
    302
}

/// Reads the `rules`. Their values are checked when they are added.
pub(crate) fn read(rules: &[Value]) -> Result<Vec<Fault>, FaultError> {
    let read_one = |(index, rule): (usize, &Value)| {
        let number = index + 1;
        read_rule(rule).map_err(|reason| FaultError { number, reason })
    };
    rules.iter().enumerate().map(read_one).collect()
}

fn read_rule(rule: &Value) -> Result<Fault, String> {
    let mut rule = Rule::deserialize(rule).map_err(|error| error.to_string())?;
    let execute = match rule.action.remove("execute") {
        None => None,
        Some(Value::Bool(execute)) => Some(execute),
        Some(_) => return Err("action: execute must be true or false".to_owned()),
    };
    let action: ActionJson =
        serde_json::from_value(Value::Object(rule.action)).map_err(|error| format!("action: {error}"))?;
    let fault = Fault::on(&rule.method, &rule.path).times(rule.times).skip(rule.skip).action(action_of(action));
    Ok(match execute {
        Some(execute) => fault.executed(execute),
        None => fault,
    })
}

fn action_of(action: ActionJson) -> Action {
    match action {
        ActionJson::Delay { ms } => Action::Delay(Duration::from_millis(ms)),
        ActionJson::Status { status, headers, body } => {
            Action::Status { status, headers: headers.into_iter().collect(), body: body.into_bytes() }
        }
        ActionJson::Close {} => Action::Close,
        ActionJson::Reset {} => Action::Reset,
        ActionJson::Truncate { bytes } => Action::Truncate { bytes },
        ActionJson::Drip { interval_ms } => Action::Drip { interval: Duration::from_millis(interval_ms) },
        ActionJson::Stall {} => Action::Stall,
        ActionJson::ContentType { content_type } => Action::ContentType(content_type),
        ActionJson::Garbage {} => Action::Garbage,
        ActionJson::Oversize { bytes } => Action::Oversize { bytes },
        ActionJson::Redirect { status, location } => Action::Redirect { status, location },
        ActionJson::CloseOnAccept {} => Action::CloseOnAccept,
    }
}

fn action_json(action: &Action) -> ActionJson {
    match action {
        Action::Delay(delay) => ActionJson::Delay { ms: milliseconds(*delay) },
        Action::Status { status, headers, body } => ActionJson::Status {
            status: *status,
            headers: headers.iter().cloned().collect(),
            body: String::from_utf8_lossy(body).into_owned(),
        },
        Action::Close => ActionJson::Close {},
        Action::Reset => ActionJson::Reset {},
        Action::Truncate { bytes } => ActionJson::Truncate { bytes: *bytes },
        Action::Drip { interval } => ActionJson::Drip { interval_ms: milliseconds(*interval) },
        Action::Stall => ActionJson::Stall {},
        Action::ContentType(content_type) => ActionJson::ContentType { content_type: content_type.clone() },
        Action::Garbage => ActionJson::Garbage {},
        Action::Oversize { bytes } => ActionJson::Oversize { bytes: *bytes },
        Action::Redirect { status, location } => ActionJson::Redirect { status: *status, location: location.clone() },
        Action::CloseOnAccept => ActionJson::CloseOnAccept {},
    }
}

/// An active fault as the control API reports it: the rule, completed with its defaults, its id and its
/// counters.
#[derive(Serialize)]
pub(crate) struct FaultRuleState {
    id: u64,
    #[serde(flatten)]
    rule: Rule,
    matched: u64,
    /// Null: no limit.
    left: Option<u64>,
}

impl FaultRuleState {
    /// The same, but with long texts cut.
    pub(crate) fn summary(active: &ActiveFault) -> FaultRuleState {
        const LONGEST: usize = 200;
        let mut state = FaultRuleState::of(active);
        state.rule.action.remove("headers");
        for value in state.rule.action.values_mut() {
            if let Value::String(text) = value {
                text.truncate(text.floor_char_boundary(LONGEST));
            }
        }
        state
    }

    pub(crate) fn of(active: &ActiveFault) -> FaultRuleState {
        let fault = &active.fault;
        let mut action = match serde_json::to_value(action_json(&fault.action)) {
            Ok(Value::Object(action)) => action,
            _ => Map::new(),
        };
        if fault.action != Action::CloseOnAccept {
            action.insert("execute".to_owned(), fault.executes().into());
        }
        let rule = Rule {
            method: fault.method.clone().unwrap_or_else(any_method),
            path: fault.path.as_str().to_owned(),
            times: fault.times,
            skip: fault.skip,
            action,
        };
        FaultRuleState { id: active.id, rule, matched: active.matched, left: active.remaining() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn one(rule: Value) -> Result<Fault, FaultError> {
        read(&[rule]).map(|mut faults| faults.remove(0))
    }

    #[test]
    fn a_rule_equals_the_fault_from_the_builder() {
        let rule = json!({
            "method": "POST", "path": "/v1/accounts/*/sessions/create", "times": 2, "skip": 1,
            "action": {"type": "status", "status": 429, "headers": {"Retry-After": "2"}, "body": "", "execute": true},
        });
        let fault = Fault::on("POST", "/v1/accounts/*/sessions/create").times(2).skip(1);
        assert_eq!(one(rule), Ok(fault.status(429).header("Retry-After", "2").executed(true)));
    }

    #[test]
    fn every_action_has_defaults() {
        let on = || Fault::on("*", "**");
        for (action, fault) in [
            (json!({"type": "delay"}), on().delay(Duration::from_secs(1))),
            (json!({"type": "status"}), on().status(503)),
            (json!({"type": "close"}), on().close()),
            (json!({"type": "reset"}), on().reset()),
            (json!({"type": "truncate"}), on().truncate(0)),
            (json!({"type": "drip"}), on().drip(Duration::from_millis(100))),
            (json!({"type": "stall"}), on().stall()),
            (json!({"type": "content_type"}), on().content_type("text/html")),
            (json!({"type": "garbage"}), on().garbage()),
            (json!({"type": "oversize"}), on().oversize(16 << 20)),
            (json!({"type": "redirect", "location": "/x"}), on().redirect(302, "/x")),
            (json!({"type": "close_on_accept"}), Fault::close_on_accept()),
        ] {
            assert_eq!(action["type"], fault.kind());
            assert_eq!(one(json!({"action": action})), Ok(fault), "{action}");
        }
    }

    #[test]
    fn a_reported_rule_can_be_added_again() {
        let rule = json!({"action": {"type": "drip", "interval_ms": 7}});
        let active = ActiveFault { id: 9, fault: one(rule).expect("a rule"), matched: 3 };
        let mut reported = serde_json::to_value(FaultRuleState::of(&active)).expect("JSON");
        let expected = json!({
            "id": 9, "method": "*", "path": "**", "times": 1, "skip": 0, "matched": 3, "left": 0,
            "action": {"type": "drip", "interval_ms": 7, "execute": true},
        });
        assert_eq!(reported, expected);
        for state in ["id", "matched", "left"] {
            reported.as_object_mut().expect("an object").remove(state);
        }
        assert!(one(reported).is_ok());

        let active = ActiveFault { id: 1, fault: Fault::close_on_accept(), matched: 0 };
        let reported = serde_json::to_value(FaultRuleState::of(&active)).expect("JSON");
        assert_eq!(reported["action"], json!({"type": "close_on_accept"}));
    }

    #[test]
    fn a_malformed_rule_is_numbered_and_explained() {
        let good = json!({"action": {"type": "close"}});
        for (rule, reason) in [
            (json!(1), "invalid type: integer `1`"),
            (json!({}), "missing field `action`"),
            (json!({"action": {}}), "action: missing field `type`"),
            (json!({"action": {"type": "explode"}}), "action: unknown variant `explode`, expected one of `delay`"),
            (json!({"action": {"type": "close", "bytes": 1}}), "action: unknown field `bytes`"),
            (json!({"action": {"type": "redirect"}}), "action: missing field `location`"),
            (json!({"action": {"type": "close", "execute": 1}}), "action: execute must be true or false"),
            (json!({"action": {"type": "truncate", "bytes": -1}}), "action: invalid value: integer `-1`"),
            (json!({"times": -1, "action": {"type": "close"}}), "invalid value: integer `-1`"),
            (json!({"time": 1, "action": {"type": "close"}}), "unknown field `time`"),
        ] {
            let error = read(&[good.clone(), rule.clone()]).expect_err(reason).to_string();
            assert!(error.starts_with(&format!("fault rule 2: {reason}")), "{rule}: {error}");
        }
    }
}
