use std::sync::Arc;

use signalbox_core::plan::ByokFree;
use signalbox_core::time::ResetInterval;
use signalbox_core::{Timestamp, Usd};
use signalbox_ledger::{
    Book, Charge, Counts, Draw, Leased, Refusal, Reserve, Settled, Spender, Terminal,
};

use super::{LAST_SECOND, account, generation, hold, leased, limit, nanos, spender};

const EPOCH: Timestamp = Timestamp::from_seconds(0);

fn credit() -> Draw {
    Draw::credit(&account())
}

/// A book with this credit, and a pot for each limit that is filled to it.
fn book(posted: i64, spender: &Spender, now: Timestamp) -> Book {
    let mut book = Book::new();
    for draw in &spender.draws {
        let amount = draw.cap().map_or(posted, Usd::nanos);
        book.fill(draw, draw.window(now), leased(amount));
    }
    book
}

fn available(book: &Book) -> i64 {
    book.pot(&credit().purse, EPOCH).unwrap().available().nanos()
}

fn short(draw: &Draw, available: i64) -> Result<(), Refusal> {
    Err(Refusal::Short { purse: draw.purse.clone(), available: nanos(available) })
}

fn credits(amount: i64) -> Charge {
    Charge::credits(nanos(amount))
}

fn settled(charged: i64, clamped_by: i64, released: i64) -> Settled {
    Settled {
        charged: nanos(charged),
        byok: nanos(0),
        free: None,
        clamped_by: nanos(clamped_by),
        released: nanos(released),
    }
}

fn plain() -> (Arc<Spender>, Book) {
    let who = spender(&[]);
    let book = book(100, &who, LAST_SECOND);
    (who, book)
}

#[test]
fn a_settlement_charges_the_cost_and_frees_the_rest() {
    let (who, mut book) = plain();
    book.reserve(&hold(1, 60, &who, LAST_SECOND)).unwrap();
    assert_eq!(available(&book), 40);
    assert_eq!(book.settle(&generation(1), credits(25)), Ok(settled(25, 0, 35)));
    assert_eq!(available(&book), 75);
}

#[test]
fn a_release_charges_nothing() {
    let (who, mut book) = plain();
    book.reserve(&hold(1, 60, &who, LAST_SECOND)).unwrap();
    assert_eq!(book.release(&generation(1), true).unwrap().amount, nanos(60));
    assert_eq!(available(&book), 100);
}

#[test]
fn a_cost_above_the_amount_held_is_cut_down_and_reported() {
    let (who, mut book) = plain();
    book.reserve(&hold(1, 60, &who, LAST_SECOND)).unwrap();
    assert_eq!(book.settle(&generation(1), credits(61)), Ok(settled(60, 1, 0)));
}

#[test]
fn negative_amounts_count_as_nothing() {
    let (who, mut book) = plain();
    book.reserve(&hold(1, -60, &who, LAST_SECOND)).unwrap();
    assert_eq!(available(&book), 100);
    assert_eq!(book.settle(&generation(1), credits(i64::MIN)), Ok(settled(0, 0, 0)));
    assert_eq!(available(&book), 100);
}

#[test]
fn a_reservation_ends_once() {
    let (who, mut book) = plain();
    book.reserve(&hold(1, 10, &who, LAST_SECOND)).unwrap();
    book.reserve(&hold(2, 10, &who, LAST_SECOND)).unwrap();
    book.settle(&generation(1), credits(5)).unwrap();
    book.release(&generation(2), true).unwrap();
    for (n, end) in [
        (1, Terminal::AlreadySettled),
        (2, Terminal::AlreadyReleased),
        (9, Terminal::UnknownReservation),
    ] {
        assert_eq!(book.settle(&generation(n), credits(5)), Err(end));
        assert_eq!(book.release(&generation(n), true), Err(end));
    }
    assert_eq!(available(&book), 95);
    for n in [1, 2] {
        let again = book.reserve(&hold(n, 1, &who, LAST_SECOND));
        assert_eq!(again, Err(Refusal::AlreadyReserved));
    }
}

#[test]
fn a_balance_is_never_reserved_twice() {
    let (who, mut book) = plain();
    for n in 0..10 {
        book.reserve(&hold(n, 10, &who, LAST_SECOND)).unwrap();
    }
    assert_eq!(book.reserve(&hold(3, 10, &who, LAST_SECOND)), Err(Refusal::AlreadyReserved));
    assert_eq!(book.reserve(&hold(10, 1, &who, LAST_SECOND)), short(&credit(), 0));
    let free = book.reserve(&hold(11, 0, &who, LAST_SECOND));
    assert_eq!(free, Ok(()), "what is free needs no credit");
}

#[test]
fn a_blocked_account_is_served_nothing_not_even_what_is_free() {
    let (who, mut book) = plain();
    let block = |blocked| Leased { blocked, ..leased(0) };
    book.fill(&credit(), EPOCH, block(true));
    assert_eq!(book.reserve(&hold(1, 0, &who, LAST_SECOND)), Err(Refusal::Blocked));
    assert_eq!(book.spendable(&who, LAST_SECOND), Err(Refusal::Blocked));
    book.fill(&credit(), EPOCH, block(false));
    assert_eq!(book.reserve(&hold(1, 0, &who, LAST_SECOND)), Ok(()));
}

#[test]
fn a_used_up_limit_is_told_apart_from_one_that_can_not_afford_this() {
    let cap = limit(50, None, Counts::Credits);
    let who = spender(std::slice::from_ref(&cap));
    let mut book = book(1000, &who, LAST_SECOND);
    let ask = |book: &mut Book, n, amount| book.reserve(&hold(n, amount, &who, LAST_SECOND));
    assert_eq!(ask(&mut book, 1, 51), short(&cap, 50));
    ask(&mut book, 1, 30).unwrap();
    assert_eq!(ask(&mut book, 2, 21), short(&cap, 20));
    book.settle(&generation(1), credits(30)).unwrap();
    ask(&mut book, 2, 20).unwrap();
    assert_eq!(ask(&mut book, 3, 1), short(&cap, 0), "what is held is not used up yet");
    book.settle(&generation(2), credits(20)).unwrap();
    let used_up = Refusal::Exhausted { purse: cap.purse.clone() };
    assert_eq!(ask(&mut book, 3, 0), Err(used_up.clone()));
    assert_eq!(book.spendable(&who, LAST_SECOND), Err(used_up));
}

#[test]
fn what_others_hold_of_a_limit_is_not_used_up() {
    let cap = limit(50, None, Counts::Credits);
    let who = spender(std::slice::from_ref(&cap));
    let mut book = book(1000, &who, LAST_SECOND);
    assert_eq!(book.withdraw(&cap.purse, EPOCH, nanos(i64::MAX)), nanos(50));
    book.gave(&cap.purse, EPOCH, nanos(50));
    assert_eq!(book.reserve(&hold(1, 1, &who, LAST_SECOND)), short(&cap, 0));
    book.fill(&cap, EPOCH, leased(0));
    let used_up = Err(Refusal::Exhausted { purse: cap.purse.clone() });
    assert_eq!(book.reserve(&hold(1, 1, &who, LAST_SECOND)), used_up);
}

#[test]
fn the_keys_cap_is_named_before_the_empty_balance() {
    let cap = limit(0, None, Counts::Credits);
    let who = spender(std::slice::from_ref(&cap));
    let mut book = book(0, &who, LAST_SECOND);
    let used_up = Err(Refusal::Exhausted { purse: cap.purse });
    assert_eq!(book.reserve(&hold(1, 5, &who, LAST_SECOND)), used_up);
}

#[test]
fn the_budget_is_the_least_of_balance_and_limits() {
    for (posted, cap, expected) in [(100, None, 100), (100, Some(70), 70), (50, Some(70), 50)] {
        let caps: Vec<_> = cap.map(|cap| limit(cap, None, Counts::Credits)).into_iter().collect();
        let who = spender(&caps);
        let mut book = book(posted, &who, LAST_SECOND);
        assert_eq!(book.spendable(&who, LAST_SECOND), Ok(nanos(expected)));
        book.reserve(&hold(1, 20, &who, LAST_SECOND)).unwrap();
        assert_eq!(book.spendable(&who, LAST_SECOND), Ok(nanos(expected - 20)));
    }
}

#[test]
fn a_charge_counts_in_the_window_it_was_reserved_in() {
    let next = LAST_SECOND.plus_millis(1000);
    let cap = limit(50, Some(ResetInterval::Daily), Counts::Credits);
    let who = spender(std::slice::from_ref(&cap));
    let mut book = book(1000, &who, LAST_SECOND);
    book.reserve(&hold(1, 50, &who, LAST_SECOND)).unwrap();
    let unloaded = Err(Refusal::Unloaded { purse: cap.purse.clone() });
    assert_eq!(
        book.reserve(&hold(2, 1, &who, next)),
        unloaded,
        "the new day is a purse of its own"
    );
    book.fill(&cap, cap.window(next), leased(50));
    book.settle(&generation(1), credits(40)).unwrap();
    let left = |book: &Book, at| book.pot(&cap.purse, cap.window(at)).unwrap().left.nanos();
    assert_eq!((left(&book, LAST_SECOND), left(&book, next)), (10, 50));
    book.reserve(&hold(2, 50, &who, next)).unwrap();
    assert_eq!(book.reserve(&hold(3, 11, &who, LAST_SECOND)), short(&cap, 10), "a clock goes back");
}

#[test]
fn a_changed_limit_is_loaded_before_it_is_used_and_an_older_one_changes_nothing() {
    let old = limit(50, None, Counts::Credits);
    let new = Draw::limit("key:key_1", None, nanos(60), Counts::Credits, LAST_SECOND);
    let mut book = book(1000, &spender(std::slice::from_ref(&old)), LAST_SECOND);
    let renewed = spender(std::slice::from_ref(&new));
    let unloaded = Err(Refusal::Unloaded { purse: new.purse.clone() });
    assert_eq!(book.reserve(&hold(1, 1, &renewed, LAST_SECOND)), unloaded);
    book.fill(&new, EPOCH, leased(10));
    book.reserve(&hold(1, 60, &renewed, LAST_SECOND)).unwrap();
    let stale = book.reserve(&hold(2, 0, &spender(std::slice::from_ref(&old)), LAST_SECOND));
    assert_eq!(stale, Ok(()), "a request with the older limit meets the newer one");
}

#[test]
fn a_purse_counts_credits_or_list_prices_or_requests() {
    let byok = Draw::limit("key:key_1", None, nanos(100), Counts::CreditsAndByok, EPOCH);
    let requests = Draw::limit("free:acc_1", None, nanos(2), Counts::Requests, EPOCH);
    let who = spender(&[byok.clone(), requests.clone()]);
    let mut book = book(1000, &who, LAST_SECOND);
    let ask = |n| Reserve { byok: nanos(60), ..hold(n, 5, &who, LAST_SECOND) };
    book.reserve(&ask(1)).unwrap();
    assert_eq!(book.reserve(&ask(2)), short(&byok, 35));
    let done = book.settle(&generation(1), Charge { byok: nanos(70), ..credits(3) }).unwrap();
    assert_eq!((done.charged, done.byok), (nanos(3), nanos(60)));
    let left = |book: &Book, draw: &Draw| book.pot(&draw.purse, EPOCH).unwrap().left.nanos();
    assert_eq!((left(&book, &byok), left(&book, &requests), available(&book)), (37, 1, 997));
    let free = |n| hold(n, 0, &who, LAST_SECOND);
    book.reserve(&free(2)).unwrap();
    book.release(&generation(2), false).unwrap();
    assert_eq!(left(&book, &requests), 1, "what was never attempted is no request");
    book.reserve(&free(3)).unwrap();
    book.release(&generation(3), true).unwrap();
    assert_eq!(left(&book, &requests), 0, "a failed attempt is one");
    let used_up = Err(Refusal::Exhausted { purse: requests.purse });
    assert_eq!(book.reserve(&free(4)), used_up);
}

/// An allowance of two requests a month.
#[test]
fn a_month_of_free_requests_counts_what_an_own_key_answered_and_nothing_else() {
    let free = Draw::allowance(&account(), ByokFree::Requests(2), EPOCH);
    let who = spender(std::slice::from_ref(&free));
    assert!(!who.scopes.iter().any(|scope| scope.starts_with("byok:")), "{:?}", who.scopes);
    let mut book = book(1000, &who, LAST_SECOND);
    let window = free.window(LAST_SECOND);
    let left = |book: &Book| book.pot(&free.purse, window).unwrap().left.nanos();
    let ask =
        |n| Reserve { byok: nanos(60), free: Some(nanos(60)), ..hold(n, 0, &who, LAST_SECOND) };
    book.fill(&free, window, leased(2 - left(&book)));
    for n in [1, 2] {
        book.reserve(&ask(n)).unwrap();
    }
    assert_eq!(book.reserve(&ask(3)), short(&free, 0), "held by two that are under way");
    // Somebody else answered, or nobody: the unit is there again.
    book.settle(&generation(1), credits(0)).unwrap();
    book.reserve(&ask(3)).unwrap();
    book.release(&generation(3), true).unwrap();
    assert_eq!(left(&book), 2);
    let own = Charge { byok: nanos(50), free: Some(nanos(70)), ..credits(0) };
    let done = book.settle(&generation(2), own).unwrap();
    assert_eq!((done.byok, done.free, left(&book)), (nanos(50), Some(nanos(50)), 1));
    // One that did not ask for it takes none of it, whatever its end says.
    book.reserve(&Reserve { free: None, ..ask(4) }).unwrap();
    assert_eq!(book.settle(&generation(4), own).unwrap().free, None);
    assert_eq!(left(&book), 1);
}

#[test]
fn a_month_of_free_list_price_counts_the_part_that_was_free() {
    let free = Draw::allowance(&account(), ByokFree::ListPriceUsd(nanos(100)), EPOCH);
    let who = spender(std::slice::from_ref(&free));
    let mut book = book(1000, &who, LAST_SECOND);
    let window = free.window(LAST_SECOND);
    let left = |book: &Book| book.pot(&free.purse, window).unwrap().left.nanos();
    book.fill(&free, window, leased(100 - left(&book)));
    let ask = |n, free| Reserve {
        byok: nanos(80),
        free: Some(nanos(free)),
        ..hold(n, 4, &who, LAST_SECOND)
    };
    book.reserve(&ask(1, 80)).unwrap();
    assert_eq!(book.reserve(&ask(2, 80)), short(&free, 20));
    book.reserve(&ask(2, 20)).unwrap();
    let came_to = |byok, free| Charge { byok: nanos(byok), free: Some(nanos(free)), ..credits(1) };
    assert_eq!(book.settle(&generation(1), came_to(30, 30)).unwrap().free, Some(nanos(30)));
    assert_eq!(book.settle(&generation(2), came_to(70, 70)).unwrap().free, Some(nanos(20)));
    assert_eq!(left(&book), 50);
}

/// A candidate with the caller's key and one without: a limit that counts both holds the dearer one
/// and not their sum.
#[test]
fn credits_and_list_price_are_held_together_for_whoever_answers() {
    let both = Draw::limit("key:key_1", None, nanos(100), Counts::CreditsAndByok, EPOCH);
    let who = spender(std::slice::from_ref(&both));
    let mut book = book(1000, &who, LAST_SECOND);
    let ask = |n, together| Reserve {
        byok: nanos(90),
        together: Some(nanos(together)),
        ..hold(n, 90, &who, LAST_SECOND)
    };
    assert_eq!(book.reserve(&ask(1, 101)), short(&both, 100));
    assert_eq!(book.reserve(&ask(1, i64::MAX)), short(&both, 100), "at most their sum");
    book.reserve(&ask(1, 95)).unwrap();
    let done = book.settle(&generation(1), Charge { byok: nanos(90), ..credits(90) }).unwrap();
    assert_eq!((done.charged, done.byok), (nanos(90), nanos(5)), "never more than is held");
    assert_eq!(book.pot(&both.purse, EPOCH).unwrap().left, nanos(5));
}

#[test]
fn what_is_held_is_not_withdrawn_and_a_pot_in_use_is_not_forgotten() {
    let (who, mut book) = plain();
    book.reserve(&hold(1, 60, &who, LAST_SECOND)).unwrap();
    let purse = credit().purse;
    assert_eq!(book.withdraw(&purse, EPOCH, nanos(i64::MAX)), nanos(40));
    assert_eq!(book.withdraw(&purse, EPOCH, nanos(5)), nanos(0));
    assert!(!book.forget(&purse, EPOCH));
    book.settle(&generation(1), credits(60)).unwrap();
    assert!(book.forget(&purse, EPOCH));
    assert!(book.pot(&purse, EPOCH).is_none());
}

#[test]
fn open_reservations_can_be_listed() {
    let (who, mut book) = plain();
    book.reserve(&hold(1, 10, &who, LAST_SECOND)).unwrap();
    book.reserve(&hold(2, 20, &who, LAST_SECOND)).unwrap();
    book.release(&generation(1), true).unwrap();
    let held: Vec<_> = book.reservations().map(|held| held.generation.clone()).collect();
    assert_eq!(held, [generation(2)]);
    assert_eq!(book.reservation(&generation(2)).unwrap().amount, nanos(20));
    assert_eq!(book.reservation(&generation(1)), None);
}
