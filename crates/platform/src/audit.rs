//! Stored rows, handed to the auditor, which computes everything a second time.

use signalbox_auditor::{
    AccountRow, GenerationRow, KeyUsageRow, Report, ReservationRow, Rows, TransferRow, audit,
};
use signalbox_store::audit::{
    BalanceFact, GenerationFact, KeyUsageFact, ReservationFact, TransferFact,
};

use crate::{Platform, PlatformError};

impl Platform {
    /// Checks the money invariants over one consistent view of the rows. It may run beside a server;
    /// reservations younger than a minute are no breach.
    ///
    /// # Errors
    /// [`PlatformError::Store`] when the rows can't be read. Breaches are in the report.
    pub async fn audit(&self) -> Result<Report, PlatformError> {
        let facts = self.store.facts().await?;
        let rows = Rows {
            accounts: facts.balances.into_iter().map(account),
            transfers: facts.transfers.into_iter().map(transfer),
            reservations: facts.reservations.into_iter().map(reservation),
            generations: facts.generations.into_iter().map(generation),
            key_usage: facts.key_usage.into_iter().map(key_usage),
        };
        Ok(audit(rows, self.store.clock().now()))
    }
}

fn account(row: BalanceFact) -> AccountRow {
    AccountRow { id: row.account, credited_nanos: row.credited, charged_nanos: row.charged }
}

fn transfer(row: TransferFact) -> TransferRow {
    TransferRow {
        seq: row.seq,
        id: row.id,
        kind: row.kind,
        debit: row.debit,
        credit: row.credit,
        amount_nanos: row.amount,
        generation: row.generation,
        reason: row.reason,
        at_micros: row.at,
        prev_hash: row.prev_hash,
        hash: row.hash,
    }
}

fn reservation(row: ReservationFact) -> ReservationRow {
    ReservationRow {
        generation: row.generation,
        account: row.account,
        key: row.key,
        amount_nanos: row.amount,
        opened_at_micros: row.opened_at,
        ended_at_micros: row.ended_at,
        outcome: row.outcome,
    }
}

fn generation(row: GenerationFact) -> GenerationRow {
    GenerationRow {
        id: row.id,
        account: row.account,
        key: row.key,
        priced_at_micros: row.created_at,
        finish_reason: row.finish_reason,
        usage: row.usage,
        prices: row.prices,
        cost_nanos: row.cost,
    }
}

fn key_usage(row: KeyUsageFact) -> KeyUsageRow {
    KeyUsageRow { key: row.key, day: row.day, charged_nanos: row.charged }
}
