//! `arrconfig.json` of the PowerShell scripts: the generation of 2020 with a `region`, and the later one with domains.

use serde_json::{Map, Value};

use super::super::layer::Layer;
use super::super::setting::Setting;
use super::add_time_span;
use crate::failure::Failure;

/// `None` if it is another file.
pub(super) fn read(json: &Value, file: &str) -> Option<Result<Vec<Layer>, Failure>> {
    let root = json.as_object()?;
    let sections = ["accountSettings", "renderingSessionSettings", "assetConversionSettings"];
    let known = sections.iter().filter_map(|name| Some((*name, get(root, name)?))).collect::<Vec<_>>();
    if known.is_empty() {
        return None;
    }
    let text = |section: &str, name: &str| {
        let section = known.iter().find(|(it, _)| *it == section)?.1.as_object()?;
        get(section, name)?.as_str().map(str::to_owned)
    };
    let mut layer = Layer::named(file);
    let mut add = |setting: Setting, section: &str, name: &str| {
        let Some(value) = text(section, name) else { return };
        match layer.get(setting) {
            None => layer.add(setting, &value, format!("{name} in {file}")),
            // A region is part of a domain's name.
            Some(found) if name != "region" && found.value.expose() != value => {
                layer.notes.push(format!("{name} in {file} is ignored: {} comes first", found.from));
            }
            Some(_) => {}
        }
    };
    let (account, session) = ("accountSettings", "renderingSessionSettings");
    add(Setting::AccountId, account, "arrAccountId");
    add(Setting::AccountKey, account, "arrAccountKey");
    add(Setting::AccountDomain, account, "arrAccountDomain");
    add(Setting::ServiceEndpoint, session, "remoteRenderingDomain");
    add(Setting::Size, session, "vmSize");
    // 2020: one region for both, or two URLs.
    add(Setting::AccountDomain, account, "authenticationEndpoint");
    add(Setting::ServiceEndpoint, account, "serviceEndpoint");
    add(Setting::AccountDomain, account, "region");
    add(Setting::ServiceEndpoint, account, "region");
    if let Some(lease) = text(session, "maxLeaseTime") {
        add_time_span(&mut layer, &lease, format!("maxLeaseTime in {file}"));
    }
    Some(Ok(vec![layer]))
}

/// A member in any letter case, as PowerShell reads them.
fn get<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.iter().find(|(member, _)| member.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}
