//! Scenes and assets of Unity: the quickstart and the tutorial, and Showcase's profile.

use super::super::layer::Layer;
use super::super::setting::Setting;
use super::add_seconds;
use crate::failure::Failure;

pub(super) fn read(text: &str, file: &str) -> Result<Layer, Failure> {
    let mut layer = Layer::named(file);
    let (mut hours, mut minutes, mut seconds) = (0_u64, 0_u64, 0_u64);
    let mut lines = text.lines().peekable();
    // Unity writes one member a line. Its tags and ids are not YAML, so no parser of YAML reads them.
    while let Some(line) = lines.next() {
        let Some((name, value)) = line.trim_start_matches([' ', '-']).split_once(':') else { continue };
        let value = value.trim().trim_matches(['"', '\'']);
        let number = || value.split('.').next().and_then(|whole| whole.parse().ok()).unwrap_or_default();
        let key = match name.trim_start_matches("m_").to_ascii_lowercase().as_str() {
            "accountid" => Setting::AccountId,
            "accountkey" => Setting::AccountKey,
            "accountdomain" => Setting::AccountDomain,
            "remoterenderingdomain" => Setting::ServiceEndpoint,
            "remoterenderingdomains" => {
                let first = lines.peek().map(|line| line.trim_start_matches([' ', '-']));
                let first = first.map(|item| item.split_once(": ").map_or(item, |(_, value)| value));
                layer.add(Setting::ServiceEndpoint, first.unwrap_or_default(), format!("{name} in {file}"));
                continue;
            }
            "vmsize" | "size" => {
                let word = ["", "standard", "premium"].get(usize::try_from(number()).unwrap_or_default());
                layer.add(Setting::Size, word.unwrap_or(&""), format!("{name} in {file}"));
                continue;
            }
            "maxleasetimehours" | "maxleasehours" => {
                hours = number();
                continue;
            }
            "maxleasetimeminutes" | "maxleaseminutes" => {
                minutes = number();
                continue;
            }
            "maxleasetime" => {
                seconds = number();
                continue;
            }
            _ => continue,
        };
        if !layer.has(key) {
            layer.add(key, value, format!("{name} in {file}"));
        }
    }
    add_seconds(&mut layer, hours * 3_600 + minutes * 60 + seconds, format!("the lease in {file}"));
    if layer.values().next().is_none() {
        return Err(Failure::usage("it is of Unity, but has no account"));
    }
    Ok(layer)
}
