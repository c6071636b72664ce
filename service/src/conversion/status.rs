//! The status of a conversion, and why one failed.

use std::fmt;

/// The status of a conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConversionStatus {
    /// It waits for a machine.
    NotStarted,
    /// The model is being converted.
    Running,
    /// Ended before it had a result. No client can do this; a control call can.
    Cancelled,
    /// Ended without a result.
    Failed,
    /// Ended with a result.
    Succeeded,
}

impl ConversionStatus {
    const ALL: [ConversionStatus; 5] = [
        ConversionStatus::NotStarted,
        ConversionStatus::Running,
        ConversionStatus::Cancelled,
        ConversionStatus::Failed,
        ConversionStatus::Succeeded,
    ];

    /// Reads a status in any letter case.
    pub(crate) fn parse(text: &str) -> Option<ConversionStatus> {
        Self::ALL.into_iter().find(|status| status.as_str().eq_ignore_ascii_case(text))
    }

    /// The status as the service writes it, such as `NotStarted`.
    pub fn as_str(self) -> &'static str {
        match self {
            ConversionStatus::NotStarted => "NotStarted",
            ConversionStatus::Running => "Running",
            ConversionStatus::Cancelled => "Cancelled",
            ConversionStatus::Failed => "Failed",
            ConversionStatus::Succeeded => "Succeeded",
        }
    }

    /// Whether the conversion has ended.
    pub fn is_final(self) -> bool {
        matches!(self, ConversionStatus::Cancelled | ConversionStatus::Failed | ConversionStatus::Succeeded)
    }
}

impl fmt::Display for ConversionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a conversion has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversionError {
    /// A code for programs, such as `ConversionProcessFailed`.
    pub code: String,
    /// A text for people.
    pub message: String,
}

impl ConversionError {
    pub(super) fn new(code: &str, message: &str) -> ConversionError {
        ConversionError { code: code.to_owned(), message: message.to_owned() }
    }

    /// What the service says of a model that it cannot convert.
    pub(super) fn failed() -> ConversionError {
        let message = "Invalid input provided. Check logs in output container for details.";
        ConversionError::new("ConversionProcessFailed", message)
    }

    /// What the service has said since 2023 of a model that is not there.
    pub(super) fn missing_input() -> ConversionError {
        let message = "Could not find the asset file in the storage account. Please make sure all paths and names are \
             correct and the file is uploaded to storage.";
        ConversionError::new("InputContainerError", message)
    }

    /// Invented: what the service says is unknown.
    pub(super) fn cancelled() -> ConversionError {
        ConversionError::new("ConversionCancelled", "The conversion was cancelled.")
    }
}

/// Why a status could not be forced.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConversionStatusRefused {
    /// There is no such conversion.
    #[error("there is no conversion {0}; it may have ended and been forgotten, or belong to another emulator")]
    NoConversion(String),
    /// There is no such transition.
    #[error("a conversion that is {from} cannot become {to}")]
    Impossible {
        /// The current status.
        from: ConversionStatus,
        /// The status to force.
        to: ConversionStatus,
    },
    /// An error is the reason for an end without a result, and this status is none.
    #[error("a code or message goes with Failed or Cancelled; a conversion that is {0} has none")]
    NoPlaceForError(ConversionStatus),
}
