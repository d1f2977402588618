//! A map with a bound on its weight whose entries expire: what was used least recently makes room.
//!
//! Every operation first takes out what has expired, so that an entry is never seen after its time.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use signalbox_core::Timestamp;

/// A key with the account in it whose entry it is for. Nothing else is kept here: what was learnt from one tenant's request
/// is never found by another's (reliability design, test 35).
pub(crate) trait Owned {}

/// A shelf. Values are cheap to clone.
#[derive(Debug)]
pub(crate) struct Shelf<K, V> {
    /// The most that all entries may weigh together.
    most: usize,
    /// How many entries there are: read without the lock.
    count: AtomicUsize,
    rows: Mutex<Rows<K, V>>,
}

/// The entries, and the two orders in which they leave. A moment of use belongs to one entry.
#[derive(Debug)]
struct Rows<K, V> {
    slots: HashMap<K, Slot<V>>,
    by_use: BTreeMap<u64, K>,
    by_end: BTreeMap<(Timestamp, u64), K>,
    weight: usize,
    uses: u64,
}

#[derive(Debug)]
struct Slot<V> {
    value: V,
    weight: usize,
    used: u64,
    /// When it expires, and what tells it from others that do then.
    end: (Timestamp, u64),
}

impl<K: Owned + Clone + Eq + Hash, V: Clone> Shelf<K, V> {
    /// An empty shelf for entries that weigh up to `most` together.
    pub(crate) fn new(most: usize) -> Self {
        let rows = Rows {
            slots: HashMap::new(),
            by_use: BTreeMap::new(),
            by_end: BTreeMap::new(),
            weight: 0,
            uses: 0,
        };
        Self { most, count: AtomicUsize::new(0), rows: Mutex::new(rows) }
    }

    /// Whether there is nothing to find.
    pub(crate) fn is_empty(&self) -> bool {
        self.count.load(Ordering::Relaxed) == 0
    }

    /// The value of a key, which counts as used by this.
    pub(crate) fn get(&self, key: &K, now: Timestamp) -> Option<V> {
        let mut rows = self.lock();
        let gone = rows.expire(now);
        let found = rows.touch(key);
        self.count(&rows);
        drop(rows);
        drop(gone);
        found
    }

    /// Puts an entry in the place of what its key had. One that is too heavy for the whole shelf, or
    /// that has expired, is not taken.
    pub(crate) fn put(&self, key: K, value: V, weight: usize, until: Timestamp, now: Timestamp) {
        let mut rows = self.lock();
        let mut gone = rows.expire(now);
        gone.extend(rows.take(&key));
        if weight <= self.most && until > now {
            let room = self.most.saturating_sub(weight);
            gone.extend(rows.shrink(room));
            rows.insert(key, value, weight, until);
        }
        self.count(&rows);
        drop(rows);
        // Large values are freed without the lock.
        drop(gone);
    }

    /// Takes an entry out.
    pub(crate) fn remove(&self, key: &K) {
        let mut rows = self.lock();
        let gone = rows.take(key);
        self.count(&rows);
        drop(rows);
        drop(gone);
    }

    fn lock(&self) -> MutexGuard<'_, Rows<K, V>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, rows: &Rows<K, V>) {
        self.count.store(rows.slots.len(), Ordering::Relaxed);
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Rows<K, V> {
    fn moment(&mut self) -> u64 {
        self.uses = self.uses.wrapping_add(1);
        self.uses
    }

    fn touch(&mut self, key: &K) -> Option<V> {
        let used = self.moment();
        let slot = self.slots.get_mut(key)?;
        let before = std::mem::replace(&mut slot.used, used);
        let value = slot.value.clone();
        if let Some(key) = self.by_use.remove(&before) {
            self.by_use.insert(used, key);
        }
        Some(value)
    }

    fn insert(&mut self, key: K, value: V, weight: usize, until: Timestamp) {
        let used = self.moment();
        let end = (until, used);
        self.by_use.insert(used, key.clone());
        self.by_end.insert(end, key.clone());
        self.weight = self.weight.saturating_add(weight);
        self.slots.insert(key, Slot { value, weight, used, end });
    }

    fn take(&mut self, key: &K) -> Option<V> {
        let slot = self.slots.remove(key)?;
        self.by_use.remove(&slot.used);
        self.by_end.remove(&slot.end);
        self.weight = self.weight.saturating_sub(slot.weight);
        Some(slot.value)
    }

    /// Takes out what has expired.
    fn expire(&mut self, now: Timestamp) -> Vec<V> {
        let mut gone = Vec::new();
        while let Some(((until, _), key)) = self.by_end.first_key_value()
            && *until <= now
        {
            let key = key.clone();
            gone.extend(self.take(&key));
        }
        gone
    }

    /// Takes out what was used least recently, until the rest weighs no more than `room`.
    fn shrink(&mut self, room: usize) -> Vec<V> {
        let mut gone = Vec::new();
        while self.weight > room
            && let Some((_, key)) = self.by_use.first_key_value()
        {
            let key = key.clone();
            gone.extend(self.take(&key));
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Owned for &'static str {}
    impl Owned for u64 {}

    const fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn keys(shelf: &Shelf<&'static str, u32>, now: i64) -> Vec<&'static str> {
        let found = |key: &&'static str| shelf.get(key, at(now)).is_some();
        ["a", "b", "c", "d"].into_iter().filter(found).collect()
    }

    #[test]
    fn what_was_used_least_recently_makes_room() {
        let shelf = Shelf::new(10);
        assert!(shelf.is_empty());
        shelf.put("a", 1, 4, at(100), at(0));
        shelf.put("b", 2, 4, at(100), at(0));
        assert_eq!(shelf.get(&"a", at(1)), Some(1));
        shelf.put("c", 3, 4, at(100), at(2));
        assert_eq!(keys(&shelf, 3), ["a", "c"]);
        shelf.put("d", 4, 10, at(100), at(4));
        assert_eq!(keys(&shelf, 5), ["d"]);
    }

    #[test]
    fn an_entry_that_fits_no_shelf_leaves_the_others_alone() {
        let shelf = Shelf::new(10);
        shelf.put("a", 1, 10, at(100), at(0));
        shelf.put("b", 2, 11, at(100), at(0));
        assert_eq!(keys(&shelf, 1), ["a"]);
        shelf.put("a", 3, 11, at(100), at(2));
        assert!(keys(&shelf, 3).is_empty(), "what it replaces is gone all the same");
        assert!(shelf.is_empty());
    }

    #[test]
    fn nothing_is_seen_after_its_time_and_a_new_one_has_its_own() {
        let shelf = Shelf::new(10);
        shelf.put("a", 1, 1, at(10), at(0));
        shelf.put("b", 1, 1, at(20), at(0));
        shelf.put("c", 1, 1, at(0), at(0));
        assert_eq!(keys(&shelf, 9), ["a", "b"]);
        assert_eq!(keys(&shelf, 10), ["b"]);
        shelf.put("b", 2, 1, at(40), at(15));
        assert_eq!(shelf.get(&"b", at(39)), Some(2));
        assert_eq!(shelf.get(&"b", at(40)), None);
        let rows = shelf.lock();
        assert_eq!((rows.by_use.len(), rows.by_end.len(), rows.weight), (0, 0, 0));
    }

    #[test]
    fn the_weight_is_that_of_its_entries_whatever_happens() {
        let shelf = Shelf::new(50);
        let mut dice = 12_345_u64;
        for step in 0..5_000_i64 {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
            let (key, weight) = ((dice >> 33) % 40, usize::try_from((dice >> 40) % 60).unwrap());
            match (dice >> 50) % 4 {
                0 | 1 => shelf.put(key, step, weight, at(step + 30), at(step)),
                2 => drop(shelf.get(&key, at(step))),
                _ => shelf.remove(&key),
            }
            let rows = shelf.lock();
            let sum: usize = rows.slots.values().map(|slot| slot.weight).sum();
            assert_eq!((rows.weight, rows.by_use.len()), (sum, rows.slots.len()));
            assert_eq!(rows.by_end.len(), rows.slots.len());
            assert!(sum <= 50);
        }
    }
}
