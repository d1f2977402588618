//! IPv6 addresses, around a colon.

use std::net::Ipv6Addr;
use std::ops::Range;

/// Longest way to write one, with an IPv4 address at its end.
const LONGEST: usize = 45;

/// The address that the colon at `at` is in, and where the run of its letters ends; what lies before
/// `from` is not looked at.
pub(super) fn around(bytes: &[u8], at: usize, from: usize) -> (Option<Range<usize>>, usize) {
    let is_part = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
    let before = bytes.get(from..at).unwrap_or_default();
    let left = before.iter().rev().take(LONGEST).take_while(|byte| is_part(byte)).count();
    let start = at.saturating_sub(left);
    let right = bytes.get(at..).unwrap_or_default().iter().take_while(|byte| is_part(byte)).count();
    let end = at.saturating_add(right);
    (judge(bytes, start, end), end)
}

fn judge(bytes: &[u8], start: usize, end: usize) -> Option<Range<usize>> {
    let before = start.checked_sub(1).and_then(|at| bytes.get(at));
    let joined = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_');
    if before.is_some_and(joined) || bytes.get(end).is_some_and(joined) {
        return None;
    }
    let run = bytes.get(start..end)?;
    if run.len() > LONGEST || run.first() == Some(&b'.') {
        return None;
    }
    // A sentence may end after it.
    let text = std::str::from_utf8(run).ok()?;
    let mut text = text.trim_end_matches('.');
    if text.ends_with(':') && !text.ends_with("::") {
        text = text.strip_suffix(':')?;
    }
    let groups = text.split(':').filter(|group| !group.is_empty());
    // `a::b` is a path in many languages, and `::` a word of its own.
    let says_enough = groups.clone().count() > 3
        || (groups.count() > 1 && text.bytes().any(|byte| byte.is_ascii_digit()));
    if !says_enough || text.parse::<Ipv6Addr>().is_err() {
        return None;
    }
    Some(start..start.saturating_add(text.len()))
}
