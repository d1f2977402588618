//! The dialect of custom patterns (platform spec 7.5).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use proptest::prelude::*;
use signalbox_guard::pattern::{MAX_CHARS, MAX_MATCHES};
use signalbox_guard::{Pattern, PatternError};

fn found<'t>(pattern: &str, text: &'t str) -> Vec<&'t str> {
    let pattern = Pattern::compile(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    pattern.find(text).into_iter().map(|span| &text[span]).collect()
}

fn refused(pattern: &str) -> PatternError {
    let error = Pattern::compile(pattern).expect_err(pattern);
    assert_eq!(error.code(), "invalid_regex_pattern");
    error
}

#[test]
fn what_javascript_means_is_found() {
    for (pattern, text, expected) in [
        (r"\b(sk-[a-zA-Z0-9]{8})\b", "key sk-abcd1234, sk-abcd12345", vec!["sk-abcd1234"]),
        (r"\d+", "7 ٣ 42", vec!["7", "42"]),
        (r"\w+", "é_a1 b", vec!["_a1", "b"]),
        (r"a\sb", "a\u{feff}b a\u{a0}b a b a_b", vec!["a\u{feff}b", "a\u{a0}b", "a b"]),
        (r"a.b", "a\nb a\rb a\u{2028}b a\u{85}b axb", vec!["a\u{85}b", "axb"]),
        (r"^ab|cd$", "ab\ncd", vec!["ab", "cd"]),
        (r"^cd", "ab\ncd", vec![]),
        (r"(?:one|two)-(?<name>\d{2,3})", "one-12 two-1234", vec!["one-12", "two-123"]),
        (r"a{2}", "aaaa", vec!["aa", "aa"]),
        (r"a{2,}?b", "aaab", vec!["aaab"]),
        (r"a+?", "aaa", vec!["a", "a", "a"]),
        (r"x{,3}|{|a{b", "x{,3} { a{b", vec!["x{,3}", "{", "a{b"]),
        (r"[^a-c]+", "abcdcba", vec!["d"]),
        (r"[]|b", "ab", vec!["b"]),
        (r"[^]", "a", vec!["a"]),
        (r"[[a&&c~~]+", "[a&c~b", vec!["[a&c~"]),
        (r"[\w-x]+", "a-x", vec!["a-x"]),
        (r"[\d\-\]\\]+", "1-]\\", vec!["1-]\\"]),
        (r"[\b]", "a\u{8}b", vec!["\u{8}"]),
        (r"\x41\u0042\u{43}\cJ\0", "ABC\n\0", vec!["ABC\n\0"]),
        (r"\ud83d\ude00", "a😀b", vec!["😀"]),
        (r"\/\-\.\*\]\}", "/-.*]}", vec!["/-.*]}"]),
        (r"]}", "]}", vec!["]}"]),
        (r"\D\W\S", "a-b", vec!["a-b"]),
        (r"\Bb", "ab b", vec!["b"]),
        (r"Straße", "Straße STRASSE", vec!["Straße"]),
        (r"a*", "baab", vec!["aa"]),
        (r"(foo|bar)+", "foobar", vec!["foobar"]),
        (r"(ab?){1,3}", "abab", vec!["abab"]),
        ("(a+)?b", "aab", vec!["aab"]),
    ] {
        assert_eq!(found(pattern, text), expected, "{pattern}");
    }
}

#[test]
fn what_cannot_be_kept_linear_elsewhere_is_rejected() {
    for (pattern, expected) in [
        ("a(?=b)", PatternError::Lookahead(2)),
        ("a(?!b)", PatternError::Lookahead(2)),
        ("(?<=a)b", PatternError::Lookbehind(1)),
        ("(?<!a)b", PatternError::Lookbehind(1)),
        (r"(a)\1", PatternError::Backreference(4)),
        (r"(?<x>a)\k<x>", PatternError::Backreference(8)),
        ("(a+)+", PatternError::NestedQuantifier(3)),
        ("(a*)*", PatternError::NestedQuantifier(3)),
        ("(?:x(?:a{2,}b)*)+", PatternError::NestedQuantifier(15)),
        ("(a|b*)*", PatternError::AmbiguousAlternatives(7)),
        ("(a|a)*", PatternError::AmbiguousAlternatives(6)),
        ("(a|[a-z])+", PatternError::AmbiguousAlternatives(10)),
        ("(ab|cd|ab)*", PatternError::AmbiguousAlternatives(11)),
        ("(|a)*", PatternError::AmbiguousAlternatives(5)),
        ("a**", PatternError::NestedQuantifier(3)),
        ("a{2}{3}", PatternError::NestedQuantifier(5)),
    ] {
        assert_eq!(refused(pattern), expected, "{pattern}");
    }
}

#[test]
fn what_is_no_pattern_is_rejected_with_its_place() {
    for pattern in [
        "(",
        ")",
        "a)",
        "(a",
        "[a",
        "[z-a]",
        "*",
        "+a",
        "|*",
        "^*",
        r"\b+",
        "a{3,2}",
        "a{1001}",
        "(?i)a",
        "(?i:a)",
        "(?P<n>a)",
        "(?<1>a)",
        "(?<>a)",
        "(?<n",
        r"\",
        r"\p{L}",
        r"\e",
        r"\x4",
        r"\u12",
        r"\u{110000}",
        r"\ud83d",
        r"\ud83d\u0041",
        r"\c1",
        r"\01",
    ] {
        assert!(matches!(refused(pattern), PatternError::Syntax { .. }), "{pattern}");
    }
    assert_eq!(refused(""), PatternError::Empty);
    assert!(refused("ab(?=c)").to_string().contains("character 3"));
}

#[test]
fn length_depth_and_compiled_size_are_bounded() {
    assert!(Pattern::compile(&"é".repeat(MAX_CHARS)).is_ok());
    assert_eq!(refused(&"é".repeat(MAX_CHARS + 1)), PatternError::TooLong);
    assert_eq!(refused(r"(?:(?:\w{1000}){1000}){1000}"), PatternError::TooLarge);
    let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Pattern::compile(&nested(50)).is_ok());
    assert!(matches!(refused(&nested(51)), PatternError::Syntax { .. }));
    assert!(matches!(refused(&nested(49_000)), PatternError::Syntax { .. }));
    let repeated = format!("{}a{}", "(?:x|(?:y".repeat(20), "){2,3}z)?".repeat(20));
    assert!(matches!(Pattern::compile(&repeated), Ok(_) | Err(PatternError::TooLarge)));
}

#[test]
fn patterns_are_judged_together_too() {
    let large = ".{1000}";
    assert!(Pattern::compile(large).is_ok());
    assert_eq!(Pattern::fit_together([large, "b"]), Ok(()));
    assert_eq!(Pattern::fit_together([large; 100]), Err(PatternError::TooLargeTogether));
    assert_eq!(Pattern::fit_together([]), Ok(()));
}

#[test]
fn matches_beyond_the_limit_are_taken_as_one() {
    let text = "a".repeat(MAX_MATCHES + 500);
    let spans = Pattern::compile("a").unwrap().find(&text);
    assert_eq!(spans.len(), MAX_MATCHES + 1);
    assert_eq!(spans.last(), Some(&(MAX_MATCHES..text.len())));
}

proptest! {
    #[test]
    fn any_text_is_a_pattern_or_is_refused(pattern in any::<String>(), text in any::<String>()) {
        if let Ok(pattern) = Pattern::compile(&pattern) {
            prop_assert!(pattern.find(&text).into_iter().all(|span| text.get(span).is_some()));
        }
    }

    #[test]
    fn anything_made_of_the_dialects_signs_compiles_or_is_refused(
        pattern in r"([ab01(){},|*+?^$.\[\]\\dDwWsSbB:<>=!-]|\(\?:|\[\^|\\u\{|\\x4|é){0,24}",
        text in "[ab01 -é\n]{0,40}",
    ) {
        match Pattern::compile(&pattern) {
            Ok(pattern) => prop_assert!(pattern.find(&text).into_iter().all(|span| text.get(span).is_some())),
            // What is parsed and judged good is also good for the engine.
            Err(error) => prop_assert_ne!(error, PatternError::TooLarge),
        }
    }

    #[test]
    fn a_literal_finds_itself(text in r"[a-z +#&~é-]{1,20}") {
        let escaped: String = text.chars().map(|letter| match letter {
            'a'..='z' | 'é' | ' ' | '#' | '&' | '~' => letter.to_string(),
            other => format!("\\{other}"),
        }).collect();
        prop_assert_eq!(found(&escaped, &text), vec![text.as_str()]);
    }
}
