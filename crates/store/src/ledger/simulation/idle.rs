//! Purses that nobody uses leave the memory, and their leases the database, in virtual time.

use std::sync::Arc;
use std::time::Duration;

use super::dice::Dice;
use super::durable::World;
use super::liveness::{ALL, Gate, virtual_time};

fn purses(gate: &Gate) -> usize {
    gate.ledger.inner.shards.iter().map(|shard| shard.lock().book.pots().count()).sum()
}

/// Time passes, without any request.
async fn pass(minutes: u64) {
    tokio::time::sleep(Duration::from_secs(minutes * 60)).await;
}

#[test]
fn an_idle_account_is_forgotten_and_its_leases_are_given_back() {
    virtual_time(async {
        let mut dice = Dice::new(3);
        let world = Arc::new(World::calm(ALL));
        let gate = Gate::open(&world, "one", &mut dice).await;
        // Past midnight, at which days begin anew.
        pass(1).await;
        let hold = gate.ask(100, 0, 1).await.expect("credit");
        pass(40).await;
        assert_eq!(purses(&gate), 3, "something is held");
        gate.release(hold).await;
        pass(1).await;
        assert_eq!((purses(&gate), world.lock().lease_count()), (0, 0));
        // It comes back as if nothing had been.
        let hold = gate.ask(ALL, 0, 2).await.expect("credit");
        gate.release(hold).await;
        pass(14).await;
        assert_eq!((purses(&gate), world.lock().lease_count()), (3, 3));
        pass(2).await;
        assert_eq!((purses(&gate), world.lock().lease_count()), (0, 0));
    });
}

#[test]
fn an_account_in_use_stays() {
    virtual_time(async {
        let mut dice = Dice::new(4);
        let world = Arc::new(World::calm(ALL));
        let gate = Gate::open(&world, "one", &mut dice).await;
        pass(1).await;
        for turn in 0..12 {
            let hold = gate.ask(100, 0, turn).await.expect("credit");
            gate.release(hold).await;
            pass(10).await;
            assert_eq!(purses(&gate), 3, "turn {turn}");
        }
    });
}
