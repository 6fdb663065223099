//! Argon2id beside its reference, in turns.

use std::{
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use argon2::{Argon2, PasswordVerifier};
use figures::measured::Hashing;
use indicatif::ProgressBar;
use shared::{
    crypto::{Hasher, NOBODY},
    domain::Plaintext,
};

use crate::{
    Failure, Result, build,
    stats::{median, rounded},
};

const ROUNDS: usize = 15;
/// Verifications of each in a round.
const EACH: u32 = 10;
/// The reference: the C code of the winner of the Password Hashing Competition, as Python's package carries it.
const REFERENCE: &str = "argon2-cffi-bindings==25.1.0";
const PASSWORD: &str = "correct-horse-battery";
/// Verifies for as long as someone asks, a round at a time, and says how long each verification took in milliseconds.
const PROGRAM: &str = r#"
import sys, time
from _argon2_cffi_bindings import ffi, lib
encoded, password, each = sys.argv[1].encode(), sys.argv[2].encode(), int(sys.argv[3])
for _ in sys.stdin:
    began = time.perf_counter()
    for _ in range(each):
        said = lib.argon2_verify(encoded, password, len(password), lib.Argon2_id)
        assert said == lib.ARGON2_VERIFY_MISMATCH, said
    print((time.perf_counter() - began) * 1000 / each, flush=True)
"#;

/// Moves of the bar.
pub const MOVES: usize = ROUNDS;

/// Measures both.
pub fn measure(bar: &ProgressBar) -> Result<Hashing> {
    bar.set_message("Argon2id");
    let python = environment()?;
    let mut reference = Command::new(python)
        .args(["-c", PROGRAM, NOBODY, PASSWORD, &EACH.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let (Some(mut asking), Some(answers)) = (reference.stdin.take(), reference.stdout.take()) else {
        return Err(Failure("the reference cannot be asked".into()));
    };
    let mut answers = BufReader::new(answers);
    let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let began = Instant::now();
        for _ in 0..EACH {
            verify()?;
        }
        let own = began.elapsed().as_secs_f64() * 1000.0 / f64::from(EACH);
        asking.write_all(b"go\n")?;
        let mut line = String::new();
        answers.read_line(&mut line)?;
        let other: f64 = line.trim().parse().map_err(|_| Failure(format!("the reference says {line:?}")))?;
        ours.push(own);
        theirs.push(other);
        ratios.push(own / other);
        bar.inc(1);
    }
    drop(asking);
    reference.wait()?;
    Ok(Hashing {
        parameters: "19 MiB, 2 passes, 1 lane".to_owned(),
        reference: format!("libargon2 in {REFERENCE}"),
        rounds: ROUNDS,
        ours_ms: rounded(median(&mut ours)?, 2),
        reference_ms: rounded(median(&mut theirs)?, 2),
        ratio: rounded(median(&mut ratios)?, 3),
    })
}

/// Verifications a second, one after the other for at least so many seconds: as the library makes them, or as a login does.
pub async fn rate(seconds: u32, kept: bool) -> Result<f64> {
    let hasher = Hasher::new()?;
    let span = Duration::from_secs(seconds.into());
    let began = Instant::now();
    let mut count = 0;
    while began.elapsed() < span {
        if kept {
            let password = Plaintext::parse(PASSWORD.to_owned())?;
            hasher.place().await?.compare(password, NOBODY.to_owned()).await?;
        } else {
            verify()?;
        }
        count += 1;
    }
    // The last one may end well after the span.
    Ok(f64::from(count) / began.elapsed().as_secs_f64())
}

/// Once, in memory of its own, as the reference does it.
fn verify() -> Result<()> {
    match Argon2::default().verify_password(PASSWORD.as_bytes(), NOBODY) {
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(()),
        other => Err(Failure(format!("nobody's hash is matched: {other:?}"))),
    }
}

/// A Python that has the reference.
fn environment() -> Result<PathBuf> {
    let folder = build::target()?.join("argon2");
    let python = folder.join("bin/python");
    let run = |command: &mut Command| match command.stdout(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        other => Err(Failure(format!("{command:?}: {other:?}"))),
    };
    run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", REFERENCE]))?;
    Ok(python)
}
