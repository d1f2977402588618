//! Tasks with a name.

use std::future::Future;
use std::task::Poll;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Starts a task. The name shows in the log when the task panics; a panic never ends the process.
#[expect(clippy::disallowed_methods, reason = "the one place that starts tasks")]
pub fn spawn<F>(name: &'static str, future: F) -> JoinHandle<Option<F::Output>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(async move {
        match catch(future).await {
            Ok(output) => Some(output),
            Err(message) => {
                tracing::error!(task = name, panic = %message, "a task panicked");
                None
            }
        }
    })
}

/// A future that runs in a thread of its own; it is dropped with this value.
#[derive(Debug)]
pub struct Beside {
    _stop: oneshot::Sender<()>,
}

/// Starts a future in a thread of its own, which waits behind no other task however many there are.
/// Only for what tells time apart from load.
///
/// # Errors
/// The operating system's, when it gives no thread.
pub fn beside<F>(name: &'static str, future: F) -> std::io::Result<Beside>
where
    F: Future<Output = ()> + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (stop, stopped) = oneshot::channel::<()>();
    std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        let ended = runtime.block_on(async {
            tokio::select! {
                ended = catch(future) => ended,
                _ = stopped => Ok(()),
            }
        });
        if let Err(message) = ended {
            tracing::error!(task = name, panic = %message, "a task panicked");
        }
    })?;
    Ok(Beside { _stop: stop })
}

/// Runs what keeps a processor busy for long on a thread of its own, so that no other task waits for it.
/// `None` when it panicked or the process is stopping.
pub async fn blocking<T: Send + 'static>(
    name: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.inspect_err(|error| tracing::error!(task = name, %error, "a task ended early")).ok()
}

/// Runs a future to its end and turns a panic inside it into its message.
///
/// # Errors
/// The panic's message.
pub async fn catch<F: Future>(future: F) -> Result<F::Output, String> {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(move |cx| {
        let poll = std::panic::AssertUnwindSafe(|| future.as_mut().poll(cx));
        match std::panic::catch_unwind(poll) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(panic) => Poll::Ready(Err(message(&*panic))),
        }
    })
    .await
}

/// What a future gives at once, or once the tasks that are ready now have had their turn. `None` when
/// it would have to wait longer; dropped then, it must not have lost anything.
pub async fn soon<F: Future>(future: F) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    let mut gave_way = false;
    std::future::poll_fn(move |cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if gave_way => Poll::Ready(None),
        Poll::Pending => {
            gave_way = true;
            // Behind the ready tasks, but before the operating system is asked for news.
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_stays_inside_its_task() {
        assert_eq!(spawn("fine", async { 7 }).await.unwrap(), Some(7));
        let ended = spawn("bad", async { panic!("boom") }).await.unwrap();
        assert_eq!(ended, None::<()>);
    }

    #[test]
    fn a_future_beside_runs_without_a_runtime_around_it_and_ends_with_its_value() {
        let (sender, receiver) = std::sync::mpsc::channel();
        let gone = sender.clone();
        let beside = beside("beside", async move {
            sender.send("runs").unwrap();
            let _gone = Tells(gone);
            std::future::pending::<()>().await;
        });
        assert_eq!(receiver.recv(), Ok("runs"));
        drop(beside.unwrap());
        assert_eq!(receiver.recv(), Ok("ends"));
    }

    struct Tells(std::sync::mpsc::Sender<&'static str>);

    impl Drop for Tells {
        fn drop(&mut self) {
            let _ = self.0.send("ends");
        }
    }

    #[tokio::test]
    async fn blocking_work_answers_or_is_gone() {
        assert_eq!(blocking("fine", || 7).await, Some(7));
        assert_eq!(blocking("bad", || -> u8 { panic!("boom") }).await, None);
    }

    #[tokio::test]
    async fn what_another_ready_task_brings_comes_soon_and_nothing_else_does() {
        let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
        assert_eq!(soon(receiver.recv()).await, None);
        drop(spawn("sender", async move { sender.send(7).await }));
        assert_eq!(soon(receiver.recv()).await, Some(Some(7)));
    }
}
