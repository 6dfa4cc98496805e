//! The one asynchronous runtime of a run: commands are written in order and wait for it.

use std::future::Future;
use std::io;

/// Runs a future to its end on a runtime of its own.
pub fn block_on<F: Future>(future: F) -> io::Result<F::Output> {
    let threads = std::thread::available_parallelism().map_or(2, |count| count.get().min(4));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    let output = runtime.block_on(future);
    // A blocking look-up of a name cannot be cancelled; nobody waits for its answer any more.
    runtime.shutdown_background();
    Ok(output)
}

/// A runtime for many questions one after the other: what was learnt between them stays, and so do connections.
#[derive(Debug)]
pub struct Kept(Option<tokio::runtime::Runtime>);

impl Kept {
    /// Starts it.
    pub fn start() -> io::Result<Kept> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        Ok(Kept(Some(runtime)))
    }

    /// Does something for which a runtime has to be there; it does not wait for answers itself.
    pub fn within<T>(&self, make: impl FnOnce() -> T) -> T {
        let guard = self.0.as_ref().map(tokio::runtime::Runtime::enter);
        let made = make();
        drop(guard);
        made
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
