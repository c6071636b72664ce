//! The service's two ways of writing one and the same version (`docs/service-2021-01-01.md`, "Two generations").

/// How the emulator writes REST 2021-01-01: the service changed it in the course of 2021, under one version number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Wire {
    /// As at the beginning of 2021: what is not known is sent as null or zero.
    V2021,
    /// As later, until the end: what is not known is left out.
    #[default]
    V2022,
}
