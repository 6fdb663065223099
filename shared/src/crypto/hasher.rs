use std::{
    io,
    num::NonZero,
    str::FromStr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::Instant,
};

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::{
        Error as PhcError, PasswordVerifier,
        phc::{Ident, Output, ParamsString, PasswordHash, Salt},
        try_generate_salt,
    },
};
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::{
    domain::Plaintext,
    telemetry::{self, Metric},
};

/// Argon2id at OWASP's parameters (ASVS 11.4.2): 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// What a hash at these parameters begins with.
const OURS: &str = "$argon2id$v=19$m=19456,t=2,p=1$";
/// Bytes of the hash itself.
const OUTPUT: usize = 32;

/// A hash that nothing matches, of the same cost as a real one: what a guess at an unknown address is compared with, and
/// what an account holds whose owner has still to choose a password.
pub const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5LW5vYm9keS1ub2JvZHk$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// How far a thread that hashes gives way to those that answer, where one process holds every function: Linux's nice value.
#[cfg(target_os = "linux")]
const GIVING_WAY: i32 = 10;

/// Bounds of hashes that were brought in: beyond them one comparison would cost too much.
const MOST_MEMORY_KIB: u32 = 65_536;
const MOST_PASSES: u32 = 8;
const MOST_LANES: u32 = 8;
const HIGHEST_BCRYPT_COST: u32 = 13;

/// What a stored hash says of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Wrong,
    Right,
    /// Right, and the hash is a bcrypt one or has other parameters than ours: to be replaced.
    RightButOutdated,
}

/// Why a password could not be hashed or compared. Never the password's fault.
#[derive(Debug, Error)]
pub enum HashError {
    #[error("the stored hash cannot be read: {0}")]
    Stored(PhcError),
    #[error("the stored hash is of no kind that is compared here, or too costly")]
    Unsupported,
    #[error("hashing failed: {0}")]
    Failed(String),
}

/// Hashes and compares passwords on threads of their own, as many at once as there are processors.
#[derive(Clone)]
pub struct Hasher {
    argon2: Argon2<'static>,
    places: Arc<Semaphore>,
    /// Workers that nobody uses at present: never more than there are places.
    idle: Arc<Mutex<Vec<Worker>>>,
}

/// A thread that does one job after the other, until nobody can ask it any more.
type Worker = mpsc::Sender<Job>;
type Job = Box<dyn FnOnce(&mut Ours) + Send>;

/// Argon2id at our parameters, in memory that its worker keeps: handed back and asked for anew, 19 MiB for each hash stay behind in
/// the allocator's arenas, and a function that has hashed two hundred times holds ten times as much. What is left in it is of the
/// second pass; to check a guess against it takes a whole first one.
struct Ours {
    argon2: Argon2<'static>,
    memory: Vec<Block>,
}

impl Ours {
    /// Fills `output` with the hash.
    fn hash(&mut self, password: &Plaintext, salt: &[u8], output: &mut [u8]) -> Result<(), argon2::Error> {
        self.touch();
        self.argon2.hash_password_into_with_memory(password.as_bytes(), salt, output, &mut self.memory)
    }

    /// Has all the memory, and has touched it.
    fn touch(&mut self) {
        if self.memory.is_empty() {
            self.memory = huge_pages::filled(Block::default(), self.argon2.params().block_count());
        }
    }
}

/// A place at the hasher. It is taken before a guess is reserved, so that a reservation never waits in the queue.
pub struct Hashing {
    hasher: Hasher,
    worker: Worker,
    _place: OwnedSemaphorePermit,
}

impl Drop for Hashing {
    fn drop(&mut self) {
        // A worker whose job panicked is gone.
        if !thread::panicking() {
            self.hasher.idle().push(self.worker.clone());
        }
    }
}

impl Hasher {
    /// A hasher for this machine.
    ///
    /// # Errors
    /// Where the parameters are not Argon2's, which only a change of this file can bring about.
    pub fn new() -> Result<Self, HashError> {
        let params =
            Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| HashError::Failed(error.to_string()))?;
        let processors = thread::available_parallelism().map_or(1, NonZero::get);
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        Ok(Self { argon2, places: Arc::new(Semaphore::new(processors)), idle: Arc::default() })
    }

    /// Has the memory of one hash ready by the time that it is asked for: the system gives it page by page as it is touched
    /// for the first time, which takes a good part of a hash's time. Whoever comes to hash meanwhile waits for it.
    pub fn warm(&self) {
        match self.worker(Ours::touch) {
            Ok(worker) => self.idle().push(worker),
            Err(error) => tracing::warn!(reason = %error, "the first hash will touch its own memory"),
        }
    }

    /// Waits for a place.
    ///
    /// # Errors
    /// Where the process is shutting down, or the machine has no thread to give.
    pub async fn place(&self) -> Result<Hashing, HashError> {
        let asked = Instant::now();
        let place =
            Arc::clone(&self.places).acquire_owned().await.map_err(|error| HashError::Failed(error.to_string()))?;
        telemetry::add(Metric::HashingWait, asked.elapsed().as_secs_f64() * 1000.0);
        let idle = self.idle().pop();
        let worker = match idle {
            Some(worker) => worker,
            None => self.worker(|_| ()).map_err(|error| HashError::Failed(error.to_string()))?,
        };
        Ok(Hashing { hasher: self.clone(), worker, _place: place })
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Worker>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A further thread, which does `first` before any job.
    fn worker(&self, first: fn(&mut Ours)) -> io::Result<Worker> {
        let mut ours = Ours { argon2: self.argon2.clone(), memory: Vec::new() };
        let (worker, jobs) = mpsc::channel::<Job>();
        thread::Builder::new().name("hashing".into()).spawn(move || {
            first(&mut ours);
            #[cfg(target_os = "linux")] // Elsewhere it would be the whole process.
            let _ = rustix::process::setpriority_process(None, GIVING_WAY);
            jobs.into_iter().for_each(|job| job(&mut ours));
        })?;
        Ok(worker)
    }
}

impl Hashing {
    /// The password's hash as a PHC string, with a fresh random salt.
    ///
    /// # Errors
    /// Where memory or randomness is not to be had.
    pub async fn hash(self, password: Plaintext) -> Result<String, HashError> {
        self.blocking(move |ours| new_hash(ours, &password)).await
    }

    /// What `stored`, a PHC string of Argon2 or a bcrypt hash, says of `password`.
    ///
    /// # Errors
    /// Where `stored` is neither, or beyond the bounds.
    pub async fn compare(self, password: Plaintext, stored: String) -> Result<Verdict, HashError> {
        self.blocking(move |ours| {
            if stored.starts_with("$2") {
                compare_bcrypt(&password, &stored)
            } else {
                compare_argon2(ours, &password, &stored)
            }
        })
        .await
    }

    /// Takes as long as [`Self::compare`] with a hash of ours, and is never right.
    ///
    /// # Errors
    /// As [`Self::compare`].
    pub async fn compare_with_nobody(self, password: Plaintext) -> Result<(), HashError> {
        self.compare(password, NOBODY.to_owned()).await.map(drop)
    }

    async fn blocking<T: Send + 'static>(
        self,
        work: impl FnOnce(&mut Ours) -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashError> {
        let (sender, hashed) = oneshot::channel();
        let worker = self.worker.clone();
        // The job holds the place, since whoever asked may go before it is done.
        let job: Job = Box::new(move |ours| {
            let said = work(ours);
            drop(self);
            // Whoever asked may have gone.
            let _ = sender.send(said);
        });
        worker.send(job).map_err(|error| HashError::Failed(error.to_string()))?;
        hashed.await.map_err(|error| HashError::Failed(error.to_string()))?
    }
}

fn new_hash(ours: &mut Ours, password: &Plaintext) -> Result<String, HashError> {
    let salt = try_generate_salt().map_err(|error| HashError::Failed(error.to_string()))?;
    let mut output = [0; OUTPUT];
    ours.hash(password, &salt, &mut output).map_err(|error| HashError::Failed(error.to_string()))?;
    let encoded = || {
        Ok::<_, PhcError>(PasswordHash {
            algorithm: Ident::from(Algorithm::Argon2id),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(ours.argon2.params())?,
            salt: Some(Salt::new(&salt)?),
            hash: Some(Output::new(&output)?),
        })
    };
    encoded().map(|hash| hash.to_string()).map_err(|error| HashError::Failed(error.to_string()))
}

fn compare_argon2(ours: &mut Ours, password: &Plaintext, stored: &str) -> Result<Verdict, HashError> {
    let (hash, _) = read_argon2(stored)?;
    if let (true, Some(salt), Some(expected)) = (stored.starts_with(OURS), &hash.salt, &hash.hash) {
        let mut output = vec![0; expected.len()];
        ours.hash(password, salt, &mut output).map_err(|error| HashError::Failed(error.to_string()))?;
        // Outputs compare in constant time.
        let right = Output::new(&output).is_ok_and(|output| output == *expected);
        return Ok(if right { Verdict::Right } else { Verdict::Wrong });
    }
    match ours.argon2.verify_password(password.as_bytes(), &hash) {
        Ok(()) => Ok(Verdict::RightButOutdated),
        Err(PhcError::PasswordInvalid) => Ok(Verdict::Wrong),
        Err(error) => Err(HashError::Stored(error)),
    }
}

fn read_argon2(stored: &str) -> Result<(PasswordHash, Params), HashError> {
    let hash = PasswordHash::new(stored).map_err(|_| HashError::Unsupported)?;
    let params = Params::try_from(&hash).map_err(|_| HashError::Unsupported)?;
    if params.m_cost() > MOST_MEMORY_KIB || params.t_cost() > MOST_PASSES || params.p_cost() > MOST_LANES {
        return Err(HashError::Unsupported);
    }
    Ok((hash, params))
}

/// Whether a hash that is brought in can be compared: a PHC string of Argon2 or a bcrypt hash, within the bounds.
///
/// # Errors
/// Where it cannot.
pub fn check_hash(stored: &str) -> Result<(), HashError> {
    if !stored.starts_with("$2") {
        let (hash, _) = read_argon2(stored)?;
        let whole = stored.starts_with("$argon2") && hash.salt.is_some() && hash.hash.is_some();
        return if whole { Ok(()) } else { Err(HashError::Unsupported) };
    }
    check_bcrypt_cost(stored)?;
    bcrypt::HashParts::from_str(stored).map(drop).map_err(|_| HashError::Unsupported)
}

fn check_bcrypt_cost(stored: &str) -> Result<(), HashError> {
    let cost: Option<u32> = stored.split('$').nth(2).and_then(|cost| cost.parse().ok());
    cost.filter(|cost| *cost <= HIGHEST_BCRYPT_COST).map(drop).ok_or(HashError::Unsupported)
}

/// bcrypt hears 72 bytes and no more, as it did where the hash was made.
fn compare_bcrypt(password: &Plaintext, stored: &str) -> Result<Verdict, HashError> {
    check_bcrypt_cost(stored)?;
    let bytes = password.as_bytes();
    match bcrypt::verify(&bytes[..bytes.len().min(72)], stored) {
        Ok(true) => Ok(Verdict::RightButOutdated),
        Ok(false) => Ok(Verdict::Wrong),
        Err(_) => Err(HashError::Unsupported),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::{Future, poll_fn},
        pin::pin,
        task::Poll,
    };

    use super::*;

    fn plaintext(text: &str) -> Plaintext {
        Plaintext::parse(text.to_owned()).unwrap()
    }

    async fn compare(password: &str, stored: &str) -> Result<Verdict, HashError> {
        Hasher::new().unwrap().place().await.unwrap().compare(plaintext(password), stored.to_owned()).await
    }

    #[tokio::test]
    async fn a_hash_matches_its_password_and_no_other() {
        let hasher = Hasher::new().unwrap();
        let hash = hasher.place().await.unwrap().hash(plaintext("correct horse")).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_eq!(compare("correct horse", &hash).await.unwrap(), Verdict::Right);
        assert_eq!(compare("correct horsf", &hash).await.unwrap(), Verdict::Wrong);
        hasher.place().await.unwrap().compare_with_nobody(plaintext("correct horse")).await.unwrap();
    }

    #[tokio::test]
    async fn as_many_hash_at_once_as_there_are_processors_and_no_more() {
        let hasher = Hasher::new().unwrap();
        let mut held = Vec::new();
        for _ in 0..thread::available_parallelism().unwrap().get() {
            held.push(hasher.place().await.unwrap());
        }
        let mut next = pin!(hasher.place());
        assert!(poll_fn(|context| Poll::Ready(next.as_mut().poll(context).is_pending())).await);
        held.pop();
        next.await.unwrap();
    }

    #[tokio::test]
    async fn hashes_that_were_brought_in_are_compared_within_bounds_and_to_be_replaced() {
        let weaker = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8192, 1, 1, None).unwrap());
        let weaker = argon2::PasswordHasher::hash_password(&weaker, b"correct horse").unwrap().to_string();
        let bcrypt =
            bcrypt::hash_with_salt("correct horse", 4, [7; 16]).unwrap().format_for_version(bcrypt::Version::TwoB);
        for stored in
            [weaker.as_str(), bcrypt.as_str(), &bcrypt.replace("$2b$", "$2a$"), &bcrypt.replace("$2b$", "$2y$")]
        {
            assert!(check_hash(stored).is_ok(), "{stored}");
            assert_eq!(compare("correct horse", stored).await.unwrap(), Verdict::RightButOutdated, "{stored}");
            assert_eq!(compare("correct horsf", stored).await.unwrap(), Verdict::Wrong, "{stored}");
        }
        for most in [weaker.replace("m=8192,t=1,p=1", "m=65536,t=8,p=8"), bcrypt.replace("$04$", "$13$")] {
            assert!(check_hash(&most).is_ok(), "{most}");
        }
        let costly = [
            weaker.replace("m=8192", "m=65537"),
            weaker.replace("t=1", "t=9"),
            weaker.replace("p=1", "p=9"),
            bcrypt.replace("$04$", "$14$"),
        ];
        let (unhashed, _) = weaker.rsplit_once('$').unwrap();
        let elsewhere = weaker.replace("$argon2id$v=19$m=8192,t=1,p=1$", "$scrypt$ln=13,r=8,p=1$");
        for stored in [unhashed, &elsewhere] {
            assert!(check_hash(stored).is_err(), "{stored}");
        }
        for stored in costly.iter().map(String::as_str).chain(["", "$2b$", "$argon2id$", "plain", "$2b$04$short"]) {
            assert!(compare("correct horse", stored).await.is_err() && check_hash(stored).is_err(), "{stored}");
        }
    }
}
