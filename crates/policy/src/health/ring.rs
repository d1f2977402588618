//! Time in slots of equal width, of which the newest are kept.

use signalbox_core::Timestamp;

/// The newest `N` slots of `WIDTH` seconds each. A look at the last `N × WIDTH` seconds sees the
/// slot under way and the `N - 1` before it, so never anything older. Any order of times is fine,
/// backwards too.
#[derive(Debug, Clone)]
pub(super) struct Ring<T, const N: usize, const WIDTH: i64> {
    slots: [T; N],
    /// The number of the newest slot; `None` before anything was noted.
    newest: Option<i64>,
}

impl<T: Default, const N: usize, const WIDTH: i64> Default for Ring<T, N, WIDTH> {
    fn default() -> Self {
        Self { slots: std::array::from_fn(|_| T::default()), newest: None }
    }
}

impl<T: Default, const N: usize, const WIDTH: i64> Ring<T, N, WIDTH> {
    /// How many slots there are, as slot numbers count.
    const COUNT: i64 = N as i64;

    /// The number of the slot that a moment lies in.
    pub(super) const fn number(at: Timestamp) -> i64 {
        at.seconds().div_euclid(WIDTH)
    }

    fn place(number: i64) -> usize {
        usize::try_from(number.rem_euclid(Self::COUNT)).unwrap_or(0)
    }

    /// Forgets what is too old at this moment. A clock that went back by more than the ring holds
    /// makes everything in it wrong.
    pub(super) fn advance(&mut self, now: Timestamp) {
        let number = Self::number(now);
        let newest = self.newest.unwrap_or(number);
        let far = newest.saturating_sub(number).saturating_abs() >= Self::COUNT;
        if far {
            self.slots = std::array::from_fn(|_| T::default());
            self.newest = Some(number);
            return;
        }
        for passed in newest.saturating_add(1)..=number {
            if let Some(slot) = self.slots.get_mut(Self::place(passed)) {
                *slot = T::default();
            }
        }
        self.newest = Some(newest.max(number));
    }

    /// The slot of this moment.
    pub(super) fn at(&mut self, now: Timestamp) -> Option<&mut T> {
        self.advance(now);
        self.slots.get_mut(Self::place(Self::number(now)))
    }

    /// The slots that this moment looks back on, each with its number.
    pub(super) fn recent(&self, now: Timestamp) -> impl Iterator<Item = (i64, &T)> {
        let number = Self::number(now);
        let newest = self.newest.unwrap_or(i64::MIN);
        let first = number.max(newest).saturating_sub(Self::COUNT).saturating_add(1);
        // An empty ring, or one whose content is all too old or yet to come, gives nothing.
        (first..=number.min(newest))
            .filter_map(|one| self.slots.get(Self::place(one)).map(|slot| (one, slot)))
    }

    /// Puts a slot back by its number, if it is one that this moment looks back on.
    pub(super) fn put(&mut self, number: i64, now: Timestamp, slot: T) {
        self.advance(now);
        let age = Self::number(now).saturating_sub(number);
        if (0..Self::COUNT).contains(&age)
            && let Some(place) = self.slots.get_mut(Self::place(number))
        {
            *place = slot;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(ring: &Ring<u32, 3, 10>, at: i64) -> u32 {
        ring.recent(Timestamp::from_seconds(at)).map(|(_, slot)| *slot).sum()
    }

    fn add(ring: &mut Ring<u32, 3, 10>, at: i64, count: u32) {
        *ring.at(Timestamp::from_seconds(at)).unwrap() += count;
    }

    #[test]
    fn a_look_back_sees_the_slot_under_way_and_those_before_it() {
        let mut ring = Ring::default();
        assert_eq!(sum(&ring, 100), 0);
        add(&mut ring, 100, 1);
        add(&mut ring, 115, 10);
        add(&mut ring, 129, 100);
        assert_eq!(sum(&ring, 129), 111);
        assert_eq!(sum(&ring, 130), 110);
        assert_eq!(sum(&ring, 149), 100);
        assert_eq!(sum(&ring, 150), 0);
        add(&mut ring, 145, 1000);
        assert_eq!(sum(&ring, 145), 1100);
    }

    #[test]
    fn a_clock_that_goes_back_a_little_finds_its_slot_and_one_that_goes_far_starts_anew() {
        let mut ring = Ring::default();
        add(&mut ring, 125, 1);
        add(&mut ring, 115, 10);
        assert_eq!(sum(&ring, 125), 11);
        assert_eq!(sum(&ring, 119), 10, "what is yet to come is not looked back on");
        add(&mut ring, 5, 100);
        assert_eq!(sum(&ring, 5), 100);
        add(&mut ring, i64::MAX / 1_000_000, 7);
        add(&mut ring, i64::MIN / 1_000_000, 8);
        assert_eq!(sum(&ring, i64::MIN / 1_000_000), 8);
    }
}
