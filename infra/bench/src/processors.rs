//! Which processors the bench and the functions run on.

use std::{
    fs, panic,
    process::{self, Command},
    sync::{Arc, mpsc},
    thread,
};

use tokio::{runtime, task};

use crate::{Failure, Result};

/// How often it is tried to confine all threads.
const TRIES: usize = 10;

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

/// Keeps the processor of whoever asks for it from halting, for as long as it is there: a thread that gives way to every other.
pub struct Awake {
    _held: Arc<()>,
}

impl Awake {
    pub fn keep() -> Result<Self> {
        let held = Arc::new(());
        let seen = Arc::clone(&held);
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            // Whoever asked waits for it.
            let _ = tell.send(give_way());
            while Arc::strong_count(&seen) > 1 {}
        });
        told.recv()??;
        Ok(Self { _held: held })
    }
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
    confine(&format!("0-{}", last - 1))
}

/// Lets this process, all of its threads, run anywhere.
pub fn release(last: usize) -> Result<()> {
    confine(&format!("0-{last}"))
}

fn confine(processors: &str) -> Result<()> {
    let mut confined = Ok(());
    // A thread that ends while all of them are gone through fails the whole.
    for _ in 0..TRIES {
        confined = taskset(&["--all-tasks", "--cpu-list", "--pid", processors, &process::id().to_string()]);
        if confined.is_ok() {
            break;
        }
    }
    confined
}

/// Keeps the thread that asks for it, and every process that it spawns, on one processor.
fn confine_thread(processor: usize) -> Result<()> {
    taskset(&["--cpu-list", "--pid", &processor.to_string(), &own_thread()?])
}

/// Has the thread that asks for it run where nothing else would.
fn give_way() -> Result<()> {
    run("chrt", &["--idle", "--pid", "0", &own_thread()?])
}

fn own_thread() -> Result<String> {
    let own = fs::read_link("/proc/thread-self")?;
    Ok(own.file_name().unwrap_or_default().to_string_lossy().into_owned())
}

fn taskset(arguments: &[&str]) -> Result<()> {
    run("taskset", arguments)
}

fn run(program: &str, arguments: &[&str]) -> Result<()> {
    let failed = |reason: String| Failure(format!("{program}: {reason}"));
    let output = Command::new(program).args(arguments).output().map_err(|error| failed(error.to_string()))?;
    if output.status.success() { Ok(()) } else { Err(failed(String::from_utf8_lossy(&output.stderr).into_owned())) }
}
