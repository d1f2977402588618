//! Preferences that no endpoint can meet, whatever the catalogue holds: a mistake of the request, said
//! before anything is looked up.

use signalbox_core::ApiError;

use super::ProviderPreferences;
use crate::slug::{covers, overlap};

/// Most names that an error repeats.
const MOST_NAMES: usize = 20;

/// Whether the lists leave room for anybody.
///
/// # Errors
/// 400 naming both fields and the providers.
pub(super) fn check(wishes: &ProviderPreferences) -> Result<(), ApiError> {
    let ignored = |name: &String| wishes.ignore.iter().any(|wide| covers(wide, name));
    if let Some(only) = &wishes.only {
        if !only.is_empty() && only.iter().all(ignored) {
            return Err(conflict("only", only, "provider.ignore names all of them"));
        }
        let allowed = |name: &String| only.iter().any(|one| overlap(one, name));
        if strict(wishes) && !only.is_empty() && !wishes.order.iter().any(allowed) {
            let why =
                "without fallbacks these alone may answer, and provider.only names none of them";
            return Err(conflict("order", &wishes.order, why));
        }
    }
    if strict(wishes) && wishes.order.iter().all(ignored) {
        let why = "without fallbacks these alone may answer, and provider.ignore names all of them";
        return Err(conflict("order", &wishes.order, why));
    }
    Ok(())
}

/// Whether `order` is also the list of what is allowed.
fn strict(wishes: &ProviderPreferences) -> bool {
    !wishes.allow_fallbacks && !wishes.order.is_empty()
}

fn conflict(field: &str, names: &[String], why: &str) -> ApiError {
    let shown: Vec<_> = names.iter().take(MOST_NAMES).map(String::as_str).collect();
    ApiError::invalid(format!("provider.{field}: {}: {why}", shown.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_can_meet_is_refused_with_both_fields_and_the_names() {
        for (raw, names) in [
            (r#"{"only":["a","b/eu"],"ignore":["b","a"]}"#, Some("provider.only: a, b/eu: ")),
            (r#"{"only":["a","b"],"ignore":["b/eu","a"]}"#, None),
            (
                r#"{"only":["a"],"order":["b"],"allow_fallbacks":false}"#,
                Some("provider.order: b: "),
            ),
            (r#"{"only":["a"],"order":["b"]}"#, None),
            (r#"{"only":["b/eu"],"order":["b"],"allow_fallbacks":false}"#, None),
            (
                r#"{"order":["a"],"ignore":["A"],"allow_fallbacks":false}"#,
                Some("provider.order: a: "),
            ),
            (r#"{"order":["a/flex"],"ignore":["a"],"allow_fallbacks":false}"#, None),
            (r#"{"order":["a"],"ignore":["a"]}"#, None),
            (r#"{"allow_fallbacks":false,"only":["a"]}"#, None),
        ] {
            match (ProviderPreferences::from_json(Some(raw)), names) {
                (Ok(_), None) => {}
                (Err(error), Some(start)) => {
                    assert_eq!(error.kind.status(), 400);
                    assert!(error.message.starts_with(start), "{raw}: {}", error.message);
                }
                (other, _) => panic!("{raw}: {other:?}"),
            }
        }
    }
}
