//! Accounts and their balances.

use signalbox_core::id::{AccountId, UserId};
use signalbox_core::{Timestamp, Usd};

use crate::changes::{Change, announce};
use crate::error::StoreError;
use crate::movements::{self, Movement};
use crate::sql::{Connection, Line, Row, query};
use crate::store::Store;
use crate::workspaces;
use crate::writer::Durability;

/// Who pays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRecord {
    /// The account.
    pub id: AccountId,
    /// Its address, in lower case; unique.
    pub email: String,
    /// When it was made.
    pub created_at: Timestamp,
}

impl AccountRecord {
    /// The person whose account it is: the two ids have the same letters.
    #[must_use]
    pub fn owner(&self) -> UserId {
        let letters = self.id.as_str().strip_prefix("acc_").unwrap_or(self.id.as_str());
        UserId::new(format!("user_{letters}"))
    }
}

/// What came in and what went out, since the account was made. The balance is the difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Balance {
    /// All credit that came in, however it did.
    pub credited: Usd,
    /// All charges.
    pub charged: Usd,
    /// What went out otherwise: refunds, transfers, corrections, what became too old.
    pub withdrawn: Usd,
    /// What the account may owe; 0 unless it is billed in arrears.
    pub line: Usd,
}

impl Balance {
    /// What is left, holds of running requests not taken off.
    #[must_use]
    pub const fn posted(&self) -> Usd {
        self.credited.saturating_sub(self.charged).saturating_sub(self.withdrawn)
    }
}

fn read_account(row: &Line) -> Result<AccountRecord, StoreError> {
    Ok(AccountRecord {
        id: AccountId::new(row.try_get::<String, _>("id")?),
        email: row.try_get("email")?,
        created_at: Timestamp::from_micros(row.try_get("created_at")?),
    })
}

pub(crate) fn read_balance(row: &Line) -> Result<Balance, StoreError> {
    let amount = |index: usize| row.try_get(index).map(Usd::from_nanos);
    Ok(Balance {
        credited: amount(0)?,
        charged: amount(1)?,
        withdrawn: amount(2)?,
        line: amount(3)?,
    })
}

/// A person's account: the person, the account, its balance, its workspace.
async fn insert(connection: &mut Connection, row: &AccountRecord) -> Result<(), StoreError> {
    let owner = row.owner();
    query("INSERT INTO users (id, email, created_at) VALUES ($1, $2, $3)")
        .bind(owner.as_str())
        .bind(&row.email)
        .bind(row.created_at.micros())
        .execute(&mut *connection)
        .await?;
    query("INSERT INTO accounts (id, email, created_at, owner_id) VALUES ($1, $2, $3, $4)")
        .bind(row.id.as_str())
        .bind(&row.email)
        .bind(row.created_at.micros())
        .bind(owner.as_str())
        .execute(&mut *connection)
        .await?;
    furnish(connection, &row.id, row.created_at).await
}

/// What every account has: its balance, its default workspace.
async fn furnish(
    connection: &mut Connection,
    account: &AccountId,
    now: Timestamp,
) -> Result<(), StoreError> {
    query("INSERT INTO balances (account_id) VALUES ($1)")
        .bind(account.as_str())
        .execute(&mut *connection)
        .await?;
    workspaces::make_default(connection, account, now).await
}

/// A person with an account and this promotional credit, announced.
pub(crate) async fn add(
    connection: &mut Connection,
    row: &AccountRecord,
    promo: Usd,
) -> Result<(), StoreError> {
    let now = row.created_at;
    insert(connection, row).await?;
    if promo > Usd::ZERO {
        movements::post(connection, &Movement::promo(&row.id, promo, now)).await?;
    }
    announce(connection, &Change::Account(row.id.clone()), now).await
}

/// The account of an organization, with this address for bills.
pub(crate) async fn add_organization(
    connection: &mut Connection,
    row: &AccountRecord,
    name: &str,
) -> Result<(), StoreError> {
    query(
        "INSERT INTO accounts (id, email, created_at, kind, name) VALUES ($1, $2, $3, 'org', $4)",
    )
    .bind(row.id.as_str())
    .bind(&row.email)
    .bind(row.created_at.micros())
    .bind(name)
    .execute(&mut *connection)
    .await?;
    furnish(connection, &row.id, row.created_at).await
}

impl Store {
    /// Adds an account with no balance.
    ///
    /// # Errors
    /// [`StoreError::Constraint`] when the address or the id is taken.
    pub async fn create_account(
        &self,
        id: AccountId,
        email: &str,
    ) -> Result<AccountRecord, StoreError> {
        self.create_account_with(id, email, Usd::ZERO).await
    }

    /// Adds an account with this promotional credit, in one commit. Zero is none.
    ///
    /// # Errors
    /// As [`Store::create_account`].
    pub async fn create_account_with(
        &self,
        id: AccountId,
        email: &str,
        promo: Usd,
    ) -> Result<AccountRecord, StoreError> {
        let now = self.clock().now();
        let account = AccountRecord { id, email: email.to_lowercase(), created_at: now };
        let row = account.clone();
        self.write(Durability::Power, move |connection| {
            Box::pin(async move { add(connection, &row, promo).await })
        })
        .await?;
        Ok(account)
    }

    /// The account with this id.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn account(&self, id: &AccountId) -> Result<Option<AccountRecord>, StoreError> {
        let row = query("SELECT id, email, created_at FROM accounts WHERE id = $1")
            .bind(id.as_str())
            .fetch_optional(self.readers())
            .await?;
        row.as_ref().map(read_account).transpose()
    }

    /// The account that was made first, if there is any.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn first_account(&self) -> Result<Option<AccountRecord>, StoreError> {
        let row =
            query("SELECT id, email, created_at FROM accounts ORDER BY created_at, id LIMIT 1")
                .fetch_optional(self.readers())
                .await?;
        row.as_ref().map(read_account).transpose()
    }

    /// What the account received and spent, as durable now; `None` when there is no such account.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn balance(&self, id: &AccountId) -> Result<Option<Balance>, StoreError> {
        self.caught_up().await;
        let row =
            query("SELECT credited, charged, withdrawn, line FROM balances WHERE account_id = $1")
                .bind(id.as_str())
                .fetch_optional(self.readers())
                .await?;
        row.as_ref().map(read_balance).transpose()
    }
}
