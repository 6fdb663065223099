use std::{collections::BTreeMap, sync::Arc};

use axum::extract::FromRef;
use lambda_http::Error;
use shared::{
    Platform,
    clock::Clock,
    config::Settings,
    crypto::{Derivation, Hasher, Keyring},
    domain::{Account, Act, AuditEntry},
    http::{Authority, AvatarAddress, Caller, PasswordDoor, User},
    objects::Objects,
    store::{Accounts, Attempts, StoredDocument},
};
use uuid::Uuid;

/// What the handlers of this function may touch.
#[derive(Clone, FromRef)]
pub struct State {
    pub settings: Arc<Settings>,
    pub clock: Clock,
    pub accounts: Accounts,
    pub attempts: Attempts,
    pub authority: Authority,
    pub avatars: AvatarAddress,
    pub derivation: Keyring<Derivation>,
    pub exports: Objects,
    pub door: PasswordDoor,
    pub hasher: Hasher,
}

impl State {
    /// Reads the published keys, and opens what the handlers need.
    ///
    /// # Errors
    /// Where a setting or a key is not to be had.
    pub async fn load(platform: &Platform) -> Result<Self, Error> {
        let (authority, derivation) = tokio::try_join!(Authority::load(platform), Keyring::load(platform))?;
        let (accounts, hasher) = (Accounts::new(platform)?, Hasher::new()?);
        Ok(Self {
            settings: Arc::clone(&platform.settings),
            clock: platform.clock.clone(),
            attempts: Attempts::new(platform)?,
            authority,
            avatars: AvatarAddress::new(&platform.settings),
            derivation,
            exports: Objects::new(platform, "EXPORT_BUCKET")?,
            door: PasswordDoor::new(platform, &accounts, &hasher),
            accounts,
            hasher,
        })
    }

    /// The user behind an account, as the caller may see them.
    pub fn shown(&self, caller: &Caller, account: &Account, profile: &StoredDocument) -> User {
        User::seen_by(caller.account.role, account, profile, &self.avatars, self.clock.now())
    }

    /// A line of the audit trail: what `caller` does to `target`.
    pub fn entry(&self, caller: &Caller, target: Uuid, act: Act, changes: BTreeMap<String, String>) -> AuditEntry {
        AuditEntry { id: self.clock.new_id(), at: self.clock.now(), actor: caller.account.id, target, act, changes }
    }
}
