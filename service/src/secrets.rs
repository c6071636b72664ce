//! The secrets of an emulator: those in its state folder, or new ones.

use crate::auth::token;
use crate::net::certificate::Authority;
use crate::start_error::StartError;
use crate::storage::Database;

pub(crate) struct Secrets {
    pub(crate) access_token_key: Vec<u8>,
    pub(crate) entra_token_key: Vec<u8>,
    /// None without HTTPS, or with a certificate from elsewhere.
    pub(crate) authority: Option<Authority>,
    /// Whether the authority replaces a kept one that expires, so that clients must be given the new one.
    pub(crate) authority_replaced: bool,
}

impl Secrets {
    /// Reads them, and stores those that are new.
    pub(crate) fn load(database: Option<&Database>, needs_authority: bool) -> Result<Secrets, StartError> {
        let mut authority_replaced = false;
        let authority = if needs_authority {
            let (authority, replaced) = load_authority(database)?;
            authority_replaced = replaced;
            Some(authority)
        } else {
            None
        };
        Ok(Secrets {
            access_token_key: load_key(database, "access_token_key")?,
            entra_token_key: load_key(database, "entra_token_key")?,
            authority,
            authority_replaced,
        })
    }
}

fn load_key(database: Option<&Database>, name: &str) -> Result<Vec<u8>, StartError> {
    if let Some(key) = database.map(|database| database.secret(name)).transpose()?.flatten() {
        return Ok(key);
    }
    let key = token::generate_key().ok_or(StartError::NoRandomNumbers)?;
    database.map(|database| database.set_secret(name, &key)).transpose()?;
    Ok(key)
}

/// The authority, and whether it replaces a kept one.
fn load_authority(database: Option<&Database>) -> Result<(Authority, bool), StartError> {
    const NAME: &str = "authority";
    let kept = database.map(|database| database.secret(NAME)).transpose()?.flatten();
    let had_one = kept.is_some();
    let kept = kept.map(|bytes| {
        Authority::from_bytes(&bytes).ok_or_else(|| StartError::Certificates {
            reason: "the state folder has an authority that cannot be read".to_owned(),
        })
    });
    if let Some(authority) = kept.transpose()?.filter(|authority| !authority.is_expiring()) {
        return Ok((authority, false));
    }
    let authority = Authority::generate(database.is_some())
        .map_err(|error| StartError::Certificates { reason: error.to_string() })?;
    database.map(|database| database.set_secret(NAME, &authority.to_bytes())).transpose()?;
    Ok((authority, had_one))
}
