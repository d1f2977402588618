//! Apps: who calls, as the calls themselves say (inference spec 20). An app is known by its URL.

use signalbox_core::Timestamp;

use crate::error::StoreError;
use crate::sql::{Row, query};
use crate::store::Store;
use crate::writer::Durability;

/// Most categories of an app.
const MAX_CATEGORIES: usize = 10;

impl Store {
    /// Notes that an app was seen: gives it a row when it has none, the title that it says now, and the
    /// categories that it says it is in besides those that it said before.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn app_seen(
        &self,
        url: String,
        title: Option<String>,
        categories: Vec<&'static str>,
    ) -> Result<(), StoreError> {
        let now = self.clock().now();
        self.write(Durability::Process, move |connection| {
            Box::pin(async move {
                query(
                    "INSERT INTO apps (origin, title, created_at) VALUES ($1, $2, $3) \
                     ON CONFLICT (origin) DO NOTHING",
                )
                .bind(&url)
                .bind(title.as_deref().unwrap_or(&url))
                .bind(Timestamp::micros(now))
                .execute(&mut *connection)
                .await?;
                let row = query("SELECT title, categories FROM apps WHERE origin = $1").bind(&url);
                let row = row.fetch_one(&mut *connection).await?;
                let (known, said): (String, String) = (row.try_get(0)?, row.try_get(1)?);
                let mut all: Vec<&str> = said.split(',').filter(|one| !one.is_empty()).collect();
                for category in categories {
                    if all.len() < MAX_CATEGORIES && !all.contains(&category) {
                        all.push(category);
                    }
                }
                let all = all.join(",");
                let title = title.unwrap_or_else(|| known.clone());
                if title == known && all == said {
                    return Ok(());
                }
                query("UPDATE apps SET title = $1, categories = $2 WHERE origin = $3")
                    .bind(title)
                    .bind(all)
                    .bind(&url)
                    .execute(connection)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    /// The number of the app with this URL, and its title and categories.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn app(&self, url: &str) -> Result<Option<(u64, String, Vec<String>)>, StoreError> {
        let row = query("SELECT id, title, categories FROM apps WHERE origin = $1").bind(url);
        let Some(row) = row.fetch_optional(self.readers()).await? else { return Ok(None) };
        let categories: String = row.try_get(2)?;
        let categories = categories.split(',').filter(|one| !one.is_empty()).map(str::to_owned);
        let id = u64::try_from(row.try_get::<i64, _>(0)?).unwrap_or(0);
        Ok(Some((id, row.try_get(1)?, categories.collect())))
    }
}
