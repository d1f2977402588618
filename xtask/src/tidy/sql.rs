//! SQL lives in `store` alone, and the ledger's tables are written by its ledger alone.

use std::path::Path;

use super::{Breach, File};

/// Tables that only the ledger and the grants write.
const LEDGER_TABLES: &[&str] = &["transfers", "reservations", "balances", "key_usage"];
/// The files that may write them.
const LEDGER_FILES: &[&str] = &[
    "crates/store/src/ledger",
    "crates/store/src/movements",
    "crates/store/src/accounts.rs",
    "crates/store/src/chain.rs",
];
/// Column types that the two databases do not share.
const FOREIGN_TYPES: &[&str] = &["TIMESTAMP", "JSONB", "SERIAL", "DATETIME", "REAL", "NUMERIC"];

pub(super) fn check(root: &Path, files: &[File]) -> anyhow::Result<Vec<Breach>> {
    let mut found = Vec::new();
    for file in files {
        let code = file.text.split("#[cfg(test)]").next().unwrap_or_default();
        let in_store = file.path.starts_with("crates/store/");
        let is_code = file.path.contains("/src/") && !file.path.starts_with("xtask/");
        for verb in ["INSERT INTO ", "DELETE FROM ", "UPDATE "] {
            let touched = code.split(verb).skip(1).filter_map(table);
            for table in touched {
                if is_code && !in_store && verb != "UPDATE " {
                    found.push(format!("{}: SQL belongs in crates/store", file.path));
                }
                let allowed = LEDGER_FILES.iter().any(|one| file.path.starts_with(one));
                if is_code && LEDGER_TABLES.contains(&table) && !allowed {
                    found.push(format!("{}: {table} is written by the ledger alone", file.path));
                }
            }
        }
    }
    for path in super::entries(&root.join("crates/store/migrations/sqlite"))? {
        let text = std::fs::read_to_string(&path)?;
        for word in FOREIGN_TYPES.iter().filter(|word| text.contains(*word)) {
            found.push(format!("{}: {word} is not a type both databases have", path.display()));
        }
    }
    Ok(found)
}

/// The table's name right after a verb.
fn table(rest: &str) -> Option<&str> {
    rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().filter(|t| !t.is_empty())
}
