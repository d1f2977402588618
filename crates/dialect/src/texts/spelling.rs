//! From places in what a JSON string means to places in how it is spelled.

use memchr::memchr;

use crate::scan::unescape_one;

/// Translates ascending offsets in the meaning of a string to offsets in its spelling, the text
/// between its quotes, in one walk. An offset inside a character counts as the one before it.
pub(super) fn spelled(inner: &str, offsets: &[usize]) -> Vec<usize> {
    let mut found = Vec::with_capacity(offsets.len());
    let mut wanted = offsets.iter().copied().peekable();
    // Where the walk is: in the spelling, and in the meaning.
    let (mut at, mut means) = (0_usize, 0_usize);
    while wanted.peek().is_some() {
        let rest = inner.get(at..).unwrap_or_default();
        let plain = memchr(b'\\', rest.as_bytes()).unwrap_or(rest.len());
        let plain_end = means.saturating_add(plain);
        while let Some(offset) = wanted.next_if(|offset| *offset <= plain_end) {
            found.push(at.saturating_add(offset.saturating_sub(means)));
        }
        at = at.saturating_add(plain);
        means = plain_end;
        let escape = rest.get(plain..).filter(|escape| escape.len() > 1);
        let Some((escape, letter)) = escape.and_then(|one| Some((one, *one.as_bytes().get(1)?)))
        else {
            // Nothing is left: what lies further is the end.
            found.extend(wanted.by_ref().map(|_| inner.len()));
            break;
        };
        let (character, length) = unescape_one(escape, letter);
        let after = means.saturating_add(character.len_utf8());
        while wanted.next_if(|offset| *offset < after).is_some() {
            found.push(at);
        }
        at = at.saturating_add(length);
        means = after;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::unescape;

    #[test]
    fn every_boundary_of_the_meaning_has_its_place_in_the_spelling() {
        for inner in [
            "",
            "plain",
            r"a\u0040b",
            r"\n\n",
            r"\\\\u0041",
            r"x\ud83d\ude00y\u00e9",
            r"\ud83d lone \ude00",
            r"é漢\/ü",
            r"\ud83d\u0041",
        ] {
            let meaning = unescape(&format!("\"{inner}\"")).into_owned();
            let ends: Vec<usize> =
                (0..=meaning.len()).filter(|at| meaning.is_char_boundary(*at)).collect();
            let places = spelled(inner, &ends);
            assert_eq!(places.len(), ends.len(), "{inner}");
            for (means, spells) in ends.windows(2).zip(places.windows(2)) {
                let part = inner.get(spells[0]..spells[1]).unwrap();
                assert_eq!(
                    unescape(&format!("\"{part}\"")),
                    meaning[means[0]..means[1]],
                    "{inner}"
                );
            }
            assert_eq!((places.first(), places.last()), (Some(&0), Some(&inner.len())), "{inner}");
        }
    }
}
