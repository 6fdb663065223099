//! Whatever is written: a normaliser answers, and what it has answered once stays as it is.

use proptest::prelude::*;

use super::{Device, DisplayName, EmailAddress, Identifier, Username, text, words_of};

/// Texts of any characters, and ones that come close to what is asked for.
fn anything() -> impl Strategy<Value = String> {
    let twins = "[a-zA-Z0-9ßİıſKÅ．＠ﬁΣς\u{345}\u{1e9e}\u{200d}\u{ad} ¨ ._-]{0,12}";
    prop_oneof![
        any::<String>(),
        "\\PC{0,60}",
        twins,
        (twins, twins).prop_map(|(local, domain)| format!("{local}@{domain}.example")),
        "[a-z]{1,8}@xn--[a-z0-9-]{1,12}\\.(com|xn--p1ai)",
        "(https?://)?[ -~]{0,40}",
    ]
}

/// Fails where `normalise` refuses what it has answered itself, or makes something else of it.
fn idempotent(normalise: impl Fn(&str) -> Option<String>, input: &str) -> Result<(), TestCaseError> {
    if let Some(once) = normalise(input) {
        let twice = normalise(&once);
        prop_assert_eq!(twice, Some(once), "of {:?}", input);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_address_has_one_spelling(input in anything()) {
        idempotent(|input| EmailAddress::parse(input).ok().map(|email| email.as_str().to_owned()), &input)?;
    }

    #[test]
    fn an_identifier_has_one_spelling(input in anything()) {
        idempotent(|input| Identifier::parse(input).ok().map(|identifier| identifier.as_str().to_owned()), &input)?;
    }

    #[test]
    fn whoever_has_an_address_is_found_by_it(input in anything()) {
        if let Ok(email) = EmailAddress::parse(&input) {
            prop_assert!(Identifier::parse(&input).is_ok_and(|identifier| identifier.as_str() == email.as_str()));
        }
    }

    #[test]
    fn a_username_folds_once(input in prop_oneof![anything(), "[A-Za-z0-9_-]{2,51}"]) {
        idempotent(|input| Username::parse(input).ok().map(|name| name.folded()), &input)?;
    }

    #[test]
    fn a_name_is_trimmed_once(input in anything()) {
        idempotent(|input| DisplayName::parse(input).ok().map(|name| name.as_str().to_owned()), &input)?;
    }

    #[test]
    fn words_fold_to_themselves(input in anything()) {
        idempotent(|input| Some(words_of(input).join(" ")), &input)?;
    }

    #[test]
    fn texts_of_a_profile_are_trimmed_once(input in anything()) {
        idempotent(|input| text::line(input, 40).ok(), &input)?;
        idempotent(|input| text::prose(input, 40).ok(), &input)?;
        idempotent(|input| text::web_address(input, 40).ok(), &input)?;
        idempotent(|input| text::phone_number(input).ok(), &input)?;
    }

    #[test]
    fn languages_and_time_zones_have_one_spelling(input in prop_oneof![anything(), "[a-zA-Z]{2,3}(-[a-zA-Z0-9]{1,8}){0,3}"]) {
        idempotent(|input| text::language(input).ok(), &input)?;
        idempotent(|input| text::time_zone(input).ok(), &input)?;
    }

    #[test]
    fn every_user_agent_has_a_kind_and_a_name(input in anything()) {
        let device = Device { ip_address: None, user_agent: Some(input) };
        prop_assert!(["desktop", "mobile", "other", "unknown"].contains(&device.kind()) && !device.name().is_empty());
    }
}
