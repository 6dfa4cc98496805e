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
