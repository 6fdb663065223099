//! Settings of the programs that an operator runs beside the service: the import, the backup.

use std::{collections::BTreeMap, env, ffi::OsString};

use crate::config::{SettingError, Settings};

/// The stack that `cargo run` starts.
const LOCAL: &[(&str, &str)] = &[
    ("USERS_TABLE", "UsersTable"),
    ("ATTEMPTS_TABLE", "AttemptsTable"),
    ("AUDIT_TABLE", "AuditTable"),
    ("AWS_REGION", "eu-central-1"),
    ("AWS_ENDPOINT_URL", "http://127.0.0.1:8081"),
    ("AWS_ACCESS_KEY_ID", "local"),
    ("AWS_SECRET_ACCESS_KEY", "local"),
];

/// The environment's settings. Where it names no table, those of the local stack.
///
/// # Errors
/// Where one of them is wrong.
pub fn settings() -> Result<Settings, SettingError> {
    let text = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
    let given: BTreeMap<String, String> = env::vars_os().filter_map(text).collect();
    let local = !given.contains_key("USERS_TABLE");
    Settings::parse(|name: &str| {
        let local = LOCAL.iter().filter(|_| local).find(|(known, _)| *known == name);
        // No token is issued here.
        let issuer = (name == "ISSUER").then(|| "https://operator.invalid".to_owned());
        issuer.or_else(|| local.map(|(_, value)| (*value).to_owned())).or_else(|| given.get(name).cloned())
    })
}
