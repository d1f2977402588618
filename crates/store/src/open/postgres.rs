//! A PostgreSQL database: a few connections that read, one that writes, one that feels the pulse.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::{Keeper, Opened};
use crate::error::StoreError;
use crate::migrate;
use crate::settings::StoreSettings;
use crate::sql::{Pool, Remote, Row, query};
use crate::writer::Pen;

/// How long a reader waits for a connection of a server that gives signs of life. Who waits for one
/// that gives none hears of it much sooner.
const ACQUIRE: Duration = Duration::from_secs(10);
/// Limits that the server keeps for our sessions, in milliseconds. A process that stops while it
/// holds the write lock loses it after the last of them.
const SESSION: [(&str, &str); 3] = [
    ("statement_timeout", "15000"),
    ("lock_timeout", "10000"),
    ("idle_in_transaction_session_timeout", "5000"),
];

/// The URL's scheme alone: the rest may hold a password.
fn malformed(url: &str) -> StoreError {
    let scheme = url.split(':').next().unwrap_or_default();
    StoreError::Url(format!("{scheme}://…"))
}

/// Opens with the connections of the settings that only read. All of them are kept, so that a server without free
/// places still serves us.
pub(super) async fn open(
    url: &str,
    now: i64,
    settings: &StoreSettings,
) -> Result<Opened, StoreError> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|_| malformed(url))?
        .application_name("signalbox")
        .options(SESSION)
        .disable_statement_logging();
    let pool = PgPoolOptions::new()
        .max_connections(settings.readers)
        .min_connections(settings.readers)
        .acquire_timeout(ACQUIRE)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(options.clone());
    let remote = Remote::new(options, pool, settings.patience);
    let mut connection = remote.connect().await?;
    let encoding = query("SHOW server_encoding").fetch_one(&mut connection).await?;
    if encoding.try_get::<&str, _>(0)? != "UTF8" {
        return Err(StoreError::Schema("the PostgreSQL database must be encoded in UTF8".into()));
    }
    migrate::run(&mut connection, now).await?;
    drop(connection.close().await);
    let readers = Pool::Postgres(remote.clone());
    let (pen, keeper) = (Pen::Postgres(remote.clone()), Keeper::Pulse(remote));
    Ok(Opened { path: PathBuf::new(), pen, keeper, readers })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_malformed_url_is_named_without_its_password() {
        let error = malformed("postgres://me:secret@host:port:9/x").to_string();
        assert!(error.contains("postgres://…") && !error.contains("secret"), "{error}");
    }
}
