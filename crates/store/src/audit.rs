//! The rows that the auditor reads: one consistent view, page by page, nothing interpreted.

use signalbox_auditor::{
    AccountRow, Audit, GenerationRow, InvoiceRow, KeyRow, PaymentRow, Report, ReservationRow,
    TransferRow, UsageRow, VoucherRow,
};
pub use signalbox_auditor::{
    GenerationRow as GenerationFact, ReservationRow as ReservationFact, TransferRow as TransferFact,
};

use crate::error::StoreError;
use crate::generations::parse;
use crate::sql::{AssertSqlSafe, Connection, Line, Row, query};
use crate::store::Store;

/// Rows that are in memory at a time.
const PAGE: i64 = 2000;

/// All transfers and reservations, for looking at.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// All transfers in the order of their position.
    pub transfers: Vec<TransferFact>,
    /// All reservations.
    pub reservations: Vec<ReservationFact>,
    /// All generations.
    pub generations: Vec<GenerationFact>,
}

impl Store {
    /// Checks the money invariants over all rows as they are at one moment; a running server does not
    /// make them disagree. The rows pass through: a large database does not fill the memory.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer or a value is damaged. Breaches are in the
    /// report.
    pub async fn audit(&self) -> Result<Report, StoreError> {
        // Taken before the view: a reservation is never held to be older than it is.
        let mut audit = Audit::new(self.clock().now());
        let mut view = self.readers().begin().await?;
        causes(&mut view, &mut audit).await?;
        transfers(&mut view, |row| audit.transfer(row)).await?;
        reservations(&mut view, |row| audit.reservation(row)).await?;
        generations(&mut view, |row| audit.generation(&row)).await?;
        let sql = "SELECT scope, day, charged, byok, requests FROM usage \
                   WHERE (scope > $1 OR (scope = $1 AND day > $2)) ORDER BY scope, day LIMIT $3";
        let mut after = (String::new(), i64::MIN);
        loop {
            let rows =
                query(sql).bind(&after.0).bind(after.1).bind(PAGE).fetch_all(&mut *view).await?;
            for row in &rows {
                let row = usage(row)?;
                after = (row.scope.clone(), row.day);
                audit.usage(row);
            }
            if rows.is_empty() {
                return Ok(audit.finish());
            }
        }
    }

    /// Transfers, reservations and generations, all of them.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer or a value is damaged.
    pub async fn facts(&self) -> Result<Facts, StoreError> {
        self.caught_up().await;
        let mut view = self.readers().begin().await?;
        let mut facts = Facts::default();
        transfers(&mut view, |row| facts.transfers.push(row)).await?;
        reservations(&mut view, |row| facts.reservations.push(row)).await?;
        generations(&mut view, |row| facts.generations.push(row)).await?;
        Ok(facts)
    }
}

/// Accounts, and what money came from: far fewer rows than generations.
async fn causes(connection: &mut Connection, audit: &mut Audit) -> Result<(), StoreError> {
    let sql = "SELECT b.account_id, b.credited, b.charged, b.withdrawn, b.line, b.most_line, \
               a.purchased FROM balances b JOIN accounts a ON a.id = b.account_id";
    for row in &query(sql).fetch_all(&mut *connection).await? {
        audit.account(account(row)?);
    }
    let sql = "SELECT hash, account_id, workspace_id, lineage FROM api_keys";
    for row in &query(sql).fetch_all(&mut *connection).await? {
        audit.key(KeyRow {
            key: row.try_get(0)?,
            account: row.try_get(1)?,
            workspace: row.try_get(2)?,
            lineage: row.try_get(3)?,
        });
    }
    let sql = "SELECT id, account_id, rail, amount, refunded, paid_at FROM payments";
    for row in &query(sql).fetch_all(&mut *connection).await? {
        audit.payment(payment(row)?);
    }
    let sql = "SELECT code_hash, amount, uses, redeemed FROM vouchers";
    for row in &query(sql).fetch_all(&mut *connection).await? {
        let mut voucher = voucher(row)?;
        let redeemers = query("SELECT account_id FROM redemptions WHERE code_hash = $1")
            .bind(&voucher.code_hash)
            .fetch_all(&mut *connection)
            .await?;
        for redeemer in &redeemers {
            voucher.accounts.push(redeemer.try_get(0)?);
        }
        audit.voucher(voucher);
    }
    let sql = "SELECT id, account_id, amount, status FROM invoices";
    for row in &query(sql).fetch_all(&mut *connection).await? {
        let status: String = row.try_get(3)?;
        audit.invoice(InvoiceRow {
            id: row.try_get(0)?,
            account: row.try_get(1)?,
            amount: row.try_get(2)?,
            paid: status == "paid",
        });
    }
    Ok(())
}

async fn transfers(
    connection: &mut Connection,
    mut each: impl FnMut(TransferRow),
) -> Result<(), StoreError> {
    let sql = "SELECT seq, id, kind, debit, credit, amount, generation, reason, at, prev_hash, hash \
               FROM transfers WHERE seq > $1 ORDER BY seq LIMIT $2";
    let mut after = i64::MIN;
    loop {
        let rows = query(sql).bind(after).bind(PAGE).fetch_all(&mut *connection).await?;
        for row in &rows {
            let row = transfer(row)?;
            after = row.seq;
            each(row);
        }
        if rows.is_empty() {
            return Ok(());
        }
    }
}

async fn reservations(
    connection: &mut Connection,
    mut each: impl FnMut(ReservationRow),
) -> Result<(), StoreError> {
    let columns = "generation, account_id, key_hash, amount, opened_at, ended_at, outcome, scopes";
    pages(connection, "reservations", "generation", columns, |row| {
        each(reservation(row)?);
        Ok(())
    })
    .await
}

async fn generations(
    connection: &mut Connection,
    mut each: impl FnMut(GenerationRow),
) -> Result<(), StoreError> {
    let columns = "id, account_id, key_hash, created_at, finish_reason, usage, prices, cost, byok, fee_bps, \
         byok_free";
    pages(connection, "generations", "id", columns, |row| {
        each(generation(row)?);
        Ok(())
    })
    .await
}

/// Reads a table by its key, which is the first of the columns. The database orders and compares: the
/// two of them need not do it alike.
async fn pages(
    connection: &mut Connection,
    table: &str,
    key: &str,
    columns: &str,
    mut each: impl FnMut(&Line) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let sql = format!("SELECT {columns} FROM {table} WHERE {key} > $1 ORDER BY {key} LIMIT $2");
    let mut after = String::new();
    loop {
        let text = AssertSqlSafe(sql.clone());
        let rows = query(text).bind(&after).bind(PAGE).fetch_all(&mut *connection).await?;
        for row in &rows {
            each(row)?;
        }
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.try_get(0)?;
    }
}

fn account(row: &Line) -> Result<AccountRow, StoreError> {
    Ok(AccountRow {
        id: row.try_get(0)?,
        credited: row.try_get(1)?,
        charged: row.try_get(2)?,
        withdrawn: row.try_get(3)?,
        line: row.try_get(4)?,
        most_line: row.try_get(5)?,
        purchased: row.try_get(6)?,
    })
}

fn payment(row: &Line) -> Result<PaymentRow, StoreError> {
    Ok(PaymentRow {
        id: row.try_get(0)?,
        account: row.try_get(1)?,
        rail: row.try_get(2)?,
        amount: row.try_get(3)?,
        refunded: row.try_get(4)?,
        paid: row.try_get::<Option<i64>, _>(5)?.is_some(),
    })
}

fn voucher(row: &Line) -> Result<VoucherRow, StoreError> {
    Ok(VoucherRow {
        code_hash: row.try_get(0)?,
        amount: row.try_get(1)?,
        uses: row.try_get(2)?,
        redeemed: row.try_get(3)?,
        accounts: Vec::new(),
    })
}

fn transfer(row: &Line) -> Result<TransferRow, StoreError> {
    Ok(TransferRow {
        seq: row.try_get(0)?,
        id: row.try_get(1)?,
        kind: row.try_get(2)?,
        debit: row.try_get(3)?,
        credit: row.try_get(4)?,
        amount: row.try_get(5)?,
        generation: row.try_get(6)?,
        reason: row.try_get(7)?,
        at: row.try_get(8)?,
        prev_hash: row.try_get(9)?,
        hash: row.try_get(10)?,
    })
}

fn reservation(row: &Line) -> Result<ReservationRow, StoreError> {
    Ok(ReservationRow {
        generation: row.try_get(0)?,
        account: row.try_get(1)?,
        key: row.try_get(2)?,
        amount: row.try_get(3)?,
        opened_at: row.try_get(4)?,
        ended_at: row.try_get(5)?,
        outcome: row.try_get(6)?,
        scopes: row.try_get::<Option<String>, _>(7)?.as_deref().map(scopes).transpose()?,
    })
}

fn scopes(text: &str) -> Result<Vec<String>, StoreError> {
    if text.is_empty() { Ok(Vec::new()) } else { parse("scopes", text) }
}

fn generation(row: &Line) -> Result<GenerationRow, StoreError> {
    let usage: &str = row.try_get(5)?;
    let prices: Option<&str> = row.try_get(6)?;
    let fee_bps: Option<i64> = row.try_get(9)?;
    Ok(GenerationRow {
        id: row.try_get(0)?,
        account: row.try_get(1)?,
        key: row.try_get(2)?,
        created_at: row.try_get(3)?,
        finish_reason: row.try_get(4)?,
        usage: parse("usage", usage)?,
        prices: prices.map(|prices| parse("prices", prices)).transpose()?,
        cost: row.try_get(7)?,
        byok: row.try_get(8)?,
        fee_bps: fee_bps.map(|bps| u32::try_from(bps).unwrap_or(u32::MAX)),
        byok_free: row.try_get(10)?,
    })
}

fn usage(row: &Line) -> Result<UsageRow, StoreError> {
    Ok(UsageRow {
        scope: row.try_get(0)?,
        day: row.try_get(1)?,
        charged: row.try_get(2)?,
        byok: row.try_get(3)?,
        requests: row.try_get(4)?,
    })
}
