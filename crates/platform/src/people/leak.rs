//! Keys that somebody found in public (platform spec 1.2).
//!
//! Whoever shows a key could use it, so nobody has to say who they are to have it switched off. What is
//! answered is the same for every text: whether it is a key can be tried, and is not told here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use signalbox_core::id::AccountId;
use signalbox_store::{Actor, By, Found, Leak};

use super::{Limit, People, Visit};
use crate::PlatformError;
use crate::keys::hash_of;

/// Most finds of one report.
const MOST: usize = 100;
/// Longest text that is kept of what a finder says, in characters.
const LONGEST: usize = 500;

/// A find, in the form of GitHub's partner programme for secret scanning; more members may be there.
#[derive(Clone, Deserialize, JsonSchema)]
pub struct FoundToken {
    /// The whole key.
    pub token: String,
    /// Where it was found.
    pub url: Option<String>,
    /// What kind of place that is.
    pub source: Option<String>,
}

/// `POST /leaked-keys`: one find, or several.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum LeakReport {
    /// One.
    One(FoundToken),
    /// At most a hundred.
    Several(Vec<FoundToken>),
}

/// The answer to every report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Noted {
    /// How many texts were looked at.
    pub received: usize,
}

fn kept(text: Option<String>) -> Option<String> {
    let plain = |text: String| text.chars().filter(|one| !one.is_control()).take(LONGEST).collect();
    text.map(plain)
}

impl People {
    /// Switches off the keys that somebody found, and tells their owners. Gives the accounts whose keys
    /// they were.
    ///
    /// # Errors
    /// [`PlatformError::Refused`] for too many finds, [`PlatformError::TooOften`].
    pub async fn leaked(
        &self,
        visit: &Visit,
        report: LeakReport,
    ) -> Result<(Noted, Vec<AccountId>), PlatformError> {
        self.may(Limit::ReportFrom, &visit.network()).await?;
        let finds = match report {
            LeakReport::One(find) => vec![find],
            LeakReport::Several(finds) => finds,
        };
        if finds.len() > MOST {
            return Err(PlatformError::Refused(format!("at most {MOST} finds in one report")));
        }
        let received = finds.len();
        let store = self.platform().store();
        let mut concerned = Vec::new();
        for find in finds {
            let hash = hash_of(find.token.trim());
            let Some(key) = store.key(&hash).await? else { continue };
            let actor = Actor::Platform("leaked-keys");
            let by = By { account: key.account.clone(), actor, address: visit.text() };
            let leak = Leak { source: kept(find.source), url: kept(find.url) };
            if let Some(found) = store.leaked_key(by, hash, leak).await? {
                self.tell_of(&found);
                concerned.push(key.account);
            }
        }
        Ok((Noted { received }, concerned))
    }

    /// The letter says nothing that the finder said: it would be our word for a stranger's link.
    fn tell_of(&self, found: &Found) {
        let (name, label) = (&found.key.name, &found.key.label);
        for owner in &found.owners {
            self.deliver_to(
                owner,
                "An API key was found in public",
                format!(
                    "Somebody found the key \"{name}\" ({label}) in public and showed it to us. It is \
                     switched off.\n\nMake a new key, put it where the old one is in use, and delete \
                     the old one. Where it was found is in the audit log of the account, as the \
                     finder said it.\n{}",
                    self.public_url()
                ),
            );
        }
    }
}
