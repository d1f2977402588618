//! Tasks with a name.

use std::future::Future;
use std::task::Poll;

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
}
