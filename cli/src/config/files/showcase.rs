//! `arr.account.xml` and `arr.overrides.xml` of Showcase.

use serde::Deserialize;

use super::super::layer::Layer;
use super::super::setting::Setting;
use super::add_seconds;
use crate::failure::Failure;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Configuration {
    account: Account,
    session: Session,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Account {
    remote_rendering_domains: Domains,
    account_domain: String,
    account_id: String,
    account_key: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Domains {
    remote_rendering_domain: Vec<Domain>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Domain {
    value: String,
    domain: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Session {
    size: String,
    max_lease_time: String,
}

pub(super) fn read(text: &str, file: &str) -> Result<Layer, Failure> {
    let Configuration { account, session } = quick_xml::de::from_str(text)
        .map_err(|cause| Failure::usage(format!("it is not valid XML of Showcase's configuration: {cause}")))?;
    let mut layer = Layer::named(file);
    let from = |name: &str| format!("{name} in {file}");
    layer.add(Setting::AccountId, &account.account_id, from("AccountId"));
    layer.add(Setting::AccountKey, &account.account_key, from("AccountKey"));
    layer.add(Setting::AccountDomain, &account.account_domain, from("AccountDomain"));
    let domains = &account.remote_rendering_domains.remote_rendering_domain;
    if let Some(first) = domains.first() {
        let value = if first.value.is_empty() { &first.domain } else { &first.value };
        layer.add(Setting::ServiceEndpoint, value, from("RemoteRenderingDomain"));
        if domains.len() > 1 {
            layer.notes.push(format!("{file} has {} regions; the first, {value}, is used", domains.len()));
        }
    }
    if !session.size.eq_ignore_ascii_case("none") {
        layer.add(Setting::Size, &session.size.to_ascii_lowercase(), from("Size"));
    }
    // Seconds, with a fraction.
    let seconds = session.max_lease_time.split('.').next().and_then(|whole| whole.trim().parse().ok());
    add_seconds(&mut layer, seconds.unwrap_or_default(), from("MaxLeaseTime"));
    Ok(layer)
}
