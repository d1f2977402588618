//! Server-sent events, as the WHATWG standard reads them.
//!
//! Lines end in LF, CR or CRLF; a byte order mark at the start is skipped; the `data` lines of one
//! event are joined with LF; a blank line ends the event. `id` and `retry` mean nothing here. Any
//! split of the bytes gives the same frames.

use signalbox_core::limits;

/// One message of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame<'a> {
    /// An event's data.
    Data {
        /// The event's name; empty when it has none.
        event: &'a [u8],
        /// The joined data. It has no CR, and LF only where lines were joined.
        data: &'a [u8],
    },
    /// The text after the colon of a comment line.
    Comment(&'a [u8]),
    /// A line that is no event stream. Some providers answer with a bare JSON error.
    Stray(&'a [u8]),
}

/// One event, or one line, is longer than the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream is too long")]
pub struct FrameTooLong;

/// Cuts bytes into frames. It holds at most one unfinished event.
#[derive(Debug)]
pub struct SseDecoder {
    /// The start of a line whose end has not arrived.
    line: Vec<u8>,
    /// Data of the unfinished event.
    data: Vec<u8>,
    has_data: bool,
    event: Vec<u8>,
    /// The last byte was CR: a LF that follows belongs to it.
    after_cr: bool,
    /// No line was read yet: a byte order mark may come.
    at_start: bool,
    limit: usize,
}

impl Default for SseDecoder {
    fn default() -> Self {
        Self::with_limit(limits::MAX_FRAME_BYTES)
    }
}

impl SseDecoder {
    /// A decoder whose events have at most `limit` bytes.
    #[must_use]
    pub fn with_limit(limit: usize) -> Self {
        Self {
            line: Vec::new(),
            data: Vec::new(),
            has_data: false,
            event: Vec::new(),
            after_cr: false,
            at_start: true,
            limit,
        }
    }

    /// Reads bytes and gives every frame that is complete. An error of `sink` stops the reading;
    /// the decoder is then of no more use.
    ///
    /// # Errors
    /// Those of `sink`, and `FrameTooLong`.
    pub fn push<E: From<FrameTooLong>>(
        &mut self,
        bytes: &[u8],
        mut sink: impl FnMut(Frame<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut rest = bytes;
        // Data of the current event that lies in `bytes`, so that it need not be copied.
        let mut held: Option<&[u8]> = None;
        if self.after_cr && !rest.is_empty() {
            self.after_cr = false;
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        while let Some(end) = memchr::memchr2(b'\n', b'\r', rest) {
            let (line, tail) = rest.split_at(end);
            rest = match tail {
                [b'\r', b'\n', after @ ..] => after,
                [b'\r'] => {
                    self.after_cr = true;
                    &[]
                }
                [_, after @ ..] => after,
                [] => tail,
            };
            if self.line.is_empty() {
                self.line_in_place(line, &mut held, &mut sink)?;
            } else {
                self.keep(held.take());
                self.line.extend_from_slice(line);
                let whole = std::mem::take(&mut self.line);
                let mut inner = None;
                let result = self.line_in_place(&whole, &mut inner, &mut sink);
                self.keep(inner.take());
                self.line = whole;
                self.line.clear();
                result?;
            }
        }
        self.keep(held);
        self.line.extend_from_slice(rest);
        self.check(self.line.len(), 0)?;
        Ok(())
    }

    /// The stream is over: gives the last event if its blank line is missing.
    ///
    /// # Errors
    /// Those of `sink`, and `FrameTooLong`.
    pub fn end<E: From<FrameTooLong>>(
        &mut self,
        mut sink: impl FnMut(Frame<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let last = std::mem::take(&mut self.line);
        let mut held = None;
        if !last.is_empty() {
            self.line_in_place(&last, &mut held, &mut sink)?;
        }
        self.line_in_place(b"", &mut held, &mut sink)
    }

    fn check(&self, line: usize, held: usize) -> Result<(), FrameTooLong> {
        let event = self.data.len().saturating_add(line).saturating_add(held);
        if event > self.limit { Err(FrameTooLong) } else { Ok(()) }
    }

    fn keep(&mut self, held: Option<&[u8]>) {
        if let Some(data) = held {
            self.data.extend_from_slice(data);
        }
    }

    fn line_in_place<'a, E: From<FrameTooLong>>(
        &mut self,
        line: &'a [u8],
        held: &mut Option<&'a [u8]>,
        sink: &mut impl FnMut(Frame<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.check(line.len(), held.map_or(0, <[u8]>::len))?;
        let line = if std::mem::take(&mut self.at_start) {
            line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)
        } else {
            line
        };
        if line.is_empty() {
            return self.dispatch(held.take(), sink);
        }
        if let Some(value) = line.strip_prefix(b"data:") {
            self.add_data(value.strip_prefix(b" ").unwrap_or(value), held);
        } else if let Some(comment) = line.strip_prefix(b":") {
            sink(Frame::Comment(comment))?;
        } else if let Some(value) = line.strip_prefix(b"event:") {
            self.event.clear();
            self.event.extend_from_slice(value.strip_prefix(b" ").unwrap_or(value));
        } else if line == b"data" {
            self.add_data(b"", held);
        } else if line == b"event" {
            self.event.clear();
        } else if !(line.starts_with(b"id") || line.starts_with(b"retry")) {
            sink(Frame::Stray(line))?;
        }
        Ok(())
    }

    fn add_data<'a>(&mut self, value: &'a [u8], held: &mut Option<&'a [u8]>) {
        if self.has_data {
            self.keep(held.take());
            self.data.push(b'\n');
            self.data.extend_from_slice(value);
        } else {
            *held = Some(value);
        }
        self.has_data = true;
    }

    fn dispatch<E>(
        &mut self,
        held: Option<&[u8]>,
        sink: &mut impl FnMut(Frame<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let result = if self.has_data {
            let data = held.unwrap_or(&self.data);
            sink(Frame::Data { event: &self.event, data })
        } else {
            Ok(())
        };
        self.has_data = false;
        self.data.clear();
        self.event.clear();
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Eq)]
    struct Failed;

    impl From<FrameTooLong> for Failed {
        fn from(_: FrameTooLong) -> Self {
            Self
        }
    }

    fn decode(pieces: &[&[u8]], limit: usize) -> (Vec<String>, Result<(), Failed>) {
        let mut frames = Vec::new();
        let mut sink = |frame: Frame<'_>| {
            frames.push(match frame {
                Frame::Data { event, data } => {
                    format!("{}|{}", String::from_utf8_lossy(event), String::from_utf8_lossy(data))
                }
                Frame::Comment(text) => format!(":{}", String::from_utf8_lossy(text)),
                Frame::Stray(text) => format!("?{}", String::from_utf8_lossy(text)),
            });
            Ok::<(), Failed>(())
        };
        let mut decoder = SseDecoder::with_limit(limit);
        let mut result = Ok(());
        for piece in pieces {
            result = decoder.push(piece, &mut sink);
            if result.is_err() {
                return (frames, result);
            }
        }
        if result.is_ok() {
            result = decoder.end(&mut sink);
        }
        (frames, result)
    }

    #[test]
    fn every_kind_of_line_is_read() {
        let text = b"\xef\xbb\xbf: hello\r\ndata: one\r\n\r\nevent: error\rdata:two\rdata:  three\r\rdata\n\nid: 7\nretry: 5\n\n{\"error\":1}\ndata: last";
        let (frames, result) = decode(&[text], 100);
        assert_eq!(result, Ok(()));
        assert_eq!(
            frames,
            [": hello", "|one", "error|two\n three", "|", "?{\"error\":1}", "|last"]
        );
    }

    #[test]
    fn every_split_gives_the_same_frames() {
        let text = b"\xef\xbb\xbfdata: one\r\n\r\n: c\r\n\revent: e\ndata: two\ndata: three\n\ndata: four\r\rdata: x";
        let whole = decode(&[text], 100);
        for first in 0..=text.len() {
            for second in first..=text.len() {
                let pieces = [&text[..first], &text[first..second], &text[second..]];
                assert_eq!(decode(&pieces, 100), whole, "{first} {second}");
            }
        }
    }

    #[test]
    fn a_long_event_is_refused_whatever_the_split() {
        let text = b"data: short\n\ndata: 0123456789\ndata: 0123456789\n\n";
        for first in 0..=text.len() {
            let (frames, result) = decode(&[&text[..first], &text[first..]], 20);
            assert_eq!((frames.len(), result), (1, Err(Failed)), "{first}");
        }
        assert_eq!(decode(&[&[b'x'; 21]], 20).1, Err(Failed));
    }
}
