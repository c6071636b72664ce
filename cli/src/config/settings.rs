//! The values that count, checked and turned into a client.

use std::path::{Path, PathBuf};
use std::time::Duration;

use arr_client::{ApiVersion, Client, ClientConfig, Credential, ErrorKind, LogLevel, SessionSize};

use super::layer::Layer;
use super::resolve::ARRCONFIG;
use super::setting::Setting;
use crate::args::Global;
use crate::duration;
use crate::failure::{Failure, note};
use crate::paths;

/// What to say about the public service.
pub(crate) const RETIRED: &str = "Microsoft retired the public service on 30 September 2025";
pub(crate) const INSTEAD: &str =
    "name a compatible service with --service-endpoint and --account-domain, or use --emulator";
const LEASE: Duration = Duration::from_secs(3_600);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// How a client is made.
pub(crate) struct Settings<'a> {
    pub(crate) resolved: Layer,
    global: &'a Global,
}

/// Whether the client remembers what it creates.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Journal {
    Kept,
    /// It is only asked which sessions are ours, and may be missing.
    IfThere,
    None,
}

impl<'a> Settings<'a> {
    pub(crate) fn new(resolved: Layer, global: &'a Global) -> Settings<'a> {
        Settings { resolved, global }
    }

    /// A client with this configuration.
    pub(crate) fn client(&self, journal: Journal) -> Result<Client, Failure> {
        let mut config = self.client_config()?;
        config.journal_folder = self.journal_folder(journal)?;
        match Client::new(config.clone()) {
            Err(error) if journal == Journal::IfThere && error.kind() == ErrorKind::Storage => {
                note(&format!("which sessions are yours is unknown: {error}"));
                Ok(Client::new(ClientConfig { journal_folder: None, ..config })?)
            }
            made => Ok(made?),
        }
    }

    /// The client's configuration, without a journal.
    pub(crate) fn client_config(&self) -> Result<ClientConfig, Failure> {
        let missing: Vec<Setting> = [Setting::AccountId, Setting::AccountDomain, Setting::ServiceEndpoint]
            .into_iter()
            .filter(|setting| self.resolved.get(*setting).is_none())
            .collect();
        let credential = self.resolved.credential().filter(|_| missing.is_empty());
        let Some((kind, credential)) = credential else { return Err(self.incomplete(&missing)) };
        let secret = credential.value.clone();
        let credential = match kind {
            Setting::EntraToken => Credential::EntraToken(secret),
            Setting::AccessToken => Credential::AccessToken(secret),
            _ => Credential::AccountKey(secret),
        };
        Ok(ClientConfig {
            account_id: self.text(Setting::AccountId),
            credential,
            account_domain: self.text(Setting::AccountDomain),
            service_endpoint: self.text(Setting::ServiceEndpoint),
            api_version: self.api_version()?,
            ca_file: self.resolved.get(Setting::CaFile).map(|found| PathBuf::from(found.value.expose())),
            proxy: self.text(Setting::Proxy).parse()?,
            user_agent_suffix: concat!("arr/", env!("CARGO_PKG_VERSION")).to_owned(),
            call_timeout: self.global.request_timeout.unwrap_or(REQUEST_TIMEOUT),
            poll_interval: self.global.poll_interval,
            ready_poll_interval: self.global.poll_interval,
            log_level: if self.global.verbose { LogLevel::Debug } else { LogLevel::Off },
            ..ClientConfig::default()
        })
    }

    pub(crate) fn text(&self, setting: Setting) -> String {
        self.resolved.get(setting).map(|found| found.value.expose().to_owned()).unwrap_or_default()
    }

    fn api_version(&self) -> Result<ApiVersion, Failure> {
        let newer = ApiVersion::V2021_01_01;
        let words = [("v1", ApiVersion::V1), ("2021-01-01", newer), ("2021-01-01-preview", newer)];
        self.word(Setting::ApiVersion, None, words)
    }

    /// The size of a new session: the one of the command, or the configured one.
    pub(crate) fn size(&self, given: Option<&str>) -> Result<SessionSize, Failure> {
        let words = [("standard", SessionSize::Standard), ("premium", SessionSize::Premium)];
        self.word(Setting::Size, given, words)
    }

    /// What a word means, of which there are these. The default is the first.
    fn word<T, const N: usize>(&self, of: Setting, given: Option<&str>, words: [(&str, T); N]) -> Result<T, Failure> {
        let configured = self.resolved.get(of).map(|found| (found.value.expose(), found.from.as_str()));
        let option = of.option();
        let (text, from) = given.map(|given| (given, option.as_str())).or(configured).unwrap_or((words[0].0, ""));
        let (known, other) = (words[0].0, words[1].0);
        let found = words.into_iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
        let refused = || Failure::usage(format!("{} \"{text}\" ({from}) is neither {known} nor {other}", of.name()));
        found.map(|(_, value)| value).ok_or_else(refused)
    }

    /// The lease of a new session.
    pub(crate) fn lease(&self, given: Option<Duration>) -> Result<Duration, Failure> {
        match (given, self.resolved.get(Setting::Lease)) {
            (Some(given), _) => Ok(given),
            (None, None) => Ok(LEASE),
            (None, Some(found)) => duration::parse(found.value.expose()).map_err(|why| {
                Failure::usage(format!("the lease \"{}\" ({}): {why}", found.value.expose(), found.from))
            }),
        }
    }

    fn journal_folder(&self, journal: Journal) -> Result<Option<PathBuf>, Failure> {
        if journal == Journal::None || self.global.account.journal.as_deref() == Some(Path::new("none")) {
            return Ok(None);
        }
        let folder = self.journal_path()?;
        if journal == Journal::IfThere && !folder.is_dir() {
            return Ok(None);
        }
        paths::make_private(&folder)?;
        Ok(Some(folder))
    }

    /// Whether sessions would run at the public service, which has ended.
    pub(crate) fn is_retired_service(&self) -> bool {
        let urls = self.client_config().and_then(|config| Ok(config.urls()?));
        urls.is_ok_and(|(_, service)| service.contains(".mixedreality.azure.com"))
    }

    /// Where the journal is, or would be.
    pub(crate) fn journal_path(&self) -> Result<PathBuf, Failure> {
        self.global.account.journal.clone().map_or_else(paths::journal, Ok)
    }

    fn incomplete(&self, missing: &[Setting]) -> Failure {
        let source = &self.resolved.name;
        if source.is_empty() {
            let failure = Failure::usage("no account is configured");
            let failure = if Path::new(ARRCONFIG).is_file() {
                failure
            } else {
                failure
                    .hint("with an arrconfig.json: arr config import arrconfig.json, once, or --config arrconfig.json")
            };
            return failure
                .hint("with a local emulator: --emulator")
                .hint("or set ARR_ACCOUNT_ID, ARR_ACCOUNT_KEY, ARR_ACCOUNT_DOMAIN and ARR_SERVICE_ENDPOINT");
        }
        let mut what: Vec<&str> = missing.iter().map(|setting| setting.name()).collect();
        let mut options: Vec<String> = missing.iter().map(|setting| setting.option()).collect();
        if self.resolved.credential().is_none() {
            what.push("account_key");
            options.push("ARR_ACCOUNT_KEY or --account-key-file".to_owned());
        }
        let (what, how) = (what.join(", "), options.join(", "));
        let failure = Failure::usage(format!("the account from {source} is incomplete: {what} missing"))
            .hint(format!("give what is missing with {how}; `arr config show` shows where each value comes from"));
        match self.resolved.credential() {
            Some((_, found)) if *source == Layer::ENVIRONMENT => {
                failure.hint(format!("or unset {}, so that a profile or a file counts", found.from))
            }
            _ => failure,
        }
    }
}
