//! What a test changes and sees while the simulator runs: switches, gates, halts, and how many requests
//! are there.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

/// Most names that are remembered of either kind.
const MOST: usize = 10_000;
/// Deepest switch within a switch.
const DEEPEST: usize = 4;

/// How many requests there were for one model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// Those that arrived.
    pub arrived: u64,
    /// Those that have not ended.
    pub running: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Control {
    switches: Mutex<HashMap<String, String>>,
    counts: Mutex<HashMap<String, Count>>,
    /// The gates that are open.
    gates: watch::Sender<HashSet<String>>,
    halts: Mutex<HashMap<String, Halt>>,
    went_on: Notify,
}

/// What answers of one model wait for.
#[derive(Debug, Default)]
struct Halt {
    is_over: bool,
    waiting: usize,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Control {
    pub(crate) fn switch(&self, name: &str, behaviour: &str) {
        let mut switches = lock(&self.switches);
        if switches.len() < MOST || switches.contains_key(name) {
            switches.insert(name.to_owned(), behaviour.to_owned());
        }
    }

    /// The model's name with what its switches stand for now.
    pub(crate) fn resolved(&self, model: &str) -> String {
        let mut name = model.to_owned();
        for _ in 0..DEEPEST {
            if !name.contains("switch-") {
                break;
            }
            let switches = lock(&self.switches);
            let word = |word: &str| match word.strip_prefix("switch-") {
                Some(switch) => switches.get(switch).cloned().unwrap_or_else(|| "echo".to_owned()),
                None => word.to_owned(),
            };
            let last = name.rsplit('/').next().unwrap_or(&name);
            name = last.split('+').map(word).collect::<Vec<_>>().join("+");
        }
        name
    }

    pub(crate) fn open_gate(&self, name: &str) {
        self.gates.send_if_modified(|open| open.len() < MOST && open.insert(name.to_owned()));
    }

    /// Waits until every gate that the model's name has is open.
    pub(crate) async fn pass_gates(&self, model: &str) {
        let last = model.rsplit('/').next().unwrap_or(model);
        for gate in last.split('+').filter_map(|word| word.strip_prefix("gate-")) {
            let mut open = self.gates.subscribe();
            // The sender lives as long as this does.
            drop(open.wait_for(|open| open.contains(gate)).await);
        }
    }

    pub(crate) fn count(&self, model: &str) -> Count {
        lock(&self.counts).get(model).copied().unwrap_or_default()
    }

    pub(crate) fn counted(&self) -> Count {
        let mut sum = Count::default();
        for one in lock(&self.counts).values() {
            sum.arrived = sum.arrived.saturating_add(one.arrived);
            sum.running = sum.running.saturating_add(one.running);
        }
        sum
    }

    pub(crate) fn go_on(&self, model: &str) {
        lock(&self.halts).entry(model.to_owned()).or_default().is_over = true;
        self.went_on.notify_waiters();
    }

    pub(crate) fn halted(&self, model: &str) -> usize {
        lock(&self.halts).get(model).map_or(0, |halt| halt.waiting)
    }

    fn change(&self, model: &str, change: impl FnOnce(&mut Count)) {
        let mut counts = lock(&self.counts);
        if counts.len() < MOST || counts.contains_key(model) {
            change(counts.entry(model.to_owned()).or_default());
        }
    }
}

/// One request that is there. Dropping it is its end.
pub(crate) struct Present {
    control: Arc<Control>,
    model: String,
}

impl Present {
    pub(crate) fn new(control: &Arc<Control>, model: &str) -> Self {
        control.change(model, |count| {
            count.arrived = count.arrived.saturating_add(1);
            count.running = count.running.saturating_add(1);
        });
        Self { control: Arc::clone(control), model: model.to_owned() }
    }

    /// Waits until the model's answers are let on.
    pub(crate) fn passing(&self) -> impl Future<Output = ()> + Send + use<> {
        let waiting = Waiting::new(&self.control, &self.model);
        async move {
            loop {
                let mut news = std::pin::pin!(waiting.control.went_on.notified());
                // From here on no news is missed.
                news.as_mut().enable();
                if waiting.may_pass() {
                    return;
                }
                news.await;
            }
        }
    }
}

/// One answer that waits.
struct Waiting {
    control: Arc<Control>,
    model: String,
}

impl Waiting {
    fn new(control: &Arc<Control>, model: &str) -> Self {
        let mut halts = lock(&control.halts);
        let halt = halts.entry(model.to_owned()).or_default();
        halt.waiting = halt.waiting.saturating_add(1);
        Self { control: Arc::clone(control), model: model.to_owned() }
    }

    fn may_pass(&self) -> bool {
        lock(&self.control.halts).get(&self.model).is_some_and(|halt| halt.is_over)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(halt) = lock(&self.control.halts).get_mut(&self.model) {
            halt.waiting = halt.waiting.saturating_sub(1);
        }
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.control.change(&self.model, |count| count.running = count.running.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_stands_for_what_it_was_set_to() {
        let control = Control::default();
        assert_eq!(control.resolved("acme/tokens-3+switch-a"), "tokens-3+echo");
        control.switch("a", "status-503+switch-b");
        control.switch("b", "slow-ms-5");
        assert_eq!(control.resolved("tokens-3+switch-a"), "tokens-3+status-503+slow-ms-5");
        control.switch("b", "switch-b");
        assert!(control.resolved("switch-b").contains("switch-b"), "a circle ends");
        assert_eq!(control.resolved("tokens-3"), "tokens-3");
    }

    #[tokio::test]
    async fn a_halt_keeps_answers_until_they_are_let_on_and_nobody_after() {
        let control = Arc::new(Control::default());
        let one = Present::new(&control, "a");
        let mut waits = std::pin::pin!(one.passing());
        assert_eq!(control.halted("a"), 1);
        assert_eq!(signalbox_runtime::task::soon(waits.as_mut()).await, None);
        control.go_on("b");
        assert_eq!(signalbox_runtime::task::soon(waits.as_mut()).await, None);
        control.go_on("a");
        waits.await;
        one.passing().await;
    }

    #[tokio::test]
    async fn a_gate_lets_nobody_through_until_it_is_open() {
        let control = Control::default();
        control.pass_gates("tokens-3").await;
        let mut early = Box::pin(control.pass_gates("acme/tokens-3+gate-a+gate-b"));
        for gate in ["a", "c", "b"] {
            tokio::select! {
                biased;
                () = &mut early => panic!("passed before {gate} was open"),
                () = std::future::ready(()) => control.open_gate(gate),
            }
        }
        early.await;
        control.pass_gates("gate-a").await;
    }

    #[test]
    fn requests_are_counted_until_they_end() {
        let control = Arc::new(Control::default());
        let (one, two) = (Present::new(&control, "a"), Present::new(&control, "a"));
        assert_eq!(control.count("a"), Count { arrived: 2, running: 2 });
        drop(one);
        assert_eq!(control.counted(), Count { arrived: 2, running: 1 });
        drop(two);
        assert_eq!(control.count("a").running, 0);
    }
}
