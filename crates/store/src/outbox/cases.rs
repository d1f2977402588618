//! The file by itself.

use std::sync::Arc;

use signalbox_core::id::{AccountId, GenerationId, KeyHash};
use signalbox_core::{Timestamp, Usd};
use signalbox_ledger::{Charge, Reservation, Spender};

use super::file::{self, OutboxFile};
use super::wire;
use crate::ledger::entry::{Checkpoint, End, Entry, Outcome, Step};

fn entry(name: &str, step: Step) -> Entry {
    let (account, key) = (AccountId::new("acc_1"), KeyHash::new("ab"));
    let spender = Arc::new(Spender::new(&account, &key, "w1"));
    let reservation = Reservation {
        generation: GenerationId::new(name),
        account,
        key,
        amount: Usd::from_nanos(50),
        byok: Usd::from_nanos(7),
        together: Usd::from_nanos(57),
        free: None,
        opened_at: Timestamp::from_micros(1_000_001),
        spender,
    };
    Entry { reservation, holder: "h1".into(), step }
}

fn settled(name: &str) -> Entry {
    let end = End {
        outcome: Outcome::Settled,
        at: Timestamp::from_micros(2_000_002),
        charge: Charge {
            credits: Usd::from_nanos(40),
            byok: Usd::from_nanos(3),
            free: Some(Usd::from_nanos(2)),
        },
        waste: vec![Usd::from_nanos(9), Usd::from_nanos(8)],
        row: None,
        checkpointed: true,
        done: None,
    };
    entry(name, Step::End(end))
}

#[test]
fn entries_read_back_as_they_were_written() {
    let reached = Checkpoint {
        at: Timestamp::from_micros(5),
        charge: Charge::credits(Usd::from_nanos(2)),
        record: "{\"a\":\"\\u0000\"}".to_owned(),
    };
    let entries = [entry("g1", Step::Open), entry("g2", Step::Checkpoint(reached)), settled("g3")];
    let text = wire::write(&entries).unwrap();
    let read = wire::read(&text).unwrap();
    assert_eq!(wire::write(&read).unwrap(), text);
    for (one, other) in entries.iter().zip(&read) {
        assert_eq!(one.reservation, other.reservation);
        assert_eq!(one.holder, other.holder);
    }
    let Step::Checkpoint(reached) = &read[1].step else { panic!("not a checkpoint") };
    assert_eq!((reached.charge.credits, reached.record.len()), (Usd::from_nanos(2), 14));
    let end = read[2].end().unwrap();
    assert_eq!((end.outcome, end.checkpointed, end.waste.len()), (Outcome::Settled, true, 2));
    assert_eq!(end.charge, settled("g3").end().unwrap().charge);
    assert!(wire::read("[{}]").is_err());
}

#[tokio::test]
async fn what_was_written_is_there_for_the_next_process_under_its_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data/outbox.db");
    let mut file = OutboxFile::open(&path, false).await.unwrap();
    assert!(file.remains().await.unwrap().is_none());
    file.name(Some("h1")).await.unwrap();
    assert_eq!(file.append(&[settled("g1"), settled("g2")]).await.unwrap().0, 2);
    assert_eq!(file.append(&[settled("g3")]).await.unwrap().0, 3);
    drop(file);

    let mut file = OutboxFile::open(&path, true).await.unwrap();
    let remains = file.remains().await.unwrap().unwrap();
    assert_eq!((&*remains.holder, remains.entries), ("h1", 3));
    assert_eq!(file.append(&[settled("g4")]).await.unwrap().0, 4);
    let batches = file::oldest(file.connection(), 0, 2).await.unwrap();
    assert_eq!(batches.iter().map(|one| one.first).collect::<Vec<_>>(), [1]);
    let batches = file::oldest(file.connection(), 2, 100).await.unwrap();
    let names: Vec<_> = batches
        .iter()
        .flat_map(|one| &one.entries)
        .map(|entry| entry.reservation.generation.as_str())
        .collect();
    assert_eq!(names, ["g3", "g4"]);
    // A part of a batch is not taken out: the whole of it is, or nothing.
    file.posted(1).await.unwrap();
    assert_eq!(file::oldest(file.connection(), 0, 100).await.unwrap().len(), 3);
    file.posted(4).await.unwrap();
    assert!(file::oldest(file.connection(), 0, 100).await.unwrap().is_empty());
    drop(file);

    // Numbers are never given twice, though nothing is left in the file.
    let mut file = OutboxFile::open(&path, false).await.unwrap();
    assert_eq!(file.append(&[settled("g5")]).await.unwrap().0, 5);
}
