//! What a client chooses for its conversion: where the model comes from, and where the result goes. Shared access
//! signatures are not part of it: they are never kept.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The ending of a converted model.
const ASSET_ENDING: &str = ".arrAsset";

/// The settings of a conversion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConversionSettings {
    pub(crate) input: InputLocation,
    pub(crate) output: OutputLocation,
}

/// Where the model is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InputLocation {
    pub(crate) container_uri: String,
    /// Ends in a slash.
    pub(crate) blob_prefix: Option<String>,
    pub(crate) asset_path: String,
}

/// Where the result goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OutputLocation {
    pub(crate) container_uri: String,
    /// Ends in a slash.
    pub(crate) blob_prefix: Option<String>,
    pub(crate) asset_filename: String,
}

impl InputLocation {
    pub(crate) fn new(container_uri: String, blob_prefix: Option<String>, asset_path: String) -> InputLocation {
        InputLocation { container_uri, blob_prefix: blob_prefix.and_then(folder), asset_path }
    }

    /// The model's whole name, as `--missing-input` matches it: `{container}/{prefix}{path}`.
    pub(crate) fn asset_name(&self) -> String {
        blob_name(&self.container_uri, self.blob_prefix.as_deref(), &self.asset_path)
    }

    /// The name of the result unless the client chooses another: that of the model, with the ending of a converted one.
    fn converted_filename(&self) -> String {
        let name = self.asset_path.rsplit(['/', '\\']).next().unwrap_or_default();
        let stem = match name.rsplit_once('.') {
            Some((stem, _)) if !stem.is_empty() => stem,
            _ => name,
        };
        format!("{stem}{ASSET_ENDING}")
    }
}

impl OutputLocation {
    /// Without a file name, the result is named after the input.
    pub(crate) fn new(
        container_uri: String,
        blob_prefix: Option<String>,
        asset_filename: Option<String>,
        input: &InputLocation,
    ) -> OutputLocation {
        let asset_filename = asset_filename.unwrap_or_else(|| input.converted_filename());
        OutputLocation { container_uri, blob_prefix: blob_prefix.and_then(folder), asset_filename }
    }

    /// The URI of the result.
    pub(crate) fn asset_uri(&self) -> String {
        /// All except RFC 3986's unreserved characters, and the slashes between segments.
        const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');
        let encoded = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
        let prefix = self.blob_prefix.as_deref().map(encoded);
        blob_name(&self.container_uri, prefix.as_deref(), &encoded(&self.asset_filename))
    }
}

/// Whether a client may give a result this name.
pub(crate) fn is_asset_filename(name: &str) -> bool {
    let stem_length = name.len().checked_sub(ASSET_ENDING.len());
    let ending = stem_length.filter(|length| *length > 0).and_then(|length| name.get(length..));
    ending.is_some_and(|ending| ending.eq_ignore_ascii_case(ASSET_ENDING))
}

/// A prefix as the service returns it: a folder's name ends in a slash.
fn folder(prefix: String) -> Option<String> {
    match prefix.as_str() {
        "" => None,
        folder if folder.ends_with('/') => Some(prefix),
        _ => Some(prefix + "/"),
    }
}

fn blob_name(container_uri: &str, prefix: Option<&str>, name: &str) -> String {
    format!("{}/{}{name}", container_uri.trim_end_matches('/'), prefix.unwrap_or_default())
}
