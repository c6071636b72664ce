//! A conversion as a user of the library sees it.

use std::time::Duration;

use super::lifecycle::Conversion;
use super::status::{ConversionError, ConversionStatus};

/// A snapshot of one conversion.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConversionView {
    /// The id that the client chose.
    pub id: String,
    /// The id of the account that created it: a GUID in lower case.
    pub account_id: String,
    /// Its status.
    pub status: ConversionStatus,
    /// The model, as `{container}/{prefix}{path}`.
    pub input: String,
    /// The URI of the result; none unless it succeeded.
    pub output_asset_uri: Option<String>,
    /// Why it failed or was cancelled.
    pub error: Option<ConversionError>,
}

impl ConversionView {
    pub(super) fn of(conversion: &Conversion, now: Duration) -> ConversionView {
        ConversionView {
            id: conversion.identity.id.to_string(),
            account_id: conversion.identity.account.to_string(),
            status: conversion.status(now),
            input: conversion.settings.input.asset_name(),
            output_asset_uri: conversion.output_asset_uri(now),
            error: conversion.error(now).cloned(),
        }
    }
}
