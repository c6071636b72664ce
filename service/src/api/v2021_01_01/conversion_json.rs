//! The JSON of conversions (`docs/service-2021-01-01.md`, "Conversions").

use std::time::Duration;

use axum::http::Uri;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::conversion::{
    Conversion, ConversionError, ConversionSettings, InputLocation, OutputLocation, is_asset_filename,
};
use crate::format::date_time;

/// The longest text that is kept, in bytes. Azure's names of blobs are no longer.
const LONGEST: usize = 1024;

/// Why a request body is refused. The text is for the author of the request and does not repeat its values, which may
/// contain a shared access signature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ConversionBodyError {
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{0} must be an object")]
    NotObject(&'static str),
    #[error("{0} must be a text")]
    NotText(&'static str),
    #[error("{0} is longer than {LONGEST} bytes")]
    TooLong(&'static str),
    #[error(
        "{0} must be the URI of a container, such as https://contoso.blob.core.windows.net/models, without a query; a \
         shared access signature has its own member"
    )]
    NotContainer(&'static str),
    #[error("settings.outputLocation.outputAssetFilename must end in .arrAsset")]
    NotAsset,
}

/// A request to create a conversion.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ConversionRequest {
    pub(super) settings: ConversionSettings,
    /// Whether there is a shared access signature for both containers.
    pub(super) has_signatures: bool,
}

/// Reads the body of a create.
pub(super) fn request(body: &Map<String, Value>) -> Result<ConversionRequest, ConversionBodyError> {
    let settings = object(body, "settings")?;
    let input = Location(object(settings, "settings.inputLocation")?);
    let output = Location(object(settings, "settings.outputLocation")?);
    let input_location = InputLocation::new(
        input.container("settings.inputLocation.storageContainerUri")?,
        input.optional("settings.inputLocation.blobPrefix")?,
        input.required("settings.inputLocation.relativeInputAssetPath")?,
    );
    let asset_filename = output.optional("settings.outputLocation.outputAssetFilename")?;
    if asset_filename.as_deref().is_some_and(|name| !is_asset_filename(name)) {
        return Err(ConversionBodyError::NotAsset);
    }
    let output_location = OutputLocation::new(
        output.container("settings.outputLocation.storageContainerUri")?,
        output.optional("settings.outputLocation.blobPrefix")?,
        asset_filename,
        &input_location,
    );
    let has_signatures = input.has_text("settings.inputLocation.storageContainerReadListSas")?
        && output.has_text("settings.outputLocation.storageContainerWriteSas")?;
    let settings = ConversionSettings { input: input_location, output: output_location };
    Ok(ConversionRequest { settings, has_signatures })
}

/// The last part of a path is the member's name.
fn member<'a>(object: &'a Map<String, Value>, path: &'static str) -> Option<&'a Value> {
    let name = path.rsplit('.').next().unwrap_or(path);
    object.get(name).filter(|value| !value.is_null())
}

fn object<'a>(
    parent: &'a Map<String, Value>,
    path: &'static str,
) -> Result<&'a Map<String, Value>, ConversionBodyError> {
    let value = member(parent, path).ok_or(ConversionBodyError::Missing(path))?;
    value.as_object().ok_or(ConversionBodyError::NotObject(path))
}

/// `inputLocation` or `outputLocation`. An empty text counts as absent.
struct Location<'a>(&'a Map<String, Value>);

impl Location<'_> {
    fn text(&self, path: &'static str) -> Result<Option<&str>, ConversionBodyError> {
        let text = member(self.0, path).map(|value| value.as_str().ok_or(ConversionBodyError::NotText(path)));
        Ok(text.transpose()?.filter(|text| !text.is_empty()))
    }

    fn has_text(&self, path: &'static str) -> Result<bool, ConversionBodyError> {
        Ok(self.text(path)?.is_some())
    }

    fn optional(&self, path: &'static str) -> Result<Option<String>, ConversionBodyError> {
        match self.text(path)? {
            Some(text) if text.len() > LONGEST => Err(ConversionBodyError::TooLong(path)),
            text => Ok(text.map(str::to_owned)),
        }
    }

    fn required(&self, path: &'static str) -> Result<String, ConversionBodyError> {
        self.optional(path)?.ok_or(ConversionBodyError::Missing(path))
    }

    fn container(&self, path: &'static str) -> Result<String, ConversionBodyError> {
        let text = self.required(path)?;
        if is_container(&text) { Ok(text) } else { Err(ConversionBodyError::NotContainer(path)) }
    }
}

/// Whether a text is the absolute URI of a container, with no place for a secret.
fn is_container(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else { return false };
    let is_absolute = uri.scheme_str().is_some_and(|scheme| ["http", "https"].contains(&scheme));
    let has_user = uri.authority().is_none_or(|authority| authority.as_str().contains('@'));
    is_absolute && !has_user && !text.contains(['?', '#']) && uri.path().len() > 1
}

/// A conversion as it is at one moment. Both formats write it alike.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConversionResource<'a> {
    id: &'a str,
    creation_time: String,
    settings: SettingsResource<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<OutputResource>,
    error: Option<ErrorResource<'a>>,
    status: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SettingsResource<'a> {
    input_location: InputResource<'a>,
    output_location: OutputLocationResource<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InputResource<'a> {
    storage_container_uri: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    blob_prefix: Option<&'a str>,
    relative_input_asset_path: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OutputLocationResource<'a> {
    storage_container_uri: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    blob_prefix: Option<&'a str>,
    output_asset_filename: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OutputResource {
    output_asset_uri: String,
}

#[derive(Serialize)]
struct ErrorResource<'a> {
    code: &'a str,
    message: &'a str,
}

impl<'a> From<&'a ConversionError> for ErrorResource<'a> {
    fn from(error: &'a ConversionError) -> ErrorResource<'a> {
        ErrorResource { code: &error.code, message: &error.message }
    }
}

impl<'a> ConversionResource<'a> {
    /// The conversion as it is now.
    pub(super) fn of(conversion: &'a Conversion, now: Duration) -> ConversionResource<'a> {
        let ConversionSettings { input, output } = &conversion.settings;
        let input_location = InputResource {
            storage_container_uri: &input.container_uri,
            blob_prefix: input.blob_prefix.as_deref(),
            relative_input_asset_path: &input.asset_path,
        };
        let output_location = OutputLocationResource {
            storage_container_uri: &output.container_uri,
            blob_prefix: output.blob_prefix.as_deref(),
            output_asset_filename: &output.asset_filename,
        };
        let output_asset_uri = conversion.output_asset_uri(now);
        ConversionResource {
            id: conversion.identity.id.as_str(),
            creation_time: date_time::format_utc(conversion.creation_time),
            settings: SettingsResource { input_location, output_location },
            output: output_asset_uri.map(|output_asset_uri| OutputResource { output_asset_uri }),
            error: conversion.error(now).map(ErrorResource::from),
            status: conversion.status(now).as_str(),
        }
    }
}

/// The reply to a list.
#[derive(Serialize)]
pub(super) struct ConversionPage<'a> {
    pub(super) conversions: Vec<ConversionResource<'a>>,
    /// Null on the last page, in both formats: unlike in the list of sessions.
    #[serde(rename = "@nextLink")]
    pub(super) next_link: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body(change: impl FnOnce(&mut Value)) -> Map<String, Value> {
        let mut body = json!({"settings": {
            "inputLocation": {"storageContainerUri": "https://contoso.example/in", "storageContainerReadListSas": "?sig=x",
                              "relativeInputAssetPath": "a/house.fbx"},
            "outputLocation": {"storageContainerUri": "https://contoso.example/out", "storageContainerWriteSas": "?sig=x"}}});
        change(&mut body);
        body.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn defaults_are_filled_in() {
        let ConversionRequest { settings, has_signatures } = request(&body(|_| {})).expect("complete");
        assert!(has_signatures);
        assert_eq!((settings.input.blob_prefix, settings.output.blob_prefix.as_deref()), (None, None));
        assert_eq!(settings.output.asset_filename, "house.arrAsset");
        let empty = |body: &mut Value| {
            for name in ["blobPrefix", "outputAssetFilename", "storageContainerWriteSas"] {
                body["settings"]["outputLocation"][name] = "".into();
            }
        };
        let request = request(&body(empty)).expect("empty texts are absent");
        assert_eq!((request.settings.output, request.has_signatures), (settings.output, false));
    }

    #[test]
    fn an_invalid_create_says_why() {
        let long = "x".repeat(1025);
        for (path, value, message) in [
            ("/settings", Value::Null, "settings is missing"),
            ("/settings", json!([]), "settings must be an object"),
            ("/settings/inputLocation", Value::Null, "settings.inputLocation is missing"),
            ("/settings/outputLocation", json!("x"), "settings.outputLocation must be an object"),
            (
                "/settings/inputLocation/storageContainerUri",
                json!(""),
                "settings.inputLocation.storageContainerUri is missing",
            ),
            ("/settings/inputLocation/relativeInputAssetPath", json!(1), "relativeInputAssetPath must be a text"),
            (
                "/settings/inputLocation/relativeInputAssetPath",
                json!(long),
                "relativeInputAssetPath is longer than 1024 bytes",
            ),
            (
                "/settings/inputLocation/storageContainerReadListSas",
                json!({}),
                "storageContainerReadListSas must be a text",
            ),
        ] {
            let change = |body: &mut Value| *body.pointer_mut(path).expect("a member") = value;
            let error = request(&body(change)).expect_err("invalid").to_string();
            assert!(error.ends_with(message), "{error}");
        }
        for name in ["house", ".arrAsset", "house.arrasset.fbx"] {
            let change = |body: &mut Value| body["settings"]["outputLocation"]["outputAssetFilename"] = name.into();
            assert_eq!(request(&body(change)), Err(ConversionBodyError::NotAsset), "{name}");
        }
    }

    #[test]
    fn a_container_has_no_place_for_a_secret() {
        for uri in ["https://contoso.blob.core.windows.net/arr", "http://127.0.0.1:10000/devstoreaccount1/arr/"] {
            assert!(is_container(uri), "{uri}");
        }
        for uri in [
            "arr",
            "/arr",
            "contoso.example/arr",
            "ftp://contoso.example/arr",
            "https://contoso.example",
            "https://contoso.example/",
            "https://contoso.example/arr?sv=1&sig=s3cret",
            "https://contoso.example/arr#s3cret",
            "https://me:s3cret@contoso.example/arr",
        ] {
            assert!(!is_container(uri), "{uri}");
            let change = |body: &mut Value| body["settings"]["inputLocation"]["storageContainerUri"] = uri.into();
            let error = request(&body(change)).expect_err("not a container").to_string();
            assert!(
                error.starts_with("settings.inputLocation.storageContainerUri must be the URI")
                    && !error.contains("s3cret")
            );
        }
    }
}
