//! Answers that are never charged for.

use signalbox_core::Usage;

/// Whether the tokens of a generation are free (inference spec 18.2): it failed (`error`), or it has
/// neither output nor a reason to have stopped. `finish_reason` is the normalised one; blank counts
/// as none.
///
/// The request fee is waived with the tokens. Searches, fetches and pages stay billed: their work was
/// done.
#[must_use]
pub fn insured(usage: &Usage, finish_reason: Option<&str>) -> bool {
    match finish_reason.map(str::trim) {
        Some("error") => true,
        None | Some("") => usage.output == 0,
        Some(_) => false,
    }
}

/// The part of `usage` that is billed, and how many request fees: all of it and one, or what tools did
/// alone when [`insured`]. Hand both to [`crate::price`].
#[must_use]
pub fn billable(usage: &Usage, finish_reason: Option<&str>) -> (Usage, u64) {
    if insured(usage, finish_reason) {
        let tools = Usage {
            searches: usage.searches,
            fetches: usage.fetches,
            file_pages: usage.file_pages,
            estimated: usage.estimated,
            ..Usage::default()
        };
        (tools, 0)
    } else {
        (*usage, 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_and_empty_answers_are_free() {
        let with = |output| Usage {
            input_uncached: 10,
            output,
            searches: 2,
            fetches: 3,
            file_pages: 4,
            search_units: 5,
            ..Usage::default()
        };
        for (output, finish, free) in [
            (0, None, true),
            (0, Some(""), true),
            (0, Some(" "), true),
            (0, Some("stop"), false),
            (0, Some("content_filter"), false),
            (0, Some("error"), true),
            (7, Some("error"), true),
            (7, None, false),
            (7, Some("length"), false),
        ] {
            let usage = with(output);
            assert_eq!(insured(&usage, finish), free, "{output} {finish:?}");
            let (billed, requests) = billable(&usage, finish);
            assert_eq!((billed.searches, billed.fetches, billed.file_pages), (2, 3, 4));
            assert_eq!(billed.search_units == 0, free);
            assert_eq!((billed.total() == 0, requests), (free, u64::from(!free)));
        }
    }
}
