//! Frames of the binary event stream: lengths, headers and payload between two CRC-32 sums, as the
//! cloud that invented it documents them (`application/vnd.amazon.eventstream`).

use serde_json::Value;

/// Its content type.
pub(crate) const CONTENT_TYPE: &str = "application/vnd.amazon.eventstream";
/// Type of a header whose value is text.
const TEXT: u8 = 7;

const fn table() -> [u32; 256] {
    let mut out = [0_u32; 256];
    let mut index = 0_usize;
    while index < 256 {
        let mut sum = index as u32;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ 0xEDB8_8320 } else { sum >> 1 };
            bit += 1;
        }
        #[expect(clippy::indexing_slicing, reason = "the loop ends at the array's length")]
        {
            out[index] = sum;
        }
        index += 1;
    }
    out
}

static TABLE: [u32; 256] = table();

/// CRC-32 of ISO-HDLC.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        let place = ((sum ^ u32::from(*byte)) & 0xFF) as usize;
        (sum >> 8) ^ TABLE.get(place).copied().unwrap_or_default()
    })
}

fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in headers {
        block.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
        block.extend_from_slice(name.as_bytes());
        block.push(TEXT);
        block.extend_from_slice(&u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
        block.extend_from_slice(value.as_bytes());
    }
    let length = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).to_be_bytes();
    let total = block.len().saturating_add(payload.len()).saturating_add(16);
    let mut out = Vec::with_capacity(total);
    out.extend_from_slice(&length(total));
    out.extend_from_slice(&length(block.len()));
    let prelude = crc(&out);
    out.extend_from_slice(&prelude.to_be_bytes());
    out.extend_from_slice(&block);
    out.extend_from_slice(payload);
    let sum = crc(&out);
    out.extend_from_slice(&sum.to_be_bytes());
    out
}

/// An event of a type.
pub(crate) fn event(kind: &str, payload: &Value) -> Vec<u8> {
    let headers =
        [(":event-type", kind), (":content-type", "application/json"), (":message-type", "event")];
    frame(&headers, payload.to_string().as_bytes())
}

/// An exception of a type.
pub(crate) fn exception(kind: &str, payload: &Value) -> Vec<u8> {
    let headers = [
        (":exception-type", kind),
        (":content-type", "application/json"),
        (":message-type", "exception"),
    ];
    frame(&headers, payload.to_string().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_the_well_known_one() {
        assert_eq!(crc(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn an_empty_frame_is_sixteen_bytes() {
        // The vector that the format's own test suite calls "empty message".
        let expected = [0, 0, 0, 16, 0, 0, 0, 0, 0x05, 0xC2, 0x48, 0xEB, 0x7D, 0x98, 0xC8, 0xFF];
        assert_eq!(frame(&[], b""), expected);
    }
}
