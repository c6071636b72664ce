//! The kinds of operations.

/// The call that started an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OperationKind {
    /// [`Client::access_token`](crate::Client::access_token)
    GetToken,
    /// [`Client::list_sessions`](crate::Client::list_sessions)
    ListSessions,
    /// [`Client::recover_sessions`](crate::Client::recover_sessions) or
    /// [`Client::recover_session`](crate::Client::recover_session)
    RecoverSessions,
    /// [`Client::stop_all`](crate::Client::stop_all)
    StopAll,
    /// [`Client::create_session`](crate::Client::create_session)
    CreateSession,
    /// [`Client::open_session`](crate::Client::open_session)
    OpenSession,
    /// [`Client::reuse_or_create`](crate::Client::reuse_or_create)
    ReuseOrCreate,
    /// [`Session::properties`](crate::Session::properties), fresh or cached
    GetProperties,
    /// [`Session::update_lease`](crate::Session::update_lease)
    UpdateLease,
    /// [`Session::wait_until_ready`](crate::Session::wait_until_ready)
    WaitUntilReady,
    /// [`Session::stop`](crate::Session::stop). Stays last.
    Stop,
}

impl OperationKind {
    /// All kinds, in order.
    pub(crate) const ALL: [OperationKind; 11] = [
        OperationKind::GetToken,
        OperationKind::ListSessions,
        OperationKind::RecoverSessions,
        OperationKind::StopAll,
        OperationKind::CreateSession,
        OperationKind::OpenSession,
        OperationKind::ReuseOrCreate,
        OperationKind::GetProperties,
        OperationKind::UpdateLease,
        OperationKind::WaitUntilReady,
        OperationKind::Stop,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_kinds_are_listed() {
        assert!(OperationKind::ALL.iter().enumerate().all(|(place, kind)| *kind as usize == place));
        assert_eq!(OperationKind::ALL.len(), OperationKind::Stop as usize + 1);
    }
}
