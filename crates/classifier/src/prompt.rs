//! What the classifier sees of a request.

/// The text of a request, by parts, and what else tells tasks apart. Nothing is copied.
///
/// Only the beginning of the user's text ([`HEAD`] bytes), its end ([`TAIL`] bytes) and the beginning
/// of the system text ([`SYSTEM`] bytes) are read, so that the time is bounded.
#[derive(Debug, Clone, Copy, Default)]
pub struct PromptText<'a> {
    /// The parts of the last message of the user, in order.
    pub user: &'a [&'a str],
    /// The system or developer text, empty without one.
    pub system: &'a str,
    /// How many tools the request offers.
    pub tools: usize,
}

/// How many bytes from the beginning of the user's text are read.
pub const HEAD: usize = 2048;
/// How many bytes from the end of a longer text of the user are read: long prompts often end with
/// what is wanted.
pub const TAIL: usize = 1024;
/// How many bytes from the beginning of the system text are read.
pub const SYSTEM: usize = 1024;

impl<'a> PromptText<'a> {
    /// The user's text alone.
    #[must_use]
    pub const fn new(user: &'a [&'a str]) -> Self {
        Self { user, system: "", tools: 0 }
    }

    /// With a system text.
    #[must_use]
    pub const fn system(self, system: &'a str) -> Self {
        Self { system, ..self }
    }

    /// With that many tools.
    #[must_use]
    pub const fn tools(self, tools: usize) -> Self {
        Self { tools, ..self }
    }

    /// The bytes of the user's text, read or not.
    #[must_use]
    pub fn user_bytes(&self) -> usize {
        self.user.iter().fold(0, |sum, part| sum.saturating_add(part.len()))
    }

    /// The beginning of the system text that is read.
    #[must_use]
    pub fn system_read(&self) -> &'a str {
        head(self.system, SYSTEM)
    }

    /// Calls `read` with each piece of the user's text that is read, in order: together at most
    /// [`HEAD`] + [`TAIL`] bytes, none of them twice. At most one piece per part and one more.
    pub fn each_user_piece(&self, mut read: impl FnMut(&'a str)) {
        let skipped_to = self.user_bytes().saturating_sub(TAIL);
        let mut at = 0usize;
        for part in self.user {
            let end = at.saturating_add(part.len());
            let first = head(part, HEAD.saturating_sub(at));
            if !first.is_empty() {
                read(first);
            }
            let rest = part.get(first.len()..).unwrap_or_default();
            let wanted = end.saturating_sub(skipped_to.max(at));
            let last = tail(rest, wanted);
            if !last.is_empty() {
                read(last);
            }
            at = end;
        }
    }
}

/// At most the first `most` bytes of `text`, whole characters.
fn head(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or_default()
}

/// At most the last `most` bytes of `text`, whole characters.
fn tail(text: &str, most: usize) -> &str {
    text.get(text.ceil_char_boundary(text.len().saturating_sub(most))..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'a>(prompt: PromptText<'a>) -> Vec<&'a str> {
        let mut pieces = Vec::new();
        prompt.each_user_piece(|piece| pieces.push(piece));
        pieces
    }

    #[test]
    fn a_short_prompt_is_read_whole_and_once() {
        assert_eq!(read(PromptText::new(&["first", "", "second"])), ["first", "second"]);
        let two = "x".repeat(HEAD + TAIL);
        let parts = [two.as_str()];
        let pieces = read(PromptText::new(&parts));
        assert_eq!(pieces.concat(), two);
    }

    #[test]
    fn a_long_prompt_is_read_at_its_ends() {
        let long = format!("{}{}{}", "a".repeat(HEAD), "b".repeat(90_000), "c".repeat(TAIL));
        let parts = [long.as_str()];
        assert_eq!(read(PromptText::new(&parts)), ["a".repeat(HEAD), "c".repeat(TAIL)]);
        let many = ["é".repeat(3000), "ü".repeat(3000), "c".to_owned()];
        let parts: Vec<&str> = many.iter().map(String::as_str).collect();
        let pieces = read(PromptText::new(&parts));
        assert_eq!(pieces.first().unwrap().len(), HEAD);
        assert_eq!(pieces.last().copied(), Some("c"));
        assert!(pieces.concat().len() <= HEAD + TAIL);
    }
}
