//! Own provider keys of callers on their way from rows to the data plane, which meet here.

use signalbox_core::Secret;
use signalbox_gateway::{OwnKeys, OwnProviderKey};
use signalbox_policy::ByokKey;
use signalbox_store::{OpenedKey, Store};

/// The own keys that are stored. A key that can't be opened is not used; where its owner wants no
/// shared capacity in its place, it is there without being good for anything.
#[must_use]
pub fn own_keys(store: &Store) -> OwnKeys {
    let store = store.clone();
    OwnKeys::by(move |key| {
        let (store, key) = (store.clone(), key.clone());
        Box::pin(async move {
            let found = store.byok_for(&key).await?;
            Ok(found.into_iter().filter_map(own_key).collect())
        })
    })
}

fn own_key(one: OpenedKey) -> Option<OwnProviderKey> {
    let OpenedKey { record, secret } = one;
    // What is in memory of a version that could be opened once is not used for it.
    let (secret, version) = match secret {
        Some(secret) => (secret, record.version),
        None if record.always_use => (Secret::new(String::new()), record.version.saturating_neg()),
        None => return None,
    };
    let routing = ByokKey {
        id: record.id,
        label: record.name.unwrap_or(record.label),
        provider: record.provider,
        prioritized: !record.is_fallback,
        always_use: record.always_use,
        sort_order: record.sort_order,
        allowed_models: record.allowed_models,
        ..ByokKey::default()
    };
    Some(OwnProviderKey { routing, secret, version })
}
