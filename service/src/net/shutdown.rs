//! Graceful and immediate shutdown.

/// Whether, and how, the listener and its connections must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shutdown {
    /// Keep serving.
    NotRequested,
    /// Finish the requests in flight, within the listener's grace period.
    Graceful,
    /// Cut all connections.
    Immediate,
}
