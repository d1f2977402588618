//! Mail to people.

mod queue;

use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};

pub use queue::{Carried, Carrier, QueuedMail};

/// A letter. Its text holds secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// The address.
    pub to: String,
    /// The subject.
    pub subject: &'static str,
    /// The text.
    pub text: String,
}

impl Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Letter").field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// Who carries letters. Sending does not wait for delivery.
pub trait Mail: Debug + Send + Sync {
    /// Takes a letter.
    fn send(&self, letter: Letter);
}

/// Prints letters to the log, secrets and all: for installations without a mail server, whose operator
/// reads the log and passes links on.
#[derive(Debug, Default)]
pub struct PrintedMail;

impl Mail for PrintedMail {
    fn send(&self, letter: Letter) {
        tracing::warn!(to = %letter.to, subject = letter.subject, "{}", letter.text);
    }
}

/// Keeps letters, for tests.
#[derive(Debug, Default)]
pub struct KeptMail(Mutex<Vec<Letter>>);

impl KeptMail {
    /// The letters to this address, the first one first.
    #[must_use]
    pub fn to(&self, address: &str) -> Vec<Letter> {
        let letters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        letters.iter().filter(|letter| letter.to == address).cloned().collect()
    }
}

impl Mail for KeptMail {
    fn send(&self, letter: Letter) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(letter);
    }
}
