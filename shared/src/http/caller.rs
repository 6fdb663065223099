//! Who calls. Authentication stands in a handler's argument types, so that no route can forget it.

use axum::{
    extract::{FromRef, FromRequestParts},
    http::{header, request::Parts},
};
use uuid::Uuid;

use super::{Code, Problem, note_user};
use crate::{
    Platform,
    clock::Clock,
    config::SettingError,
    crypto::{AccessTokenError, Claims, Keyring, SecretError, Verifier},
    domain::{Account, Role, SessionId},
    store::{Accounts, Lookup, StoreError},
};

/// What tells who calls: the published keys, and the accounts that say whether the session still counts.
#[derive(Clone)]
pub struct Authority {
    verifiers: Keyring<Verifier>,
    accounts: Accounts,
    clock: Clock,
    require_verified_email: bool,
}

impl Authority {
    /// The authority of this stack.
    ///
    /// # Errors
    /// Where the published keys or the table's name are not to be had.
    pub async fn load(platform: &Platform) -> Result<Self, SecretError> {
        let authority = Self::unread(platform)?;
        authority.verifiers.fresh().await?;
        Ok(authority)
    }

    /// The authority of this stack, which reads the published keys when it is first asked.
    ///
    /// # Errors
    /// Where the table's name is not to be had.
    pub fn unread(platform: &Platform) -> Result<Self, SettingError> {
        Ok(Self {
            verifiers: Keyring::new(platform),
            accounts: Accounts::new(platform)?,
            clock: platform.clock.clone(),
            require_verified_email: platform.settings.require_verified_email,
        })
    }

    /// What a token says, by its signature alone; or why it is not valid.
    ///
    /// # Errors
    /// Where the published keys are not to be had.
    pub async fn claims(&self, token: &str) -> Result<Result<Claims, AccessTokenError>, Problem> {
        Ok(self.verifiers.verify(token).await?)
    }

    /// What a token says, and the account as of now; nothing where the token is not valid, or its session has ended.
    ///
    /// # Errors
    /// Where keys or account are not to be had.
    pub async fn inspect(&self, token: &str) -> Result<Option<(Claims, Account)>, Problem> {
        let Ok(claims) = self.claims(token).await? else { return Ok(None) };
        match self.admit(&claims).await {
            Ok(caller) => Ok(Some((claims, caller.account))),
            Err(problem) if problem.code() == Code::SessionEnded => Ok(None),
            Err(problem) => Err(problem),
        }
    }

    /// One strong read says whether the session still counts, and what its owner may do by now.
    async fn admit(&self, claims: &Claims) -> Result<PendingCaller, Problem> {
        self.admitted(claims, self.accounts.find(claims.sub).await?)
    }

    /// The account's owner, where the session of the claims still counts.
    fn admitted(&self, claims: &Claims, account: Option<Account>) -> Result<PendingCaller, Problem> {
        let account = account.filter(|account| account.active).ok_or_else(session_ended)?;
        account.live_session(claims.sid, self.clock.now()).ok_or_else(session_ended)?;
        Ok(PendingCaller { account, session_id: claims.sid })
    }

    /// Lets someone pass whose address is verified.
    ///
    /// # Errors
    /// `email_not_verified` for anyone else.
    pub fn verified(&self, caller: PendingCaller) -> Result<Caller, Problem> {
        if self.require_verified_email && !caller.account.verified {
            return Err(email_not_verified());
        }
        Ok(Caller { account: caller.account, session_id: caller.session_id })
    }
}

/// The session has ended, or its owner's account is disabled or gone.
pub fn session_ended() -> Problem {
    Problem::new(Code::SessionEnded, "The session has ended.")
}

/// The caller's address would have to be verified.
pub fn email_not_verified() -> Problem {
    Problem::new(Code::EmailNotVerified, "Email not verified")
}

/// The token of a request (RFC 6750 §2.1). The scheme's case does not matter, the token's does.
///
/// # Errors
/// `authentication_required` where there is none, `invalid_token` where the header cannot be read.
pub fn bearer_token(parts: &Parts) -> Result<&str, Problem> {
    let required = || Problem::new(Code::AuthenticationRequired, "An access token is required.");
    let invalid = || Problem::new(Code::InvalidToken, "The access token is not valid");
    let header = parts.headers.get(header::AUTHORIZATION).ok_or_else(required)?;
    let (scheme, token) = header.to_str().map_err(|_| invalid())?.split_once(' ').ok_or_else(invalid)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(required()) }
}

/// Someone with a session, whose address may not be verified yet: only what lets them become a [`Caller`], or go.
#[derive(Debug)]
pub struct PendingCaller {
    pub account: Account,
    pub session_id: SessionId,
}

/// Someone with a session and a verified address.
#[derive(Debug)]
pub struct Caller {
    pub account: Account,
    pub session_id: SessionId,
}

/// A token whose signature is right and whose session is still to be asked about, together with whatever else the
/// request needs to read: both go out at once, so that a read costs one round trip.
pub struct Bearer {
    authority: Authority,
    claims: Claims,
}

impl Bearer {
    /// The user whom the token names. What is read for them may be shown only once [`Self::with`] has admitted them.
    pub fn user_id(&self) -> Uuid {
        self.claims.sub
    }

    /// The session that the token names, under the same reserve.
    pub fn session_id(&self) -> SessionId {
        self.claims.sid
    }

    /// Carries out a write that itself asks whether the session still counts and its owner is verified, and answers `false` where
    /// that is not so.
    ///
    /// # Errors
    /// As a [`Caller`] is refused then, or as `write` fails.
    pub async fn by_write(self, write: impl Future<Output = Result<bool, StoreError>>) -> Result<(), Problem> {
        if write.await? { Ok(()) } else { Err(self.refuse(session_ended()).await) }
    }

    /// Carries out a write that itself asks whether the session still counts, and answers `false` where it does not.
    ///
    /// # Errors
    /// `session_ended` then, or as `write` fails.
    pub async fn by_pending_write(self, write: impl Future<Output = Result<bool, StoreError>>) -> Result<(), Problem> {
        if write.await? { Ok(()) } else { Err(session_ended()) }
    }

    /// What is told of a request that cannot go on because of `problem`: to someone who is not admitted, just that.
    pub async fn refuse(self, problem: Problem) -> Problem {
        match self.with(std::future::ready(Ok(()))).await {
            Ok(_) => problem,
            Err(refusal) => refusal,
        }
    }

    /// Admits the caller while `write` runs, which leaves nothing that anyone sees before the caller goes on from it. A
    /// token that itself says that its owner is not verified is admitted first: it would most likely not be.
    ///
    /// # Errors
    /// As a [`Caller`] is refused, or as `write` fails.
    pub async fn with_write<T>(
        self,
        write: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<(Caller, T), Problem> {
        if self.claims.email_verified {
            return self.with(write).await;
        }
        let caller = self.authority.verified(self.authority.admit(&self.claims).await?)?;
        Ok((caller, write.await?))
    }

    /// As [`Self::with_item`], also for someone whose address is not verified yet.
    ///
    /// # Errors
    /// As a [`PendingCaller`] is refused, or where the store cannot answer.
    pub async fn with_item_pending<T>(self, item: Lookup<T>) -> Result<(PendingCaller, T), Problem> {
        let (account, item) = self.authority.accounts.find_with(self.claims.sub, item).await?;
        Ok((self.authority.admitted(&self.claims, account)?, item?))
    }

    /// Admits the caller and reads an item, all in one call; where they are not admitted, what was read is dropped.
    ///
    /// # Errors
    /// As a [`Caller`] is refused, or where the store cannot answer.
    pub async fn with_item<T>(self, item: Lookup<T>) -> Result<(Caller, T), Problem> {
        let Self { authority, claims } = self;
        let (account, item) = authority.accounts.find_with(claims.sub, item).await?;
        Ok((authority.verified(authority.admitted(&claims, account)?)?, item?))
    }

    /// Admits the caller while `read` runs; where they are not admitted, what was read is dropped.
    ///
    /// # Errors
    /// As a [`Caller`] is refused, or as `read` fails.
    pub async fn with<T>(self, read: impl Future<Output = Result<T, StoreError>>) -> Result<(Caller, T), Problem> {
        let (caller, read) = tokio::join!(self.authority.admit(&self.claims), read);
        Ok((self.authority.verified(caller?)?, read?))
    }
}

impl Caller {
    /// Whether they are an admin, as of now.
    pub fn is_admin(&self) -> bool {
        self.account.role == Role::Admin
    }

    /// Lets admins pass.
    ///
    /// # Errors
    /// `forbidden` for anyone else.
    pub fn require_admin(&self) -> Result<(), Problem> {
        if self.is_admin() { Ok(()) } else { Err(Problem::new(Code::Forbidden, "This is for admins.")) }
    }

    /// Whom `{id}` of a path means: `me` and the caller's own id the caller, any other id someone else, for admins alone.
    ///
    /// # Errors
    /// `forbidden` for anyone else.
    pub fn subject(&self, id: Option<&str>) -> Result<Uuid, Problem> {
        let own = self.account.id;
        match id {
            None | Some("me") => Ok(own),
            Some(id) => match id.parse() {
                Ok(id) if id == own || self.account.role == Role::Admin => Ok(id),
                Err(_) if self.is_admin() => Err(Problem::new(Code::NotFound, "There is no such user.")),
                _ => Err(Problem::new(Code::Forbidden, "This is not yours to see or change.")),
            },
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Bearer
where
    Authority: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let authority = Authority::from_ref(state);
        let claims = authority.claims(bearer_token(parts)?).await??;
        note_user(claims.sub);
        Ok(Self { authority, claims })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PendingCaller
where
    Authority: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let bearer = Bearer::from_request_parts(parts, state).await?;
        bearer.authority.admit(&bearer.claims).await
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller
where
    Authority: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let pending = PendingCaller::from_request_parts(parts, state).await?;
        Authority::from_ref(state).verified(pending)
    }
}
