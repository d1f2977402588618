//! One vector, from any encoding that providers use into the one that was asked for.

use super::{Encoding, base64};
use crate::document::{Kind, Raw};

/// Bytes of one number.
const WIDTH: usize = 4;

/// The vector as JSON text in this encoding. Numbers that stay numbers keep their digits. `None`
/// when it is no vector: empty, not of numbers, not of whole `f32`s, or not finite.
pub(super) fn written(raw: Raw<'_>, encoding: Encoding) -> Option<String> {
    match (raw.kind(), encoding) {
        (Kind::Array, Encoding::Float) => {
            let mut numbers = raw.elements().peekable();
            numbers.peek()?;
            numbers.all(|(_, one)| float(one).is_some()).then(|| raw.text().to_owned())
        }
        (Kind::Array, Encoding::Base64) => {
            let mut bytes = Vec::new();
            for (_, one) in raw.elements() {
                bytes.extend_from_slice(&float(one)?.to_le_bytes());
            }
            (!bytes.is_empty()).then(|| quoted(&base64::encode(&bytes)))
        }
        (Kind::String, encoding) => {
            let text = raw.string()?;
            let bytes = base64::decode(&text)?;
            let floats = floats(&bytes)?;
            Some(match encoding {
                Encoding::Float => list(&floats),
                Encoding::Base64 => quoted(&base64::encode(&bytes)),
            })
        }
        _ => None,
    }
}

/// The vector of a text that is signed bytes in base64, as JSON text in this encoding; `None` when it
/// is no vector.
pub(super) fn unpacked(raw: Raw<'_>, encoding: Encoding) -> Option<String> {
    let bytes = base64::decode(&raw.string()?)?;
    let numbers: Vec<f32> = bytes.iter().map(|byte| f32::from(byte.cast_signed())).collect();
    written(Raw::new(&list(&numbers)), encoding)
}

/// A number that an `f32` can hold.
fn float(raw: Raw<'_>) -> Option<f32> {
    if raw.kind() != Kind::Number {
        return None;
    }
    raw.text().parse::<f32>().ok().filter(|number| number.is_finite())
}

fn floats(bytes: &[u8]) -> Option<Vec<f32>> {
    let (numbers, rest) = bytes.as_chunks::<WIDTH>();
    let floats: Vec<f32> = numbers.iter().map(|number| f32::from_le_bytes(*number)).collect();
    let whole = rest.is_empty() && !floats.is_empty();
    (whole && floats.iter().all(|number| number.is_finite())).then_some(floats)
}

/// The shortest digits that read back as the same numbers.
fn list(floats: &[f32]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(floats.len().saturating_mul(13));
    text.push('[');
    for (place, number) in floats.iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        // Writing to a String cannot fail.
        let _ = write!(text, "{number:?}");
    }
    text.push(']');
    text
}

/// Base64 has nothing to escape.
fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turned(text: &str, encoding: Encoding) -> Option<String> {
        written(Raw::new(text), encoding)
    }

    #[test]
    fn numbers_become_little_endian_floats_and_numbers_again() {
        let packed = turned("[1.0,-2.5,1e-10]", Encoding::Base64).unwrap();
        assert_eq!(packed, r#""AACAPwAAIMD/5tsu""#);
        assert_eq!(turned(&packed, Encoding::Float).unwrap(), "[1.0,-2.5,1e-10]");
        assert_eq!(turned(&packed, Encoding::Base64).unwrap(), packed);
        assert_eq!(
            turned("[0.10000000000000001]", Encoding::Float).unwrap(),
            "[0.10000000000000001]"
        );
    }

    #[test]
    fn signed_bytes_become_numbers() {
        let bytes = |text: &str, encoding| unpacked(Raw::new(text), encoding);
        assert_eq!(bytes("\"AX+A/w==\"", Encoding::Float).unwrap(), "[1.0,127.0,-128.0,-1.0]");
        assert_eq!(bytes("\"AQ==\"", Encoding::Base64).unwrap(), "\"AACAPw==\"");
        for wrong in ["\"\"", "\"*\"", "[1]", "null"] {
            assert_eq!(bytes(wrong, Encoding::Float), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_no_vector_is_refused() {
        for wrong in [
            "null",
            "[]",
            "3",
            "{}",
            "[\"1\"]",
            "[1,null]",
            "[1e39]",
            "\"\"",
            "\"AAAA\"",
            "\"AADAfw==\"",
            "\"AACAfw==\"",
            "\"*\"",
        ] {
            for encoding in [Encoding::Float, Encoding::Base64] {
                assert_eq!(turned(wrong, encoding), None, "{wrong}");
            }
        }
    }
}
