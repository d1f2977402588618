use super::*;
use crate::laws::bedrock::frame;

/// A message as AWS sent it, from a public report: one chunk of a stream.
const RECORDED: &[u8] =
    b"\x0b:event-type\x07\x00\x05chunk\x0d:content-type\x07\x00\x10application/json\x0d:message-type\x07\x00\x05event";

type Told = (Vec<String>, Result<(), EventStreamFault>);

fn decode(pieces: &[&[u8]], limit: usize) -> Told {
    let mut told = Vec::new();
    let mut decoder = EventStreamDecoder::with_limit(limit);
    for piece in pieces {
        let result = decoder.push(piece, |message| {
            told.push(format!("{:?} {}", message.kind(), message.payload.escape_ascii()));
            Ok::<(), EventStreamFault>(())
        });
        if result.is_err() {
            return (told, result);
        }
    }
    (told, decoder.end())
}

/// A message around raw headers.
fn around(headers: &[u8], payload: &[u8]) -> Vec<u8> {
    let whole = 16 + headers.len() + payload.len();
    let mut bytes = u32::try_from(whole).unwrap().to_be_bytes().to_vec();
    bytes.extend(u32::try_from(headers.len()).unwrap().to_be_bytes());
    bytes.extend(crc32(&bytes).to_be_bytes());
    bytes.extend(headers);
    bytes.extend(payload);
    bytes.extend(crc32(&bytes).to_be_bytes());
    bytes
}

#[test]
fn a_recorded_message_is_read() {
    let payload =
        br#"{"bytes":"eyJjb21wbGV0aW9uIjoiIEhlcmUiLCJzdG9wX3JlYXNvbiI6bnVsbCwic3RvcCI6bnVsbH0="}"#;
    let bytes = around(RECORDED, payload);
    // The report has these bytes too: the length of the headers, and the checksum of both lengths.
    assert_eq!(&bytes[4..12], b"\x00\x00\x00\x4b\x76\x5b\x4f\x36");
    let (told, result) = decode(&[&bytes], 1000);
    assert_eq!(result, Ok(()));
    assert!(told[0].starts_with("Event(\"chunk\") {"), "{told:?}");
}

#[test]
fn every_type_of_header_is_read() {
    let mut headers = Vec::new();
    let values: [(u8, &[u8]); 10] = [
        (0, b""),
        (1, b""),
        (2, b"\xff"),
        (3, b"\xff\xfe"),
        (4, b"\x00\x00\x01\x00"),
        (5, b"\xff\xff\xff\xff\xff\xff\xff\xff"),
        (6, b"\x00\x02\x00\xff"),
        (7, "\u{0}\u{2}é".as_bytes()),
        (8, b"\x00\x00\x00\x00\x00\x00\x03\xe8"),
        (9, b"0123456789abcdef"),
    ];
    for (kind, value) in values {
        headers.extend([1, b'a' + kind, kind]);
        headers.extend(value);
    }
    let bytes = around(&headers, b"");
    let mut read = Vec::new();
    let result = EventStreamDecoder::default().push(&bytes, |message| {
        read = message.headers().map(|(name, value)| format!("{name}{value:?}")).collect();
        assert_eq!((message.text("h"), message.text("a")), (Some("é"), None));
        assert_eq!(message.kind(), MessageKind::Other);
        Ok::<(), EventStreamFault>(())
    });
    assert_eq!(result, Ok(()));
    let shown = read.join(" ");
    assert!(shown.starts_with("aBool(true) bBool(false) cByte(-1) dShort(-2) eInt(256) fLong(-1)"));
    assert!(shown.contains("gBytes([0, 255]) hText(\"é\") iTimestamp(1000) jUuid(["), "{shown}");
}

#[test]
fn every_split_gives_the_same_messages() {
    let mut bytes = frame(&[(":message-type", "event"), (":event-type", "a")], b"one");
    bytes.extend(frame(&[(":message-type", "exception"), (":exception-type", "b")], b""));
    bytes.extend(frame(&[(":message-type", "error"), (":error-code", "c")], b"three"));
    let mut broken = bytes.clone();
    let last = broken.len() - 1;
    broken[last] ^= 1;
    for bytes in [&bytes, &broken, &bytes[..bytes.len() - 3].to_vec()] {
        let whole = decode(&[bytes], 1000);
        assert_eq!(whole.0.len(), if whole.1.is_ok() { 3 } else { 2 });
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
                assert_eq!(decode(&pieces, 1000), whole, "{first} {second}");
            }
        }
    }
}

#[test]
fn each_fault_has_its_name() {
    let good = frame(&[(":message-type", "event")], b"payload");
    let changed = |at: usize, sums: bool| {
        let mut bytes = good.clone();
        bytes[at] ^= 0x40;
        if sums {
            let sum = crc32(&bytes[..8]).to_be_bytes();
            bytes[8..12].copy_from_slice(&sum);
        }
        bytes
    };
    let headers = |headers: &[u8]| around(headers, b"x");
    for (bytes, fault) in [
        (changed(3, false), EventStreamFault::PreludeChecksum),
        (changed(20, false), EventStreamFault::MessageChecksum),
        (changed(0, true), EventStreamFault::TooLong),
        (changed(6, true), EventStreamFault::Lengths),
        (b"{\"message\":\"not a stream\"}".to_vec(), EventStreamFault::PreludeChecksum),
        (headers(b"\x01"), EventStreamFault::Headers),
        (headers(b"\x00\x00"), EventStreamFault::Headers),
        (headers(b"\x01a\x0a"), EventStreamFault::Headers),
        (headers(b"\x01a\x07\x00\x01\xff"), EventStreamFault::Headers),
        (headers(b"\x01a\x07\x00\x02a"), EventStreamFault::Headers),
        (headers(b"\x01a\x05\x00"), EventStreamFault::Headers),
        (good[..good.len() - 1].to_vec(), EventStreamFault::Truncated),
        (good[..5].to_vec(), EventStreamFault::Truncated),
    ] {
        assert_eq!(decode(&[&bytes], 1000), (Vec::new(), Err(fault)), "{bytes:?}");
    }
    let mut small = 15_u32.to_be_bytes().to_vec();
    small.extend([0; 4]);
    small.extend(crc32(&small).to_be_bytes());
    assert_eq!(decode(&[&small], 1000).1, Err(EventStreamFault::Lengths));
    assert_eq!(decode(&[&good], good.len() - 1).1, Err(EventStreamFault::TooLong));
}
