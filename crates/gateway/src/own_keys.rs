//! A caller's own provider keys: which there are, and how attempts are made with them (platform spec
//! 5.2).
//!
//! They are read with the key of the caller and live as long as that is in memory. Keys of one account
//! share what was made of the same own key, so that an access token is fetched once; nothing is shared
//! between accounts.

mod access;
mod allowance;

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use signalbox_core::Secret;
use signalbox_policy::ByokKey;
use signalbox_store::{KeyRecord, StoreError};

use crate::account::Account;

pub(crate) use self::access::Access;
pub(crate) use self::allowance::OwnUse;

/// An own key of a caller, as it is stored.
#[derive(Debug, Clone)]
pub struct OwnProviderKey {
    /// When it may be used; its id is unique in its account. What follows from the credential is
    /// filled in here.
    pub routing: ByokKey,
    /// The credential as it was given.
    pub secret: Secret<String>,
    /// Grows whenever the credential changes.
    pub version: i64,
}

type Found = Pin<Box<dyn Future<Output = Result<Vec<OwnProviderKey>, StoreError>> + Send>>;

/// Which provider keys the caller with a key may use.
type LookUp = dyn Fn(&KeyRecord) -> Found + Send + Sync;

/// Where the own provider keys of callers come from. By default nobody has any.
#[derive(Clone, Default)]
pub struct OwnKeys(Option<Arc<LookUp>>);

impl OwnKeys {
    /// Those that `look_up` answers. It is asked once for a key that is kept in memory, and again after
    /// news of its account; while it fails, the caller can't be served.
    #[must_use]
    pub fn by(look_up: impl Fn(&KeyRecord) -> Found + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(look_up)))
    }

    /// The same own keys for everybody.
    #[must_use]
    pub fn fixed(keys: Vec<OwnProviderKey>) -> Self {
        Self::by(move |_| {
            let keys = keys.clone();
            Box::pin(std::future::ready(Ok(keys)))
        })
    }

    /// The own keys of a caller whose plan allows them.
    pub(crate) async fn of(
        &self,
        key: &KeyRecord,
        account: &Account,
    ) -> Result<Vec<OwnKey>, StoreError> {
        let allowed = account.terms().plan.byok_allowed;
        match self.0.as_ref().filter(|_| allowed) {
            None => Ok(Vec::new()),
            Some(look_up) => Ok(account.own.keys(key.account.as_str(), look_up(key).await?)),
        }
    }
}

impl fmt::Debug for OwnKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OwnKeys").field(&self.0.is_some()).finish()
    }
}

/// An own key in memory.
#[derive(Debug, Clone)]
pub(crate) struct OwnKey {
    /// When it is used.
    pub routing: Arc<ByokKey>,
    /// How calls are made with it.
    pub access: Arc<Access>,
}

/// What was made of the credentials of one account, as long as somebody uses it.
#[derive(Debug, Default)]
pub(crate) struct Ring(Mutex<Vec<Weak<Access>>>);

impl Ring {
    /// These keys, with what is in memory already of those whose credential did not change.
    fn keys(&self, account: &str, stored: Vec<OwnProviderKey>) -> Vec<OwnKey> {
        let mut ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known: Vec<Arc<Access>> = ring.iter().filter_map(Weak::upgrade).collect();
        *ring = known.iter().map(Arc::downgrade).collect();
        let one = |stored: OwnProviderKey| {
            // What is known of a credential ends with it: so does its rest after a refusal.
            let seat = format!("{account}/{}/{}", stored.routing.id, stored.version);
            let found = known.iter().find(|one| one.seat == seat).map(Arc::clone);
            let access = found.unwrap_or_else(|| {
                let fresh = Arc::new(Access::new(seat, &stored.secret));
                ring.push(Arc::downgrade(&fresh));
                fresh
            });
            OwnKey { routing: Arc::new(access.completes(stored.routing)), access }
        };
        stored.into_iter().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(id: &str, version: i64) -> OwnProviderKey {
        let routing = ByokKey { id: id.to_owned(), ..ByokKey::default() };
        OwnProviderKey { routing, secret: Secret::new("sk-1".to_owned()), version }
    }

    #[test]
    fn a_credential_is_read_once_for_all_keys_of_an_account_and_goes_with_the_last() {
        let ring = Ring::default();
        let first = ring.keys("a", vec![stored("k", 1), stored("l", 1)]);
        let again = ring.keys("a", vec![stored("k", 1)]);
        assert!(Arc::ptr_eq(&first[0].access, &again[0].access));
        let changed = ring.keys("a", vec![stored("k", 2)]);
        assert!(!Arc::ptr_eq(&first[0].access, &changed[0].access));
        assert_ne!(first[0].routing.id, changed[0].routing.id, "another seat on the board");
        drop((first, again));
        drop(ring.keys("a", Vec::new()));
        assert_eq!(ring.0.lock().unwrap().len(), 1, "the one that is in use");
        assert_ne!(
            Ring::default().keys("b", vec![stored("k", 2)])[0].routing.id,
            changed[0].routing.id
        );
    }
}
