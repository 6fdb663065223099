//! Finishes a login: the session, the cleared guesses and the eviction are one conditional write.

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use chrono::{DateTime, Utc};

use super::{
    Accounts, Reservation, StoreError, account_item,
    account_item::{roster_name, session_map},
    accounts::{Event, session_row},
    attributes::{moment, number, text},
    guesses::{Outcome, conditional},
    keys,
};
use crate::domain::{Account, Device, Session, Standing};

/// Rounds against other logins of the same person before it is given up.
const ROUNDS: usize = 16;

/// What a login adds.
#[derive(Debug)]
pub struct Login<'a> {
    pub session: &'a Session,
    pub device: &'a Device,
    /// Sessions that a person may have.
    pub cap: usize,
    pub now: DateTime<Utc>,
}

/// How a login ended.
#[derive(Debug)]
pub enum Finished {
    SignedIn(Box<Account>),
    /// The password, or the account's standing, changed while it was compared.
    Overtaken,
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
        let row = self.client.put_item().table_name(self.tokens()?).set_item(Some(session_row(
            account.id,
            login.session,
            login.device,
        )));
        let row = async { row.send().await.map(drop).map_err(StoreError::from) };
        let (finished, ()) = tokio::try_join!(self.add_session(reservation, account, login), row)?;
        Ok(finished)
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
            let request = self.adding(&seen, login, own_row);
            let met = match conditional(request).await? {
                Outcome::Done(item) => return Ok(Finished::SignedIn(Box::new(account_item::read(&item)?))),
                Outcome::Met(None) => return Ok(Finished::Overtaken),
                Outcome::Met(Some(item)) => account_item::read(&item)?,
            };
            if met.sessions.iter().any(|session| session.id == login.session.id) {
                return Ok(Finished::SignedIn(Box::new(met)));
            }
            let locked = matches!(met.guesses.standing(login.now), Standing::Locked(_));
            let own_row = met.guesses.generation == reservation.guesses.generation;
            let changed = met.password_hash != account.password_hash || !met.active || met.verified != account.verified;
            if changed || (locked && !own_row) {
                return Ok(Finished::Overtaken);
            }
            seen = met;
        }
        Err(StoreError::Contended)
    }

    /// The write, conditioned on the account as it was `seen`. In a later row of guesses than the login's own, that
    /// another success began, the guesses are that row's affair and stay as they are.
    fn adding(
        &self,
        seen: &Account,
        login: &Login<'_>,
        own_row: bool,
    ) -> aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder {
        let victims = victims(seen, login);
        let clear = if own_row { ", tries = :zero, wrong = :zero, gen = gen + :one" } else { "" };
        let mut update = format!("SET s.#sid = :session, login_at = :now, ev = :ev{clear}");
        let mut condition =
            "gen = :gen AND #hash = :hash AND active = :yes AND verified = :verified AND size(s) <= :size".to_owned();
        let mut request = self
            .client
            .update_item()
            .table_name(&*self.users)
            .set_key(Some(keys::account(seen.id).item()))
            .expression_attribute_names("#sid", roster_name(login.session.id))
            .expression_attribute_names("#hash", "hash")
            .expression_attribute_values(":session", session_map(login.session))
            .expression_attribute_values(":now", moment(login.now))
            .expression_attribute_values(":ev", text(Event::SignedIn.as_str()))
            .expression_attribute_values(":gen", number(seen.guesses.generation))
            .expression_attribute_values(":hash", text(&seen.password_hash))
            .expression_attribute_values(":yes", super::attributes::flag(true))
            .expression_attribute_values(":verified", super::attributes::flag(seen.verified))
            .expression_attribute_values(":size", number(seen.sessions.len()));
        if own_row {
            request =
                request.expression_attribute_values(":zero", number(0)).expression_attribute_values(":one", number(1));
        }
        for (place, victim) in victims.iter().enumerate() {
            update.push_str(if place == 0 { " REMOVE " } else { ", " });
            update.push_str(&format!("s.#v{place}"));
            condition.push_str(&format!(" AND s.#v{place}.t = :v{place}"));
            request = request
                .expression_attribute_names(format!("#v{place}"), roster_name(victim.id))
                .expression_attribute_values(format!(":v{place}"), moment(victim.times.used_at));
        }
        request
            .update_expression(update)
            .condition_expression(condition)
            .return_values(aws_sdk_dynamodb::types::ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }
}

/// The sessions that go: those past their end, and the ones idle longest until there is room for one more.
fn victims<'a>(seen: &'a Account, login: &Login<'_>) -> Vec<&'a Session> {
    let (live, mut victims): (Vec<_>, Vec<_>) = seen.sessions.iter().partition(|session| session.is_live(login.now));
    let over = (live.len() + 1).saturating_sub(login.cap);
    victims.extend(live.into_iter().take(over));
    victims
}
