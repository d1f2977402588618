//! A script as the body of an HTTP answer.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use signalbox_runtime::Clock;
use tokio::time::sleep;

use crate::answer::STAMP;
use crate::frames::Beat;
use crate::journal::{Outcome, Page};
use crate::script::Script;

/// Time for the connection to write what was handed to it before it is cut.
const BEFORE_CUT: Duration = Duration::from_millis(2);

/// Plays a script and writes what happened on a journal's page.
pub(crate) struct ScriptBody {
    script: Script,
    page: Page,
    outcome: Outcome,
    /// Declared length, where there is one.
    length: Option<u64>,
    /// Bytes until the connection is cut.
    budget: Option<u64>,
    pause: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    state: State,
    /// Fills the time into stamped tokens.
    stamps: Option<Clock>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Playing,
    Cutting,
    Hanging,
    Over,
}

impl ScriptBody {
    pub(crate) fn new(
        script: Script,
        page: Page,
        outcome: Outcome,
        length: Option<u64>,
        budget: Option<u64>,
    ) -> Self {
        Self {
            script,
            page,
            outcome,
            length,
            budget,
            pause: None,
            state: State::Playing,
            stamps: None,
        }
    }

    /// The same body with the time in its stamped tokens.
    pub(crate) fn stamped(self) -> Self {
        Self { stamps: Some(Clock::system()), ..self }
    }

    fn cut(&mut self) {
        self.state = State::Cutting;
        self.pause = Some(Box::pin(sleep(BEFORE_CUT)));
    }

    /// Hands out the bytes that the budget allows.
    fn send(&mut self, mut bytes: Bytes, tokens: u64, usage: Option<serde_json::Value>) -> Bytes {
        if let Some(clock) = &self.stamps {
            bytes = stamp(bytes, clock);
        }
        if let Some(left) = self.budget {
            let length = bytes.len() as u64;
            if length >= left {
                bytes.truncate(usize::try_from(left).unwrap_or(usize::MAX));
                self.cut();
                if length > left {
                    return bytes;
                }
            }
            self.budget = Some(left.saturating_sub(length));
        }
        self.page.emitted(tokens);
        if let Some(usage) = usage {
            self.page.sent_usage(&usage);
        }
        if self.state == State::Playing && self.script.is_over() {
            self.state = State::Over;
            self.page.close(self.outcome);
        }
        bytes
    }
}

/// Writes the time over the place held for it, if there is one.
fn stamp(bytes: Bytes, clock: &Clock) -> Bytes {
    let Some(at) = bytes.windows(STAMP.len()).position(|w| w == STAMP.as_bytes()) else {
        return bytes;
    };
    let mut bytes = BytesMut::from(bytes);
    let time = format!("{:016}", clock.now().micros());
    if let (Some(place), 16) = (bytes.get_mut(at..at.saturating_add(STAMP.len())), time.len()) {
        place.copy_from_slice(time.as_bytes());
    }
    bytes.freeze()
}

impl Body for ScriptBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(cx));
                self.pause = None;
            }
            match self.state {
                State::Playing => {}
                State::Hanging => return Poll::Pending,
                State::Cutting => {
                    self.page.close(Outcome::Cut);
                    self.state = State::Over;
                    let error = io::Error::new(io::ErrorKind::ConnectionAborted, "cut by script");
                    return Poll::Ready(Some(Err(error)));
                }
                State::Over => return Poll::Ready(None),
            }
            match self.script.next() {
                Some(Beat::Send { bytes, tokens, usage }) => {
                    let bytes = self.send(bytes, tokens, usage);
                    if !bytes.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::data(bytes))));
                    }
                }
                Some(Beat::Wait(pause)) => self.pause = Some(Box::pin(sleep(pause))),
                Some(Beat::Halt) => self.pause = self.page.halt(),
                Some(Beat::Hang) => self.state = State::Hanging,
                Some(Beat::Cut) => self.cut(),
                None => {
                    let outcome = self.outcome;
                    self.page.close(outcome);
                    self.state = State::Over;
                }
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
