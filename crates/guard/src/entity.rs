//! Sensitive information that a pattern can tell: e-mail addresses, phone numbers, social security
//! numbers, payment cards and IP addresses (platform spec 7.6).
//!
//! Each is looked for around a byte that it can't be without, within bounds, so that no text makes it
//! slow; what looks like one is then judged: card numbers by their check digit, the others by the ranges
//! that are handed out.

mod digits;
mod mail;
mod network;
mod street;

use std::ops::Range;

use crate::row::Builtin;
use crate::tokens;

pub(crate) use digits::Digits;
pub(crate) use street::with_street;

/// Finds what is built around `@` and `:` and calls `take` with it: e-mail and IPv6 addresses.
pub(crate) fn around_marks(text: &str, mut take: impl FnMut(Builtin, Range<usize>)) {
    let bytes = text.as_bytes();
    // What lies before is done with.
    let mut done = 0;
    for at in memchr::memchr2_iter(b'@', b':', bytes) {
        if at < done {
            continue;
        }
        if bytes.get(at) == Some(&b'@') {
            if let Some(found) = mail::around(bytes, at, done) {
                done = found.end;
                take(Builtin::Email, found);
            }
        } else {
            let (found, end) = network::around(bytes, at, done);
            done = end;
            if let Some(found) = found {
                take(Builtin::IpAddress, found);
            }
        }
    }
}

/// All places of one kind in a text, in order.
#[must_use]
pub fn find(what: Builtin, text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut take = |kind: Builtin, span: Range<usize>| {
        if kind == what {
            found.push(span);
        }
    };
    around_marks(text, &mut take);
    let mut digits = Digits::default();
    tokens::each(text.as_bytes(), |start, end| {
        digits.token(text.as_bytes(), start, end, &mut take)
    });
    found.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
    // An IPv6 address can have an IPv4 address at its end.
    let mut end = 0;
    found.retain(|span| {
        let apart = span.start >= end;
        end = end.max(span.end);
        apart
    });
    found
}
