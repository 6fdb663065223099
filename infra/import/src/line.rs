use std::fmt;

use chrono::{DateTime, SubsecRound, Utc};
use serde::Deserialize;
use shared::{
    clock::Clock,
    crypto::{self, NOBODY},
    domain::{Account, DisplayName, EmailAddress, Invalid, NewAccount, Plan, Role, Username},
};

/// An account as the file has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    email: String,
    name: Option<String>,
    username: Option<String>,
    /// `USER` or `ADMIN`.
    role: Option<String>,
    #[serde(default)]
    is_verified: bool,
    /// A PHC string of Argon2, or a bcrypt hash. Without one, its owner resets the password.
    password_hash: Option<String>,
    created_at: Option<DateTime<Utc>>,
}

/// Why a line is refused. It names the field and never its value, which may be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    field: String,
    reason: String,
}

impl Refusal {
    /// A field and what is wrong with it.
    pub fn of(field: &str, reason: impl Into<String>) -> Self {
        Self { field: field.to_owned(), reason: reason.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.field, self.reason)
    }
}

impl Line {
    /// Reads a line.
    ///
    /// # Errors
    /// Where it is no JSON object of these fields.
    pub fn parse(line: &str) -> Result<Self, Refusal> {
        serde_json::from_str(line).map_err(|error| {
            // serde tells of values; what is told here names fields alone.
            let words = error.to_string();
            let named = words.split('`').nth(1).filter(|_| words.contains("field `"));
            match named {
                Some(field) if words.starts_with("missing") => Refusal::of(field, "is missing"),
                Some(field) if words.starts_with("unknown") => Refusal::of(field, "is not a field of an account"),
                _ => Refusal::of("it", format!("is not an account, at column {}", error.column())),
            }
        })
    }

    /// The account, once every field is right.
    ///
    /// # Errors
    /// The first field that is not.
    pub fn account(self, clock: &Clock) -> Result<Account, Refusal> {
        let role = match self.role {
            None => Role::User,
            Some(word) => Role::of(&word).ok_or_else(|| Refusal::of("role", "must be USER or ADMIN"))?,
        };
        let password_hash = self.password_hash.unwrap_or_else(|| NOBODY.to_owned());
        crypto::check_hash(&password_hash).map_err(|error| Refusal::of("password_hash", error.to_string()))?;
        let now = clock.now();
        let new = NewAccount {
            id: clock.new_id(),
            email: field("email", EmailAddress::parse(&self.email))?,
            username: optional("username", self.username, Username::parse)?,
            name: optional("name", self.name, DisplayName::parse)?,
            password_hash,
            session: None,
            device_family: None,
            role,
            plan: Plan::Basic,
            invitation: None,
            created_at: self.created_at.map_or(now, |at| at.trunc_subsecs(3).min(now)),
        };
        Ok(Account { verified: self.is_verified, ..Account::from(new) })
    }
}

fn field<T>(name: &str, parsed: Result<T, Invalid>) -> Result<T, Refusal> {
    parsed.map_err(|invalid| Refusal::of(name, invalid.to_string()))
}

fn optional<T>(
    name: &str,
    text: Option<String>,
    parse: impl Fn(&str) -> Result<T, Invalid>,
) -> Result<Option<T>, Refusal> {
    text.map(|text| field(name, parse(&text))).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(line: &str) -> String {
        let parsed = Line::parse(line).and_then(|line| line.account(&Clock::system()));
        parsed.map_or_else(|refusal| refusal.to_string(), |_| "none".to_owned())
    }

    #[test]
    fn a_line_that_is_wrong_names_its_field_and_no_secret() {
        let cases = [
            (r#"{"email":"a@example.com"}"#, "none"),
            (r#"{"name":"A"}"#, "email is missing"),
            (r#"{"email":"a@example.com","password":"hunter2"}"#, "password is not a field of an account"),
            (r#"{"email":"a@example.com","role":"KING"}"#, "role must be USER or ADMIN"),
            (r#"{"email":"a@example.com","is_verified":"hunter2"}"#, "it is not an account, at column 48"),
            ("hunter2", "it is not an account, at column 1"),
        ];
        for (line, expected) in cases {
            assert_eq!(refusal(line), expected, "{line}");
        }
        for hash in ["hunter2", "$1$abc$def", "$2b$20$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"] {
            let line = format!(r#"{{"email":"a@example.com","password_hash":"{hash}"}}"#);
            assert!(refusal(&line).starts_with("password_hash ") && !refusal(&line).contains(hash), "{hash}");
        }
    }
}
