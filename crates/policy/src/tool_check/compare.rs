//! JSON values as JSON Schema compares them: numbers by their value.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::budget::{Budget, Unjudged};

/// Whether two values are the same.
pub(super) fn same(a: &Value, b: &Value, budget: &mut Budget) -> Result<bool, Unjudged> {
    budget.spend(1)?;
    Ok(match (a, b) {
        (Value::Number(a), Value::Number(b)) => compare(a, b) == Some(Ordering::Equal),
        (Value::Array(a), Value::Array(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for (a, b) in a.iter().zip(b) {
                if !same(a, b, budget)? {
                    return Ok(false);
                }
            }
            true
        }
        (Value::Object(a), Value::Object(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for (key, a) in a {
                match b.get(key) {
                    Some(b) if same(a, b, budget)? => {}
                    _ => return Ok(false),
                }
            }
            true
        }
        (Value::String(a), Value::String(b)) => {
            budget.spend(a.len().min(b.len()) / 64)?;
            a == b
        }
        _ => a == b,
    })
}

fn integer(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

/// Compares two numbers.
pub(super) fn compare(a: &Number, b: &Number) -> Option<Ordering> {
    match (integer(a), integer(b)) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}

/// Whether a number is whole, however it is written.
pub(super) fn is_whole(number: &Number) -> bool {
    integer(number).is_some() || number.as_f64().is_some_and(|value| value.fract() == 0.0)
}

/// Whether a number is a multiple of another, which is above zero.
pub(super) fn is_multiple(number: &Number, of: &Number) -> bool {
    if let (Some(number), Some(of)) = (integer(number), integer(of)) {
        return number.checked_rem(of) == Some(0);
    }
    let (Some(number), Some(of)) = (number.as_f64(), of.as_f64()) else { return true };
    let times = number / of;
    // 0.3 is a multiple of 0.1, although not in binary.
    !times.is_finite() || (times - times.round()).abs() <= 1e-9 * times.abs().max(1.0)
}
