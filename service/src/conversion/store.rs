//! The store of all conversions.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use uuid::Uuid;

use super::id::ConversionId;
use super::lifecycle::{Conversion, ConversionIdentity};
use super::settings::ConversionSettings;
use super::status::{ConversionError, ConversionStatus, ConversionStatusRefused};
use super::view::ConversionView;
use crate::clock::Timestamp;
use crate::config::{Config, WireFormat};
use crate::format::glob::Glob;

/// The most conversions. Beyond that, the first to end are forgotten.
pub(super) const MOST: usize = 10_000;

/// The result of a create.
pub(crate) enum ConversionCreation<'a> {
    /// The conversion is new.
    New(&'a Conversion),
    /// A conversion with this id and these settings already existed.
    Existing(&'a Conversion),
}

/// Why a conversion was not created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConversionRefused {
    /// The account has a conversion with this id but other settings.
    Conflict,
    /// There are as many conversions as can be, and none has ended.
    Full,
}

/// Where a conversion is found: its account and number.
type Key = (Uuid, u64);

/// The conversions. The cost of a call does not depend on their number.
#[derive(Debug)]
pub(crate) struct ConversionStore {
    /// From the creation to the end.
    duration: Duration,
    /// How long an ended conversion can still be read.
    remember: Duration,
    missing_inputs: Vec<Glob>,
    missing_input: ConversionError,
    /// How many have been created so far.
    created: u64,
    conversions: BTreeMap<Key, Conversion>,
    /// Those with an id, at most one for each account.
    ids: HashMap<String, Vec<Key>>,
    /// All, by the time of their end, past or future.
    ends: BTreeSet<(Duration, Key)>,
}

impl ConversionStore {
    /// An empty store, as configured.
    pub(crate) fn new(config: &Config) -> ConversionStore {
        ConversionStore {
            duration: config.conversion,
            remember: config.remember,
            missing_inputs: config.missing_inputs.iter().map(|pattern| Glob::new(pattern)).collect(),
            missing_input: match config.wire {
                WireFormat::V2021 => ConversionError::failed(),
                WireFormat::V2022 => ConversionError::missing_input(),
            },
            created: 0,
            conversions: BTreeMap::new(),
            ids: HashMap::new(),
            ends: BTreeSet::new(),
        }
    }

    /// Creates a conversion. If the account has one with this id and these settings, ended or not, returns that one: a
    /// create is idempotent, so that a client can repeat it if the reply is lost.
    pub(crate) fn create(
        &mut self,
        timestamp: Timestamp,
        account: Uuid,
        id: ConversionId,
        settings: ConversionSettings,
    ) -> Result<ConversionCreation<'_>, ConversionRefused> {
        self.settle(timestamp.now);
        if let Some(key) = self.key(account, id.as_str()) {
            let conversion = &self.conversions[&key];
            let is_same = conversion.settings == settings;
            return if is_same {
                Ok(ConversionCreation::Existing(conversion))
            } else {
                Err(ConversionRefused::Conflict)
            };
        }
        if self.conversions.len() >= MOST && !self.forget_first(timestamp.now) {
            return Err(ConversionRefused::Full);
        }
        Ok(ConversionCreation::New(self.add(timestamp, account, id, settings)))
    }

    fn add(
        &mut self,
        timestamp: Timestamp,
        account: Uuid,
        id: ConversionId,
        settings: ConversionSettings,
    ) -> &Conversion {
        self.created += 1;
        let key = (account, self.created);
        self.ids.entry(id.as_str().to_owned()).or_default().push(key);
        let input = settings.input.asset_name();
        let is_missing = self.missing_inputs.iter().any(|pattern| pattern.matches(&input));
        let failure = is_missing.then(|| self.missing_input.clone());
        let identity = ConversionIdentity { id, account, number: self.created };
        let conversion = Conversion::new(identity, settings, timestamp, self.duration, failure);
        self.ends.insert((conversion.end(), key));
        self.conversions.entry(key).or_insert(conversion)
    }

    /// The conversion with this id, if this account has it.
    pub(crate) fn find(&mut self, now: Duration, account: Uuid, id: &str) -> Option<&Conversion> {
        self.settle(now);
        self.key(account, id).map(|key| &self.conversions[&key])
    }

    /// The account's conversions from this number on, in the order of their creation.
    pub(crate) fn list(&mut self, now: Duration, account: Uuid, from: u64) -> impl Iterator<Item = &Conversion> {
        self.settle(now);
        self.conversions.range((account, from)..=(account, u64::MAX)).map(|(_, conversion)| conversion)
    }

    /// Forces the conversion with this id, of any account, into a status; returns the resulting state. If two accounts
    /// chose the same id, the conversion that has not ended is meant.
    pub(crate) fn force(
        &mut self,
        now: Duration,
        id: &str,
        to: ConversionStatus,
        code: Option<&str>,
        message: Option<&str>,
    ) -> Result<ConversionView, ConversionStatusRefused> {
        self.settle(now);
        let keys = self.ids.get(id).map(Vec::as_slice).unwrap_or_default();
        let has_ended = |key: &&Key| self.conversions[key].end() <= now;
        let key = keys.iter().min_by_key(has_ended).copied();
        let key = key.ok_or_else(|| ConversionStatusRefused::NoConversion(id.to_owned()))?;
        let Some(conversion) = self.conversions.get_mut(&key) else { unreachable!("it has just been found") };
        let before = conversion.end();
        conversion.force(now, to, code, message)?;
        self.ends.remove(&(before, key));
        self.ends.insert((conversion.end(), key));
        Ok(ConversionView::of(conversion, now))
    }

    /// All conversions in the store, of every account, in the order of creation.
    pub(crate) fn views(&mut self, now: Duration) -> Vec<ConversionView> {
        self.settle(now);
        let mut all: Vec<_> = self.conversions.values().collect();
        all.sort_unstable_by_key(|conversion| conversion.identity.number);
        all.into_iter().map(|conversion| ConversionView::of(conversion, now)).collect()
    }

    fn key(&self, account: Uuid, id: &str) -> Option<Key> {
        self.ids.get(id)?.iter().copied().find(|(owner, _)| *owner == account)
    }

    /// Forgets the conversions that ended as long ago as they are remembered.
    fn settle(&mut self, now: Duration) {
        if let Some(long_ago) = now.checked_sub(self.remember) {
            while self.forget_first(long_ago) {}
        }
    }

    /// Forgets the conversion that ended first; false if none had ended by then.
    fn forget_first(&mut self, by: Duration) -> bool {
        let Some(&(end, key)) = self.ends.first().filter(|(end, _)| *end <= by) else { return false };
        self.ends.remove(&(end, key));
        if let Some(conversion) = self.conversions.remove(&key) {
            let id = conversion.identity.id.as_str();
            if let Some(keys) = self.ids.get_mut(id) {
                keys.retain(|other| *other != key);
                if keys.is_empty() {
                    self.ids.remove(id);
                }
            }
        }
        true
    }
}
