//! E-mail addresses, around an `@`.

use std::ops::Range;

/// Longest part before the `@` (RFC 5321, 4.5.3.1.1).
const MAX_LOCAL: usize = 64;
/// Longest domain (RFC 5321, 4.5.3.1.2).
const MAX_DOMAIN: usize = 255;

/// The address whose `@` is at `at`; what lies before `from` is not looked at.
pub(super) fn around(bytes: &[u8], at: usize, from: usize) -> Option<Range<usize>> {
    let before = bytes.get(from.max(at.saturating_sub(MAX_LOCAL))..at)?;
    let local = before.iter().rev().take_while(|byte| is_local(**byte)).count();
    let local = before.get(before.len().saturating_sub(local)..)?;
    // Two dots in a row, or one at an end, are not part of it; neither is what leads up to them.
    let dots = local.windows(2).rposition(|pair| pair == b"..").map_or(0, |place| place + 2);
    let local = local.get(dots..)?;
    let lead =
        local.iter().take_while(|byte| !byte.is_ascii_alphanumeric() && **byte != b'_').count();
    let local = local.get(lead..).filter(|local| !local.is_empty() && !local.ends_with(b"."))?;
    let start = at.saturating_sub(local.len());
    let after = bytes.get(at.saturating_add(1)..)?;
    let after = after.get(..MAX_DOMAIN).unwrap_or(after);
    let length = domain(after)?;
    Some(start..at.saturating_add(1).saturating_add(length))
}

/// The length of the domain that a text begins with: labels with dots between them, the last one a name.
fn domain(bytes: &[u8]) -> Option<usize> {
    let mut end = None;
    let mut at = 0;
    let mut labels = 0;
    loop {
        let rest = bytes.get(at..)?;
        let length =
            rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
        let label = rest.get(..length)?;
        // Hyphens at the end of the last label are punctuation.
        let kept = label.iter().rposition(|byte| *byte != b'-').map_or(0, |last| last + 1);
        let label = label.get(..kept)?;
        if label.is_empty() || label.starts_with(b"-") {
            return end;
        }
        labels += 1;
        let is_name = label.iter().all(u8::is_ascii_alphabetic) || label.starts_with(b"xn--");
        if labels > 1 && label.len() > 1 && is_name {
            end = Some(at + kept);
        } else if labels > 1 && end.is_some() && bytes.get(at + kept) != Some(&b'.') {
            // `a@b.com.5` is no address whose domain ends at `com`, but nothing better can be said.
            return end;
        }
        if kept < length || bytes.get(at + length) != Some(&b'.') {
            return end;
        }
        at += length + 1;
    }
}

/// What mail systems use. Others that RFC 5322 has are more often punctuation here.
const fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-' | b'\'')
}
