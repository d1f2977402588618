use signalbox_core::Timestamp;
use signalbox_core::time::ResetInterval;
use signalbox_ledger::{
    Book, CreditError, KeyTerms, Refusal, Released, Reserve, Settled, Spend, Terminal,
};

use super::{account, generation, key, nanos};

/// 2026-08-31 23:59:59 UTC, a Monday.
const LAST_SECOND: Timestamp = Timestamp::from_seconds(1_788_220_799);

fn terms(limit: Option<i64>, reset: Option<ResetInterval>) -> KeyTerms {
    KeyTerms { key: key(1), account: account(1), limit: limit.map(nanos), reset }
}

/// Account 1 with this balance and key 1 with this limit.
fn book(posted: i64, limit: Option<i64>, reset: Option<ResetInterval>) -> Book {
    let mut book = Book::new();
    assert!(book.open_account(account(1), nanos(posted)));
    assert!(book.open_key(terms(limit, reset), Spend::none(LAST_SECOND)));
    book
}

fn hold(n: u32, amount: i64, now: Timestamp) -> Reserve {
    Reserve {
        generation: generation(n),
        account: account(1),
        key: key(1),
        amount: nanos(amount),
        now,
    }
}

fn reserve(book: &mut Book, n: u32, amount: i64) -> Result<(), Refusal> {
    book.reserve(hold(n, amount, LAST_SECOND))
}

#[test]
fn a_settlement_charges_the_cost_and_frees_the_rest() {
    let mut book = book(100, None, None);
    reserve(&mut book, 1, 60).unwrap();
    assert_eq!(book.available(&account(1)), Some(nanos(40)));
    assert_eq!(book.pending(&account(1)), Some(nanos(60)));
    let settled = book.settle(&generation(1), nanos(25), LAST_SECOND).unwrap();
    assert_eq!(settled, Settled { charged: nanos(25), clamped_by: nanos(0), released: nanos(35) });
    assert_eq!(book.posted(&account(1)), Some(nanos(75)));
    assert_eq!(book.available(&account(1)), Some(nanos(75)));
    assert_eq!(book.key_spend(&key(1), LAST_SECOND).unwrap().total, nanos(25));
}

#[test]
fn a_release_charges_nothing() {
    let mut book = book(100, Some(80), None);
    reserve(&mut book, 1, 60).unwrap();
    assert_eq!(book.key_remaining(&key(1), LAST_SECOND), Some(nanos(20)));
    assert_eq!(book.release(&generation(1)), Ok(Released { amount: nanos(60) }));
    assert_eq!(book.available(&account(1)), Some(nanos(100)));
    assert_eq!(book.key_remaining(&key(1), LAST_SECOND), Some(nanos(80)));
}

#[test]
fn a_cost_above_the_amount_held_is_cut_down_and_reported() {
    let mut book = book(100, None, None);
    reserve(&mut book, 1, 60).unwrap();
    let settled = book.settle(&generation(1), nanos(61), LAST_SECOND).unwrap();
    assert_eq!(settled, Settled { charged: nanos(60), clamped_by: nanos(1), released: nanos(0) });
}

#[test]
fn negative_amounts_count_as_nothing() {
    let mut book = book(100, None, None);
    reserve(&mut book, 1, -60).unwrap();
    assert_eq!(book.available(&account(1)), Some(nanos(100)));
    let settled = book.settle(&generation(1), nanos(i64::MIN), LAST_SECOND).unwrap();
    assert_eq!(settled, Settled { charged: nanos(0), clamped_by: nanos(0), released: nanos(0) });
    assert_eq!(book.posted(&account(1)), Some(nanos(100)));
}

#[test]
fn a_reservation_ends_once() {
    let mut book = book(100, None, None);
    reserve(&mut book, 1, 10).unwrap();
    reserve(&mut book, 2, 10).unwrap();
    book.settle(&generation(1), nanos(5), LAST_SECOND).unwrap();
    book.release(&generation(2)).unwrap();
    let again = |book: &mut Book, n| {
        (book.settle(&generation(n), nanos(5), LAST_SECOND), book.release(&generation(n)))
    };
    let settled = (Err(Terminal::AlreadySettled), Err(Terminal::AlreadySettled));
    let released = (Err(Terminal::AlreadyReleased), Err(Terminal::AlreadyReleased));
    let unknown = (Err(Terminal::UnknownReservation), Err(Terminal::UnknownReservation));
    assert_eq!(again(&mut book, 1), settled);
    assert_eq!(again(&mut book, 2), released);
    assert_eq!(again(&mut book, 3), unknown);
    assert_eq!(book.posted(&account(1)), Some(nanos(95)));
    for n in [1, 2] {
        assert_eq!(reserve(&mut book, n, 1), Err(Refusal::AlreadyReserved));
    }
}

#[test]
fn a_generation_is_reserved_once() {
    let mut book = book(100, None, None);
    reserve(&mut book, 1, 10).unwrap();
    assert_eq!(reserve(&mut book, 1, 10), Err(Refusal::AlreadyReserved));
    assert_eq!(book.available(&account(1)), Some(nanos(90)));
}

#[test]
fn a_balance_is_never_reserved_twice() {
    let mut book = book(100, None, None);
    for n in 0..10 {
        reserve(&mut book, n, 10).unwrap();
    }
    let refusal = Refusal::InsufficientCredit { available: nanos(0) };
    assert_eq!(reserve(&mut book, 10, 1), Err(refusal));
    assert_eq!(reserve(&mut book, 11, 0), Ok(()), "what is free needs no credit");
}

#[test]
fn a_debt_is_served_nothing_not_even_what_is_free() {
    let mut book = book(-1, None, None);
    assert_eq!(reserve(&mut book, 1, 0), Err(Refusal::NegativeBalance));
    assert_eq!(book.spendable(&account(1), &key(1), LAST_SECOND), Err(Refusal::NegativeBalance));
    book.credit(&account(1), nanos(1)).unwrap();
    assert_eq!(reserve(&mut book, 1, 0), Ok(()));
}

#[test]
fn a_used_up_key_is_told_apart_from_one_that_can_not_afford_this() {
    let mut book = book(1000, Some(50), None);
    assert_eq!(reserve(&mut book, 1, 51), Err(Refusal::KeyLimitTooLow { remaining: nanos(50) }));
    reserve(&mut book, 1, 30).unwrap();
    assert_eq!(reserve(&mut book, 2, 21), Err(Refusal::KeyLimitTooLow { remaining: nanos(20) }));
    book.settle(&generation(1), nanos(30), LAST_SECOND).unwrap();
    reserve(&mut book, 2, 20).unwrap();
    assert_eq!(
        reserve(&mut book, 3, 1),
        Err(Refusal::KeyLimitTooLow { remaining: nanos(0) }),
        "what is held is not used up yet"
    );
    book.settle(&generation(2), nanos(20), LAST_SECOND).unwrap();
    let used_up = Refusal::KeyLimitExceeded { limit: nanos(50), used: nanos(50) };
    assert_eq!(reserve(&mut book, 3, 0), Err(used_up));
    assert_eq!(book.spendable(&account(1), &key(1), LAST_SECOND), Err(used_up));
}

#[test]
fn the_keys_cap_is_named_before_the_empty_balance() {
    let mut book = book(0, Some(0), None);
    let used_up = Refusal::KeyLimitExceeded { limit: nanos(0), used: nanos(0) };
    assert_eq!(reserve(&mut book, 1, 5), Err(used_up));
}

#[test]
fn the_budget_is_the_lesser_of_balance_and_limit() {
    let now = LAST_SECOND;
    for (posted, limit, expected) in [(100, None, 100), (100, Some(70), 70), (50, Some(70), 50)] {
        let mut book = book(posted, limit, None);
        assert_eq!(book.spendable(&account(1), &key(1), now), Ok(nanos(expected)));
        reserve(&mut book, 1, 20).unwrap();
        assert_eq!(book.spendable(&account(1), &key(1), now), Ok(nanos(expected - 20)));
    }
}

#[test]
fn a_limit_starts_again_and_a_charge_counts_where_it_is_settled() {
    let next = LAST_SECOND.plus_millis(1000);
    let mut book = book(1000, Some(50), Some(ResetInterval::Daily));
    reserve(&mut book, 1, 50).unwrap();
    reserve(&mut book, 2, 0).unwrap();
    assert_eq!(
        book.reserve(hold(3, 1, next)),
        Err(Refusal::KeyLimitTooLow { remaining: nanos(0) }),
        "what is held over midnight counts on the new day"
    );
    book.settle(&generation(1), nanos(40), next).unwrap();
    assert_eq!(book.key_remaining(&key(1), next), Some(nanos(10)));
    let day_after = next.plus_millis(86_400_000);
    assert_eq!(book.key_remaining(&key(1), day_after), Some(nanos(50)));
    book.reserve(hold(4, 50, day_after)).unwrap();
}

#[test]
fn changed_terms_apply_at_once_and_keep_what_was_spent() {
    let mut book = book(1000, None, None);
    reserve(&mut book, 1, 60).unwrap();
    book.settle(&generation(1), nanos(60), LAST_SECOND).unwrap();
    reserve(&mut book, 2, 10).unwrap();
    let stale = Spend::none(LAST_SECOND);
    assert!(book.open_key(terms(Some(100), Some(ResetInterval::Weekly)), stale));
    assert_eq!(book.key_remaining(&key(1), LAST_SECOND), Some(nanos(30)));
    assert!(book.open_key(terms(Some(50), None), stale));
    let used_up = Refusal::KeyLimitExceeded { limit: nanos(50), used: nanos(60) };
    assert_eq!(reserve(&mut book, 3, 1), Err(used_up));
    assert!(book.settle(&generation(2), nanos(10), LAST_SECOND).is_ok());
}

#[test]
fn strangers_are_refused() {
    let mut book = book(100, None, None);
    book.open_account(account(2), nanos(100));
    let ask = |of, through| Reserve {
        account: account(of),
        key: key(through),
        ..hold(1, 1, LAST_SECOND)
    };
    assert_eq!(book.reserve(ask(9, 1)), Err(Refusal::UnknownAccount));
    assert_eq!(book.reserve(ask(1, 9)), Err(Refusal::UnknownKey));
    assert_eq!(book.reserve(ask(2, 1)), Err(Refusal::UnknownKey), "the key of another account");
    assert!(
        !book.open_key(KeyTerms { account: account(2), ..terms(None, None) }, Spend::default())
    );
    assert_eq!(book.key_remaining(&key(9), LAST_SECOND), None);
    assert_eq!(book.available(&account(9)), None);
}

#[test]
fn opening_twice_keeps_the_live_balance() {
    let mut book = book(100, None, None);
    reserve(&mut book, 1, 60).unwrap();
    assert!(!book.open_account(account(1), nanos(500)));
    assert_eq!(book.available(&account(1)), Some(nanos(40)));
}

#[test]
fn an_account_closes_only_when_nothing_is_held() {
    let mut book = book(100, None, None);
    reserve(&mut book, 1, 0).unwrap();
    assert!(!book.close(&account(1)));
    book.release(&generation(1)).unwrap();
    assert!(book.close(&account(1)));
    assert!(!book.close(&account(1)));
    assert_eq!(reserve(&mut book, 2, 0), Err(Refusal::UnknownAccount));
    assert!(book.open_account(account(1), nanos(7)));
    assert_eq!(reserve(&mut book, 2, 0), Err(Refusal::UnknownKey), "its keys went with it");
}

#[test]
fn only_real_money_is_credited() {
    let mut book = book(i64::MAX - 1, None, None);
    assert_eq!(book.credit(&account(1), nanos(0)), Err(CreditError::NotPositive));
    assert_eq!(book.credit(&account(1), nanos(-1)), Err(CreditError::NotPositive));
    assert_eq!(book.credit(&account(1), nanos(2)), Err(CreditError::OutOfRange));
    assert_eq!(book.credit(&account(2), nanos(1)), Err(CreditError::UnknownAccount));
    assert_eq!(book.credit(&account(1), nanos(1)), Ok(nanos(i64::MAX)));
}

#[test]
fn open_reservations_can_be_listed() {
    let mut book = book(100, None, None);
    reserve(&mut book, 1, 10).unwrap();
    reserve(&mut book, 2, 20).unwrap();
    book.release(&generation(1)).unwrap();
    let held: Vec<_> = book.reservations().map(|held| held.generation.clone()).collect();
    assert_eq!(held, [generation(2)]);
    let found = book.reservation(&generation(2)).unwrap().clone();
    let charge = found.charge(nanos(3), LAST_SECOND);
    assert_eq!((charge.reserved, charge.amount, charge.at), (nanos(20), nanos(3), LAST_SECOND));
    assert_eq!(book.reservation(&generation(1)), None);
}
