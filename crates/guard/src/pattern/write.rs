//! From the tree to the engine's own words: characters by number, classes by ranges.

use std::fmt::Write;

use super::Set;
use super::parse::Node;

pub(super) fn write(node: &Node) -> String {
    let mut out = String::new();
    put(&mut out, node);
    out
}

fn put(out: &mut String, node: &Node) {
    match node {
        Node::Set(set) => put_set(out, set),
        Node::Start => out.push_str(r"\A"),
        Node::End => out.push_str(r"\z"),
        Node::Boundary => out.push_str(r"(?-u:\b)"),
        Node::NoBoundary => out.push_str(r"(?-u:\B)"),
        Node::Sequence(nodes) => nodes.iter().for_each(|one| put(out, one)),
        Node::Either(branches) => {
            out.push_str("(?:");
            for (at, branch) in branches.iter().enumerate() {
                if at > 0 {
                    out.push('|');
                }
                put(out, branch);
            }
            out.push(')');
        }
        Node::Repeat(repeat) => {
            out.push_str("(?:");
            put(out, &repeat.node);
            out.push(')');
            match (repeat.min, repeat.max) {
                (0, None) => out.push('*'),
                (1, None) => out.push('+'),
                (0, Some(1)) => out.push('?'),
                (min, None) => _ = write!(out, "{{{min},}}"),
                (min, Some(max)) => _ = write!(out, "{{{min},{max}}}"),
            }
            if repeat.lazy {
                out.push('?');
            }
        }
    }
}

fn put_set(out: &mut String, set: &Set) {
    let ranges = set.ranges();
    if let [(one, same)] = ranges.as_slice()
        && one == same
    {
        _ = write!(out, r"\x{{{one:x}}}");
        return;
    }
    // The halves of surrogate pairs are no characters.
    let halves = |(first, last): (u32, u32)| {
        let below = (first <= 0xd7ff).then(|| (first, last.min(0xd7ff)));
        let above = (last >= 0xe000).then(|| (first.max(0xe000), last));
        [below, above].into_iter().flatten()
    };
    let ranges: Vec<(u32, u32)> = ranges.into_iter().flat_map(halves).collect();
    if ranges.is_empty() {
        // A class that nothing is in.
        out.push_str(r"[^\x{0}-\x{10ffff}]");
        return;
    }
    out.push('[');
    for (first, last) in ranges {
        _ = write!(out, r"\x{{{first:x}}}-\x{{{last:x}}}");
    }
    out.push(']');
}
