//! Conversions of models, which are recorded but not carried out: the state machine of one, and the store of all. Nothing
//! here reads a clock: every function takes the time.

mod id;
mod lifecycle;
mod settings;
mod status;
mod store;
#[cfg(test)]
mod tests;
mod view;

pub(crate) use id::ConversionId;
pub(crate) use lifecycle::Conversion;
pub(crate) use settings::{ConversionSettings, InputLocation, OutputLocation, is_asset_filename};
pub use status::{ConversionError, ConversionStatus, ConversionStatusRefused};
pub(crate) use store::{ConversionCreation, ConversionRefused, ConversionStore};
pub use view::ConversionView;
