use std::sync::Arc;

use axum::extract::FromRef;
use lambda_http::Error;
use shared::{
    Platform,
    clock::Clock,
    config::Settings,
    crypto::{ClientSecrets, Derivation, Hasher, Keyring, Signer},
    http::{Authority, AvatarAddress, Limiter, Pages, PasswordDoor},
    store::Accounts,
};

/// What the handlers of this function may touch.
#[derive(Clone, FromRef)]
pub struct State {
    pub settings: Arc<Settings>,
    pub avatars: AvatarAddress,
    pub clients: Keyring<ClientSecrets>,
    pub clock: Clock,
    pub accounts: Accounts,
    pub authority: Authority,
    pub derivation: Keyring<Derivation>,
    pub door: PasswordDoor,
    pub hasher: Hasher,
    pub limiter: Limiter,
    pub pages: Pages,
    pub signer: Keyring<Signer>,
}

impl State {
    /// Reads the keys, at once, and opens what the handlers need.
    ///
    /// # Errors
    /// Where a setting, a secret or a key is not to be had.
    pub async fn load(platform: &Platform) -> Result<Self, Error> {
        let hasher = Hasher::new()?;
        hasher.warm();
        let (signer, derivation, authority) =
            tokio::try_join!(Keyring::load(platform), Keyring::load(platform), Authority::load(platform))?;
        let settings = Arc::clone(&platform.settings);
        let accounts = Accounts::new(platform)?;
        Ok(Self {
            avatars: AvatarAddress::new(&settings),
            clients: Keyring::new(platform),
            clock: platform.clock.clone(),
            authority,
            limiter: Limiter::new(platform, &derivation)?,
            derivation,
            door: PasswordDoor::new(platform, &accounts, &hasher),
            pages: Pages::new(&settings, PAGES)?,
            signer,
            settings,
            accounts,
            hasher,
        })
    }
}

/// The pages that this function shows.
const PAGES: &[(&str, &str)] = &[
    ("verify_email.html", include_str!("pages/verify_email.html")),
    ("reset_password.html", include_str!("pages/reset_password.html")),
    ("undo_email_change.html", include_str!("pages/undo_email_change.html")),
    ("message.html", include_str!("pages/message.html")),
];
