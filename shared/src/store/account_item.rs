//! The `ACCOUNT` item: everything that decides about a person. Attribute names are short, since it is kept under 1 KiB.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use uuid::Uuid;

use super::{
    Item, StoreError,
    accounts::Event,
    attributes::{Reader, flag, moment, number, put_some, text},
    keys,
};
use crate::domain::{
    Account, AddressChange, AddressUndo, DisplayName, EmailAddress, Export, Guesses, Invitation, Plan, Reset, Role,
    Session, SessionTimes, Stay, Username,
};

const TABLE: &str = "users";

/// The item of a new account.
pub(super) fn item(account: &Account, event: Event) -> Item {
    let mut item = keys::account(account.id).item();
    item.extend(
        [
            ("email", text(account.email.as_str())),
            ("hash", text(&account.password_hash)),
            ("role", text(account.role.as_str())),
            ("plan", text(account.plan.as_str())),
            ("active", flag(account.active)),
            ("verified", flag(account.verified)),
            ("created", moment(account.created_at)),
            ("updated", moment(account.updated_at)),
            ("tries", number(0)),
            ("wrong", number(0)),
            ("gen", number(0)),
            ("s", AttributeValue::M(account.sessions.iter().map(session_entry).collect())),
            (Event::ATTRIBUTE, text(event.as_str())),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    put_some(&mut item, "username", account.username.as_ref().map(|username| text(username.as_str())));
    put_some(&mut item, "name", account.name.as_ref().map(|name| text(name.as_str())));
    put_some(&mut item, "login_at", account.last_login_at.map(moment));
    put_some(&mut item, "rst", account.reset.as_ref().map(reset));
    let known = account.known_devices.iter().map(text).collect();
    item.insert("dev".to_owned(), AttributeValue::L(known));
    put_some(&mut item, "dn", account.newest_device.as_deref().map(text));
    item.insert("asked".to_owned(), moment(account.verification_asked_at));
    put_some(&mut item, "lang", account.language.as_ref().map(text));
    put_some(&mut item, "tz", account.timezone.as_ref().map(text));
    put_some(&mut item, "hid", account.profile_private.then(|| flag(true)));
    put_some(&mut item, "unv", account.unverified_by_admin.then(|| flag(true)));
    put_some(&mut item, "con", account.contact_public.then(|| flag(true)));
    put_some(&mut item, "inv", account.invitation.as_ref().map(invitation));
    put_some(&mut item, "chg", account.address_change.as_ref().map(address_change));
    put_some(&mut item, "und", (!account.address_undos.is_empty()).then(|| address_undos(&account.address_undos)));
    put_some(&mut item, "exp", account.export.as_ref().map(export));
    item.insert(keys::MADE_IN.to_owned(), text(keys::made_in(account.created_at)));
    item
}

/// An account from an item of the table or from an image of its stream.
pub(super) fn read(item: &Item) -> Result<Account, StoreError> {
    let reader = Reader::new(TABLE, item);
    let roster = reader.map("s")?.ok_or_else(|| reader.damaged("s"))?;
    let mut sessions = roster
        .entries()
        .map(|entry| entry.and_then(|(id, entry)| read_session(id, &entry)))
        .collect::<Result<Vec<_>, _>>()?;
    sessions.sort_by_key(|session| (session.times.used_at, session.id));
    let (pk, sk) = (reader.text(keys::PK)?, reader.text(keys::SK)?);
    Ok(Account {
        id: keys::user_of_account(pk, sk).ok_or_else(|| reader.damaged("pk"))?,
        email: EmailAddress::stored(reader.text("email")?),
        username: reader.optional_text("username")?.map(Username::stored),
        name: reader.optional_text("name")?.map(DisplayName::stored),
        password_hash: reader.text("hash")?.to_owned(),
        role: Role::of(reader.text("role")?).ok_or_else(|| reader.damaged("role"))?,
        plan: Plan::of(reader.text("plan")?).ok_or_else(|| reader.damaged("plan"))?,
        active: reader.flag("active")?,
        verified: reader.flag("verified")?,
        unverified_by_admin: reader.raised("unv")?,
        created_at: reader.moment("created")?,
        updated_at: reader.moment("updated")?,
        last_login_at: reader.optional_moment("login_at")?,
        guesses: read_guesses(&reader)?,
        sessions,
        verification_asked_at: reader.moment("asked")?,
        reset: reader.map("rst")?.map(|entry| read_reset(&entry)).transpose()?,
        known_devices: reader.texts("dev")?,
        newest_device: reader.optional_text("dn")?.map(str::to_owned),
        language: reader.optional_text("lang")?.map(str::to_owned),
        timezone: reader.optional_text("tz")?.map(str::to_owned),
        profile_private: reader.raised("hid")?,
        contact_public: reader.raised("con")?,
        invitation: reader.map("inv")?.map(|entry| read_invitation(&entry)).transpose()?,
        address_change: reader.map("chg")?.map(|entry| read_address_change(&entry)).transpose()?,
        address_change_by: reader.optional_text("chg_by")?.and_then(|id| Uuid::try_parse(id).ok()),
        export: reader.map("exp")?.map(|entry| read_export(&entry)).transpose()?,
        address_undos: reader.maps("und")?.iter().map(read_address_undo).collect::<Result<_, _>>()?,
    })
}

/// The guess counters, which stand alike in an account and in a ghost.
pub(super) fn read_guesses(reader: &Reader<'_>) -> Result<Guesses, StoreError> {
    Ok(Guesses {
        tries: reader.number("tries")?,
        wrong: reader.number("wrong")?,
        generation: reader.number("gen")?,
        tried_at: reader.optional_moment("tried_at")?,
        reserved: reader.text_set("guess")?,
        settled: reader.text_set("settled")?,
    })
}

/// The name of a session in the roster.
pub(super) fn roster_name(id: Uuid) -> String {
    id.simple().to_string()
}

fn session_entry(session: &Session) -> (String, AttributeValue) {
    (roster_name(session.id), session_map(session))
}

/// A session in the roster.
pub(super) fn session_map(session: &Session) -> AttributeValue {
    let mut map = HashMap::from([
        ("n".to_owned(), number(session.number)),
        ("t".to_owned(), moment(session.times.used_at)),
        ("end".to_owned(), moment(session.times.idle_end)),
        ("abs".to_owned(), moment(session.times.absolute_end)),
        ("key".to_owned(), number(session.key)),
    ]);
    put_some(&mut map, "short", (!session.stay.is_remembered()).then(|| flag(true)));
    AttributeValue::M(map)
}

fn read_session(id: &str, entry: &Reader<'_>) -> Result<Session, StoreError> {
    Ok(Session {
        id: Uuid::try_parse(id).map_err(|_| entry.damaged("s"))?,
        number: entry.number("n")?,
        times: SessionTimes {
            used_at: entry.moment("t")?,
            idle_end: entry.moment("end")?,
            absolute_end: entry.moment("abs")?,
        },
        key: entry.number("key")?,
        stay: Stay::remembering(entry.flag("short").is_err()),
    })
}

/// A password reset that is under way.
pub(super) fn reset(reset: &Reset) -> AttributeValue {
    AttributeValue::M(HashMap::from([
        ("id".to_owned(), text(reset.id.simple().to_string())),
        ("end".to_owned(), moment(reset.end)),
        ("key".to_owned(), number(reset.key)),
        ("tries".to_owned(), number(reset.tries)),
    ]))
}

/// An invitation that was not accepted yet.
pub(super) fn invitation(invitation: &Invitation) -> AttributeValue {
    AttributeValue::M(link(invitation.id, invitation.end))
}

fn read_invitation(entry: &Reader<'_>) -> Result<Invitation, StoreError> {
    Ok(Invitation { id: entry.uuid("id")?, end: entry.moment("end")? })
}

/// A change of address that is not confirmed yet.
pub(super) fn address_change(change: &AddressChange) -> AttributeValue {
    let mut map = link(change.id, change.end);
    map.insert("email".to_owned(), text(change.email.as_str()));
    AttributeValue::M(map)
}

fn read_address_change(entry: &Reader<'_>) -> Result<AddressChange, StoreError> {
    Ok(AddressChange {
        id: entry.uuid("id")?,
        email: EmailAddress::stored(entry.text("email")?),
        end: entry.moment("end")?,
    })
}

/// Changes of address that can be undone.
pub(super) fn address_undos(undos: &[AddressUndo]) -> AttributeValue {
    let map = |undo: &AddressUndo| {
        let mut map = link(undo.id, undo.end);
        map.insert("email".to_owned(), text(undo.email.as_str()));
        AttributeValue::M(map)
    };
    AttributeValue::L(undos.iter().map(map).collect())
}

fn read_address_undo(entry: &Reader<'_>) -> Result<AddressUndo, StoreError> {
    Ok(AddressUndo {
        id: entry.uuid("id")?,
        email: EmailAddress::stored(entry.text("email")?),
        end: entry.moment("end")?,
    })
}

/// An export that was asked for.
pub(super) fn export(export: &Export) -> AttributeValue {
    let mut map = HashMap::from([
        ("id".to_owned(), text(export.id.simple().to_string())),
        ("at".to_owned(), moment(export.asked_at)),
    ]);
    put_some(&mut map, "ready", export.ready_at.map(moment));
    AttributeValue::M(map)
}

fn read_export(entry: &Reader<'_>) -> Result<Export, StoreError> {
    Ok(Export { id: entry.uuid("id")?, asked_at: entry.moment("at")?, ready_at: entry.optional_moment("ready")? })
}

/// When the newest export was asked for, also where it was taken back since.
pub(super) fn export_asked_at(item: &Item) -> Result<Option<DateTime<Utc>>, StoreError> {
    Reader::new(TABLE, item).optional_moment("exp_at")
}

/// What a link is derived from.
fn link(id: Uuid, end: DateTime<Utc>) -> HashMap<String, AttributeValue> {
    HashMap::from([("id".to_owned(), text(id.simple().to_string())), ("end".to_owned(), moment(end))])
}

/// Whether a try at the reset code is reserved under that name, by which a repeated call recognises itself.
pub(super) fn has_reset_try(item: &Item, name: &str) -> Result<bool, StoreError> {
    Ok(Reader::new(TABLE, item).map("rst")?.is_some_and(|reset| reset.has(name)))
}

fn read_reset(entry: &Reader<'_>) -> Result<Reset, StoreError> {
    Ok(Reset {
        id: entry.uuid("id")?,
        end: entry.moment("end")?,
        key: entry.number("key")?,
        tries: entry.number("tries")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    fn account() -> Account {
        let now: DateTime<Utc> = DateTime::UNIX_EPOCH + TimeDelta::milliseconds(1_700_000_000_123);
        let session = |id: u128| Session {
            id: Uuid::from_u128(id),
            number: 41,
            times: SessionTimes::beginning(now, Stay::Remembered, TimeDelta::days(7)),
            key: 12,
            stay: Stay::Remembered,
        };
        Account {
            id: Uuid::from_u128(7),
            email: EmailAddress::parse("a.rather.long.address@subdomain.example.com").unwrap(),
            username: Some(Username::parse("a_rather_long_username").unwrap()),
            name: Some(DisplayName::parse("Somebody With A Rather Long Name").unwrap()),
            password_hash: format!("$argon2id$v=19$m=19456,t=2,p=1${}${}", "s".repeat(22), "h".repeat(43)),
            role: Role::Admin,
            plan: Plan::Premium,
            active: true,
            verified: true,
            unverified_by_admin: true,
            created_at: now,
            updated_at: now,
            last_login_at: Some(now),
            guesses: Guesses::default(),
            sessions: (1..=5).map(session).collect(),
            verification_asked_at: now,
            reset: Some(Reset { id: Uuid::from_u128(8), end: now, key: 1, tries: 2 }),
            known_devices: vec!["one".into(), "two".into()],
            newest_device: Some("Firefox on Linux".into()),
            language: Some("de-CH".into()),
            timezone: Some("Europe/Zurich".into()),
            profile_private: true,
            contact_public: true,
            invitation: Some(Invitation { id: Uuid::from_u128(9), end: now }),
            address_change: None,
            address_change_by: None,
            address_undos: vec![AddressUndo {
                id: Uuid::from_u128(10),
                email: EmailAddress::parse("old@example.com").unwrap(),
                end: now,
            }],
            export: Some(Export { id: Uuid::from_u128(11), asked_at: now, ready_at: Some(now) }),
        }
    }

    #[test]
    fn an_account_reads_back_as_it_was_written() {
        let (written, read) = (account(), read(&item(&account(), Event::Registered)).unwrap());
        assert_eq!(read.email, written.email);
        assert_eq!(read.sessions, written.sessions);
        assert_eq!((read.verification_asked_at, read.reset), (written.verification_asked_at, written.reset));
        assert_eq!((read.known_devices, read.newest_device), (written.known_devices, written.newest_device));
        assert_eq!((read.language, read.timezone), (written.language, written.timezone));
        assert_eq!((read.profile_private, read.contact_public), (written.profile_private, written.contact_public));
        assert_eq!((read.verified, read.unverified_by_admin), (written.verified, written.unverified_by_admin));
        assert_eq!((read.invitation, read.export), (written.invitation, written.export));
        assert!(read.address_undos == written.address_undos && read.address_change == written.address_change);
        assert_eq!((read.role, read.plan, read.last_login_at), (written.role, written.plan, written.last_login_at));
    }

    #[test]
    fn a_damaged_item_names_table_and_attribute() {
        let mut item = item(&account(), Event::Registered);
        item.insert("role".into(), text("EMPEROR"));
        assert_eq!(read(&item).unwrap_err().to_string(), "an item is damaged: role of users");
    }
}
