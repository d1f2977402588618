//! Letters on their way to a mail server, off the path of requests.
//!
//! A letter that is not taken now is tried again; one that never will be, or was tried often enough, is
//! given up. What waits is in memory: a process that ends loses it, and whoever waits for a letter asks
//! again.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use signalbox_runtime::task;
use signalbox_upstream::{Smtp, SmtpError};
use tokio::sync::Semaphore;

use super::{Letter, Mail};

/// Most letters that wait.
const WAITING: usize = 1_000;
/// Most letters that are handed over at the same time.
const AT_ONCE: usize = 4;
/// How long to wait before each other try.
const AGAIN: [Duration; 4] = [
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(120),
    Duration::from_secs(600),
];

/// What becomes of a letter.
pub type Carried<'a> = Pin<Box<dyn Future<Output = Result<(), SmtpError>> + Send + 'a>>;

/// Who takes letters to where they go.
pub trait Carrier: Debug + Send + Sync {
    /// Takes one.
    fn carry<'a>(&'a self, letter: &'a Letter) -> Carried<'a>;
}

impl Carrier for Smtp {
    fn carry<'a>(&'a self, letter: &'a Letter) -> Carried<'a> {
        Box::pin(self.send(&letter.to, letter.subject, &letter.text))
    }
}

/// Letters that wait for a carrier.
#[derive(Debug, Clone)]
pub struct QueuedMail(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    carrier: Arc<dyn Carrier>,
    waiting: Arc<Semaphore>,
    at_once: Semaphore,
}

impl QueuedMail {
    /// A queue in front of this carrier.
    #[must_use]
    pub fn new(carrier: Arc<dyn Carrier>) -> Self {
        let (waiting, at_once) = (Arc::new(Semaphore::new(WAITING)), Semaphore::new(AT_ONCE));
        Self(Arc::new(Inner { carrier, waiting, at_once }))
    }

    async fn deliver(&self, letter: &Letter) -> Result<(), SmtpError> {
        let mut pauses = AGAIN.iter();
        loop {
            // Closed is never: nothing closes it.
            let turn = self.0.at_once.acquire().await;
            let done = self.0.carrier.carry(letter).await;
            drop(turn);
            match (done, pauses.next()) {
                (Err(SmtpError::NotNow(_)), Some(pause)) => tokio::time::sleep(*pause).await,
                (done, _) => return done,
            }
        }
    }
}

impl Mail for QueuedMail {
    fn send(&self, letter: Letter) {
        let Ok(place) = Arc::clone(&self.0.waiting).try_acquire_owned() else {
            tracing::warn!(subject = letter.subject, "a letter was dropped: too many wait");
            return;
        };
        let this = self.clone();
        drop(task::spawn("letter", async move {
            let _place = place;
            if let Err(error) = this.deliver(&letter).await {
                tracing::warn!(subject = letter.subject, %error, "a letter was not delivered");
            }
        }));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Answers by what the address begins with, and keeps what it was brought.
    #[derive(Debug, Default)]
    struct Played(Mutex<Vec<String>>);

    impl Carrier for Played {
        fn carry<'a>(&'a self, letter: &'a Letter) -> Carried<'a> {
            Box::pin(async move {
                let mut brought = self.0.lock().unwrap();
                brought.push(letter.to.clone());
                let tries = brought.iter().filter(|to| **to == letter.to).count();
                match letter.to.as_str() {
                    "good" => Ok(()),
                    "third" if tries == 3 => Ok(()),
                    "never" => Err(SmtpError::Refused(550)),
                    _ => Err(SmtpError::NotNow(0)),
                }
            })
        }
    }

    fn letter(to: &str) -> Letter {
        Letter { to: to.to_owned(), subject: "s", text: "t".to_owned() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_letter_is_tried_again_while_there_is_hope() {
        let played = Arc::new(Played::default());
        let queue = QueuedMail::new(Arc::clone(&played) as _);
        for (to, tries, done) in [
            ("good", 1, Ok(())),
            ("third", 3, Ok(())),
            ("never", 1, Err(SmtpError::Refused(550))),
            ("later", 5, Err(SmtpError::NotNow(0))),
        ] {
            assert_eq!(queue.deliver(&letter(to)).await, done, "{to}");
            let brought = played.0.lock().unwrap();
            assert_eq!(brought.iter().filter(|one| *one == to).count(), tries, "{to}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_letters_wait_than_there_is_room_for() {
        let played = Arc::new(Played::default());
        let queue = QueuedMail::new(Arc::clone(&played) as _);
        for _ in 0..WAITING + 10 {
            queue.send(letter("later"));
        }
        assert_eq!(queue.0.waiting.available_permits(), 0);
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        assert_eq!(queue.0.waiting.available_permits(), WAITING);
        assert_eq!(played.0.lock().unwrap().len(), WAITING * (AGAIN.len() + 1));
    }
}
