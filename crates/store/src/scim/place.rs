//! Which people or groups of a connection are looked for.

use crate::error::StoreError;
use crate::sql::{AssertSqlSafe, Line, Pool, Query, Row, query};

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The id.
    Id,
    /// The name of a person or a group, in lower case.
    Name,
    /// What the directory calls it.
    ExternalId,
    /// The id of a member of a group.
    Member,
}

/// Which page of which things, the oldest first. All conditions hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// What each of these is equal to.
    pub equal: Vec<(Field, String)>,
    /// How many are skipped.
    pub offset: u32,
    /// Most that are wanted.
    pub limit: u32,
}

/// A table of things that directories provision.
#[derive(Clone, Copy)]
pub(super) struct Shelf {
    pub table: &'static str,
    pub columns: &'static str,
    pub name: &'static str,
}

impl Shelf {
    fn condition(self, field: Field, marker: usize) -> String {
        match field {
            Field::Id => format!("id = ${marker}"),
            Field::Name => format!("{} = ${marker}", self.name),
            Field::ExternalId => format!("external_id = ${marker}"),
            Field::Member => format!(
                "EXISTS (SELECT 1 FROM scim_group_members WHERE group_id = {}.id \
                 AND member_id = ${marker})",
                self.table
            ),
        }
    }

    fn ask(self, what: &str, connection: &str, selection: &Selection, rest: &str) -> Query {
        let mut sql = format!("SELECT {what} FROM {} WHERE connection_id = $1", self.table);
        for (index, (field, _)) in selection.equal.iter().enumerate() {
            sql.push_str(" AND ");
            sql.push_str(&self.condition(*field, index.saturating_add(2)));
        }
        sql.push_str(rest);
        let first = query(AssertSqlSafe(sql)).bind(connection);
        selection.equal.iter().fold(first, |query, (_, value)| query.bind(value.as_str()))
    }

    /// The rows of a page, and how many there are in all.
    pub async fn page(
        self,
        readers: &Pool,
        connection: &str,
        selection: &Selection,
    ) -> Result<(Vec<Line>, u64), StoreError> {
        let count = self.ask("count(*)", connection, selection, "").fetch_one(readers).await?;
        let total = u64::try_from(count.try_get::<i64, _>(0)?).unwrap_or(0);
        let rest = format!(
            " ORDER BY created_at, id LIMIT {} OFFSET {}",
            selection.limit, selection.offset
        );
        let rows = self.ask(self.columns, connection, selection, &rest).fetch_all(readers).await?;
        Ok((rows, total))
    }
}
