use chrono::{DateTime, TimeDelta, Utc};
use serde::{Serialize, de::DeserializeOwned};
use shared::{
    config::Settings,
    crypto::{Derivation, DerivationKeys, Description, KeyError, PublicKeys, Secret, SigningKeys, shortest_period},
    domain::LONGEST_DERIVED,
};

use crate::{Asked, Failure, Rotation, Step};

/// A kind of keys that rotate: previous, current and next.
pub trait Ring {
    type Keys: Serialize + DeserializeOwned + Sync;

    fn generate(now: DateTime<Utc>) -> Result<Self::Keys, KeyError>;
    fn rotated(keys: Self::Keys, now: DateTime<Utc>) -> Result<Self::Keys, KeyError>;
    /// Others, with which nothing of these counts.
    fn replaced(keys: Self::Keys, now: DateTime<Utc>) -> Result<Self::Keys, KeyError>;
    /// Whether a rotation makes `keys` of `those`.
    fn follow(keys: &Self::Keys, those: &Self::Keys) -> bool;
    /// When the newest of them was made.
    fn made_at(keys: &Self::Keys) -> DateTime<Utc>;

    /// For so long nothing is rotated again: until all that the key before made is over.
    fn shortest_period(settings: &Settings) -> TimeDelta;

    /// Tells the world of keys that are not in use yet.
    async fn publish(rotation: &Rotation, keys: &Self::Keys) -> Result<(), Failure>;

    /// Whether keys that are not in use yet would do what those that are do.
    async fn work(rotation: &Rotation, keys: &Self::Keys) -> Result<bool, Failure>;
}

/// The keys that sign access tokens.
pub struct Signing;

impl Ring for Signing {
    type Keys = SigningKeys;

    fn generate(now: DateTime<Utc>) -> Result<SigningKeys, KeyError> {
        SigningKeys::generate(now)
    }

    fn rotated(keys: SigningKeys, now: DateTime<Utc>) -> Result<SigningKeys, KeyError> {
        keys.rotated(now)
    }

    fn replaced(_: SigningKeys, now: DateTime<Utc>) -> Result<SigningKeys, KeyError> {
        SigningKeys::generate(now)
    }

    fn follow(keys: &SigningKeys, those: &SigningKeys) -> bool {
        keys.follow(those)
    }

    fn made_at(keys: &SigningKeys) -> DateTime<Utc> {
        keys.next.created_at
    }

    fn shortest_period(settings: &Settings) -> TimeDelta {
        shortest_period(settings)
    }

    /// The key that signs from now on has been published since the last rotation; the one that will be next is from here.
    async fn publish(rotation: &Rotation, keys: &SigningKeys) -> Result<(), Failure> {
        Ok(rotation.published.put(&keys.public()).await?)
    }

    async fn work(rotation: &Rotation, keys: &SigningKeys) -> Result<bool, Failure> {
        let published: Option<PublicKeys> = rotation.published.current().await?;
        Ok(published.is_some_and(|published| keys.are_verified_by(&published)))
    }
}

/// The keys behind codes, links and refresh tokens.
pub struct Deriving;

impl Ring for Deriving {
    type Keys = DerivationKeys;

    fn generate(now: DateTime<Utc>) -> Result<DerivationKeys, KeyError> {
        DerivationKeys::generate(now)
    }

    fn rotated(keys: DerivationKeys, now: DateTime<Utc>) -> Result<DerivationKeys, KeyError> {
        keys.rotated(now)
    }

    fn replaced(keys: DerivationKeys, now: DateTime<Utc>) -> Result<DerivationKeys, KeyError> {
        keys.replaced(now)
    }

    fn follow(keys: &DerivationKeys, those: &DerivationKeys) -> bool {
        keys.follow(those)
    }

    fn made_at(keys: &DerivationKeys) -> DateTime<Utc> {
        keys.next.created_at
    }

    fn shortest_period(settings: &Settings) -> TimeDelta {
        LONGEST_DERIVED + shortest_period(settings)
    }

    async fn publish(_: &Rotation, _: &DerivationKeys) -> Result<(), Failure> {
        Ok(())
    }

    async fn work(rotation: &Rotation, keys: &DerivationKeys) -> Result<bool, Failure> {
        let (prepared, in_use) = (Derivation::new(keys)?, rotation.derivation.current().await?);
        let Some(in_use) = in_use.as_ref().map(Derivation::new).transpose()? else { return Ok(false) };
        let known = |derivation: &Derivation, by: &Derivation| {
            let (key, parts) = (derivation.current(), [b"rotation".as_slice()]);
            derivation.tag(key, "test", &parts).is_some_and(|tag| by.is_tag(key, "test", &parts, &tag))
        };
        // Instances that do not know of the rotation yet must understand those that do, and the other way about.
        Ok(known(&prepared, &in_use) && known(&in_use, &prepared))
    }
}

/// The keys in use; the first ones are made where there are none.
pub async fn first<R: Ring>(rotation: &Rotation, secret: &Secret) -> Result<R::Keys, Failure> {
    if let Some(keys) = secret.current().await? {
        return Ok(keys);
    }
    let keys = R::generate(rotation.clock.now())?;
    secret.put(&keys).await?;
    Ok(keys)
}

/// Other keys at once, published before they are in use. Asked for again, others still. A rotation that is under way ends: its
/// keys come from those that leaked.
pub async fn replace<R: Ring>(rotation: &Rotation, secret: &Secret) -> Result<(), Failure> {
    let keys: R::Keys = secret.current().await?.ok_or_else(|| empty(secret))?;
    let keys = R::replaced(keys, rotation.clock.now())?;
    R::publish(rotation, &keys).await?;
    secret.put(&keys).await?;
    tracing::warn!(secret = secret.name(), "keys replaced");
    if let Some(token) = secret.description().await?.pending {
        secret.abandon(&token).await?;
    }
    // A step that was under way may have published its own since: what is in use has the last word.
    let in_use: R::Keys = secret.current().await?.ok_or_else(|| empty(secret))?;
    R::publish(rotation, &in_use).await
}

/// One of the four steps.
pub async fn step<R: Ring>(rotation: &Rotation, secret: &Secret, asked: &Asked) -> Result<(), Failure> {
    let token = asked.client_request_token.as_str();
    let Description { version, rotated_at, .. } = secret.description().await?;
    let version = version.ok_or_else(|| empty(secret))?;
    if version == token {
        return Ok(());
    }
    let keys: R::Keys = secret.version(&version).await?.ok_or_else(|| empty(secret))?;
    let prepared: Option<R::Keys> = secret.pending(token).await?;
    if asked.step == Step::Test && prepared.as_ref().is_some_and(|prepared| are_same(prepared, &keys)) {
        return tested::<R>(rotation, &keys).await;
    }
    if prepared.as_ref().is_some_and(|prepared| !R::follow(prepared, &keys)) {
        secret.abandon(token).await?;
        return Err(Failure::Superseded(token.to_owned()));
    }
    let unprepared = || Failure::Unprepared(token.to_owned());
    match asked.step {
        Step::Create if prepared.is_some() => Ok(()),
        Step::Create => {
            let (now, period) = (rotation.clock.now(), R::shortest_period(&rotation.settings));
            // A rotation may take days from its first step to its last: what counts is since when the world knows the keys.
            let known_since = rotated_at.max(Some(R::made_at(&keys)));
            if known_since.is_some_and(|since| now - since < period) {
                return Err(Failure::TooSoon(secret.name().to_owned(), period.num_minutes()));
            }
            Ok(secret.prepare(token, &R::rotated(keys, now)?).await?)
        }
        Step::Set => {
            R::publish(rotation, &prepared.ok_or_else(unprepared)?).await?;
            // Whoever replaced the keys meanwhile has published others before.
            match secret.description().await?.version {
                Some(now) if now != version => {
                    let keys: R::Keys = secret.version(&now).await?.ok_or_else(|| empty(secret))?;
                    R::publish(rotation, &keys).await?;
                    Err(Failure::Superseded(token.to_owned()))
                }
                _ => Ok(()),
            }
        }
        Step::Test => tested::<R>(rotation, &prepared.ok_or_else(unprepared)?).await,
        Step::Finish => {
            prepared.ok_or_else(unprepared)?;
            // Refused where another version is in use by now.
            secret.promote(token, version).await?;
            tracing::info!(secret = secret.name(), "keys rotated");
            Ok(())
        }
    }
}

async fn tested<R: Ring>(rotation: &Rotation, keys: &R::Keys) -> Result<(), Failure> {
    if R::work(rotation, keys).await? { Ok(()) } else { Err(Failure::Unfit) }
}

/// Where a schedule is set that begins with no rotation, Secrets Manager asks for the test alone, of a version that it makes of what is in
/// use and takes away by itself (<https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html>).
fn are_same<K: Serialize>(prepared: &K, in_use: &K) -> bool {
    let [prepared, in_use] = [prepared, in_use].map(|keys| serde_json::to_value(keys).ok());
    prepared.is_some() && prepared == in_use
}

fn empty(secret: &Secret) -> Failure {
    Failure::Empty(secret.name().to_owned())
}
