//! JSON text without the white space between its tokens.

use memchr::memchr2;

/// Gives the text of valid JSON piece by piece, without white space between tokens. Members keep
/// their order, numbers their text, and strings are not touched.
pub(crate) fn significant<'a>(text: &'a [u8], mut emit: impl FnMut(&'a [u8])) {
    let (mut start, mut at) = (0, 0);
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => at = behind_string(text, at),
            b' ' | b'\t' | b'\n' | b'\r' => {
                give(text.get(start..at), &mut emit);
                at = at.saturating_add(1);
                start = at;
            }
            _ => at = at.saturating_add(1),
        }
    }
    give(text.get(start..), &mut emit);
}

fn give<'a>(piece: Option<&'a [u8]>, emit: &mut impl FnMut(&'a [u8])) {
    if let Some(piece) = piece.filter(|piece| !piece.is_empty()) {
        emit(piece);
    }
}

/// The place behind the string that begins at `quote`; the end of the text when it has no end.
fn behind_string(text: &[u8], quote: usize) -> usize {
    let mut at = quote.saturating_add(1);
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let Some(found) = memchr2(b'"', b'\\', rest) else { return text.len() };
        let ends = rest.get(found) == Some(&b'"');
        at = at.saturating_add(found).saturating_add(if ends { 1 } else { 2 });
        if ends {
            return at;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn compact(text: &str) -> String {
        let mut out = Vec::new();
        significant(text.as_bytes(), |piece| out.extend_from_slice(piece));
        String::from_utf8(out).unwrap()
    }

    /// A token as it is written.
    fn token() -> impl Strategy<Value = String> {
        prop_oneof![
            Just("null".to_owned()),
            Just("true".to_owned()),
            "-?(0|[1-9][0-9]{0,3})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?",
            string(),
        ]
    }

    fn string() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "[ a-z:,{}\\[\\]\u{e9}]{0,4}",
            Just("\\\"".to_owned()),
            Just("\\\\".to_owned()),
            Just("\\n".to_owned()),
            Just("\\u0020".to_owned()),
            Just("\u{2003}".to_owned()),
        ];
        prop::collection::vec(piece, 0..5).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
    }

    /// JSON as a list of tokens.
    fn tokens() -> impl Strategy<Value = Vec<String>> {
        let leaf = token().prop_map(|one| vec![one]);
        leaf.prop_recursive(4, 40, 5, |inner| {
            let item = (string(), inner.clone());
            prop_oneof![
                prop::collection::vec(inner, 0..4).prop_map(|items| joined("[", items, "]")),
                prop::collection::vec(item, 0..4).prop_map(|members| {
                    let members = members.into_iter().map(|(key, value)| {
                        [key, ":".to_owned()].into_iter().chain(value).collect()
                    });
                    joined("{", members.collect(), "}")
                }),
            ]
        })
    }

    fn joined(open: &str, items: Vec<Vec<String>>, close: &str) -> Vec<String> {
        let mut all = vec![open.to_owned()];
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                all.push(",".to_owned());
            }
            all.extend(item);
        }
        all.push(close.to_owned());
        all
    }

    /// The tokens with white space between them, which the dice choose.
    fn spaced(tokens: &[String], mut dice: u64) -> String {
        let mut text = String::new();
        for token in tokens {
            for _ in 0..dice % 3 {
                dice = dice.rotate_left(7).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                text.push([' ', '\n', '\t', '\r'][usize::try_from(dice >> 62).unwrap()]);
            }
            dice = dice.rotate_left(11).wrapping_add(0x1234_5678_9ABC_DEF1);
            text.push_str(token);
        }
        text + if dice.is_multiple_of(2) { "\r\n" } else { "" }
    }

    proptest! {
        #[test]
        fn only_the_space_between_tokens_goes(tokens in tokens(), dice: u64) {
            let text = spaced(&tokens, dice);
            let short = compact(&text);
            prop_assert_eq!(&short, &tokens.concat());
            prop_assert_eq!(compact(&short), short.clone(), "once is enough");
            let value: Value = serde_json::from_str(&short).unwrap();
            prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        }

        #[test]
        fn texts_are_the_same_when_their_tokens_are(
            one in tokens(), two in tokens(), dice: (u64, u64),
        ) {
            let same = compact(&spaced(&one, dice.0)) == compact(&spaced(&two, dice.1));
            prop_assert_eq!(same, one == two);
            prop_assert_eq!(compact(&spaced(&one, dice.0)), compact(&spaced(&one, dice.1)));
        }

        #[test]
        fn any_bytes_are_taken(text in "[ \\\\\"{}a\n]{0,40}") {
            prop_assert!(compact(&text).len() <= text.len());
        }
    }

    #[test]
    fn strings_keep_their_space_and_escapes() {
        for (text, expected) in [
            (r#" { "a b" : " \" } " , "c" : [ 1 , 2.0 ] } "#, r#"{"a b":" \" } ","c":[1,2.0]}"#),
            (r#"["\\" , " \\\" "]"#, r#"["\\"," \\\" "]"#),
            ("", ""),
            ("\"no end \\", "\"no end \\"),
        ] {
            assert_eq!(compact(text), expected);
        }
    }
}
