//! Settings: the only reader of the environment.
//!
//! Every name here stands in the README's table of settings, which is generated from [`DOCUMENTATION`].

use std::{env, str::FromStr, time::Duration};

use chrono::TimeDelta;
use thiserror::Error;

use crate::domain::EmailAddress;

/// Why the settings cannot be used. The text is what an operator reads in the one line that the start leaves.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SettingError {
    #[error("the setting {0} is missing")]
    Missing(&'static str),
    #[error("the setting {name} is not valid: {reason}")]
    Invalid { name: &'static str, reason: String },
}

/// One setting as the README shows it.
pub struct SettingDocumentation {
    pub name: &'static str,
    pub default: &'static str,
    pub meaning: &'static str,
}

macro_rules! documented {
    ($($name:literal, $default:literal, $meaning:literal;)*) => {
        /// The settings that a person may want to change, in the order of the README.
        pub const DOCUMENTATION: &[SettingDocumentation] =
            &[$(SettingDocumentation { name: $name, default: $default, meaning: $meaning }),*];
    };
}

documented! {
    "APP_NAME", "user-service", "the name that mails, pages and `GET /` show";
    "ENV", "dev", "a label for logs";
    "ISSUER", "the API's own address", "`iss` of the tokens; never taken from a request";
    "AUDIENCE", "user-service", "`aud` of the tokens";
    "PUBLIC_BASE_URL", "the API's own address", "base of the links in mails; may be a web application's address";
    "ACCESS_TTL_MIN", "15", "minutes that an access token is valid (also `ACCESS_TOKEN_EXPIRE_MINUTES`)";
    "REFRESH_TTL_DAYS", "7", "days from the last use that a refresh token is valid (also `REFRESH_TOKEN_EXPIRE_DAYS`)";
    "MAX_ACTIVE_SESSIONS", "5", "sessions a user may have; a further login ends the one idle longest";
    "REQUIRE_VERIFIED_EMAIL", "true", "whether an account must be verified before it is used";
    "REGISTRATION", "open", "`private`: registering answers alike for new and known addresses, with no tokens, and nobody signs in before they verified";
    "PASSWORD_REQUIRE_MIXED", "false", "whether a password needs an upper-case letter, a lower-case letter and a digit";
    "DIRECTORY_ACCESS", "premium", "who may search and see public profiles: `premium` accounts, or all verified `members`";
    "AUTHORIZER_CHECK_SESSION", "false", "whether the authorizer also refuses tokens whose session has ended, at the cost of a read";
    "SELF_SERVICE_PLAN", "true", "whether people change their plan themselves; else admins do";
    "MAX_AVATAR_SIZE", "4194304", "bytes that an uploaded avatar may have; 4 MiB is also the most";
    "AVATAR_BASE_URL", "", "address of the distribution in front of the avatar bucket; without it, avatars are served by signed links";
    "ADMIN_EMAILS", "", "addresses, separated by commas, whose accounts become admins when they verify";
    "RATE_IP_PER_MINUTE", "300", "calls of one client over the public credential routes; 0 for no limit (`cargo run`: 0)";
    "RATE_LOGIN_PER_MINUTE", "60", "logins that an address or username takes";
    "RATE_REGISTER_PER_HOUR", "30", "registrations that an address takes";
    "RATE_RESEND_PER_HOUR", "5", "verification mails that an address may ask for";
    "RATE_RESET_PER_HOUR", "3", "password resets that an address may ask for in an hour";
    "RATE_RESET_PER_DAY", "10", "password resets that an address may ask for in a day";
    "MAIL_FROM", "no-reply@localhost.localdomain", "sender of the mails";
    "MAIL_FROM_NAME", "user-service", "sender's name";
    "MAIL_CONFIGURATION_SET", "", "configuration set of SES, by which bounces and complaints are told";
    "ROOT_LINKS", "", "links that the page at `/` adds, written `Title=/address`, separated by commas";
    "CORS_ALLOW_ORIGINS", "*", "origins of browsers that may call, separated by commas (also `ALLOWED_ORIGINS`)";
    "METRICS_NAMESPACE", "", "namespace of CloudWatch for the metrics that the log carries; without it, it carries none (`cargo run`: none)";
    "LOG_LEVEL", "INFO", "least level that is logged; Lambda's own, which would drop metrics too, is left at the finest";
}

/// What API Gateway and Lambda let through of a binary body, with a margin.
const MOST_AVATAR: i64 = 4 * 1024 * 1024;

/// How the service was told to behave.
#[derive(Clone, Debug)]
pub struct Settings {
    pub app_name: String,
    pub environment: String,
    pub function_name: String,
    pub log_level: String,
    /// The namespace of CloudWatch that this stack's metrics go to; none for no metrics.
    pub metrics_namespace: Option<String>,
    pub aws: Aws,
    pub tokens: Tokens,
    pub mail: Mail,
    pub rates: Rates,
    pub public_base_url: String,
    pub max_active_sessions: usize,
    pub require_verified_email: bool,
    pub password_require_mixed: bool,
    /// Who may search and see public profiles.
    pub directory_access: DirectoryAccess,
    /// Whether people change their plan themselves.
    pub authorizer_check_session: bool,
    pub self_service_plan: bool,
    /// Bytes that an uploaded avatar may have.
    pub max_avatar_size: usize,
    /// The distribution in front of the avatars, where there is one.
    pub avatar_base_url: Option<String>,
    pub registration: Registration,
    pub admin_emails: Vec<EmailAddress>,
    pub cors_allow_origins: Vec<String>,
    /// Title and address of each.
    pub root_links: Vec<(String, String)>,
    resources: Vec<(&'static str, String)>,
}

/// Where AWS is and how patiently it is called.
#[derive(Clone, Debug)]
pub struct Aws {
    pub region: String,
    pub endpoint_url: Option<String>,
    /// Whether certificates are named that the machine trusts in place of its own.
    pub own_certificates: bool,
    pub credentials: Option<AwsKeys>,
    pub connect_timeout: Duration,
    pub attempt_timeout: Duration,
    pub operation_timeout: Duration,
}

/// The function's own credentials, as Lambda hands them over.
#[derive(Clone)]
pub struct AwsKeys {
    pub access_key_id: String,
    pub secret_access_key: String,
    pub session_token: Option<String>,
}

impl std::fmt::Debug for AwsKeys {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("AwsKeys").finish_non_exhaustive()
    }
}

/// What the tokens say and how long they last.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub issuer: String,
    pub audience: String,
    pub access_ttl: TimeDelta,
    /// Whether tokens of an account that is not verified have no scope.
    pub require_verified_email: bool,
    pub refresh_ttl: TimeDelta,
}

/// What registering tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registration {
    /// Whether the address is taken; the new account's tokens.
    Open,
    /// Nothing of the address; the rest comes by mail.
    Private,
}

impl FromStr for Registration {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "open" => Ok(Self::Open),
            "private" => Ok(Self::Private),
            _ => Err("neither open nor private".to_owned()),
        }
    }
}

/// Who may search and see public profiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DirectoryAccess {
    /// Premium accounts and admins.
    Premium,
    /// Every verified account.
    Members,
}

impl FromStr for DirectoryAccess {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "premium" => Ok(Self::Premium),
            "members" => Ok(Self::Members),
            _ => Err("neither premium nor members".to_owned()),
        }
    }
}

/// How many calls the limits take.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// None switches the limit off.
    pub ip_per_minute: Option<u32>,
    pub login_per_minute: u32,
    pub register_per_hour: u32,
    pub resend_per_hour: u32,
    pub reset_per_hour: u32,
    pub reset_per_day: u32,
}

/// Who the mails come from.
#[derive(Clone, Debug)]
pub struct Mail {
    pub from: String,
    pub from_name: String,
    /// The configuration set of SES by which bounces and complaints are told; none where nobody is told.
    pub configuration_set: Option<String>,
}

/// The names of resources that the template hands to a function, and only to those that may touch them.
const RESOURCES: &[&str] = &[
    "USERS_TABLE",
    "TOKENS_TABLE",
    "ATTEMPTS_TABLE",
    "AUDIT_TABLE",
    "AVATAR_BUCKET",
    "EXPORT_BUCKET",
    "SIGNING_KEYS_SECRET",
    "PUBLIC_KEYS_SECRET",
    "CLIENTS_SECRET",
    "SCRAPE_TOKEN_SECRET",
    "ORIGIN_SECRET",
    "DERIVATION_KEYS_SECRET",
];

impl Settings {
    /// The settings of this process.
    #[expect(clippy::disallowed_methods, reason = "the only reader of the environment")]
    pub fn from_environment() -> Result<Self, SettingError> {
        Self::parse(|name| env::var(name).ok())
    }

    /// Settings from any source of names and values. An empty value counts as none.
    pub fn parse(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingError> {
        let source = Source(&|name| lookup(name).filter(|value| !value.trim().is_empty()));
        let issuer = source.url("ISSUER")?;
        Ok(Self {
            app_name: source.text("APP_NAME", "user-service"),
            environment: source.text("ENV", "dev"),
            function_name: source.text("AWS_LAMBDA_FUNCTION_NAME", "local"),
            log_level: source.first(&["LOG_LEVEL", "AWS_LAMBDA_LOG_LEVEL"]).unwrap_or_else(|| "INFO".into()),
            metrics_namespace: source.get("METRICS_NAMESPACE"),
            aws: source.aws()?,
            tokens: Tokens {
                require_verified_email: source.flag("REQUIRE_VERIFIED_EMAIL", true)?,
                audience: source.text("AUDIENCE", "user-service"),
                access_ttl: TimeDelta::minutes(source.number(
                    &["ACCESS_TTL_MIN", "ACCESS_TOKEN_EXPIRE_MINUTES"],
                    15,
                    1..=1440,
                )?),
                refresh_ttl: TimeDelta::days(source.number(
                    &["REFRESH_TTL_DAYS", "REFRESH_TOKEN_EXPIRE_DAYS"],
                    7,
                    1..=30,
                )?),
                issuer: issuer.clone(),
            },
            mail: Mail {
                from: source.text("MAIL_FROM", "no-reply@localhost.localdomain"),
                from_name: source.text("MAIL_FROM_NAME", "user-service"),
                configuration_set: source.get("MAIL_CONFIGURATION_SET"),
            },
            rates: source.rates()?,
            public_base_url: source.get("PUBLIC_BASE_URL").map_or(Ok(issuer), |_| source.url("PUBLIC_BASE_URL"))?,
            max_active_sessions: source.number(&["MAX_ACTIVE_SESSIONS"], 5, 1..=10)?.unsigned_abs() as usize,
            require_verified_email: source.flag("REQUIRE_VERIFIED_EMAIL", true)?,
            password_require_mixed: source.flag("PASSWORD_REQUIRE_MIXED", false)?,
            directory_access: source.parsed("DIRECTORY_ACCESS", DirectoryAccess::Premium)?,
            authorizer_check_session: source.flag("AUTHORIZER_CHECK_SESSION", false)?,
            self_service_plan: source.flag("SELF_SERVICE_PLAN", true)?,
            max_avatar_size: source.number(&["MAX_AVATAR_SIZE"], MOST_AVATAR, 1..=MOST_AVATAR)?.unsigned_abs() as usize,
            avatar_base_url: source.get("AVATAR_BASE_URL").map(|_| source.url("AVATAR_BASE_URL")).transpose()?,
            registration: source.parsed("REGISTRATION", Registration::Open)?,
            admin_emails: source.addresses("ADMIN_EMAILS")?,
            cors_allow_origins: source
                .first(&["CORS_ALLOW_ORIGINS", "ALLOWED_ORIGINS"])
                .map_or_else(|| vec!["*".into()], |list| words(&list)),
            root_links: words(&source.text("ROOT_LINKS", ""))
                .iter()
                .filter_map(|link| link.split_once('='))
                .map(|(title, address)| (title.to_owned(), address.to_owned()))
                .collect(),
            resources: RESOURCES.iter().filter_map(|name| Some((*name, source.get(name)?))).collect(),
        })
    }

    /// The name of a table or secret that this function was given.
    pub fn resource(&self, name: &'static str) -> Result<&str, SettingError> {
        let found = self.resources.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_str()).ok_or(SettingError::Missing(name))
    }
}

fn words(list: &str) -> Vec<String> {
    list.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

struct Source<'a>(&'a dyn Fn(&str) -> Option<String>);

impl Source<'_> {
    fn get(&self, name: &str) -> Option<String> {
        (self.0)(name)
    }

    fn first(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.get(name))
    }

    fn text(&self, name: &str, default: &str) -> String {
        self.get(name).unwrap_or_else(|| default.to_owned())
    }

    fn parsed<T: FromStr<Err: ToString>>(&self, name: &'static str, default: T) -> Result<T, SettingError> {
        self.get(name).map_or(Ok(default), |value| {
            value.trim().parse().map_err(|error: T::Err| SettingError::Invalid { name, reason: error.to_string() })
        })
    }

    fn flag(&self, name: &'static str, default: bool) -> Result<bool, SettingError> {
        self.parsed(name, default)
    }

    fn number(
        &self,
        names: &[&'static str],
        default: i64,
        allowed: std::ops::RangeInclusive<i64>,
    ) -> Result<i64, SettingError> {
        let name = names.iter().find(|name| self.get(name).is_some()).unwrap_or(&names[0]);
        let number = self.parsed(name, default)?;
        if allowed.contains(&number) {
            return Ok(number);
        }
        let reason = format!("{number} is not between {} and {}", allowed.start(), allowed.end());
        Err(SettingError::Invalid { name, reason })
    }

    fn rates(&self) -> Result<Rates, SettingError> {
        let rate = |name, default| {
            self.number(&[name], default, 0..=1_000_000).map(|number| u32::try_from(number).unwrap_or(u32::MAX))
        };
        Ok(Rates {
            ip_per_minute: Some(rate("RATE_IP_PER_MINUTE", 300)?).filter(|calls| *calls > 0),
            login_per_minute: rate("RATE_LOGIN_PER_MINUTE", 60)?,
            register_per_hour: rate("RATE_REGISTER_PER_HOUR", 30)?,
            resend_per_hour: rate("RATE_RESEND_PER_HOUR", 5)?,
            reset_per_hour: rate("RATE_RESET_PER_HOUR", 3)?,
            reset_per_day: rate("RATE_RESET_PER_DAY", 10)?,
        })
    }

    fn url(&self, name: &'static str) -> Result<String, SettingError> {
        let text = self.get(name).ok_or(SettingError::Missing(name))?;
        let invalid = |reason: &str| SettingError::Invalid { name, reason: reason.to_owned() };
        let url: http::Uri = text.trim().parse().map_err(|_| invalid("not an address"))?;
        match url.scheme_str() {
            Some("http" | "https") if url.query().is_none() => Ok(text.trim().trim_end_matches('/').to_owned()),
            _ => Err(invalid("not an http or https address without a query")),
        }
    }

    fn addresses(&self, name: &'static str) -> Result<Vec<EmailAddress>, SettingError> {
        let list = self.get(name).unwrap_or_default();
        let parse = |word: String| {
            EmailAddress::parse(&word).map_err(|error| SettingError::Invalid { name, reason: error.to_string() })
        };
        words(&list).into_iter().map(parse).collect()
    }

    fn aws(&self) -> Result<Aws, SettingError> {
        let credentials = match (self.get("AWS_ACCESS_KEY_ID"), self.get("AWS_SECRET_ACCESS_KEY")) {
            (Some(access_key_id), Some(secret_access_key)) => {
                Some(AwsKeys { access_key_id, secret_access_key, session_token: self.get("AWS_SESSION_TOKEN") })
            }
            _ => None,
        };
        Ok(Aws {
            region: self.first(&["AWS_REGION", "AWS_DEFAULT_REGION"]).ok_or(SettingError::Missing("AWS_REGION"))?,
            endpoint_url: self.get("AWS_ENDPOINT_URL"),
            own_certificates: self.first(&["SSL_CERT_FILE", "SSL_CERT_DIR"]).is_some(),
            credentials,
            connect_timeout: Duration::from_secs(1),
            attempt_timeout: Duration::from_secs(3),
            operation_timeout: Duration::from_secs(8),
        })
    }
}
