//! What makes two requests the same: who asks, where, and every byte that changes the answer.

use sha2::{Digest, Sha256};
use signalbox_catalog::listing::Region;
use signalbox_core::id::{AccountId, KeyHash};

use super::compact::significant;
use crate::inbound::Surface;
use crate::shelf::Owned;

/// Who asks. Nobody else is ever given what is kept for one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Tenant {
    pub account: AccountId,
    pub key: KeyHash,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub surface: Surface,
    /// What was answered outside of a region is not given inside.
    pub region: Option<Region>,
    pub stream: bool,
    /// The models in order, as written.
    pub models: &'a [&'a str],
    /// Beta features, in order: a provider that is told of them answers otherwise.
    pub betas: &'a [String],
    /// The body: valid JSON.
    pub body: &'a [u8],
}

/// The place of an answer. The tenant is in it as it is, so that not even a collision could mix two.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct CacheKey {
    tenant: Tenant,
    digest: [u8; 32],
}

impl Owned for CacheKey {}

impl CacheKey {
    /// The key of a request by a tenant. White space between the tokens of the body makes no
    /// difference; the order of members and the text of numbers do.
    pub(crate) fn new(tenant: Tenant, asked: &Asked<'_>) -> Self {
        let mut body = Sha256::new();
        significant(asked.body, |piece| body.update(piece));
        let mut all = Sha256::new();
        let mut part = |bytes: &[u8]| {
            all.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
            all.update(bytes);
        };
        part(door(asked.surface));
        part(asked.region.map_or(b"", |region| region.name().as_bytes()));
        part(&[u8::from(asked.stream)]);
        for list in [asked.models.len(), asked.betas.len()] {
            part(&u64::try_from(list).unwrap_or(u64::MAX).to_be_bytes());
        }
        asked.models.iter().for_each(|model| part(model.as_bytes()));
        asked.betas.iter().for_each(|beta| part(beta.as_bytes()));
        part(&body.finalize());
        Self { tenant, digest: all.finalize().into() }
    }
}

/// A name for each door: what comes out is written in other words.
const fn door(surface: Surface) -> &'static [u8] {
    match surface {
        Surface::Chat => b"chat",
        Surface::Cursor => b"cursor",
        Surface::Completions => b"completions",
        Surface::Messages => b"messages",
        Surface::Responses => b"responses",
        Surface::Embeddings => b"embeddings",
        Surface::Rerank => b"rerank",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(account: &str, key: &str) -> Tenant {
        Tenant { account: AccountId::new(account), key: KeyHash::new(key) }
    }

    const ASKED: Asked<'static> = Asked {
        surface: Surface::Chat,
        region: None,
        stream: false,
        models: &["a/b"],
        betas: &[],
        body: br#"{"model":"a/b","n":1.0}"#,
    };

    #[test]
    fn whatever_changes_the_answer_changes_the_key() {
        let me = || tenant("acc", "key");
        let key = |asked: &Asked<'_>| CacheKey::new(me(), asked);
        let betas = ["x".to_owned(), "y".to_owned()];
        let joined = ["xy".to_owned()];
        let others = [
            Asked { surface: Surface::Cursor, ..ASKED },
            Asked { stream: true, ..ASKED },
            Asked { region: Some(Region::Eu), ..ASKED },
            Asked { region: Some(Region::Us), ..ASKED },
            Asked { models: &["a/b", "c/d"], ..ASKED },
            Asked { models: &["a/bc/d"], ..ASKED },
            Asked { models: &[], ..ASKED },
            Asked { betas: &betas, ..ASKED },
            Asked { betas: &joined, ..ASKED },
            Asked { models: &["a/b", "x"], betas: &betas[1..], ..ASKED },
            Asked { body: br#"{"n":1.0,"model":"a/b"}"#, ..ASKED },
            Asked { body: br#"{"model":"a/b","n":1}"#, ..ASKED },
            Asked { body: br#"{"model":"a/b ","n":1.0}"#, ..ASKED },
            Asked { body: br#"{"model":"a/b","n":1.0,"temperature":1}"#, ..ASKED },
        ];
        let mut seen = vec![key(&ASKED)];
        for other in &others {
            let key = key(other);
            assert!(!seen.contains(&key), "{other:?}");
            seen.push(key);
        }
        let spaced = Asked { body: b" {\n\t\"model\" : \"a/b\",\r\n \"n\": 1.0 }\n", ..ASKED };
        assert_eq!(key(&spaced), key(&ASKED));
    }

    #[test]
    fn two_keys_of_one_account_and_two_accounts_share_nothing() {
        let all = [tenant("acc", "k1"), tenant("acc", "k2"), tenant("acd", "k1")];
        let keys: Vec<_> = all.into_iter().map(|one| CacheKey::new(one, &ASKED)).collect();
        assert!(keys[0] != keys[1] && keys[0] != keys[2] && keys[1] != keys[2]);
        assert_eq!(keys[0], CacheKey::new(tenant("acc", "k1"), &ASKED));
    }
}
