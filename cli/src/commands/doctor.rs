//! `arr doctor`: what could be wrong, in the order in which it would fail.

use std::env;
use std::net::ToSocketAddrs as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arr_client::{AccessToken, ClientConfig, ErrorKind};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use console::style;
use serde::Serialize;

use crate::args::Format;
use crate::config::{Journal, Setting};
use crate::context::{Connection, Context};
use crate::duration::short;
use crate::failure::{Exit, Failure};
use crate::output;

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
    #[serde(skip)]
    exit: Option<Exit>,
}

/// The checks so far.
#[derive(Default)]
struct Checks(Vec<Check>);

impl Checks {
    fn add(&mut self, check: &'static str, verdict: Verdict, detail: impl Into<String>, hint: Option<String>) {
        self.0.push(Check { check, verdict, detail: detail.into(), hints: hint.into_iter().collect(), exit: None });
    }

    fn ok(&mut self, check: &'static str, detail: impl Into<String>) {
        self.add(check, Verdict::Ok, detail, None);
    }

    fn failed(&mut self, check: &'static str, failure: &Failure) {
        let (detail, hints) = (failure.cause().to_owned(), failure.hints().to_vec());
        self.0.push(Check { check, verdict: Verdict::Failed, detail, hints, exit: Some(failure.exit) });
    }
}

pub(crate) fn doctor(context: &Context) -> Result<(), Failure> {
    let mut checks = Checks::default();
    match configuration(context, &mut checks) {
        Some((config, client)) => {
            let reachable = names(&config, &mut checks);
            proxy(&context.settings.text(Setting::Proxy), &mut checks);
            if reachable {
                service(&config, &client, &mut checks);
            }
            regions(context, &mut checks);
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
    let made = context.settings.client_config().and_then(|config| Ok((config, context.connect(Journal::None)?)));
    match made {
        Ok(made) => {
            let resolved = &context.settings.resolved;
            let source = resolved.account.as_deref().unwrap_or("several sources");
            let kind = resolved.credential().map_or("", |(kind, _)| kind.name()).replace('_', " ");
            checks.ok("configuration", format!("account {} with an {kind}, from {source}", made.0.account_id));
            Some(made)
        }
        Err(failure) => {
            checks.failed("configuration", &failure);
            None
        }
    }
}

/// Whether all hosts have addresses.
fn names(config: &ClientConfig, checks: &mut Checks) -> bool {
    let Ok((token_service, service)) = config.urls() else { return false };
    let mut hosts = vec![host(&token_service), host(&service)];
    hosts.dedup();
    for host in &hosts {
        match host.to_socket_addrs() {
            Ok(_) => {}
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

/// The host and port of a URL.
fn host(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let host = rest.split('/').next().unwrap_or_default();
    let port = if scheme == "http" { 80 } else { 443 };
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    if has_port { host.to_owned() } else { format!("{host}:{port}") }
}

fn proxy(given: &str, checks: &mut Checks) {
    /// Without a password.
    fn shown(url: &str) -> &str {
        url.rsplit_once('@').map_or(url, |(_, host)| host)
    }
    let variable = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
        .into_iter()
        .find_map(|name| Some((name, env::var(name).ok().filter(|value| !value.is_empty())?)));
    checks.ok(
        "proxy",
        match (given, variable) {
            ("none", _) => "none, as configured".to_owned(),
            ("" | "system", Some((name, url))) => format!("{} from {name}, except for this machine", shown(&url)),
            ("" | "system", None) => "the system's, if it has one".to_owned(),
            (url, _) => shown(url).to_owned(),
        },
    );
}

/// A token and a list: TLS, the clock, the credential and the rate limit.
fn service(config: &ClientConfig, client: &Connection, checks: &mut Checks) {
    match client.access_token().run() {
        Ok(token) => {
            tls(config, checks);
            clock(&token, checks);
            let good = token.remaining.map(|left| format!(", good for {}", short(left))).unwrap_or_default();
            checks.ok("credential", format!("accepted by the token service{good}"));
        }
        Err(error) => return checks.failed(about(error.kind(), "credential"), &error.into()),
    }
    match client.list_sessions().run() {
        Ok(sessions) => checks.ok("service", format!("answers; {} running", sessions.len())),
        Err(error) => checks.failed(about(error.kind(), "service"), &error.into()),
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

/// The account's region and the sessions' region: often the same, and both of the retired public service.
fn regions(context: &Context, checks: &mut Checks) {
    let [account, service] = [Setting::AccountDomain, Setting::ServiceEndpoint].map(|it| context.settings.text(it));
    let Ok((_, url)) = context.settings.client_config().and_then(|config| Ok(config.urls()?)) else { return };
    if url.contains(".mixedreality.azure.com") {
        let hint = "name a compatible service with --service-endpoint and --account-domain, or use --emulator";
        let detail = "Microsoft retired the public service on 30 September 2025";
        return checks.add("region", Verdict::Warning, detail, Some(hint.to_owned()));
    }
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
    let line = |check: &Check| {
        let hints: String =
            check.hints.iter().map(|hint| format!("{:19}{} {hint}\n", "", style("hint:").cyan())).collect();
        format!("{} {:<15}  {}\n{hints}", sign(check.verdict), check.check, check.detail)
    };
    output::print(&match format {
        Format::Json => output::json(&checks),
        Format::Ndjson => checks.iter().map(output::line).collect(),
        Format::Table | Format::Id => checks.iter().map(line).collect(),
    })
}
