//! Browsers on their way to an identity provider and back.

use signalbox_core::Timestamp;
use signalbox_core::id::UserId;

use crate::error::StoreError;
use crate::sql::{AssertSqlSafe, Line, Row, query};
use crate::store::Store;
use crate::writer::Durability;

/// What for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Errand {
    /// Signing in.
    SignIn,
    /// Linking an identity to somebody who is signed in.
    Link,
    /// Trying out a connection.
    Test,
    /// It is back; a code of the second factor is still to come.
    Factor,
}

impl Errand {
    const fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Link => "link",
            Self::Test => "test",
            Self::Factor => "factor",
        }
    }

    fn read(name: &str) -> Result<Self, StoreError> {
        let all = [Self::SignIn, Self::Link, Self::Test, Self::Factor];
        let damaged = || StoreError::Damaged(format!("purpose {name}"));
        all.into_iter().find(|one| one.name() == name).ok_or_else(damaged)
    }
}

/// A browser under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInRecord {
    /// SHA-256 of the state, in hex.
    pub hash: String,
    /// SHA-256 of what the browser keeps, in hex.
    pub browser: String,
    /// Where to: the id of a provider or of a connection.
    pub source: String,
    /// What for.
    pub errand: Errand,
    /// Who is signed in, or nearly.
    pub user: Option<UserId>,
    /// The path that it goes to afterwards.
    pub return_to: String,
    /// Until when.
    pub expires_at: Timestamp,
}

const COLUMNS: &str = "hash, browser, source, purpose, user_id, return_to, expires_at";
/// The one with this hash, of this browser, that is not too old.
const THIS: &str = "hash = $1 AND browser = $2 AND expires_at > $3";

fn read(row: &Line) -> Result<SignInRecord, StoreError> {
    Ok(SignInRecord {
        hash: row.try_get(0)?,
        browser: row.try_get(1)?,
        source: row.try_get(2)?,
        errand: Errand::read(row.try_get::<&str, _>(3)?)?,
        user: row.try_get::<Option<String>, _>(4)?.map(UserId::new),
        return_to: row.try_get(5)?,
        expires_at: Timestamp::from_micros(row.try_get(6)?),
    })
}

impl Store {
    /// Notes that a browser is under way. Those that are too old are forgotten.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn add_sign_in(&self, one: SignInRecord) -> Result<(), StoreError> {
        let now = self.clock().now();
        self.write(Durability::Process, move |connection| {
            Box::pin(async move {
                query("DELETE FROM sign_ins WHERE expires_at <= $1 OR hash = $2")
                    .bind(now.micros())
                    .bind(&one.hash)
                    .execute(&mut *connection)
                    .await?;
                let sql =
                    format!("INSERT INTO sign_ins ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7)");
                query(AssertSqlSafe(sql))
                    .bind(&one.hash)
                    .bind(&one.browser)
                    .bind(&one.source)
                    .bind(one.errand.name())
                    .bind(one.user.as_ref().map(|user| user.as_str().to_owned()))
                    .bind(&one.return_to)
                    .bind(one.expires_at.micros())
                    .execute(connection)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    /// A browser under way, which stays so.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn sign_in_under_way(
        &self,
        hash: &str,
        browser: &str,
    ) -> Result<Option<SignInRecord>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM sign_ins WHERE {THIS}");
        let row = query(AssertSqlSafe(sql)).bind(hash).bind(browser);
        let row = row.bind(self.clock().now().micros()).fetch_optional(self.readers()).await?;
        row.as_ref().map(read).transpose()
    }

    /// The same, which is over with this: of several who ask, one is told.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn take_sign_in(
        &self,
        hash: String,
        browser: String,
    ) -> Result<Option<SignInRecord>, StoreError> {
        let now = self.clock().now();
        self.write(Durability::Power, move |connection| {
            Box::pin(async move {
                let sql = format!("DELETE FROM sign_ins WHERE {THIS} RETURNING {COLUMNS}");
                let row = query(AssertSqlSafe(sql)).bind(&hash).bind(&browser).bind(now.micros());
                row.fetch_optional(connection).await?.as_ref().map(read).transpose()
            })
        })
        .await
    }
}
