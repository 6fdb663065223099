//! Which processors the bench and the functions run on.

use std::{
    fs, panic,
    process::{self, Command},
    thread,
};

use tokio::{runtime, task};

use crate::{Failure, Result};

/// Runs `work` on the machine's last processor, with every process that it spawns, and all else of this process on the others.
pub fn apart<T: Send, F: Future<Output = Result<T>>>(work: impl FnOnce() -> F + Send) -> Result<T> {
    let last = last()?;
    confine_to_others(last)?;
    let done = task::block_in_place(|| {
        thread::scope(|scope| {
            let alone = scope.spawn(|| {
                confine_thread(last)?;
                runtime::Builder::new_current_thread().enable_all().build()?.block_on(work())
            });
            alone.join().unwrap_or_else(|panicked| panic::resume_unwind(panicked))
        })
    });
    release(last)?;
    done
}

/// The number of the machine's last processor, where it has another one.
pub fn last() -> Result<usize> {
    let count = thread::available_parallelism()?.get();
    if count < 2 {
        return Err(Failure("one processor is needed for the functions, and another one for the store".into()));
    }
    Ok(count - 1)
}

/// Keeps this process, all of its threads, on every processor but the last.
pub fn confine_to_others(last: usize) -> Result<()> {
    taskset(&["--all-tasks", "--cpu-list", "--pid", &format!("0-{}", last - 1), &process::id().to_string()])
}

/// Lets this process, all of its threads, run anywhere.
pub fn release(last: usize) -> Result<()> {
    taskset(&["--all-tasks", "--cpu-list", "--pid", &format!("0-{last}"), &process::id().to_string()])
}

/// Keeps the thread that asks for it, and every process that it spawns, on one processor.
fn confine_thread(processor: usize) -> Result<()> {
    let own = fs::read_link("/proc/thread-self")?;
    let id = own.file_name().unwrap_or_default().to_string_lossy();
    taskset(&["--cpu-list", "--pid", &processor.to_string(), &id])
}

fn taskset(arguments: &[&str]) -> Result<()> {
    let output = Command::new("taskset").args(arguments).output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(()) } else { Err(Failure(format!("taskset: {said}"))) }
}
