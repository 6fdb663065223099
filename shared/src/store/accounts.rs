use std::{collections::HashMap, sync::Arc};

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, Put, TransactWriteItem},
};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    Item, StoreError, account_item,
    attributes::{Reader, expiry, flag, moment, put_some, text},
    change::Change,
    keys, lookup,
    patience::Patience,
    transactions::{Refused, Transacted, build},
};
use crate::{
    Platform,
    aws::reason,
    config::SettingError,
    domain::{Account, AuditEntry, Device, EmailAddress, Identifier, Invitation, NewAccount, Session, Username},
};

macro_rules! events {
    ($($(#[$documentation:meta])* $name:ident, $word:literal;)*) => {
        /// What the last write of an account did. The stream's filters go by it, since they cannot compare images.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Event {
            $($(#[$documentation])* $name,)*
        }

        impl Event {
            /// The attribute that holds the word.
            pub const ATTRIBUTE: &str = "ev";

            /// The word in the item and in the template's stream filters.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }

            /// The event of that word.
            pub fn of(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

events! {
    Registered, "registered";
    /// Someone registered the address once more, where registering is private.
    RegisteredAgain, "registered_again";
    VerificationRequested, "verification_requested";
    Verified, "verified";
    SignedIn, "signed_in";
    /// From a browser and system family that the account had not seen.
    SignedInAnew, "signed_in_anew";
    Refreshed, "refreshed";
    /// Sessions were ended, by their owner or because a refresh token came twice.
    SessionEnded, "session_ended";
    /// A guess was reserved, settled or cleared.
    Guessed, "guessed";
    /// The third wrong guess in a row was settled.
    Locked, "locked";
    ResetRequested, "reset_requested";
    /// A try at a reset code was reserved or given back.
    ResetTried, "reset_tried";
    PasswordChanged, "password_changed";
    /// An admin made it for someone, who is to choose a password.
    Invited, "invited";
    /// It came from another service.
    Imported, "imported";
    /// Its owner or an admin edited it.
    Edited, "edited";
    RoleChanged, "role_changed";
    AddressChangeRequested, "address_change_requested";
    AddressChanged, "address_changed";
    AddressRestored, "address_restored";
    /// Its owner asked for all of their data.
    ExportRequested, "export_requested";
    /// All of their data was written.
    ExportReady, "export_ready";
}

/// Until when a claim is held, of an address for whoever left it, and of a username for nobody.
pub(super) const HELD_UNTIL: &str = "held_until";
/// The condition on a claim that anybody may take at `:now`.
const FREE: &str = "attribute_not_exists(pk) OR held_until < :now";

/// Who makes an account.
#[derive(Clone, Copy, Debug)]
pub enum MadeBy<'a> {
    /// Its owner, from this device.
    Owner(&'a Device),
    /// An admin, with the entry of the trail.
    Admin(&'a AuditEntry),
}

/// How registering ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    Made,
    EmailTaken,
    UsernameTaken,
}

/// Accounts and the claims on their addresses and usernames: table `users`, and in `tokens` what goes with a session.
#[derive(Clone)]
pub struct Accounts {
    pub(super) client: Client,
    pub(super) users: Arc<str>,
    pub(super) tokens: Option<Arc<str>>,
    pub(super) audit: Option<Arc<str>>,
    pub(super) require_verified: bool,
}

impl Accounts {
    /// The accounts of this stack. A function without `TOKENS_TABLE` can read them and no more.
    ///
    /// # Errors
    /// Where the function was not given the table.
    pub fn new(platform: &Platform) -> Result<Self, SettingError> {
        let settings = &platform.settings;
        Ok(Self {
            client: platform.aws.dynamodb(),
            users: settings.resource("USERS_TABLE")?.into(),
            tokens: settings.resource("TOKENS_TABLE").ok().map(Into::into),
            audit: settings.resource("AUDIT_TABLE").ok().map(Into::into),
            require_verified: settings.require_verified_email,
        })
    }

    pub(super) fn tokens(&self) -> Result<&str, StoreError> {
        self.tokens.as_deref().ok_or_else(|| StoreError::Refused("this function was not given TOKENS_TABLE".into()))
    }

    /// The account of that id, read strongly.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn find(&self, id: Uuid) -> Result<Option<Account>, StoreError> {
        self.get(keys::account(id)).await?.as_ref().map(account_item::read).transpose()
    }

    /// The user who holds that address or username, read strongly.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn find_user(&self, identifier: &Identifier) -> Result<Option<Uuid>, StoreError> {
        let Some(claim) = self.get(keys::claim_of(identifier)).await? else { return Ok(None) };
        let reader = Reader::new("users", &claim);
        // A held address is nobody's until its time is over, or the change is undone; a held username is nobody's.
        if reader.optional_moment(HELD_UNTIL)?.is_some() { Ok(None) } else { reader.uuid("uid").map(Some) }
    }

    /// The user who has the claim on an address, held or not.
    pub(super) async fn find_claimant(&self, email: &EmailAddress) -> Result<Option<Uuid>, StoreError> {
        let claim = self.get(keys::email_claim(email)).await?;
        claim.map(|claim| Reader::new("users", &claim).uuid("uid")).transpose()
    }

    pub(super) async fn get(&self, key: keys::Key) -> Result<Option<Item>, StoreError> {
        lookup::get(&self.client, &self.users, &key).await
    }

    /// Makes an account with its claims and its first session, in one transaction.
    ///
    /// # Errors
    /// `NotAllowed` where the admin who makes it is none any more, or where the store cannot answer.
    pub async fn create(&self, new: NewAccount, by: MadeBy<'_>) -> Result<Created, StoreError> {
        let account = Account::from(new);
        let event = match by {
            MadeBy::Owner(_) => Event::Registered,
            MadeBy::Admin(_) => Event::Invited,
        };
        let mut items = vec![
            self.claiming(keys::email_claim(&account.email), account.id, account.created_at)?,
            self.put_new(account_item::item(&account, event))?,
        ];
        if let Some(username) = &account.username {
            items.push(self.claiming(keys::username_claim(username), account.id, account.created_at)?);
        }
        let username_taken = |refused: &Refused| account.username.is_some() && refused.contains(2);
        let entry = if let MadeBy::Admin(entry) = by { Some(entry) } else { None };
        match self.transact_for(entry, items, &mut Patience::of_a_plan()).await? {
            Transacted::Committed => {
                if let MadeBy::Owner(device) = by {
                    self.note_devices(&account, device).await?;
                }
                Ok(Created::Made)
            }
            // The username first: where registering is private, a taken one must not tell addresses apart.
            Transacted::Refused(refused) if username_taken(&refused) => Ok(Created::UsernameTaken),
            Transacted::Refused(refused) if refused.contains(0) => Ok(Created::EmailTaken),
            Transacted::Refused(_) => Err(StoreError::Contended),
        }
    }

    /// Notes where the sessions of an account were opened. The roster decides; without its row a session is shown without
    /// its device.
    async fn note_devices(&self, account: &Account, device: &Device) -> Result<(), StoreError> {
        for session in &account.sessions {
            let row = session_row(account.id, session, device);
            if let Err(error) = self.client.put_item().table_name(self.tokens()?).set_item(Some(row)).send().await {
                tracing::warn!(reason = reason(&error), "a session's device is not noted");
            }
        }
        Ok(())
    }

    /// Tells the owner of an address that someone registered it again at `now`; the stream mails them. Where nobody ever verified it,
    /// either may be a stranger: no password counts from then on but the one that is chosen behind the link of the `invitation`,
    /// in the mail. Of the account that the registration itself made, `own`, nothing is told. Each costs the same.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn tell_of_registration(
        &self,
        email: &EmailAddress,
        own: Uuid,
        invitation: &Invitation,
        nobodys_hash: &str,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let Some(user_id) = self.find_user(&Identifier::from(email)).await? else { return Ok(()) };
        let key = keys::account(user_id);
        let told = |whom: &str| {
            Change::provided("active = :yes AND email = :email AND pk <> :own")
                .and_provided(whom)
                .set("asked = :now, ev = :ev")
                .value(":yes", flag(true))
                .value(":email", text(email.as_str()))
                .value(":own", text(keys::account(own).pk))
                .value(":now", moment(now))
                .value(":ev", text(Event::RegisteredAgain.as_str()))
        };
        let anew = told("verified = :no AND attribute_not_exists(unv)")
            .set("#hash = :nobody, s = :empty, inv = :inv")
            .remove("dev, dn")
            .name("#hash", "hash")
            .value(":no", flag(false))
            .value(":nobody", text(nobodys_hash))
            .value(":empty", AttributeValue::M(HashMap::new()))
            .value(":inv", account_item::invitation(invitation));
        anew.apply(&self.client, &self.users, &key).await?;
        told("verified = :yes OR unv = :yes").apply(&self.client, &self.users, &key).await.map(drop)
    }

    /// Holds a username that nobody has for as long as an account that is never verified would have it. Of one that somebody has
    /// nothing changes, at the same cost.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn hold_username(&self, username: &Username, now: DateTime<Utc>) -> Result<(), StoreError> {
        let change = Change::provided(FREE)
            .quietly()
            .set(format!("uid = :nobody, {HELD_UNTIL} = :end"))
            .value(":nobody", text(Uuid::new_v4().to_string()))
            .value(":end", moment(now + Account::UNVERIFIED_LIFETIME))
            .value(":now", moment(now));
        change.apply(&self.client, &self.users, &keys::username_claim(username)).await.map(drop)
    }

    /// Takes an address or a username that nobody has, or that was held until before `now`.
    pub(super) fn claiming(
        &self,
        key: keys::Key,
        user_id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder()
            .table_name(&*self.users)
            .set_item(Some(claim(key, user_id)))
            .condition_expression(FREE)
            .expression_attribute_values(":now", moment(now));
        Ok(TransactWriteItem::builder().put(build(put.build())?).build())
    }

    /// Puts what is not there yet.
    pub(super) fn put_new(&self, item: Item) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder()
            .table_name(&*self.users)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)");
        Ok(TransactWriteItem::builder().put(build(put.build())?).build())
    }

    /// The account in an image of the stream of table `users`, with what the write did; nothing where the image is of
    /// another kind of item.
    ///
    /// # Errors
    /// Where the image is damaged.
    pub fn read_image(image: serde_dynamo::Item) -> Result<Option<(Event, Account)>, StoreError> {
        let image: Item = image.into();
        let reader = Reader::new("users", &image);
        if reader.optional_text(keys::SK)? != Some("ACCOUNT") {
            return Ok(None);
        }
        let event = Event::of(reader.text(Event::ATTRIBUTE)?).ok_or_else(|| reader.damaged(Event::ATTRIBUTE))?;
        Ok(Some((event, account_item::read(&image)?)))
    }
}

pub(super) fn claim(key: keys::Key, user_id: Uuid) -> Item {
    let mut item = key.item();
    item.insert("uid".into(), text(user_id.to_string()));
    item
}

/// What a session shows of itself to its owner; the roster in the account decides.
pub(super) fn session_row(user_id: Uuid, session: &Session, device: &Device) -> Item {
    let mut item = keys::session(user_id, session.id).item();
    item.insert("created".into(), moment(session.times.used_at));
    item.insert(keys::EXPIRES_AT.into(), expiry(session.times.absolute_end));
    put_some(&mut item, "ip", device.ip_address.as_deref().map(text));
    put_some(&mut item, "ua", device.user_agent.as_deref().map(text));
    item
}
