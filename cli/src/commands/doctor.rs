//! `arr doctor`: what could be wrong, in the order in which it would fail.

use std::env;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arr_client::{AccessToken, Client, ClientConfig, ErrorKind};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use console::style;
use serde::Serialize;
use url::Url;

use super::config::values;
use crate::args::Format;
use crate::config::{INSTEAD, Journal, RETIRED, Setting};
use crate::context::{Connection, Context, ask};
use crate::duration::short;
use crate::failure::{Exit, Failure, printable};
use crate::output::{self, columns};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Ok,
    Warning,
    Failed,
    Skipped,
}

/// What one check found.
#[derive(Serialize)]
struct Check {
    check: &'static str,
    verdict: Verdict,
    detail: String,
    hints: Vec<String>,
    /// Of the configuration.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    values: Vec<Value>,
    #[serde(skip)]
    exit: Option<Exit>,
}

/// A value of the configuration.
#[derive(Serialize)]
struct Value {
    name: String,
    value: String,
    source: String,
}

/// The checks so far.
#[derive(Default)]
struct Checks(Vec<Check>);

impl Checks {
    fn add(&mut self, check: &'static str, verdict: Verdict, detail: impl Into<String>, hint: Option<String>) {
        let (detail, hints) = (detail.into(), hint.into_iter().collect());
        self.0.push(Check { check, verdict, detail, hints, values: Vec::new(), exit: None });
    }

    fn ok(&mut self, check: &'static str, detail: impl Into<String>) {
        self.add(check, Verdict::Ok, detail, None);
    }

    fn failed(&mut self, check: &'static str, failure: &Failure) {
        let (detail, hints) = (failure.cause().to_owned(), failure.hints().to_vec());
        let (verdict, exit) = (Verdict::Failed, Some(failure.exit));
        self.0.push(Check { check, verdict, detail, hints, values: Vec::new(), exit });
    }
}

pub(crate) fn doctor(context: &Context) -> Result<(), Failure> {
    let mut checks = Checks::default();
    match configuration(context, &mut checks) {
        Some((config, client)) => {
            if context.settings.is_retired_service() {
                checks.add("service", Verdict::Warning, RETIRED, Some(INSTEAD.to_owned()));
            }
            let proxied = proxy(&context.settings.text(Setting::Proxy));
            let reachable = names(&config, proxied.is_some(), &mut checks);
            checks.ok("proxy", proxied.unwrap_or_else(|| "none, or the system's".to_owned()));
            if reachable {
                service(context, &config, &client, &mut checks);
            }
        }
        None => checks.add("service", Verdict::Skipped, "the configuration comes first", None),
    }
    journal(context, &mut checks);
    print(context.format(), &checks.0)?;
    match checks.0.iter().find_map(|check| check.exit) {
        None => Ok(()),
        Some(exit) => Err(Failure::new(exit, "something is wrong; see above")),
    }
}

fn configuration(context: &Context, checks: &mut Checks) -> Option<(ClientConfig, Connection)> {
    let resolved = &context.settings.resolved;
    // Without retries, which would hide throttling.
    let config = context.settings.client_config().map(|config| ClientConfig { max_retries: 0, ..config });
    let made = config.and_then(|config| Ok((config.clone(), context.open(Client::new(config)?))));
    match &made {
        Ok((config, _)) => {
            let kind = resolved.credential().map_or("", |(kind, _)| kind.name()).replace('_', " ");
            checks.ok("configuration", format!("account {} with an {kind}, from {}", config.account_id, resolved.name));
        }
        Err(failure) => checks.failed("configuration", failure),
    }
    if let Some(check) = checks.0.last_mut() {
        check.values = values(resolved).map(|[name, value, source]| Value { name, value, source }).collect();
    }
    made.ok()
}

/// Whether all hosts have addresses. With a proxy, which finds them itself, they need none.
fn names(config: &ClientConfig, proxied: bool, checks: &mut Checks) -> bool {
    let urls = config.urls().map(|(one, other)| [one, other].map(|url| Url::parse(&url).ok()));
    let mut urls: Vec<Url> = urls.into_iter().flatten().flatten().collect();
    urls.dedup_by_key(|url| url.authority().to_owned());
    let hosts: Vec<&str> = urls.iter().map(Url::authority).collect();
    for (url, host) in urls.iter().zip(&hosts) {
        match url.socket_addrs(|| None) {
            Ok(_) => {}
            Err(cause) if proxied => {
                let detail = format!("{host} has no address here ({cause}); the proxy has to find it");
                checks.add("name resolution", Verdict::Warning, detail, None);
                return true;
            }
            Err(cause) => {
                let failure = Failure::new(Exit::Network, format!("{host} has no address: {cause}"))
                    .hint("check --account-domain and --service-endpoint, and this machine's network");
                checks.failed("name resolution", &failure);
                return false;
            }
        }
    }
    checks.ok("name resolution", hosts.join(", "));
    true
}

/// The proxy and where it was configured, if that is known.
fn proxy(given: &str) -> Option<String> {
    /// Without a password.
    fn shown(url: &str) -> &str {
        url.rsplit_once('@').map_or(url, |(_, host)| host)
    }
    let of_variable = |name: &str| Some((name.to_owned(), env::var(name).ok().filter(|value| !value.is_empty())?));
    match given {
        "none" => None,
        "" | "system" => ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
            .into_iter()
            .find_map(of_variable)
            .map(|(name, url)| format!("{} from {name}, except for this machine", shown(&url))),
        url => Some(format!("{}, except for this machine", shown(url))),
    }
}

/// A token and a list: TLS, the clock, the credential, the region and the rate limit.
fn service(context: &Context, config: &ClientConfig, client: &Connection, checks: &mut Checks) {
    let token = ask(client.access_token());
    let list = token.as_ref().ok().map(|_| ask(client.list_sessions()));
    let error = match (&token, &list) {
        (Err(error), _) => Some((about(error.kind(), "credential"), error.clone())),
        (_, Some(Err(error))) => {
            let refused = matches!(error.kind(), ErrorKind::Unauthorized | ErrorKind::Forbidden);
            Some((about(error.kind(), if refused { "region" } else { "service" }), error.clone()))
        }
        _ => None,
    };
    // In the order of what must work before the next does.
    let fails = |check: &str| error.as_ref().is_some_and(|(it, _)| *it == check);
    if !fails("connection") && !fails("TLS") {
        tls(config, checks);
    }
    if let Ok(token) = &token {
        clock(token, checks);
        let good = token.remaining.map(|left| format!(", good for {}", short(left))).unwrap_or_default();
        checks.ok("credential", format!("accepted by the token service{good}"));
    }
    if let Some(Ok(sessions)) = &list {
        region(context, checks);
        checks.ok("rate limit", "not reached");
        checks.ok("service", format!("answers; {} running", sessions.len()));
    }
    if let Some((check, error)) = error {
        let failure = Failure::from(error);
        let from = context.settings.text(Setting::AccountDomain);
        let failure = match (check, failure.exit) {
            ("region", _) => failure.hint(format!(
                "the token came from {from}: --account-domain and --service-endpoint must be of one service"
            )),
            ("credential", Exit::Credential) => {
                failure.hint(format!("an account has one account domain, here {from}; its page in the portal shows it"))
            }
            ("rate limit", _) => failure.hint("wait, and call less often: see --poll-interval and watch --interval"),
            _ => failure,
        };
        checks.failed(check, &failure);
    }
}

/// The check that an error belongs to.
fn about(kind: ErrorKind, otherwise: &'static str) -> &'static str {
    match kind {
        ErrorKind::Tls => "TLS",
        ErrorKind::Throttled => "rate limit",
        ErrorKind::Network | ErrorKind::Timeout => "connection",
        _ => otherwise,
    }
}

fn tls(config: &ClientConfig, checks: &mut Checks) {
    let plain = config.urls().is_ok_and(|(one, other)| one.starts_with("http:") && other.starts_with("http:"));
    match (&config.ca_file, plain) {
        (_, true) => checks.ok("TLS", "not used, as the service is on this machine"),
        (Some(file), _) => checks.ok("TLS", format!("trusted, with the authorities in {}", file.display())),
        (None, _) => checks.ok("TLS", "trusted by this machine's authorities"),
    }
}

/// Compares this machine's clock with the service's, which the token's end and its remaining time tell.
fn clock(token: &AccessToken, checks: &mut Checks) {
    /// More than that can make certificates look invalid.
    const MUCH: u64 = 120;
    let Some(theirs) = expiry(token.token.expose()).zip(token.remaining).map(|(end, left)| end.saturating_sub(left))
    else {
        return checks.add("clock", Verdict::Skipped, "the token does not say when it ends", None);
    };
    let ours = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let apart = Duration::from_secs(ours.abs_diff(theirs).as_secs());
    if apart.as_secs() <= MUCH {
        return checks.ok("clock", "agrees with the service's");
    }
    let how = if ours > theirs { "ahead of" } else { "behind" };
    let hint = "set this machine's clock: if it is far off, certificates look invalid";
    checks.add("clock", Verdict::Warning, format!("{} {how} the service's", short(apart)), Some(hint.to_owned()));
}

/// When a JSON Web Token ends, since 1970.
fn expiry(token: &str) -> Option<Duration> {
    let payload = token.split('.').nth(1)?.trim_end_matches('=').replace('+', "-").replace('/', "_");
    let payload: serde_json::Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    let end = &payload["exp"];
    end.as_u64().or_else(|| end.as_str()?.parse().ok()).map(Duration::from_secs)
}

/// The account's region against the sessions' region, which need not be the same, but are regions of one service.
fn region(context: &Context, checks: &mut Checks) {
    let [account, service] = [Setting::AccountDomain, Setting::ServiceEndpoint].map(|it| context.settings.text(it));
    let same = account == service;
    checks.ok("region", if same { account } else { format!("account at {account}, sessions at {service}") });
}

fn journal(context: &Context, checks: &mut Checks) {
    let path = match context.settings.journal_path() {
        Ok(path) => path,
        Err(failure) => return checks.failed("journal", &failure),
    };
    let recorded = context.connect(Journal::Kept).and_then(|client| Ok(client.recorded_sessions()?));
    match recorded {
        Ok(sessions) => {
            let lost = sessions.iter().filter(|it| !it.released && !it.in_use).count();
            if lost == 0 {
                return checks.ok("journal", format!("{}, {} recorded", path.display(), sessions.len()));
            }
            let hint = format!("to see what was left behind: {}", context.command("recover"));
            checks.add("journal", Verdict::Warning, format!("{}, {lost} left behind", path.display()), Some(hint));
        }
        // Reported above.
        Err(failure) if failure.exit == Exit::Usage => {
            checks.add("journal", Verdict::Skipped, path.display().to_string(), None);
        }
        Err(failure) => checks.failed("journal", &failure),
    }
}

fn print(format: Format, checks: &[Check]) -> Result<(), Failure> {
    let sign = |verdict| match verdict {
        Verdict::Ok => style("✓").green(),
        Verdict::Warning => style("!").yellow(),
        Verdict::Failed => style("✗").red(),
        Verdict::Skipped => style("-").dim(),
    };
    let indent = " ".repeat(19);
    let line = |check: &Check| {
        let values = columns(check.values.iter().map(|it| [it.name.clone(), it.value.clone(), it.source.clone()]));
        let values = values.lines().map(|line| style(line).dim().to_string());
        let hints = check.hints.iter().map(|hint| format!("{} {}", style("hint:").cyan(), printable(hint)));
        let more: String = values.chain(hints).map(|line| format!("{indent}{line}\n")).collect();
        format!("{} {:<15}  {}\n{more}", sign(check.verdict), check.check, printable(&check.detail))
    };
    let failed = checks.iter().filter(|check| check.verdict == Verdict::Failed).map(|check| check.check);
    output::many(format, checks, || checks.iter().map(line).collect(), failed)
}
