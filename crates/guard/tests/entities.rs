//! Sensitive information by pattern (platform spec 7.6), on tables of samples: lines that begin with `+`
//! have each match between « and », lines that begin with `-` have none.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::ops::Range;

use proptest::prelude::*;
use signalbox_guard::{Builtin, entity};

const TABLES: [(Builtin, &str); 5] = [
    (Builtin::Email, include_str!("samples/email.txt")),
    (Builtin::Phone, include_str!("samples/phone.txt")),
    (Builtin::Ssn, include_str!("samples/ssn.txt")),
    (Builtin::CreditCard, include_str!("samples/credit-card.txt")),
    (Builtin::IpAddress, include_str!("samples/ip-address.txt")),
];

/// A sample without its marks, and where they were.
fn marked(line: &str) -> (String, Vec<Range<usize>>) {
    let (mut text, mut spans, mut open) = (String::new(), Vec::new(), 0);
    for letter in line.chars() {
        match letter {
            '«' => open = text.len(),
            '»' => spans.push(open..text.len()),
            other => text.push(other),
        }
    }
    (text, spans)
}

#[test]
fn every_sample_is_found_whole_or_not_at_all() {
    let mut wrong = Vec::new();
    for (what, table) in TABLES {
        let (mut positive, mut negative) = (0, 0);
        for line in table.lines() {
            let (sign, sample) = line.split_at(2);
            let (text, expected) = marked(sample);
            match sign {
                "+ " if !expected.is_empty() => positive += 1,
                "- " if expected.is_empty() => negative += 1,
                _ => panic!("{what:?}: {line}"),
            }
            let found = entity::find(what, &text);
            if found != expected {
                let found: Vec<&str> = found.into_iter().map(|span| &text[span]).collect();
                wrong.push(format!("{what:?}: {line} has {found:?}"));
            }
        }
        assert!(positive >= 60 && negative >= 60, "{what:?}: {positive} and {negative}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_sample_is_found_wherever_it_stands() {
    for (what, table) in TABLES {
        for line in table.lines().filter(|line| line.starts_with('+')) {
            let (text, expected) = marked(&line[2..]);
            for before in [1, 31, 63, 64, 65] {
                let padding =
                    format!("{}\n", ".,;".chars().cycle().take(before).collect::<String>());
                let found = entity::find(what, &format!("{padding}{text}\nend"));
                let moved =
                    |span: &Range<usize>| span.start + padding.len()..span.end + padding.len();
                assert_eq!(
                    found,
                    expected.iter().map(moved).collect::<Vec<_>>(),
                    "{line} at {before}"
                );
            }
        }
    }
}

#[test]
fn a_wrong_check_digit_is_no_card() {
    for last in 0..10 {
        let number = format!("401288888888188{last}");
        assert_eq!(
            entity::find(Builtin::CreditCard, &number).len(),
            usize::from(last == 1),
            "{last}"
        );
    }
}

proptest! {
    #[test]
    fn finds_lie_apart_in_order_and_on_the_borders_of_characters(text in "[0-9+().@:a-f \\-_é/]{0,80}") {
        for (what, _) in TABLES {
            let found = entity::find(what, &text);
            prop_assert!(found.iter().all(|span| text.get(span.clone()).is_some_and(|one| !one.is_empty())));
            prop_assert!(found.windows(2).all(|pair| pair[0].end <= pair[1].start), "{found:?}");
        }
    }

    #[test]
    fn any_four_octets_are_an_address(octets in any::<[u8; 4]>()) {
        let text = std::net::Ipv4Addr::from(octets).to_string();
        prop_assert_eq!(entity::find(Builtin::IpAddress, &text), vec![0..text.len()]);
    }

    #[test]
    fn any_sixteen_bytes_are_an_address_unless_they_say_too_little(bytes in any::<[u8; 16]>()) {
        let text = std::net::Ipv6Addr::from(bytes).to_string();
        let found = entity::find(Builtin::IpAddress, &text);
        let groups = text.split(':').filter(|group| !group.is_empty()).count();
        if groups > 3 {
            prop_assert_eq!(found, vec![0..text.len()]);
        }
    }
}
