//! The Azure Remote Rendering Toolkit: `ARR-profiles.json`, and the older `config.json` with its encrypted key.

use serde_json::Value;

use super::super::layer::Layer;
use super::super::setting::Setting;
use crate::failure::Failure;

/// `None` if it is another file.
pub(super) fn read(json: &Value, file: &str) -> Option<Result<Vec<Layer>, Failure>> {
    if json.get("CustomRegions").is_some() {
        let other = Failure::usage("it has regions, but no account").hint("give ARR-profiles.json in the same folder");
        return Some(Err(other));
    }
    if let Some(account) = json.get("arraccount") {
        let _ = account;
        let why = "its account key is encrypted for one user of one Windows machine, so only ARRT itself can read it";
        return Some(Err(
            Failure::usage(why).hint("copy the key from the account's page, and give it as ARR_ACCOUNT_KEY")
        ));
    }
    let profiles = json.get("Profiles")?.as_array()?;
    let read = |profile: &Value| {
        let text = |name: &str| profile.get(name).and_then(Value::as_str);
        let mut layer = Layer::named(text("name").unwrap_or_default());
        let from = |name: &str| format!("{name} of \"{}\" in {file}", text("name").unwrap_or_default());
        let members = [
            (Setting::AccountId, "arr_account_id"),
            (Setting::AccountKey, "arr_account_key"),
            (Setting::AccountDomain, "arr_account_domain"),
            (Setting::ServiceEndpoint, "arr_region"),
        ];
        for (setting, name) in members {
            layer.add(setting, text(name).unwrap_or_default(), from(name));
        }
        layer
    };
    Some(Ok(profiles.iter().map(read).collect()))
}
