//! The second factor: codes of a telephone, and codes for the day when it is lost.

use signalbox_core::Secret;
use signalbox_runtime::entropy;
use signalbox_store::UserRecord;

use super::session::Person;
use super::{People, digest, totp};
use crate::PlatformError;
use crate::v1::session::{Confirmation, FactorOffer, RecoveryCodes, RemoveFactor};

/// Recovery codes of one person.
const CODES: usize = 10;
/// Random bytes of one.
const CODE_BYTES: usize = 10;

/// What is compared of a recovery code: the letters, whatever stands between them.
fn plain(code: &str) -> String {
    let letters = code.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_uppercase()).collect()
}

/// A new recovery code: four groups of four letters, 80 bits.
fn recovery_code() -> String {
    let secret = entropy::secret();
    let letters = totp::base32(secret.get(..CODE_BYTES).unwrap_or_default());
    let groups: Vec<&str> = (0..4).filter_map(|at| letters.get(at * 4..at * 4 + 4)).collect();
    groups.join("-")
}

fn bytes(secret: &Secret<String>) -> Result<Vec<u8>, PlatformError> {
    let damaged =
        |_: hex::FromHexError| signalbox_store::StoreError::Damaged("second factor".to_owned());
    Ok(hex::decode(secret.expose()).map_err(damaged)?)
}

impl People {
    /// Whether this is a code of the person's second factor, or a recovery code, that was not used
    /// before.
    pub(crate) async fn second_factor(
        &self,
        user: &UserRecord,
        code: &str,
    ) -> Result<bool, PlatformError> {
        let store = self.platform().store();
        let digits = plain(code);
        let secret = store.totp_secret(&user.id).await?;
        let secret = secret.as_ref().map(bytes).transpose()?;
        // Whose secret was lost with the key that it was sealed under has recovery codes still.
        let step = secret.and_then(|secret| totp::step_of(&secret, &digits, self.now()));
        if let Some(step) = step {
            return Ok(store.use_totp_step(user.id.clone(), step).await?);
        }
        Ok(store.use_recovery_code(user.id.clone(), digest(&digits)).await?)
    }

    /// A new secret for a telephone. It is not asked for until it was confirmed.
    ///
    /// # Errors
    /// [`PlatformError::Forbidden`] for a wrong password and for whoever has not proven their address;
    /// [`PlatformError::Conflict`] when there is a second factor.
    pub async fn offer_factor(
        &self,
        person: &Person,
        password: String,
    ) -> Result<FactorOffer, PlatformError> {
        person.proven()?;
        self.knows_password(&person.user, password).await?;
        self.forgive(&person.user.email).await?;
        let secret = entropy::secret();
        let secret = secret.get(..20).unwrap_or(&secret);
        let (user, kept) = (person.user.id.clone(), Secret::new(hex::encode(secret)));
        if !self.platform().store().offer_totp(user, kept).await? {
            return Err(PlatformError::Conflict("There is a second factor".to_owned()));
        }
        let uri = totp::uri(secret, &person.user.email);
        Ok(FactorOffer { secret: totp::base32(secret), uri })
    }

    /// From now on codes are asked for. The recovery codes are shown this once.
    ///
    /// # Errors
    /// [`PlatformError::Refused`] for a wrong code.
    pub async fn confirm_factor(
        &self,
        person: &Person,
        wish: Confirmation,
    ) -> Result<RecoveryCodes, PlatformError> {
        let wrong = || PlatformError::Refused("code: it is wrong".to_owned());
        self.may(super::Limit::TriesAt, &person.user.email).await?;
        let secret = self.platform().store().totp_secret(&person.user.id).await?;
        let secret = bytes(&secret.ok_or_else(wrong)?)?;
        let step = totp::step_of(&secret, &plain(&wish.code), self.now());
        let step = step.ok_or_else(wrong)?;
        let codes: Vec<String> = (0..CODES).map(|_| recovery_code()).collect();
        let hashes = codes.iter().map(|code| digest(&plain(code))).collect();
        let store = self.platform().store();
        let (by, user) = (person.own()?, person.user.id.clone());
        if !store.confirm_totp(by, user, step, hashes).await? {
            return Err(PlatformError::Conflict("There is a second factor".to_owned()));
        }
        self.forgive(&person.user.email).await?;
        store.end_other_sessions(person.user.id.clone(), person.session.id.clone()).await?;
        Ok(RecoveryCodes { recovery_codes: codes })
    }

    /// Ends the second factor.
    ///
    /// # Errors
    /// [`PlatformError::Forbidden`] for a wrong password or code.
    pub async fn remove_factor(
        &self,
        person: &Person,
        wish: RemoveFactor,
    ) -> Result<(), PlatformError> {
        self.knows_password(&person.user, wish.password).await?;
        if !self.second_factor(&person.user, &wish.code).await? {
            return Err(PlatformError::forbidden("Wrong code"));
        }
        self.forgive(&person.user.email).await?;
        let store = self.platform().store();
        Ok(store.remove_totp(person.own()?, person.user.id.clone()).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recovery_codes_are_read_however_they_are_typed() {
        let code = recovery_code();
        assert_eq!(code.len(), 19, "{code}");
        assert_eq!(plain(&code.to_lowercase().replace('-', " ")), plain(&code));
        assert_ne!(recovery_code(), code);
    }
}
