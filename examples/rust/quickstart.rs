//! A rendering session from beginning to end: creates it, waits until it is ready, extends its lease, lists the
//! account's sessions, stops it.
//!
//! Set these variables, for example to the emulator's values (README.md):
//!
//! * `ARR_ACCOUNT_ID`: GUID of the account
//! * `ARR_ACCOUNT_KEY`: primary or secondary key of the account
//! * `ARR_ACCOUNT_DOMAIN`: where the account was created: a region, the account domain, or the URL of the token service
//! * `ARR_SERVICE_ENDPOINT`: where the session runs: a region, or the URL of the session service
//! * `ARR_CA_FILE`: PEM file with the authority of a private certificate; default: the platform's authorities
//! * `ARR_API_VERSION`: `v1` (default) or `2021-01-01`
//! * `ARR_POLL_INTERVAL_MS`: how often a starting session is polled; default: the library's
//!
//! Run it with `cargo run -p arr-client --example quickstart`.

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use arr_client::{
    ApiVersion, Client, ClientConfig, Credential, Error, ErrorKind, Lease, NewSession, Result, Session,
    SessionProperties, SessionSize, SessionStatus,
};

/// Bounds what a forgotten session costs.
const HALF_AN_HOUR: Duration = Duration::from_secs(1800);
const AN_HOUR: Duration = Duration::from_secs(3600);
const PATIENCE: Duration = Duration::from_secs(600);
const SLICE: Duration = Duration::from_millis(250);

fn main() -> ExitCode {
    // The example belongs to the library's package, so this is the library's version.
    println!("arr_session {}", env!("CARGO_PKG_VERSION"));
    let Ok(account_id) = env::var("ARR_ACCOUNT_ID") else {
        eprintln!(
            "error: ARR_ACCOUNT_ID is not set; run `cargo run -p arr-service` and set the variables that it \
             prints, or those listed in this file"
        );
        return ExitCode::FAILURE;
    };
    let Some(api_version) = api_version() else {
        eprintln!("error: ARR_API_VERSION is neither \"v1\" nor \"2021-01-01\"");
        return ExitCode::FAILURE;
    };
    match client_from_environment(account_id, api_version).and_then(|client| run(&client)) {
        Ok(exit_code) => exit_code,
        Err(error) => failed(&error),
    }
}

/// Prints a failure, and the MS-CV with which the service's operators find the request.
fn failed(error: &Error) -> ExitCode {
    eprint!("\nerror: {error}\n       {:?}", error.kind());
    if let Some(status) = error.http_status() {
        eprint!(", HTTP {status}");
    }
    if let Some(correlation_vector) = error.correlation_vector() {
        eprint!(", MS-CV {correlation_vector}");
    }
    eprintln!();
    ExitCode::FAILURE
}

/// The REST version to use; `None` if the name is unknown.
fn api_version() -> Option<ApiVersion> {
    match env::var("ARR_API_VERSION").as_deref() {
        Err(_) | Ok("v1") => Some(ApiVersion::V1),
        Ok("2021-01-01") => Some(ApiVersion::V2021_01_01),
        Ok(_) => None,
    }
}

fn client_from_environment(account_id: String, api_version: ApiVersion) -> Result<Client> {
    let text = |name| env::var(name).unwrap_or_default();
    let poll_interval = env::var("ARR_POLL_INTERVAL_MS").ok();
    Client::new(ClientConfig {
        account_id,
        credential: Credential::AccountKey(text("ARR_ACCOUNT_KEY").into()),
        account_domain: text("ARR_ACCOUNT_DOMAIN"),
        service_endpoint: text("ARR_SERVICE_ENDPOINT"),
        ca_file: env::var_os("ARR_CA_FILE").map(Into::into),
        api_version,
        // 0, or a text that is not a number, selects the default.
        poll_interval: poll_interval
            .and_then(|milliseconds| milliseconds.parse().ok())
            .filter(|milliseconds| *milliseconds > 0)
            .map(Duration::from_millis),
        ..ClientConfig::default()
    })
}

fn run(client: &Client) -> Result<ExitCode> {
    println!("Creating a rendering session");
    let session = client.create_session(&NewSession::new(SessionSize::Standard, Lease::new(HALF_AN_HOUR)?)).run()?;
    let _guard = StopOnPanic(&session);
    println!("  id         {}", session.id());

    // If anything fails, the session is still stopped, because it costs money.
    let mut exit_code = ExitCode::SUCCESS;
    if let Err(error) = use_it(&session).and_then(|()| list(client)) {
        exit_code = failed(&error);
    }
    println!("Stopping it");
    session.stop().run()?;
    println!("  status     {}", word(&session.properties().run()?.status));
    Ok(exit_code)
}

/// Stops the session even after a panic. Printing panics if the reader of the output is gone.
struct StopOnPanic<'a>(&'a Session);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            // If this fails, the lease bounds the cost.
            self.0.stop().run().ok();
        }
    }
}

/// Everything between create and list.
fn use_it(session: &Session) -> Result<()> {
    println!("Waiting until it is ready");
    print(&wait_until_ready(session)?);

    println!("Extending its lease to an hour in all");
    session.update_lease(Lease::new(AN_HOUR)?).run()?;

    println!("Reading its properties");
    print(&session.properties().run()?);
    Ok(())
}

/// Waits in short slices to show progress: a dot a second. Slices send no extra requests.
fn wait_until_ready(session: &Session) -> Result<SessionProperties> {
    print!("  starting ");
    let mut waited = Duration::ZERO;
    let outcome = loop {
        if waited.subsec_millis() == 0 {
            print!(".");
            // A missing dot is not a failure.
            io::stdout().flush().ok();
        }
        let outcome = session.wait_until_ready().timeout(SLICE).run();
        waited += SLICE;
        let not_yet = outcome.as_ref().is_err_and(|error| error.kind() == ErrorKind::Timeout);
        if !not_yet || waited >= PATIENCE {
            break outcome;
        }
    };
    println!(" {} after about {} s", word(&session.known_properties().status), waited.as_secs());
    outcome
}

fn print(properties: &SessionProperties) {
    let seconds = |duration: Option<Duration>| duration.unwrap_or_default().as_secs();
    println!("  status     {}", word(&properties.status));
    println!("  hostname   {}", properties.hostname.as_deref().unwrap_or_default());
    println!(
        "  ports      {} handshake, {} inspector",
        properties.handshake_port.unwrap_or_default(),
        properties.arr_inspector_port.unwrap_or_default()
    );
    println!(
        "  lease      {} s, of which {} s are left",
        seconds(properties.max_lease),
        seconds(properties.remaining())
    );
}

/// Lists all sessions that the account pays for, including those of other clients.
fn list(client: &Client) -> Result<()> {
    println!("Listing the account's sessions");
    for entry in client.list_sessions().run()? {
        let owner = if entry.known_to_client { "ours" } else { "another client's" };
        println!("  {}   {}, {owner}", entry.properties.id, word(&entry.properties.status));
    }
    Ok(())
}

fn word(status: &SessionStatus) -> &str {
    match status {
        SessionStatus::Unknown(_) => "unknown",
        known => known.as_str(),
    }
}
