//! The stored rows, looked up the way a test asks.

use std::collections::HashMap;
use std::time::Duration;

use signalbox_core::Usd;
use signalbox_core::id::{AccountId, GenerationId};
use signalbox_store::audit::Facts;
use signalbox_store::{GenerationRow, Store};

use crate::watch;

/// Everything about money that the database has.
pub struct Books {
    store: Store,
    pub facts: Facts,
    /// Charges by generation; more than one would be one too many.
    charges: HashMap<String, Vec<Usd>>,
    /// Accounts by generation.
    accounts: HashMap<String, AccountId>,
}

/// Longest that a charge may be on its way from an outbox to the database, three times.
const POSTED_WITHIN: Duration = Duration::from_secs(90);

impl Books {
    /// The books as soon as they have a charge for this generation, and how long that took. On SQLite
    /// it is there at once; with PostgreSQL a charge is durable in an outbox first.
    pub async fn with_charge(store: &Store, generation: &str) -> (Self, Duration) {
        let began = watch::now();
        loop {
            let books = Self::read(store).await;
            let waited = watch::now() - began;
            if !books.charges(generation).is_empty() {
                return (books, waited);
            }
            assert!(waited < POSTED_WITHIN, "{generation} is not charged");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub async fn read(store: &Store) -> Self {
        let facts = store.facts().await.expect("a database that answers");
        let mut charges: HashMap<String, Vec<Usd>> = HashMap::new();
        for transfer in facts.transfers.iter().filter(|one| one.kind == "charge") {
            let generation = transfer.generation.clone().expect("a charge names its generation");
            charges.entry(generation).or_default().push(Usd::from_nanos(transfer.amount));
        }
        let accounts = facts
            .generations
            .iter()
            .map(|row| (row.id.clone(), AccountId::new(row.account.clone())))
            .collect();
        Self { store: store.clone(), facts, charges, accounts }
    }

    /// What a generation was charged, one entry for each transfer.
    pub fn charges(&self, generation: &str) -> &[Usd] {
        self.charges.get(generation).map_or(&[], Vec::as_slice)
    }

    /// The row of a generation.
    pub async fn row(&self, generation: &str) -> Option<GenerationRow> {
        let account = self.accounts.get(generation)?;
        self.store.generation(account, &GenerationId::new(generation)).await.unwrap()
    }

    /// Reservations that have not ended.
    pub fn open(&self) -> usize {
        self.facts.reservations.iter().filter(|row| row.ended_at.is_none()).count()
    }
}
