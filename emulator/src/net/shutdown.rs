//! How connections, and the loop that accepts them, end.

/// What connections, and the loop that accepts them, are to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Run {
    /// Serve.
    On,
    /// Finish what is on the wire, within the listener's grace.
    Finish,
    /// Cut every connection.
    Cut,
}
