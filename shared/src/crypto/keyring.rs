use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Mutex;

use super::{
    AccessTokenError, Claims, ClientSecrets, Derivation, DerivationKeys, OriginSecret, PublicKeys, ScrapeToken,
    SecretError, Signer, SigningKeys, Verifier,
    secrets::{InUse, read},
};
use crate::{
    Platform,
    aws::reason,
    config::Settings,
    telemetry::{self, Metric},
};

/// Two rotations are never nearer to each other than this, nor than two lives of an access token: a key that is published
/// at one rotation signs from the next one on, and verifiers, API Gateway among them, keep a key set for up to two hours.
const SHORTEST_PERIOD: TimeDelta = TimeDelta::hours(2);
/// Keys of this age are read again beside the request that finds them so.
const STALE: TimeDelta = TimeDelta::minutes(15);
/// Pause between two readings that a request's content, or a failure, asks for.
const PAUSE: TimeDelta = TimeDelta::minutes(1);

/// The shortest time between two rotations of the signing keys.
pub fn shortest_period(settings: &Settings) -> TimeDelta {
    SHORTEST_PERIOD.max(settings.tokens.access_ttl * 2)
}

/// What a process makes of a secret.
pub trait FromSecret: Clone + Send + Sync + Sized + 'static {
    /// The setting that names the secret.
    const SETTING: &'static str;
    /// What tells how old it is, where that is watched.
    const AGE: Option<Metric> = None;

    /// Reads the secret's text; nothing where it is damaged.
    fn from_secret(text: &str, settings: &Settings) -> Option<Self>;
}

/// Keys that a process holds, and reads again from their secret while it lives, so that a rotation needs no restart.
///
/// A frozen instance runs nothing: whatever it holds may be as old as the instance. Keys younger than half a period are
/// therefore read again beside a request, older ones before it.
#[derive(Clone)]
pub struct Keyring<K>(Arc<Kept<K>>);

struct Kept<K> {
    platform: Platform,
    held: RwLock<Held<K>>,
    /// Held by whoever reads.
    reading: Mutex<()>,
}

#[derive(Clone)]
struct Held<K> {
    keys: Option<K>,
    made_at: Option<DateTime<Utc>>,
    read_at: DateTime<Utc>,
    tried_at: DateTime<Utc>,
}

impl<K: FromSecret> Keyring<K> {
    /// A ring that is read when it is first used.
    pub fn new(platform: &Platform) -> Self {
        let never = DateTime::UNIX_EPOCH;
        let held = RwLock::new(Held { keys: None, made_at: None, read_at: never, tried_at: never });
        Self(Arc::new(Kept { platform: platform.clone(), held, reading: Mutex::new(()) }))
    }

    /// Reads the keys, before any request needs them.
    ///
    /// # Errors
    /// Where the secret cannot be read, or is damaged: there is no default key.
    pub async fn load(platform: &Platform) -> Result<Self, SecretError> {
        let ring = Self::new(platform);
        ring.fresh().await?;
        Ok(ring)
    }

    /// The keys. Where Secrets Manager does not answer, those that are held are used for as long as what they sign cannot
    /// outlive them.
    ///
    /// # Errors
    /// Where there are none, or none that may still be used.
    pub async fn fresh(&self) -> Result<K, SecretError> {
        let settings = &self.0.platform.settings;
        let (period, held, now) = (shortest_period(settings), self.held(), self.0.platform.clock.now());
        let Some(keys) = held.keys.clone() else { return self.read_after(&held).await };
        if let Some((metric, made_at)) = K::AGE.zip(held.made_at) {
            telemetry::gauge(metric, (now - made_at).as_seconds_f64());
        }
        let age = now - held.read_at;
        let tried = now - held.tried_at < PAUSE;
        if age < period / 2 {
            if age >= STALE && !tried {
                self.read_beside(held);
            }
            return Ok(keys);
        }
        let usable = age < period - settings.tokens.access_ttl;
        if usable && tried {
            return Ok(keys);
        }
        match self.read_after(&held).await {
            Err(error) if usable => {
                tracing::warn!(reason = reason(&error), secret = K::SETTING, "keys not read again");
                Ok(keys)
            }
            read => read,
        }
    }

    /// The keys as they are now, for something that those that are held do not fit; the held ones where that was asked
    /// within the last minute, or Secrets Manager does not answer.
    ///
    /// # Errors
    /// Where there are none.
    pub async fn look_again(&self) -> Result<K, SecretError> {
        let held = self.held();
        let tried = self.0.platform.clock.now() - held.tried_at < PAUSE;
        match held.keys.clone() {
            Some(keys) if tried => Ok(keys),
            Some(keys) => Ok(self.read_after(&held).await.unwrap_or(keys)),
            None => self.read_after(&held).await,
        }
    }

    fn read_beside(&self, seen: Held<K>) {
        let ring = self.clone();
        tokio::spawn(async move {
            if let Err(error) = ring.read_after(&seen).await {
                tracing::warn!(reason = reason(&error), secret = K::SETTING, "keys not read again");
            }
        });
    }

    /// Reads the keys, unless someone else did, or tried to, since `seen`: while Secrets Manager is silent, those who wait
    /// for the same answer do not each wait for one of their own.
    async fn read_after(&self, seen: &Held<K>) -> Result<K, SecretError> {
        let _reading = self.0.reading.lock().await;
        let held = self.held();
        if let Some(keys) = held.keys.filter(|_| held.read_at > seen.read_at) {
            return Ok(keys);
        }
        if held.tried_at > seen.tried_at {
            let reason = "it was asked for just now, in vain".to_owned();
            return Err(SecretError::Unreadable { name: K::SETTING.to_owned(), reason });
        }
        let now = self.0.platform.clock.now();
        self.hold(|held| held.tried_at = now);
        let InUse { name, text, made_at } = read(&self.0.platform, K::SETTING).await?;
        let keys = K::from_secret(&text, &self.0.platform.settings).ok_or(SecretError::Damaged { name })?;
        self.hold(|held| *held = Held { keys: Some(keys.clone()), made_at, read_at: now, tried_at: now });
        Ok(keys)
    }

    fn held(&self) -> Held<K> {
        self.0.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn hold(&self, change: impl FnOnce(&mut Held<K>)) {
        change(&mut self.0.held.write().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Keyring<Verifier> {
    /// The claims of `token`, or why it is not valid. A token whose key is not known yet has the keys read again, once a
    /// minute at the most.
    ///
    /// # Errors
    /// Where the published keys are not to be had.
    pub async fn verify(&self, token: &str) -> Result<Result<Claims, AccessTokenError>, SecretError> {
        let now = self.0.platform.clock.now();
        match self.fresh().await?.verify(token, now) {
            Err(AccessTokenError::UnknownKey) => Ok(self.look_again().await?.verify(token, now)),
            verified => Ok(verified),
        }
    }
}

impl FromSecret for Signer {
    const SETTING: &'static str = "SIGNING_KEYS_SECRET";
    const AGE: Option<Metric> = Some(Metric::SigningKeyAge);

    fn from_secret(text: &str, settings: &Settings) -> Option<Self> {
        let keys: SigningKeys = serde_json::from_str(text).ok()?;
        Self::new(&keys, &settings.tokens).ok()
    }
}

impl FromSecret for PublicKeys {
    const SETTING: &'static str = "PUBLIC_KEYS_SECRET";

    fn from_secret(text: &str, _: &Settings) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

impl FromSecret for Verifier {
    const SETTING: &'static str = PublicKeys::SETTING;

    fn from_secret(text: &str, settings: &Settings) -> Option<Self> {
        Self::new(&PublicKeys::from_secret(text, settings)?, &settings.tokens).ok()
    }
}

impl FromSecret for Derivation {
    const SETTING: &'static str = "DERIVATION_KEYS_SECRET";
    const AGE: Option<Metric> = Some(Metric::DerivationKeyAge);

    fn from_secret(text: &str, _: &Settings) -> Option<Self> {
        let keys: DerivationKeys = serde_json::from_str(text).ok()?;
        Self::new(&keys).ok()
    }
}

impl FromSecret for ScrapeToken {
    const SETTING: &'static str = "SCRAPE_TOKEN_SECRET";

    fn from_secret(text: &str, _: &Settings) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

impl FromSecret for OriginSecret {
    const SETTING: &'static str = "ORIGIN_SECRET";

    fn from_secret(text: &str, _: &Settings) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

impl FromSecret for ClientSecrets {
    const SETTING: &'static str = "CLIENTS_SECRET";

    fn from_secret(text: &str, _: &Settings) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}
