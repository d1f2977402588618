//! Reading how an endpoint is asked from a row of data, with every check that can be made at load.

use serde::Deserialize;
use serde_json::Value;

use super::{Ask, Budget, Efforts, ReasoningStyle, Switch};
use crate::patch::Pointer;

/// The word of a style, or a table such as
/// `{ style = "switch", at = "/thinking/type", on = "enabled", off = "disabled" }`.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Row {
    Word(ReasoningStyle),
    Table(Table),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    style: ReasoningStyle,
    efforts: Option<Vec<String>>,
    effort_at: Option<Pointer>,
    at: Option<Pointer>,
    on: Option<Value>,
    off: Option<Value>,
    budget: Option<BudgetRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BudgetRow {
    at: Pointer,
    #[serde(default = "one")]
    least: u64,
    #[serde(default = "most")]
    most: u64,
}

const fn one() -> u64 {
    1
}

const fn most() -> u64 {
    u64::MAX
}

impl TryFrom<Row> for Ask {
    type Error = &'static str;

    fn try_from(row: Row) -> Result<Self, Self::Error> {
        let table = match row {
            Row::Word(ReasoningStyle::Switch) => return Err("a switch needs `at`"),
            Row::Word(style) => return Ok(Self::of(style)),
            Row::Table(table) => table,
        };
        let switches = table.style == ReasoningStyle::Switch;
        if switches && (table.at.is_none() || (table.on.is_none() && table.off.is_none())) {
            return Err("a switch needs `at`, and `on` or `off`");
        }
        if !switches && (table.at.is_some() || table.on.is_some() || table.off.is_some()) {
            return Err("only a switch has `at`, `on` and `off`");
        }
        if table.budget.is_some() && !switches {
            return Err("only a switch has a `budget`");
        }
        if table.effort_at.is_some() && !switches && table.style != ReasoningStyle::Effort {
            return Err("`effort_at` has no meaning in this style");
        }
        if table.budget.as_ref().is_some_and(|budget| budget.least > budget.most) {
            return Err("`budget.least` is above `budget.most`");
        }
        let efforts = table.efforts.map(|names| match Efforts::from_names(&names) {
            Some(efforts) if efforts.lowest().is_some() => Ok(efforts),
            _ => Err("`efforts` is a list of efforts, one of them more than none"),
        });
        let (on, off) = (table.on, table.off);
        Ok(Self {
            style: table.style,
            efforts: efforts.transpose()?,
            effort_at: table.effort_at,
            switch: table.at.map(|at| Switch { at, on, off }),
            budget: table.budget.map(|row| Budget { at: row.at, least: row.least, most: row.most }),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_that_can_not_be_meant_is_refused() {
        let read = |row| serde_json::from_value::<Ask>(row);
        for good in [
            json!("effort"),
            json!({"style": "effort", "efforts": ["none", "high"], "effort_at": "/a/b"}),
            json!({"style": "switch", "at": "/a", "on": true, "off": false}),
            json!({"style": "switch", "at": "/a", "off": 1, "budget": {"at": "/b", "most": 9}}),
        ] {
            assert!(read(good.clone()).is_ok(), "{good}");
        }
        for bad in [
            json!("often"),
            json!("switch"),
            json!({"style": "switch", "at": "/a"}),
            json!({"style": "switch", "at": "a", "on": true}),
            json!({"style": "effort", "at": "/a"}),
            json!({"style": "effort", "efforts": ["huge"]}),
            json!({"style": "effort", "efforts": ["none"]}),
            json!({"style": "effort", "budget": {"at": "/b"}}),
            json!({"style": "object", "effort_at": "/b"}),
            json!({"style": "switch", "at": "/a", "on": 1, "budget": {"at": "/b", "least": 2, "most": 1}}),
        ] {
            assert!(read(bad.clone()).is_err(), "{bad}");
        }
    }
}
