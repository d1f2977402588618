//! A bounded memory of how reservations ended.

use std::collections::VecDeque;

use signalbox_core::FastMap;
use signalbox_core::id::GenerationId;

/// How many are remembered: several minutes of one busy shard, in less than a megabyte.
pub(super) const CAPACITY: usize = 4096;

/// How a reservation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Settled,
    Released,
}

/// The last reservations that ended; the oldest is forgotten first.
#[derive(Debug, Default)]
pub(super) struct Ended {
    outcomes: FastMap<GenerationId, Outcome>,
    order: VecDeque<GenerationId>,
}

impl Ended {
    pub(super) fn outcome(&self, generation: &GenerationId) -> Option<Outcome> {
        self.outcomes.get(generation).copied()
    }

    pub(super) fn remember(&mut self, generation: GenerationId, outcome: Outcome) {
        if self.order.len() >= CAPACITY
            && let Some(oldest) = self.order.pop_front()
        {
            self.outcomes.remove(&oldest);
        }
        self.order.push_back(generation.clone());
        self.outcomes.insert(generation, outcome);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_end_is_forgotten_first() {
        let id = |n: usize| GenerationId::new(format!("gen-{n}"));
        let mut ended = Ended::default();
        for n in 0..=CAPACITY {
            ended.remember(id(n), Outcome::Settled);
        }
        assert_eq!(ended.outcome(&id(0)), None);
        assert_eq!(ended.outcome(&id(1)), Some(Outcome::Settled));
        assert_eq!(ended.outcome(&id(CAPACITY)), Some(Outcome::Settled));
        assert_eq!((ended.order.len(), ended.outcomes.len()), (CAPACITY, CAPACITY));
    }
}
