//! Whether a caller's own credential can be used at a provider, before it is kept; and how it is shown.

use signalbox_catalog::{Provider, Transport};
use signalbox_core::Secret;

use super::entries::is_label;
use super::{Credential, CredentialError, Part};
use crate::address::AddressError;
use crate::transport::{Target, TransportError};

impl Credential {
    /// Whether calls could be made at the provider with a caller's own credential, as far as it is spoken
    /// to at all. Nothing is sent.
    ///
    /// # Errors
    /// What is wrong with it, without a word of it.
    pub fn check(provider: &Provider, written: &Secret<String>) -> Result<(), CredentialError> {
        let open = |transport: &Transport| *transport == Transport::None;
        // Whoever is not spoken to, or has no address until the operator gives one, takes any form.
        let is_nowhere = provider.base_url.is_none() && provider.resources.is_empty();
        let is_silent = provider.speaks.is_empty() || is_nowhere;
        if !provider.byok
            || !provider.speaks.is_empty() && provider.speaks.iter().all(|one| open(&one.transport))
        {
            return Err(CredentialError::NotTaken);
        }
        let credential = Self::parse(written)?;
        let region = credential.region.as_deref();
        if region.is_some_and(|region| !is_label(region)) {
            return Err(CredentialError::Place("region"));
        }
        if is_silent {
            return Ok(());
        }
        let parts = match &credential.kind {
            super::Kind::Entries(entries) => (0..entries.len()).map(|at| Part(Some(at))).collect(),
            _ => vec![Part(None)],
        };
        for part in parts {
            let mut problem = None;
            let usable = provider.speaks.iter().any(|speaks| {
                match Target::own(provider, speaks.dialect, &credential, part) {
                    Ok(_) => true,
                    Err(error) => {
                        problem.get_or_insert(error);
                        false
                    }
                }
            });
            if !usable {
                return Err(problem.map_or(CredentialError::Kind, blame));
            }
        }
        Ok(())
    }

    /// How a credential is shown to its owner: where it is a plain key its first and last letters, and
    /// nothing of any other.
    #[must_use]
    pub fn label(written: &Secret<String>) -> String {
        const EDGE: usize = 4;
        let text = written.expose().trim();
        let ends = (text.get(..EDGE), text.len().checked_sub(EDGE).and_then(|at| text.get(at..)));
        match (text.chars().next(), ends) {
            (Some('{' | '['), _) => "{...}".to_owned(),
            // Enough is left that nobody can guess.
            (_, (Some(first), Some(last))) if text.len() >= 5 * EDGE => {
                let first = first.rsplit_once('-').map_or("", |(kind, _)| kind);
                let dash = if first.is_empty() { "" } else { "-" };
                format!("{first}{dash}...{last}")
            }
            _ => "...".to_owned(),
        }
    }
}

fn blame(error: TransportError) -> CredentialError {
    match error {
        TransportError::BadUrl(_, address) => CredentialError::Address(address),
        TransportError::NoBaseUrl(_) => CredentialError::Address(AddressError::BaseUrl),
        TransportError::BadResource => CredentialError::ResourceMissing,
        _ => CredentialError::Kind,
    }
}
