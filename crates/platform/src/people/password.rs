//! Passwords: Argon2id with the least figures that OWASP's cheat sheet on password storage names, 19 MiB
//! of memory, two passes, one lane. Hashing keeps a processor busy for tens of milliseconds, so it has
//! threads of its own, and not many.

use std::sync::Arc;

use argon2::password_hash::SaltString;
use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version};
use signalbox_core::Secret;
use signalbox_runtime::{entropy, task};
use tokio::sync::Semaphore;

use crate::PlatformError;

const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Hashed at the same time: each takes its memory.
const AT_ONCE: usize = 2;
/// Waiting for that; whoever comes then is sent away.
const WAITING: usize = 64;

/// Fewest characters.
const SHORTEST: usize = 10;
/// Most bytes.
const LONGEST: usize = 1_024;

#[derive(Debug, Clone)]
pub(crate) struct Passwords {
    work: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    /// The hash of a password that nobody has, for people who don't exist.
    nobody: Arc<std::sync::OnceLock<String>>,
}

fn argon() -> Result<Argon2<'static>, String> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|e| e.to_string())?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &str) -> Result<String, String> {
    let salt = SaltString::encode_b64(&entropy::bytes()).map_err(|e| e.to_string())?;
    let hash = argon()?.hash_password(password.as_bytes(), &salt).map_err(|e| e.to_string())?;
    Ok(hash.to_string())
}

fn matches(password: &str, hash: &str) -> Result<bool, String> {
    let hash = PasswordHash::new(hash).map_err(|e| e.to_string())?;
    Ok(argon()?.verify_password(password.as_bytes(), &hash).is_ok())
}

fn broken(reason: String) -> PlatformError {
    signalbox_store::StoreError::Damaged(format!("password: {reason}")).into()
}

/// A password that may be set.
///
/// # Errors
/// [`PlatformError::Refused`].
pub(crate) fn checked(password: &str, email: &str) -> Result<(), PlatformError> {
    let refused = |why: String| Err(PlatformError::Refused(format!("password: {why}")));
    if password.chars().count() < SHORTEST || password.len() > LONGEST {
        return refused(format!("at least {SHORTEST} characters, at most {LONGEST} bytes"));
    }
    if password.eq_ignore_ascii_case(email) {
        return refused("not the e-mail address".to_owned());
    }
    Ok(())
}

impl Passwords {
    pub fn new() -> Self {
        Self {
            work: Arc::new(Semaphore::new(AT_ONCE)),
            queue: Arc::new(Semaphore::new(AT_ONCE + WAITING)),
            nobody: Arc::default(),
        }
    }

    /// Does it on another thread, when its turn comes.
    async fn turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, String> + Send + 'static,
    ) -> Result<T, PlatformError> {
        let _place = self.queue.try_acquire().map_err(|_| PlatformError::Busy)?;
        // It goes with the work: a caller who leaves does not make room for another one meanwhile.
        let turn = Arc::clone(&self.work).acquire_owned().await;
        let turn = turn.map_err(|_| PlatformError::Busy)?;
        let done = task::blocking("password", move || {
            let _turn = turn;
            work()
        });
        done.await.ok_or(PlatformError::Busy)?.map_err(broken)
    }

    /// What is stored of a password.
    pub async fn hash(&self, password: Secret<String>) -> Result<Secret<String>, PlatformError> {
        self.turn(move || hash(password.expose()).map(Secret::new)).await
    }

    /// Whether it is this password. Where there is none, that takes as long and says no.
    pub async fn matches(
        &self,
        password: Secret<String>,
        stored: Option<Secret<String>>,
    ) -> Result<bool, PlatformError> {
        let nobody = Arc::clone(&self.nobody);
        self.turn(move || match stored {
            Some(stored) => matches(password.expose(), stored.expose()),
            None => {
                let hashed = match nobody.get() {
                    Some(hashed) => hashed,
                    None => {
                        let made = hash(super::token().expose())?;
                        nobody.get_or_init(|| made)
                    }
                };
                matches(password.expose(), hashed).map(|_| false)
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_by_its_hash_alone() {
        let passwords = Passwords::new();
        let secret = |text: &str| Secret::new(text.to_owned());
        let stored = passwords.hash(secret("correct horse")).await.unwrap();
        assert!(stored.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        let again = passwords.hash(secret("correct horse")).await.unwrap();
        assert_ne!(stored, again, "salted");
        assert!(passwords.matches(secret("correct horse"), Some(stored.clone())).await.unwrap());
        assert!(!passwords.matches(secret("correct hors"), Some(stored)).await.unwrap());
        assert!(!passwords.matches(secret("correct horse"), None).await.unwrap());
    }

    #[test]
    fn short_and_endless_passwords_are_refused() {
        assert!(checked("ten chars!", "a@b").is_ok());
        for bad in ["", "nine char", &"x".repeat(1_025), "Someone@Example.Com"] {
            assert!(checked(bad, "someone@example.com").is_err(), "{bad}");
        }
    }
}
