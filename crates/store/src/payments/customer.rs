//! Accounts as the card processor knows them.

use signalbox_core::id::AccountId;

use crate::error::StoreError;
use crate::sql::{Line, Row, query};
use crate::store::Store;
use crate::writer::Durability;

/// An account's customer, and the card that is kept for it there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// Our account.
    pub account: AccountId,
    /// The processor's id of the customer.
    pub customer_ref: String,
    /// The processor's id of the kept card.
    pub method_ref: Option<String>,
    /// What people know the card by, such as `visa ending in 4242`.
    pub method_label: Option<String>,
}

fn read(row: &Line) -> Result<Customer, StoreError> {
    Ok(Customer {
        account: AccountId::new(row.try_get::<String, _>(0)?),
        customer_ref: row.try_get(1)?,
        method_ref: row.try_get(2)?,
        method_label: row.try_get(3)?,
    })
}

impl Store {
    /// The customer of an account.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn customer(&self, account: &AccountId) -> Result<Option<Customer>, StoreError> {
        let row = query(
            "SELECT account_id, customer_ref, method_ref, method_label FROM payment_customers \
             WHERE account_id = $1",
        )
        .bind(account.as_str())
        .fetch_optional(self.readers())
        .await?;
        row.as_ref().map(read).transpose()
    }

    /// Notes the customer of an account; the first one stays. Answers the one that counts.
    ///
    /// # Errors
    /// [`StoreError::Constraint`] for an unknown account, or a customer of another.
    pub async fn name_customer(
        &self,
        account: &AccountId,
        customer_ref: String,
    ) -> Result<Customer, StoreError> {
        let (account, now) = (account.clone(), self.clock().now());
        self.write(Durability::Power, move |connection| {
            Box::pin(async move {
                query(
                    "INSERT INTO payment_customers (account_id, customer_ref, updated_at) \
                     VALUES ($1, $2, $3) ON CONFLICT (account_id) DO NOTHING",
                )
                .bind(account.as_str())
                .bind(customer_ref)
                .bind(now.micros())
                .execute(&mut *connection)
                .await?;
                let row = query(
                    "SELECT account_id, customer_ref, method_ref, method_label \
                     FROM payment_customers WHERE account_id = $1",
                )
                .bind(account.as_str())
                .fetch_one(connection)
                .await?;
                read(&row)
            })
        })
        .await
    }

    /// Notes the card that a customer lets us charge. Says whether the customer is one of ours.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn keep_method(
        &self,
        customer_ref: &str,
        method_ref: String,
        label: Option<String>,
    ) -> Result<bool, StoreError> {
        let (customer_ref, now) = (customer_ref.to_owned(), self.clock().now());
        self.write(Durability::Power, move |connection| {
            Box::pin(async move {
                let done = query(
                    "UPDATE payment_customers SET method_label = CASE WHEN method_ref = $1 \
                     THEN coalesce($2, method_label) ELSE $2 END, method_ref = $1, updated_at = $3 \
                     WHERE customer_ref = $4",
                )
                .bind(method_ref)
                .bind(label)
                .bind(now.micros())
                .bind(customer_ref)
                .execute(connection)
                .await?;
                Ok(done.rows_affected() == 1)
            })
        })
        .await
    }
}
