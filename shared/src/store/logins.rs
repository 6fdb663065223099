//! Finishes a login: the session, the cleared guesses and the eviction are one conditional write.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};

use super::{
    Accounts, Reservation, StoreError, account_item,
    account_item::{roster_name, session_map},
    accounts::{Event, session_row},
    attributes::{flag, moment, number, text},
    change::{Change, Outcome},
    guesses::row_over,
    keys,
};
use crate::{
    aws::reason,
    domain::{Account, Device, Session, Standing},
};

/// Rounds against other logins of the same person before it is given up.
const ROUNDS: usize = 16;

/// Devices that an account knows at the most; the one met first is forgotten first.
const KNOWN_DEVICES: usize = 10;

/// What a login adds.
#[derive(Debug)]
pub struct Login<'a> {
    pub session: &'a Session,
    pub device: &'a Device,
    /// A keyed hash of the device's browser and system family.
    pub family: String,
    /// The password's hash in today's form, where the stored one is outdated.
    pub new_hash: Option<&'a str>,
    /// Sessions that a person may have.
    pub cap: usize,
    pub now: DateTime<Utc>,
}

/// How a login ended.
#[derive(Debug)]
pub enum Finished {
    SignedIn(Box<Account>),
    /// The password is another one by now, or the account is gone.
    Overtaken,
    /// An admin disabled the account meanwhile.
    Disabled,
    /// Others locked the account meanwhile.
    Locked(DateTime<Utc>),
}

impl Accounts {
    /// Opens a session for whoever made the right guess `reservation`, ends those over the cap and clears the guesses.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn finish_login(
        &self,
        reservation: &Reservation,
        account: &Account,
        login: &Login<'_>,
    ) -> Result<Finished, StoreError> {
        let row = session_row(account.id, login.session, login.device);
        let row = self.client.put_item().table_name(self.tokens()?).set_item(Some(row)).send();
        let (finished, row) = tokio::join!(self.add_session(reservation, account, login), row);
        if let Err(error) = row {
            // The roster decides; without its row a session is shown without its device.
            tracing::warn!(reason = reason(&error), "a session's device is not noted");
        }
        finished
    }

    async fn add_session(
        &self,
        reservation: &Reservation,
        account: &Account,
        login: &Login<'_>,
    ) -> Result<Finished, StoreError> {
        let mut seen = account.clone();
        for _ in 0..ROUNDS {
            let own_row = seen.guesses.generation == reservation.guesses.generation;
            let change = Self::adding(&seen, login, own_row);
            let met = match change.apply(&self.client, &self.users, &keys::account(seen.id)).await? {
                Outcome::Done(item) => return Ok(Finished::SignedIn(Box::new(account_item::read(&item)?))),
                Outcome::Met(None) => return Ok(Finished::Overtaken),
                Outcome::Met(Some(item)) => account_item::read(&item)?,
            };
            if met.sessions.iter().any(|session| session.id == login.session.id) {
                return Ok(Finished::SignedIn(Box::new(met)));
            }
            if met.password_hash != account.password_hash || (account.verified && !met.verified) {
                return Ok(Finished::Overtaken);
            }
            if !met.active {
                return Ok(Finished::Disabled);
            }
            let own_row = met.guesses.generation == reservation.guesses.generation;
            if let (Standing::Locked(until), false) = (met.guesses.standing(login.now), own_row) {
                return Ok(Finished::Locked(until));
            }
            seen = met;
        }
        Err(StoreError::Contended)
    }

    /// The write, conditioned on the account as it was `seen`. In a later row of guesses than the login's own, that
    /// another success began, the guesses are that row's affair and stay as they are.
    fn adding(seen: &Account, login: &Login<'_>, own_row: bool) -> Change {
        let unchanged = "gen = :gen AND #hash = :hash AND active = :yes AND verified = :verified AND size(s) <= :size";
        let change = Change::provided(unchanged)
            .set("s.#sid = :session, login_at = :now, ev = :ev")
            .name("#sid", roster_name(login.session.id))
            .name("#hash", "hash")
            .value(":session", session_map(login.session))
            .value(":now", moment(login.now))
            .value(":gen", number(seen.guesses.generation))
            .value(":hash", text(&seen.password_hash))
            .value(":yes", flag(true))
            .value(":verified", flag(seen.verified))
            .value(":size", number(seen.sessions.len()));
        let change = match login.new_hash {
            Some(hash) => change.set("#hash = :new_hash").value(":new_hash", text(hash)),
            None => change,
        };
        let change = device_noted(change, seen, login);
        let change = if own_row { row_over(change) } else { change };
        victims(seen, login).into_iter().fold(change, without)
    }
}

/// Ends a session, where it was not used since it was seen.
pub(super) fn without(change: Change, session: &Session) -> Change {
    let name = roster_name(session.id);
    let change = change.remove(format!("s.#v{name}")).and_provided(&format!("s.#v{name}.#t = :v{name}"));
    change.name(format!("#v{name}"), &name).name("#t", "t").value(format!(":v{name}"), moment(session.times.used_at))
}

/// What kind of sign-in it was: from a device that the account knows, or from one that its owner is told of.
fn device_noted(change: Change, seen: &Account, login: &Login<'_>) -> Change {
    if seen.known_devices.contains(&login.family) {
        return change.value(":ev", text(Event::SignedIn.as_str()));
    }
    let oldest = (seen.known_devices.len() + 1).saturating_sub(KNOWN_DEVICES);
    let known = seen.known_devices.iter().skip(oldest).chain([&login.family]).map(text).collect();
    let change = change.set("dev = :dev, dn = :dn").value(":dev", AttributeValue::L(known));
    change.value(":dn", text(login.device.name())).value(":ev", text(Event::SignedInAnew.as_str()))
}

/// The sessions that go: those past their end, and the ones idle longest until there is room for one more.
fn victims<'a>(seen: &'a Account, login: &Login<'_>) -> Vec<&'a Session> {
    let (live, mut victims): (Vec<_>, Vec<_>) = seen.sessions.iter().partition(|session| session.is_live(login.now));
    let over = (live.len() + 1).saturating_sub(login.cap);
    victims.extend(live.into_iter().take(over));
    victims
}
