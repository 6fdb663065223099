use std::{num::NonZero, sync::Arc, thread};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{Error as PhcError, PasswordHasher, PasswordVerifier},
};
use thiserror::Error;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task,
};

use crate::domain::Plaintext;

/// Argon2id at OWASP's parameters (ASVS 11.4.2): 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// A hash that nothing matches, of the same cost as a real one: what a guess at an unknown address is compared with.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5LW5vYm9keS1ub2JvZHk$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Why a password could not be hashed or compared. Never the password's fault.
#[derive(Debug, Error)]
pub enum HashError {
    #[error("the stored hash cannot be read: {0}")]
    Stored(PhcError),
    #[error("hashing failed: {0}")]
    Failed(String),
}

/// Hashes and compares passwords on blocking threads, as many at once as there are processors.
#[derive(Clone)]
pub struct Hasher {
    argon2: Argon2<'static>,
    places: Arc<Semaphore>,
}

/// A place at the hasher. It is taken before a guess is reserved, so that a reservation never waits in the queue.
pub struct Hashing {
    argon2: Argon2<'static>,
    _place: OwnedSemaphorePermit,
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
        Ok(Self { argon2, places: Arc::new(Semaphore::new(processors)) })
    }

    /// Waits for a place.
    ///
    /// # Errors
    /// Where the process is shutting down.
    pub async fn place(&self) -> Result<Hashing, HashError> {
        let place =
            Arc::clone(&self.places).acquire_owned().await.map_err(|error| HashError::Failed(error.to_string()))?;
        Ok(Hashing { argon2: self.argon2.clone(), _place: place })
    }
}

impl Hashing {
    /// The password's hash as a PHC string, with a fresh random salt.
    ///
    /// # Errors
    /// Where memory or randomness is not to be had.
    pub async fn hash(self, password: Plaintext) -> Result<String, HashError> {
        self.blocking(move |argon2| argon2.hash_password(password.as_bytes()).map(|hash| hash.to_string())).await
    }

    /// Whether `password` is the one behind `stored`.
    ///
    /// # Errors
    /// Where `stored` is no PHC string of Argon2.
    pub async fn matches(self, password: Plaintext, stored: String) -> Result<bool, HashError> {
        self.blocking(move |argon2| match argon2.verify_password(password.as_bytes(), stored.as_str()) {
            Ok(()) => Ok(true),
            Err(PhcError::PasswordInvalid) => Ok(false),
            Err(error) => Err(error),
        })
        .await
    }

    /// Takes as long as [`Self::matches`] and is never right.
    ///
    /// # Errors
    /// As [`Self::matches`].
    pub async fn matches_nobody(self, password: Plaintext) -> Result<(), HashError> {
        self.matches(password, NOBODY.to_owned()).await.map(drop)
    }

    async fn blocking<T: Send + 'static>(
        self,
        work: impl FnOnce(&Argon2<'static>) -> Result<T, PhcError> + Send + 'static,
    ) -> Result<T, HashError> {
        task::spawn_blocking(move || work(&self.argon2))
            .await
            .map_err(|error| HashError::Failed(error.to_string()))?
            .map_err(HashError::Stored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plaintext(text: &str) -> Plaintext {
        Plaintext::parse(text.to_owned()).unwrap()
    }

    #[tokio::test]
    async fn a_hash_matches_its_password_and_no_other() {
        let hasher = Hasher::new().unwrap();
        let hash = hasher.place().await.unwrap().hash(plaintext("correct horse")).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(hasher.place().await.unwrap().matches(plaintext("correct horse"), hash.clone()).await.unwrap());
        assert!(!hasher.place().await.unwrap().matches(plaintext("correct horsf"), hash).await.unwrap());
        hasher.place().await.unwrap().matches_nobody(plaintext("correct horse")).await.unwrap();
    }
}
