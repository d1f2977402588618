//! The street line next to a place: a recogniser knows the town, and the house number says more.

use std::ops::Range;

/// Longest street line, in bytes.
const MAX_LINE: usize = 80;
/// Most digits of a house number or a postal code.
const MAX_DIGITS: usize = 6;
/// Most words of a street's name.
const MAX_WORDS: usize = 5;

/// A place with the street line before it, and with the postal code beside it: `742 Evergreen Terrace,
/// Springfield 97403`, `Hauptstraße 5, 10115 Berlin`. A place without one is itself.
pub(crate) fn with_street(text: &str, place: Range<usize>) -> Range<usize> {
    let start = before(text, place.start);
    Range { start, end: after(text, place.end) }
}

fn before(text: &str, place: usize) -> usize {
    let floor = text.floor_char_boundary(place.saturating_sub(MAX_LINE));
    let near = text.get(floor..place).unwrap_or_default();
    let rest = near.trim_end_matches([' ', '\t']);
    // The postal code, or a part of the town that is not the place.
    let coded = without_code(rest);
    let start = if coded.len() < rest.len() { coded.trim_end_matches([' ', '\t']) } else { rest };
    let line = start.strip_suffix([',', '\n']).map(|line| line.trim_end_matches([' ', ',', '\r']));
    let street = line.and_then(|line| street(line, line.len() < near.len() && floor == 0));
    match street {
        Some(at) => floor.saturating_add(at),
        None if coded.len() < rest.len() => floor.saturating_add(coded.len()),
        None => place,
    }
}

/// A text without the postal code at its end.
fn without_code(text: &str) -> &str {
    let head = text.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let digits = text.len().saturating_sub(head.len());
    let apart = head.is_empty() || head.ends_with([' ', ',', '\n', '-', '\t']);
    if (4..=MAX_DIGITS).contains(&digits) && apart { head.trim_end_matches('-') } else { text }
}

/// Where the street begins at the end of a line: at a house number before words, or at the words before
/// one.
fn street(line: &str, whole: bool) -> Option<usize> {
    let begin = line.rfind(['\n', ',', ';', ':', '!', '?']).map_or(0, |at| at.saturating_add(1));
    // What was cut off by the window is not known to be a line's start.
    let (begin, line) = (begin, line.get(begin..)?);
    if begin == 0 && !whole && line.len() >= MAX_LINE {
        return None;
    }
    let mut words: Vec<(usize, &str)> = Vec::new();
    let mut at = 0_usize;
    for word in line.split(' ') {
        if !word.is_empty() {
            words.push((at, word));
        }
        at = at.saturating_add(word.len()).saturating_add(1);
    }
    let (_, last) = words.last()?;
    let from = if is_number(last) {
        // The name is what is written with capitals before the number.
        let name = words.iter().rev().skip(1).take(MAX_WORDS);
        name.take_while(|(_, word)| word.chars().next().is_some_and(char::is_uppercase)).last()?.0
    } else {
        let named = words.iter().rev().take(MAX_WORDS.saturating_add(1));
        named.clone().find(|(_, word)| is_number(word))?.0
    };
    Some(begin.saturating_add(from))
}

/// `5`, `742`, `12a`, `5/7`, `221B`.
fn is_number(word: &str) -> bool {
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    let rest = word.get(digits..).unwrap_or_default();
    (1..=MAX_DIGITS).contains(&digits)
        && (rest.len() < 2 && rest.bytes().all(|one| one.is_ascii_alphabetic())
            || rest.strip_prefix(['/', '-']).is_some_and(|more| {
                more.len() < 5 && more.bytes().all(|one| one.is_ascii_alphanumeric())
            }))
}

/// The postal code behind a place, with what stands between them: `, OR 97403`.
fn after(text: &str, place: usize) -> usize {
    let rest = text.get(place..).unwrap_or_default();
    let mut tail = rest.trim_start_matches([',', ' ']);
    // The letters of a state.
    let letters = tail.bytes().take_while(u8::is_ascii_uppercase).count();
    let has_state = matches!(letters, 2 | 3);
    if has_state {
        tail = tail.get(letters..).unwrap_or_default().trim_start_matches(' ');
    }
    // Four digits alone are a year.
    let least = if has_state { 4 } else { 5 };
    let digits = tail.bytes().take_while(u8::is_ascii_digit).count();
    let more = tail.get(digits..).unwrap_or_default();
    let plus = more.strip_prefix('-').map_or(0, |more| {
        let digits = more.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 4 { 5 } else { 0 }
    });
    let ends = !more.starts_with(|letter: char| letter.is_alphanumeric());
    let near = rest.len().saturating_sub(tail.len()) <= 7;
    if (least..=MAX_DIGITS).contains(&digits) && ends && near && tail.len() < rest.len() {
        let behind = more.len().saturating_sub(plus);
        text.len().saturating_sub(behind)
    } else {
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_takes_its_street_line_and_its_postal_code_along() {
        for (text, place, expected) in [
            (
                "I live at 742 Evergreen Terrace, Springfield.",
                "Springfield",
                "742 Evergreen Terrace, Springfield",
            ),
            (
                "742 Evergreen Terrace, Springfield, OR 97403-1234!",
                "Springfield",
                "742 Evergreen Terrace, Springfield, OR 97403-1234",
            ),
            ("Ship to\n12a St James Square\nLondon", "London", "12a St James Square\nLondon"),
            ("Ich wohne Hauptstraße 5, 10115 Berlin", "Berlin", "Hauptstraße 5, 10115 Berlin"),
            ("Er wohnt in 10115 Berlin", "Berlin", "10115 Berlin"),
            ("221B Baker Street, London, please", "London", "221B Baker Street, London"),
            ("1 Macquarie St, Sydney NSW 2000", "Sydney", "1 Macquarie St, Sydney NSW 2000"),
            ("I like Paris, 2024 was fine", "Paris", "Paris"),
            ("In 3 days we fly to Rome", "Rome", "Rome"),
            ("I ate 3 apples, Rome was nice", "Rome", "3 apples, Rome"),
            ("Bonn", "Bonn", "Bonn"),
            ("ä, Köln, ü", "Köln", "Köln"),
        ] {
            let at = text.find(place).unwrap();
            let span = with_street(text, at..at + place.len());
            assert_eq!(text.get(span), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_line_is_looked_at_no_further_than_it_can_be_long() {
        let text = format!("7 {} Lane, Rome", "Very ".repeat(100));
        let at = text.find("Rome").unwrap();
        assert_eq!(with_street(&text, at..at + 4), at..at + 4);
    }
}
