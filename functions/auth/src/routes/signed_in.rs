use chrono::TimeDelta;
use serde::Serialize;
use shared::{
    crypto::RefreshToken,
    domain::{Account, Session},
    http::{Code, Problem, User},
    store::StoredDocument,
};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::State;

/// The tokens of a new session, and whose it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignedIn {
    /// JWT (RFC 9068).
    pub access_token: String,
    /// Opaque; each use replaces it.
    pub refresh_token: String,
    /// The session's id: the same for as long as the session is refreshed.
    pub refresh_token_id: Uuid,
    /// Always `bearer`.
    pub token_type: &'static str,
    /// Seconds that the access token is valid.
    pub expires_in: i64,
    /// The scopes of the access token; not part of this answer.
    #[serde(skip)]
    pub scope: String,
    pub user: User,
}

impl SignedIn {
    /// Signs the tokens of `session`.
    pub async fn new(
        state: &State,
        account: &Account,
        profile: &StoredDocument,
        session: &Session,
    ) -> Result<Self, Problem> {
        let now = state.clock.now();
        let access = state.signer.fresh().await?.sign(account, session.id, now)?;
        let refresh = RefreshToken::of(account.id, session).encode(&state.derivation.fresh().await?);
        let refresh_token = refresh.ok_or_else(|| {
            Problem::new(Code::Unavailable, "The service cannot answer now.").retry_after(TimeDelta::seconds(1))
        })?;
        Ok(Self {
            access_token: access.text,
            refresh_token,
            refresh_token_id: session.id,
            token_type: "bearer",
            expires_in: access.expires_in.num_seconds(),
            scope: account.scope(state.settings.tokens.require_verified_email),
            user: User::seen_by(account.role, account, profile, &state.avatars, now),
        })
    }
}
