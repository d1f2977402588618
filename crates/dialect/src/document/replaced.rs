//! Other text in places inside of values: the index of members moves with it, so that nothing is read
//! again.

use std::ops::Range;

use bytestring::ByteString;

use super::{Document, Member};

/// A place in the text of a document, and what stands there instead.
pub(crate) type Splice = (Range<usize>, String);

impl Document {
    /// The document with these splices, in order; of two that overlap the later one is left out. Each
    /// lies within one value and leaves it JSON of the same kind and depth: letters between the quotes
    /// of a string, or a string for a number.
    pub(crate) fn replaced(&self, splices: &[Splice]) -> Self {
        let (text, made) = splice(&self.text, splices);
        let mut moves = made.iter().peekable();
        // How much was put in, and how much was taken out, before a place.
        let (mut more, mut less) = (0_usize, 0_usize);
        let mut moved = |at: usize| {
            while let Some((span, length)) = moves.next_if(|(span, _)| span.end <= at) {
                more = more.saturating_add(*length);
                less = less.saturating_add(span.len());
            }
            at.saturating_add(more).saturating_sub(less)
        };
        let members = self.members.iter().map(|member| Member {
            unescaped: member.unescaped.clone(),
            key: moved(member.key.start)..moved(member.key.end),
            value: moved(member.value.start)..moved(member.value.end),
        });
        let members = members.collect();
        Self { text: ByteString::from(text), members }
    }
}

/// A text with its splices, and those that were made with the length of what they put in.
pub(crate) fn splice(text: &str, splices: &[Splice]) -> (String, Vec<(Range<usize>, usize)>) {
    let added: usize = splices.iter().map(|(_, with)| with.len()).sum();
    let mut out = String::with_capacity(text.len().saturating_add(added));
    let mut made = Vec::with_capacity(splices.len());
    let mut done = 0;
    for (span, with) in splices {
        if span.start < done {
            continue;
        }
        out.push_str(text.get(done..span.start).unwrap_or_default());
        out.push_str(with);
        made.push((span.clone(), with.len()));
        done = span.end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    (out, made)
}
