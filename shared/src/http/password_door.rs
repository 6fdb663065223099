use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::sleep;

use super::{Code, Problem};
use crate::{
    Platform,
    clock::Clock,
    crypto::{HashError, Hasher, Hashing, Verdict},
    domain::{Account, Plaintext},
    store::{Accounts, GuessKey, Reservation, Reserved},
};

/// Pauses in which three unsettled guesses may settle, before a further one is sent away.
const PATIENCE: [Duration; 4] =
    [Duration::from_millis(50), Duration::from_millis(100), Duration::from_millis(200), Duration::from_millis(400)];

/// The one door that every password goes through: whatever takes one compares it here, on the one counter
/// (ASVS 6.3.4).
#[derive(Clone)]
pub struct PasswordDoor {
    accounts: Accounts,
    hasher: Hasher,
    clock: Clock,
}

/// A right password, and whose it is.
#[derive(Debug)]
pub struct RightGuess {
    pub reservation: Reservation,
    pub account: Account,
    /// The password's hash in today's form, where the stored one is outdated.
    pub new_hash: Option<String>,
}

/// What a compared password was.
#[derive(Debug)]
pub enum Guess {
    /// Right, and still to be settled: by finishing a login, or by `settle_right`.
    Right(Box<RightGuess>),
    /// Wrong, and settled.
    Wrong,
    /// The account went while it was asked for.
    Gone,
}

impl PasswordDoor {
    /// The door of this stack.
    pub fn new(platform: &Platform, accounts: &Accounts, hasher: &Hasher) -> Self {
        Self { accounts: accounts.clone(), hasher: hasher.clone(), clock: platform.clock.clone() }
    }

    /// Reserves a guess, compares it, and settles it where it was wrong.
    ///
    /// # Errors
    /// `account_locked` while the lock lasts, `too_many_requests` where three others are being compared.
    pub async fn compare(&self, key: GuessKey, password: Plaintext) -> Result<Guess, Problem> {
        let Some((reservation, place)) = self.reserve(key).await? else {
            return Ok(Guess::Gone);
        };
        let verdict = compare(place, &reservation, password.clone()).await?;
        if let (Verdict::Right | Verdict::RightButOutdated, Some(account)) = (verdict, reservation.account.clone()) {
            let new_hash = match verdict {
                Verdict::RightButOutdated => Some(self.hasher.place().await?.hash(password).await?),
                Verdict::Right | Verdict::Wrong => None,
            };
            return Ok(Guess::Right(Box::new(RightGuess { reservation: *reservation, account, new_hash })));
        }
        self.accounts.settle_wrong(&reservation, self.clock.now()).await?;
        Ok(Guess::Wrong)
    }

    /// The place to hash is taken before the guess is reserved, and given back while others settle theirs.
    async fn reserve(&self, key: GuessKey) -> Result<Option<(Box<Reservation>, Hashing)>, Problem> {
        let mut pauses = PATIENCE.into_iter();
        loop {
            let place = self.hasher.place().await?;
            let now = self.clock.now();
            match self.accounts.reserve_guess(key.clone(), now).await? {
                Reserved::Yes(reservation) => return Ok(Some((reservation, place))),
                Reserved::Gone => return Ok(None),
                Reserved::Locked(until) => return Err(locked(until - now)),
                Reserved::Busy => drop(place),
            }
            let Some(pause) = pauses.next() else {
                return Err(Problem::new(
                    Code::TooManyRequests,
                    "Too many sign-ins at once. Please try again in a moment.",
                )
                .retry_after(TimeDelta::seconds(1)));
            };
            sleep(pause).await;
        }
    }
}

/// Behind a ghost nothing is right, and finding out takes as long.
async fn compare(place: Hashing, reservation: &Reservation, password: Plaintext) -> Result<Verdict, HashError> {
    match &reservation.account {
        Some(account) => place.compare(password, account.password_hash.clone()).await,
        None => place.compare_with_nobody(password).await.map(|()| Verdict::Wrong),
    }
}

/// The account is locked for so long.
pub fn locked(wait: TimeDelta) -> Problem {
    Problem::new(Code::AccountLocked, "Account is locked. Please try again later.").retry_after(wait)
}
