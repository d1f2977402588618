//! Headers of a message: a name, the type of the value, the value.

/// A value. Numbers are big-endian on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderValue<'a> {
    /// True or false, types 0 and 1.
    Bool(bool),
    /// Eight bits.
    Byte(i8),
    /// Sixteen bits.
    Short(i16),
    /// Thirty-two bits.
    Int(i32),
    /// Sixty-four bits.
    Long(i64),
    /// Bytes.
    Bytes(&'a [u8]),
    /// A string.
    Text(&'a str),
    /// Milliseconds since the epoch.
    Timestamp(i64),
    /// A UUID.
    Uuid([u8; 16]),
}

/// Whether all of these bytes are headers.
pub(super) fn are_valid(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some((_, _, after)) = read(rest) {
        rest = after;
    }
    rest.is_empty()
}

/// The first header, and what follows it. `None` at the end, and when there is no valid header.
pub(super) fn read(bytes: &[u8]) -> Option<(&str, HeaderValue<'_>, &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (name, rest) = rest.split_at_checked(usize::from(*length))?;
    let name = std::str::from_utf8(name).ok().filter(|name| !name.is_empty())?;
    let (kind, rest) = rest.split_first()?;
    let (value, rest) = match kind {
        0 => (HeaderValue::Bool(true), rest),
        1 => (HeaderValue::Bool(false), rest),
        2 => fixed(rest, |bytes| HeaderValue::Byte(i8::from_be_bytes(bytes)))?,
        3 => fixed(rest, |bytes| HeaderValue::Short(i16::from_be_bytes(bytes)))?,
        4 => fixed(rest, |bytes| HeaderValue::Int(i32::from_be_bytes(bytes)))?,
        5 => fixed(rest, |bytes| HeaderValue::Long(i64::from_be_bytes(bytes)))?,
        6 => {
            let (bytes, rest) = counted(rest)?;
            (HeaderValue::Bytes(bytes), rest)
        }
        7 => {
            let (bytes, rest) = counted(rest)?;
            (HeaderValue::Text(std::str::from_utf8(bytes).ok()?), rest)
        }
        8 => fixed(rest, |bytes| HeaderValue::Timestamp(i64::from_be_bytes(bytes)))?,
        9 => fixed(rest, HeaderValue::Uuid)?,
        _ => return None,
    };
    Some((name, value, rest))
}

/// A value of a fixed size.
fn fixed<'a, const SIZE: usize>(
    bytes: &'a [u8],
    value: impl FnOnce([u8; SIZE]) -> HeaderValue<'a>,
) -> Option<(HeaderValue<'a>, &'a [u8])> {
    let (first, rest) = bytes.split_first_chunk::<SIZE>()?;
    Some((value(*first), rest))
}

/// A value that tells its size in two bytes.
fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}
