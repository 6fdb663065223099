use std::{collections::BTreeMap, sync::Arc};

use axum::extract::FromRef;
use lambda_http::Error;
use shared::{
    Platform,
    clock::Clock,
    config::Settings,
    domain::{AVATAR, Account, Act, AuditEntry, Edit, Edits},
    http::{Authority, AvatarAddress, Bearer, Caller, Code, Problem, User, email_not_verified, session_ended},
    objects::Objects,
    store::{Accounts, DocumentKind, Edited, StoredDocument, UserEdit},
};
use uuid::Uuid;

use crate::picture::Studio;

/// What the handlers of this function may touch.
#[derive(Clone, FromRef)]
pub struct State {
    pub settings: Arc<Settings>,
    pub clock: Clock,
    pub accounts: Accounts,
    pub authority: Authority,
    pub avatars: AvatarAddress,
    pub objects: Objects,
    pub studio: Studio,
}

impl State {
    /// Reads the published keys, and opens what the handlers need.
    ///
    /// # Errors
    /// Where a setting or a key is not to be had.
    pub async fn load(platform: &Platform) -> Result<Self, Error> {
        Ok(Self {
            settings: Arc::clone(&platform.settings),
            clock: platform.clock.clone(),
            accounts: Accounts::new(platform)?,
            authority: Authority::load(platform).await?,
            avatars: AvatarAddress::new(&platform.settings),
            objects: Objects::new(platform, "AVATAR_BUCKET")?,
            studio: Studio::new(),
        })
    }

    /// The caller, and whom they may change, with their profile.
    ///
    /// # Errors
    /// As a [`Caller`] is refused; `forbidden`, or `not_found` where there is no such user.
    pub async fn subject(&self, bearer: Bearer, id: &str) -> Result<(Caller, (Account, StoredDocument)), Problem> {
        let own = self.accounts.document(bearer.user_id(), DocumentKind::Profile);
        let (caller, own) = bearer.with_item(own).await?;
        let subject = caller.subject(Some(id))?;
        if subject == caller.account.id {
            let account = caller.account.clone();
            return Ok((caller, (account, own)));
        }
        let found = self.accounts.find_with_document(subject, DocumentKind::Profile).await?;
        Ok((caller, found.ok_or_else(missing)?))
    }

    /// Gives a user that avatar, or none. The object that they had before is deleted by the janitor, at the stream's record.
    ///
    /// # Errors
    /// Where the account is gone, or the store cannot answer.
    pub async fn set(
        &self,
        caller: &Caller,
        (account, profile): (Account, StoredDocument),
        object: Option<String>,
    ) -> Result<User, Problem> {
        let by_admin = account.id != caller.account.id;
        let edits = Edits::from([(AVATAR, object.map_or(Edit::Cleared, |object| Edit::To(object.into())))]);
        let edit = UserEdit {
            document: Some((DocumentKind::Profile, edits)),
            audit: by_admin.then(|| self.entry(caller, account.id)),
            ..UserEdit::default()
        };
        let outcome = self.accounts.edit(account, profile, &edit, self.clock.now()).await?;
        let (account, document) = match outcome {
            Edited::Yes { account, document, .. } => (account, document),
            Edited::Disabled => return Err(session_ended()),
            Edited::Unverified => return Err(email_not_verified()),
            _ => return Err(missing()),
        };
        Ok(User::seen_by(caller.account.role, &account, &document, &self.avatars, self.clock.now()))
    }

    fn entry(&self, caller: &Caller, target: Uuid) -> AuditEntry {
        AuditEntry {
            id: self.clock.new_id(),
            at: self.clock.now(),
            actor: caller.account.id,
            target,
            act: Act::UserUpdated,
            changes: BTreeMap::from([(AVATAR.to_owned(), "edited".to_owned())]),
        }
    }
}

/// There is no such user.
pub fn missing() -> Problem {
    Problem::new(Code::NotFound, "There is no such user.")
}
