//! The documents that people fill in about themselves: one table a document, which validates it, is stored by its names,
//! and is what the OpenAPI document shows.

use super::{
    Invalid,
    document::{Document, Field, Kind, Unset},
};

const LINK: Kind = Kind::WebAddress;
const LINES: Kind = Kind::Lines(50, 100);
const OBJECTS: Kind = Kind::Objects(16 * 1024);
const OBJECT: Kind = Kind::Object(8 * 1024);

/// Who may see something.
pub const VISIBILITIES: &[&str] = &["public", "private"];

/// Where the profile names the avatar: no field of a request, but the object that the function `avatars` put.
pub const AVATAR: &str = "avatar";

/// The fields of the user that stand apart from the account.
pub const PROFILE: &[Field] = &[
    Field::new("bio", Kind::Prose(1000)),
    Field::new("current_title", Kind::Line(255)),
    Field::new("experience_years", Kind::Number(0, 80)),
    Field::new("education_level", Kind::Line(100)),
    Field::new("current_role_level", Kind::Line(100)),
    Field::new("location", Kind::Line(255)),
    Field::new("website", LINK),
    Field::new("phone_number", Kind::PhoneNumber),
];

/// The extended profile. `profile_visibility` and `contact_visibility` are the account's.
pub const EXTENDED: &[Field] = &[
    Field::new("linkedin_url", LINK),
    Field::new("github_url", LINK),
    Field::new("portfolio_url", LINK),
    Field::new("website_url", LINK),
    Field::with("skills", Kind::Lines(100, 100), Unset::EmptyList),
    Field::with("certifications", OBJECTS, Unset::EmptyList),
    Field::with("languages", OBJECTS, Unset::EmptyList),
    Field::new("work_style", Kind::Line(100)),
    Field::new("availability", Kind::Line(100)),
    Field::new("relocation_willing", Kind::Flag),
    Field::new("travel_willing", Kind::Flag),
    PROFILE_VISIBILITY,
    CONTACT_VISIBILITY,
];

/// Whether others see the profile at all.
pub const PROFILE_VISIBILITY: Field =
    Field::with("profile_visibility", Kind::Choice(VISIBILITIES), Unset::Text("public"));
/// Whether others see links and job-matching preferences.
pub const CONTACT_VISIBILITY: Field =
    Field::with("contact_visibility", Kind::Choice(VISIBILITIES), Unset::Text("private"));

/// The links of the extended profile, which `contact_visibility` opens to others.
pub const LINKS: &[&str] = &["linkedin_url", "github_url", "portfolio_url", "website_url"];

/// The language of mails; the account's.
pub const LANGUAGE: Field = Field::with("language", Kind::Language, Unset::Text("en"));
/// The same value as the user's; the account's.
pub const TIMEZONE: Field = Field::with("timezone", Kind::TimeZone, Unset::Text("UTC"));

/// The part of the preferences that is about how the service behaves. Only its owner sees it.
pub const SETTINGS: &[Field] = &[
    LANGUAGE,
    TIMEZONE,
    Field::with("theme", Kind::Choice(&["auto", "light", "dark"]), Unset::Text("auto")),
    Field::with(
        "date_format",
        Kind::Choice(&["YYYY-MM-DD", "DD.MM.YYYY", "DD/MM/YYYY", "MM/DD/YYYY"]),
        Unset::Text("YYYY-MM-DD"),
    ),
    Field::with("time_format", Kind::Choice(&["24h", "12h"]), Unset::Text("24h")),
    Field::with("email_notifications", Kind::Flag, Unset::Flag(true)),
    Field::with("push_notifications", Kind::Flag, Unset::Flag(true)),
    Field::with("sms_notifications", Kind::Flag, Unset::Flag(false)),
    Field::with("newsletter", Kind::Flag, Unset::Flag(false)),
    Field::with("marketing", Kind::Flag, Unset::Flag(false)),
    Field::with("custom_settings", OBJECT, Unset::EmptyObject),
];

/// The part of the preferences that job matching goes by.
pub const JOB_MATCHING: &[Field] = &[
    Field::with("target_titles", LINES, Unset::EmptyList),
    Field::with("blacklist_titles", LINES, Unset::EmptyList),
    Field::with("target_companies", LINES, Unset::EmptyList),
    Field::with("blacklist_companies", LINES, Unset::EmptyList),
    Field::with("preferred_locations", LINES, Unset::EmptyList),
    Field::with("benefits_priorities", LINES, Unset::EmptyList),
    Field::with("company_size_preference", LINES, Unset::EmptyList),
    Field::with("industry_preferences", LINES, Unset::EmptyList),
    Field::with("culture_priorities", LINES, Unset::EmptyList),
    Field::with("skills_to_develop", LINES, Unset::EmptyList),
    Field::new("max_commute_minutes", Kind::Number(0, 1440)),
    Field::new("salary_expectation_min", Kind::Number(0, 1_000_000_000)),
    Field::new("salary_expectation_max", Kind::Number(0, 1_000_000_000)),
    Field::new("work_life_balance_importance", Kind::Number(1, 5)),
    Field::new("relocation_willing", Kind::Flag),
    Field::new("equity_interest", Kind::Flag),
    Field::with("auto_apply_enabled", Kind::Flag, Unset::Flag(false)),
    Field::with("feedback_learning_enabled", Kind::Flag, Unset::Flag(false)),
    Field::new("remote_preference", Kind::Choice(&["remote", "hybrid", "onsite", "any"])),
    Field::new("career_stage", Kind::Line(100)),
    Field::new("career_timeline", Kind::Line(100)),
    Field::new("growth_direction", Kind::Line(100)),
    Field::new("application_frequency", Kind::Line(100)),
    Field::new("privacy_level", Kind::Line(100)),
    Field::with("notification_preferences", OBJECT, Unset::EmptyObject),
    Field::with("matching_algorithm_weights", OBJECT, Unset::EmptyObject),
];

/// Whether the fields of a document agree with one another.
///
/// # Errors
/// The field that does not.
pub fn agree(document: &Document) -> Result<(), (&'static str, Invalid)> {
    let bound = |name| document.number(name);
    match (bound("salary_expectation_min"), bound("salary_expectation_max")) {
        (Some(least), Some(most)) if least > most => {
            Err(("salary_expectation_min", Invalid::because("must be at most salary_expectation_max")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn objects_of_a_clients_own_are_bounded() {
        let object = |bytes: usize| json!({ "a": "x".repeat(bytes - r#"{"a":""}"#.len()) });
        let list = |bytes: usize| Value::from(vec![object(bytes - "[]".len())]);
        let most = |fields: &[Field], name: &str, value: Value| {
            let field = fields.iter().find(|field| field.name == name).unwrap();
            field.parse(value).is_ok()
        };
        assert!(most(JOB_MATCHING, "matching_algorithm_weights", object(8 * 1024)));
        assert!(!most(JOB_MATCHING, "matching_algorithm_weights", object(8 * 1024 + 1)));
        assert!(most(EXTENDED, "certifications", list(16 * 1024)));
        assert!(!most(EXTENDED, "certifications", list(16 * 1024 + 1)));
    }
}
