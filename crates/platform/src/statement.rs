//! An account's statement: where the balance came from, line by line, as JSON, CSV or text.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;
use signalbox_core::id::AccountId;
use signalbox_core::{Timestamp, Usd};
use signalbox_store::Kind;
pub use signalbox_store::statement::Period;
use signalbox_store::statement::{Charges, StatementLine, StatementRows};

use crate::{Platform, PlatformError};

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Statement {
    /// Whose it is.
    pub account_id: AccountId,
    /// The first moment in it; `null` is the account's beginning.
    pub from: Option<String>,
    /// The first moment after it; `null` is everything up to now.
    pub to: Option<String>,
    /// The balance before the first line.
    pub opening_balance: Usd,
    /// What happened, by day.
    pub lines: Vec<Entry>,
    /// The balance after the last line.
    pub closing_balance: Usd,
    /// What was paid to get credit, and is not in the balance.
    pub fees_paid: Usd,
    /// The same for taxes.
    pub taxes_paid: Usd,
    /// Whether opening balance and lines come to the closing balance, to the nano-dollar, and that
    /// is the balance that is kept for the account.
    pub adds_up: bool,
}

/// One line of a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Entry {
    /// When; of several charges together the day.
    pub date: String,
    /// `purchase`, `charge`, ...
    pub kind: String,
    /// The transfer; `null` for several charges together.
    pub reference: Option<String>,
    /// Why, or the model that answered; else what such a line is.
    pub description: String,
    /// What it did to the balance.
    pub amount: Usd,
    /// The balance after it.
    pub balance: Usd,
    /// How many charges it stands for.
    pub requests: u64,
    /// The fee of a purchase, paid on top of it.
    pub fee: Option<Usd>,
    /// The tax on a purchase, paid on top of it.
    pub tax: Option<Usd>,
}

/// Most charges that a statement shows one by one, so that one request can't fill the memory.
const MOST_CHARGES: u32 = 100_000;

impl Platform {
    /// The statement of an account, charges by day and model, or one by one with `detail`.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] for an unknown account; [`PlatformError::Refused`] for an empty
    /// period, or too many charges to show one by one.
    pub async fn statement(
        &self,
        account: &AccountId,
        period: Period,
        detail: bool,
    ) -> Result<Statement, PlatformError> {
        if period.from.zip(period.to).is_some_and(|(from, to)| from >= to) {
            return Err(PlatformError::Refused("from: before to".to_owned()));
        }
        let charges = if detail { Charges::OneByOne(MOST_CHARGES) } else { Charges::ByDay };
        let rows = self.store().statement(account, period, charges).await?;
        let rows = rows.ok_or(PlatformError::NotFound("account"))?;
        let shown = rows.lines.iter().filter(|line| line.requests > 0).count();
        if detail && shown >= usize::try_from(MOST_CHARGES).unwrap_or(usize::MAX) {
            let reason = "too many charges to show one by one: choose a shorter period".to_owned();
            return Err(PlatformError::Refused(reason));
        }
        Ok(Statement::of(account, period, rows))
    }
}

impl Statement {
    fn of(account: &AccountId, period: Period, rows: StatementRows) -> Self {
        let mut balance = Some(rows.opening);
        let (mut fees, mut taxes) = (Usd::ZERO, Usd::ZERO);
        let mut lines = Vec::with_capacity(rows.lines.len());
        for line in rows.lines {
            balance = balance.and_then(|balance| balance.checked_add(line.change));
            let (fee, tax) = line.on_top.unzip();
            fees = fees.saturating_add(fee.unwrap_or_default());
            taxes = taxes.saturating_add(tax.unwrap_or_default());
            lines.push(Entry::of(line, balance.unwrap_or_default(), fee, tax));
        }
        let kept = period.to.is_some() || rows.closing == rows.stored.posted();
        Self {
            account_id: account.clone(),
            from: period.from.map(Timestamp::to_rfc3339),
            to: period.to.map(Timestamp::to_rfc3339),
            opening_balance: rows.opening,
            lines,
            closing_balance: rows.closing,
            fees_paid: fees,
            taxes_paid: taxes,
            adds_up: balance == Some(rows.closing) && kept,
        }
    }

    /// One row for each line, between the opening and the closing balance.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut csv =
            String::from("date,kind,reference,description,requests,amount,balance,fee,tax\r\n");
        let edge = |csv: &mut String, date: &Option<String>, kind: &str, balance: Usd| {
            let date = date.as_deref().unwrap_or_default();
            let _ = write!(csv, "{date},{kind},,,,,{balance},,\r\n");
        };
        edge(&mut csv, &self.from, "opening", self.opening_balance);
        for line in &self.lines {
            let amount = |amount: Option<Usd>| amount.map(|a| a.to_string()).unwrap_or_default();
            let _ = write!(
                csv,
                "{},{},{},{},{},{},{},{},{}\r\n",
                line.date,
                line.kind,
                quoted(line.reference.as_deref().unwrap_or_default()),
                quoted(&line.description),
                line.requests,
                line.amount,
                line.balance,
                amount(line.fee),
                amount(line.tax),
            );
        }
        edge(&mut csv, &self.to, "closing", self.closing_balance);
        csv
    }

    /// The statement for a person, and whether it adds up.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("account {}\n", self.account_id);
        let _ =
            writeln!(text, "{:>44} {:>20}", "opening balance", self.opening_balance.to_string());
        for line in &self.lines {
            let day = line.date.get(..10).unwrap_or(&line.date);
            let _ = write!(
                text,
                "{day}  {:<12} {:>18} {:>20}  {}",
                line.kind,
                line.amount.to_string(),
                line.balance.to_string(),
                one_line(&line.description),
            );
            if line.requests > 0 {
                let _ = write!(text, " ({} requests)", line.requests);
            }
            if let Some(fee) = line.fee {
                let _ = write!(text, " (fee ${fee} on top)");
            }
            if let Some(tax) = line.tax.filter(|tax| *tax > Usd::ZERO) {
                let _ = write!(text, " (tax ${tax} on top)");
            }
            text.push('\n');
        }
        let _ =
            writeln!(text, "{:>44} {:>20}", "closing balance", self.closing_balance.to_string());
        let _ = writeln!(text, "fees paid ${}, taxes paid ${}", self.fees_paid, self.taxes_paid);
        text.push_str(if self.adds_up {
            "it adds up to the nano-dollar"
        } else {
            "IT DOES NOT ADD UP: run `signalbox admin audit`"
        });
        text
    }
}

impl Entry {
    fn of(line: StatementLine, balance: Usd, fee: Option<Usd>, tax: Option<Usd>) -> Self {
        let date = line.at.to_rfc3339();
        let words = Kind::from_name(&line.kind).map_or("", |kind| kind.row().words);
        let whole_day = line.requests > 0 && line.id.is_none();
        Self {
            date: if whole_day { date.chars().take(10).collect() } else { date },
            kind: line.kind,
            reference: line.id,
            description: if line.text.is_empty() { words.to_owned() } else { line.text },
            amount: line.change,
            balance,
            requests: line.requests,
            fee,
            tax,
        }
    }
}

/// A text on one line of a terminal.
fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// A cell with somebody's words: quoted, and never a formula.
fn quoted(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let mark = if formula { "'" } else { "" };
    format!("\"{mark}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula_and_ends_where_it_should() {
        for (text, cell) in [
            ("", ""),
            ("gift", "\"gift\""),
            ("=1+1", "\"'=1+1\""),
            ("a \"b\", c\r\nd", "\"a \"\"b\"\", c\r\nd\""),
            ("@x", "\"'@x\""),
        ] {
            assert_eq!(quoted(text), cell);
        }
        assert_eq!(one_line("a\u{1b}[2Jb\nc"), "a [2Jb c");
    }
}
