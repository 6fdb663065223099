//! What must hold for everybody at once, looked at while nothing goes wrong.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    operations,
    person::{Account, Attempt, Person, TESTS, Tokens},
    service::{Request, Service, Wrong},
};

/// Looks at mails, tables, and what everybody reads; answers with how many people could read everything of theirs.
pub async fn hold(service: &Service, people: &mut [Person], now: u64) -> Result<u64, Wrong> {
    mails(service, people).await?;
    tables(service, people).await?;
    let mut looked_at = 0;
    for person in people {
        let back = operations::come_back(service, person, now).await?;
        let seen = async {
            ended(service, person).await?;
            if back { whole(service, person, now).await } else { Ok(()) }
        };
        seen.await.map_err(|wrong| format!("person {}: {wrong}\n{:#?}", person.number, person.account))?;
        looked_at += u64::from(back);
    }
    Ok(looked_at)
}

/// Every mail that is owed was sent, and none to anybody else.
async fn mails(service: &Service, people: &[Person]) -> Result<(), Wrong> {
    let letters = service.letters().await?;
    let addresses: BTreeSet<&String> = people.iter().flat_map(|person| &person.addresses).collect();
    if let Some(letter) = letters.iter().find(|letter| !addresses.contains(&letter.to)) {
        return Err(format!("a mail went to {}, who is nobody", letter.to));
    }
    for ((email, subject), owed) in people.iter().flat_map(|person| &person.owed) {
        let sent = letters.iter().filter(|letter| letter.to == *email && letter.subject.contains(subject)).count();
        if sent < *owed {
            return Err(format!("{email} got {sent} mails that say \"{subject}\", where {owed} are owed"));
        }
    }
    Ok(())
}

/// An address has one account, and an account one address; of who is gone, nothing is left.
async fn tables(service: &Service, people: &[Person]) -> Result<(), Wrong> {
    let users = service.items("UsersTable").await?;
    let mut claims = BTreeMap::new();
    for item in &users {
        let Some(email) = item["pk"]["S"].as_str().and_then(|key| key.strip_prefix("EMAIL#")) else { continue };
        claims.insert(email.to_owned(), item.to_string());
    }
    let accounts: BTreeMap<&str, &Account> = people
        .iter()
        .filter_map(|person| person.account.as_ref())
        .map(|account| (account.email.as_str(), account))
        .collect();
    for (email, claim) in &claims {
        let account = accounts.get(email.as_str()).ok_or_else(|| format!("{email} is claimed by nobody: {claim}"))?;
        if account.id.as_ref().is_some_and(|id| !claim.contains(id.as_str())) {
            return Err(format!("{email} is claimed by another account: {claim}"));
        }
    }
    if let Some(email) = accounts.keys().find(|email| !claims.contains_key(**email)) {
        return Err(format!("the account of {email} has no claim to it"));
    }
    let stored: BTreeSet<String> = users.iter().filter(|item| item["sk"]["S"] == "ACCOUNT").map(key).collect();
    let known: BTreeSet<String> =
        accounts.values().flat_map(|account| &account.id).map(|id| format!("USER#{id}")).collect();
    if stored != known {
        return Err(format!("the accounts are {stored:?}, where {known:?} are known"));
    }
    let attempts = service.items("AttemptsTable").await?;
    let tokens = service.items("TokensTable").await?;
    let all: Vec<String> = users.iter().chain(&attempts).chain(&tokens).map(Value::to_string).collect();
    for person in people {
        let left = person.marks.iter().find_map(|mark| all.iter().find(|item| item.contains(mark.as_str())));
        if let Some(item) = left {
            return Err(format!("person {} is not forgotten: {item}", person.number));
        }
        // That a farewell was sent is known for a while, without whom it went to; and of an id that it was erased.
        let may_stay = |item: &Value| ["MAIL#", "ERASED#"].iter().any(|kind| key(item).starts_with(kind));
        let of_gone =
            |item: &&Value| !may_stay(item) && person.gone.iter().any(|id| item.to_string().contains(id.as_str()));
        if let Some(item) = users.iter().chain(&attempts).chain(&tokens).find(of_gone) {
            return Err(format!("something is left of an account of person {}: {item}", person.number));
        }
    }
    Ok(())
}

fn key(item: &Value) -> String {
    item["pk"]["S"].as_str().unwrap_or_default().to_owned()
}

/// Of what has ended, nothing is accepted.
async fn ended(service: &Service, person: &mut Person) -> Result<(), Wrong> {
    for tokens in person.ended.clone().into_iter().rev().take(3) {
        let path = "/api/v1/auth/me";
        if ask(service, person, Method::GET, path, Value::Null, Some(&tokens.access)).await?.0 != 401 {
            return Err("a session that had ended is accepted".into());
        }
        let body = json!({ "refresh_token": tokens.refresh });
        let (status, _) = ask(service, person, Method::POST, "/api/v1/auth/refresh", body, None).await?;
        if status != 401 {
            return Err(format!("the refresh token of a session that had ended was answered {status}"));
        }
    }
    Ok(())
}

/// What a person reads is what they did.
async fn whole(service: &Service, person: &mut Person, now: u64) -> Result<(), Wrong> {
    let Some(account) = person.account.clone().filter(|account| account.verified) else { return Ok(()) };
    let Some(session) = account.fresh(0, now).and_then(|place| account.sessions.get(place)) else { return Ok(()) };
    let sessions = read(service, person, "/api/v1/auth/sessions", &session.tokens).await?;
    let live = sessions.as_array().map_or(0, Vec::len);
    if live != account.sessions.len() {
        return Err(format!("{live} sessions are live, where {} are known: {sessions}", account.sessions.len()));
    }
    let summary = read(service, person, "/api/v1/attempts/me/summary", &session.tokens).await?;
    let solved: BTreeSet<u64> =
        account.attempts.iter().filter(|attempt| attempt.solved()).map(|attempt| attempt.question).collect();
    if summary["total_attempts"] != account.attempts.len() || summary["solved"] != solved.len() {
        return Err(format!("the summary is {summary}"));
    }
    let history = read(service, person, "/api/v1/attempts/me?limit=200", &session.tokens).await?;
    let ids = |attempts: &[Attempt]| attempts.iter().filter_map(|attempt| attempt.id.clone()).collect::<BTreeSet<_>>();
    let listed: BTreeSet<String> =
        history.as_array().into_iter().flatten().filter_map(|row| row["id"].as_str().map(str::to_owned)).collect();
    if account.attempts.len() < 200 && listed != ids(&account.attempts) {
        return Err(format!("the history is {history}"));
    }
    let questions = read(service, person, "/api/v1/attempts/me/questions?limit=200", &session.tokens).await?;
    let tried: BTreeSet<u64> = account.attempts.iter().map(|attempt| attempt.question).collect();
    let rows: BTreeSet<u64> =
        questions.as_array().into_iter().flatten().filter_map(|row| row["question_id"].as_u64()).collect();
    if rows != tried {
        return Err(format!("the questions are {questions}"));
    }
    for row in questions.as_array().into_iter().flatten() {
        let of: Vec<&Attempt> =
            account.attempts.iter().filter(|attempt| row["question_id"] == attempt.question).collect();
        let best = of.iter().map(|attempt| attempt.passed).max().unwrap_or_default();
        let right = row["attempts"] == of.len() && row["best_passed_tests"] == best && row["total_tests"] == TESTS;
        if !right || row["solved_at"].is_null() == (best == TESTS) {
            return Err(format!("the row of a question is {row}"));
        }
    }
    let activity = read(service, person, "/api/v1/attempts/me/activity", &session.tokens).await?;
    let of_days =
        |count: &str| -> u64 { activity.as_array().into_iter().flatten().filter_map(|day| day[count].as_u64()).sum() };
    if of_days("attempts") != account.attempts.len() as u64 || of_days("solved") != solved.len() as u64 {
        return Err(format!("the days are {activity}"));
    }
    Ok(())
}

async fn read(service: &Service, person: &mut Person, path: &str, tokens: &Tokens) -> Result<Value, Wrong> {
    match ask(service, person, Method::GET, path, Value::Null, Some(&tokens.access)).await? {
        (200, body) => Ok(body),
        (status, body) => Err(format!("{path} was answered {status} {body}")),
    }
}

async fn ask(
    service: &Service,
    person: &mut Person,
    method: Method,
    path: &str,
    body: Value,
    token: Option<&str>,
) -> Result<(u16, Value), Wrong> {
    person.asked += 1;
    let trace = format!("1-{:08x}-{:08x}{:016x}", 2, person.number, person.asked);
    let request = Request { method, path, body, token, key: None, trace };
    let answer = service.ask(request).await.ok_or_else(|| format!("{path} was not answered"))?;
    Ok((answer.status, answer.body))
}
