//! A vault that is slow, fails, and forgets to answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use signalbox_ledger::Leased;
use signalbox_runtime::{Clock, task};
use tokio::sync::{broadcast, mpsc, oneshot};

use super::dice::Dice;
use super::durable::World;
use crate::changes::Change;
use crate::error::StoreError;
use crate::ledger::batch::{self, Commit};
use crate::ledger::entry::Entry;
use crate::ledger::vault::{Answer, LeaseOp, Vault};

enum Command {
    Entry(Box<Entry>),
    Flush(oneshot::Sender<()>),
}

/// What one process sees of the world.
#[derive(Clone)]
pub(super) struct Window {
    pub world: Arc<World>,
    pub clock: Clock,
    pub holder: Arc<str>,
    /// Set when the process is killed: nothing of it has any effect from then on.
    pub dead: Arc<AtomicBool>,
    dice: Arc<Mutex<Dice>>,
}

impl Window {
    pub fn new(world: &Arc<World>, clock: Clock, holder: Arc<str>, dice: Dice) -> Self {
        let dead = Arc::new(AtomicBool::new(false));
        Self { world: world.clone(), clock, holder, dead, dice: Arc::new(Mutex::new(dice)) }
    }

    pub fn with<T>(&self, throw: impl FnOnce(&mut Dice) -> T) -> T {
        throw(&mut self.dice.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits a little; for ever once the process is dead.
    async fn delay(&self) {
        let faults = self.world.lock().faults;
        let slow = faults && self.with(|dice| dice.once_in(50));
        tokio::time::sleep(self.with(|dice| dice.pause(if slow { 5000 } else { 8 }))).await;
        self.live().await;
    }

    async fn live(&self) {
        if self.dead.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    }

    /// Whether something fails now.
    fn fails(&self, once_in: u64) -> bool {
        self.world.lock().faults && self.with(|dice| dice.once_in(once_in))
    }
}

fn away() -> StoreError {
    StoreError::Unavailable("the simulated disk".to_owned())
}

/// Commits batches.
struct Disk(Window);

impl Commit for Disk {
    async fn commit(&mut self, entries: &[Entry]) -> Result<(), StoreError> {
        self.0.delay().await;
        if self.0.fails(12) {
            self.0.world.lock().failed_commits += 1;
            return Err(away());
        }
        let done = self.0.world.lock().commit(entries);
        // A crash may come between the commit and its answer.
        self.0.delay().await;
        done
    }
}

async fn write(
    window: Window,
    mut queue: mpsc::UnboundedReceiver<Command>,
    backlog: Arc<AtomicUsize>,
) {
    let (mut waiting, mut entries) = (Vec::new(), Vec::new());
    let mut disk = Disk(window);
    while queue.recv_many(&mut waiting, 64).await > 0 {
        for command in waiting.drain(..) {
            match command {
                Command::Entry(entry) => entries.push(*entry),
                Command::Flush(done) => {
                    batch::write(&mut disk, &mut entries, &backlog).await;
                    let _ = done.send(());
                }
            }
        }
        batch::write(&mut disk, &mut entries, &backlog).await;
    }
}

pub(super) struct SimulatedVault {
    window: Window,
    queue: mpsc::UnboundedSender<Command>,
    backlog: Arc<AtomicUsize>,
    news: broadcast::Sender<Change>,
}

impl SimulatedVault {
    pub fn new(window: Window) -> Self {
        let (queue, commands) = mpsc::unbounded_channel();
        let backlog = Arc::new(AtomicUsize::new(0));
        task::spawn("disk", write(window.clone(), commands, backlog.clone()));
        let news = broadcast::Sender::new(16);
        let heard = window.world.lock().news.subscribe();
        task::spawn("news", pass_on(window.clone(), heard, news.clone()));
        Self { window, queue, backlog, news }
    }
}

/// News arrive late, and some only as the news that some were missed.
async fn pass_on(
    window: Window,
    mut heard: broadcast::Receiver<Change>,
    news: broadcast::Sender<Change>,
) {
    loop {
        let change = heard.recv().await;
        let late = if window.world.lock().faults { 200 } else { 20 };
        tokio::time::sleep(window.with(|dice| dice.pause(late))).await;
        window.live().await;
        let lost = window.fails(10);
        match change {
            Ok(change) if !lost => drop(news.send(change)),
            Ok(change) => {
                // More than the receiver keeps: it must treat everything as changed.
                (0..20).for_each(|_| drop(news.send(change.clone())));
            }
            Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}

impl Vault for SimulatedVault {
    fn clock(&self) -> &Clock {
        &self.window.clock
    }

    fn holder(&self) -> &Arc<str> {
        &self.window.holder
    }

    fn lease(&self, op: LeaseOp) -> Answer<'_, Option<Leased>> {
        Box::pin(async move {
            self.window.delay().await;
            if self.window.fails(15) {
                return Err(away());
            }
            let leased = self.window.world.lock().lease(&self.window.holder, &op);
            self.window.delay().await;
            if self.window.fails(15) {
                self.window.world.lock().lost_answers += 1;
                return Err(away());
            }
            Ok(Some(leased))
        })
    }

    fn announce(&self, change: Change) -> Answer<'_, ()> {
        Box::pin(async move {
            self.window.delay().await;
            drop(self.window.world.lock().news.send(change));
            Ok(())
        })
    }

    fn post(&self, entry: Entry) -> Result<(), StoreError> {
        self.backlog.fetch_add(1, Ordering::Relaxed);
        self.queue.send(Command::Entry(Box::new(entry))).map_err(|_| StoreError::Closed)
    }

    fn written(&self) -> Answer<'_, ()> {
        self.flush()
    }

    fn backlog(&self) -> usize {
        self.backlog.load(Ordering::Relaxed)
    }

    fn subscribe(&self) -> broadcast::Receiver<Change> {
        self.news.subscribe()
    }

    fn look_around(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            self.window.delay().await;
            let dead = self.window.world.lock().dead.clone();
            for holder in dead {
                self.window.world.lock().bury(&holder);
            }
            Ok(())
        })
    }

    fn flush(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            let (done, answer) = oneshot::channel();
            drop(self.queue.send(Command::Flush(done)));
            answer.await.map_err(|_| StoreError::Closed)
        })
    }

    fn retire(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            self.window.delay().await;
            self.window.world.lock().bury(&self.window.holder);
            Ok(())
        })
    }
}

/// How long a simulated clock lags behind the virtual time at most.
pub(super) const TICK: Duration = Duration::from_millis(50);
