//! What is rejected although the engine here could do it: patterns that take exponential time where
//! they are tried one way after the other.

use super::PatternError;
use super::parse::Node;

pub(super) fn judge(node: &Node) -> Result<(), PatternError> {
    walk(node, None)
}

/// `within` is the place of the endless quantifier that the node is inside of.
fn walk(node: &Node, within: Option<usize>) -> Result<(), PatternError> {
    match node {
        Node::Set(_) | Node::Start | Node::End | Node::Boundary | Node::NoBoundary => Ok(()),
        Node::Sequence(nodes) => nodes.iter().try_for_each(|one| walk(one, within)),
        Node::Either(branches) => {
            if let (Some(at), true) = (within, are_ambiguous(branches)) {
                return Err(PatternError::AmbiguousAlternatives(at));
            }
            branches.iter().try_for_each(|one| walk(one, within))
        }
        Node::Repeat(repeat) => {
            let endless = repeat.max.is_none();
            if endless && within.is_some() {
                return Err(PatternError::NestedQuantifier(repeat.at));
            }
            walk(&repeat.node, if endless { Some(repeat.at) } else { within })
        }
    }
}

/// Whether two branches match the same: they are the same, both are one character and share one, or
/// one of them may be nothing.
fn are_ambiguous(branches: &[Node]) -> bool {
    let empty = branches.iter().any(may_be_empty);
    let alike = |one: &Node, other: &Node| match (one, other) {
        (Node::Set(one), Node::Set(other)) => one.overlaps(other),
        _ => one == other,
    };
    // Long lists of words are told apart by themselves; comparing each with each would take long.
    let few = branches.get(..64).unwrap_or(branches);
    let pairs = few.iter().enumerate();
    let mut twins = pairs.flat_map(|(at, one)| few.iter().skip(at + 1).map(move |two| (one, two)));
    empty || twins.any(|(one, other)| alike(one, other))
}

fn may_be_empty(node: &Node) -> bool {
    match node {
        Node::Set(_) => false,
        Node::Start | Node::End | Node::Boundary | Node::NoBoundary => true,
        Node::Sequence(nodes) => nodes.iter().all(may_be_empty),
        Node::Either(branches) => branches.iter().any(may_be_empty),
        Node::Repeat(repeat) => repeat.min == 0 || may_be_empty(&repeat.node),
    }
}
