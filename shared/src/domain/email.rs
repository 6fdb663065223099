use std::fmt;

use unicode_normalization::UnicodeNormalization;

use super::Invalid;

/// Characters of the longest address that SMTP can carry (RFC 5321 §4.5.3.1.3).
const LONGEST: usize = 254;

/// Bytes of the longest input that can be one: normalising leaves little of some characters, and takes its time.
const LONGEST_TYPED: usize = 4096;

/// An e-mail address in its one spelling: trimmed, NFKC-normalised and lower-cased as a whole (CVE-2019-19844).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Takes an address as a person types it.
    ///
    /// # Errors
    /// Where it is no address by RFC 5321, or longer than 254 bytes. What stands before the `@` is ASCII there; SES writes to
    /// nobody else (RFC 6531).
    pub fn parse(input: &str) -> Result<Self, Invalid> {
        let address = with_unicode_domain(canonical(input)?)?;
        if address.len() > LONGEST {
            return Err(too_long());
        }
        let options = email_address::Options::default().without_display_text().without_domain_literal();
        let parsed = email_address::EmailAddress::parse_with_options(&address, options);
        let quoted = address.starts_with('"');
        match parsed {
            Ok(parsed) if !parsed.local_part().is_ascii() => Err(Invalid::because("must have only ASCII before the @")),
            Ok(_) if !quoted && !address.chars().any(char::is_control) => Ok(Self(address)),
            _ => Err(Invalid::because("must be an e-mail address")),
        }
    }

    /// What was parsed when it was stored. Rules may have become stricter since; they are for what comes from outside.
    pub(crate) fn stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The address as it is stored, compared and written to.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address as mail is sent to it: with the domain in its ASCII form.
    pub fn to_ascii_domain(&self) -> String {
        match self.0.rsplit_once('@') {
            Some((local, domain)) => {
                format!("{local}@{}", idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.to_owned()))
            }
            None => self.0.clone(),
        }
    }

    /// What stands before the `@`.
    pub fn local_part(&self) -> &str {
        self.0.rsplit_once('@').map_or(self.as_str(), |(local, _)| local)
    }
}

/// Logs hold no address (ASVS 16.2.5).
impl fmt::Debug for EmailAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("EmailAddress(…)")
    }
}

/// A domain is written in Unicode, and alike however its ASCII form, to which mail goes, came about (RFC 5890 §2.3.2.1, UTS #46).
fn with_unicode_domain(address: String) -> Result<String, Invalid> {
    let Some((local, domain)) = address.rsplit_once('@') else { return Ok(address) };
    if domain.is_ascii() && !domain.split('.').any(|label| label.starts_with("xn--")) {
        return Ok(address);
    }
    let no_domain = || Invalid::because("must have a domain after the @");
    let ascii = idna::domain_to_ascii(domain).map_err(|_| no_domain())?;
    let (unicode, _) = idna::domain_to_unicode(&ascii);
    // IDNA writes Cherokee in capitals.
    let written = normalised(&unicode);
    let same = idna::domain_to_ascii(&written).is_ok_and(|again| again == ascii);
    if same { Ok(format!("{local}@{written}")) } else { Err(no_domain()) }
}

/// The one spelling of an identifier.
pub(super) fn canonical(input: &str) -> Result<String, Invalid> {
    if input.len() > LONGEST_TYPED { Err(too_long()) } else { Ok(normalised(input)) }
}

fn too_long() -> Invalid {
    Invalid::because(format!("must have at most {LONGEST} bytes"))
}

/// Lower-casing can undo the normal form, so it is taken again after.
fn normalised(input: &str) -> String {
    input.trim().nfkc().collect::<String>().to_lowercase().nfkc().collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Identifier;

    #[test]
    fn spellings_of_one_address_are_one_address() {
        let plain = EmailAddress::parse("mike@example.org").unwrap();
        for twin in [" Mike@Example.ORG ", "ｍike@example.org", "mi\u{212a}e@example.org"] {
            assert_eq!(EmailAddress::parse(twin).unwrap(), plain, "{twin}");
        }
    }

    #[test]
    fn a_domain_has_one_spelling_and_is_written_to_in_ascii() {
        let unicode = EmailAddress::parse("a@MÜNCHEN.de").unwrap();
        assert_eq!(unicode, EmailAddress::parse("a@xn--mnchen-3ya.de").unwrap());
        assert_eq!((unicode.as_str(), unicode.to_ascii_domain().as_str()), ("a@münchen.de", "a@xn--mnchen-3ya.de"));
        let cherokee = EmailAddress::parse("a@\u{13e1}.com").unwrap();
        assert_eq!(cherokee, EmailAddress::parse("a@xn--0be.com").unwrap());
        assert_eq!(cherokee.to_ascii_domain(), "a@xn--0be.com");
    }

    #[test]
    fn no_two_addresses_are_written_to_as_one() {
        let plain = EmailAddress::parse("a@example.com").unwrap();
        for twin in ["a@ex\u{ad}ample.com", "a@example\u{3002}com", "a@example\u{ff61}com"] {
            assert_eq!(EmailAddress::parse(twin).unwrap(), plain, "{twin:?}");
        }
        let mut taken = 0;
        for character in '\u{80}'..=char::MAX {
            let Ok(email) = EmailAddress::parse(&format!("a@x{character}y.com")) else { continue };
            let ascii = email.to_ascii_domain();
            assert_eq!(EmailAddress::parse(&ascii).as_ref(), Ok(&email), "{character:?} {ascii}");
            taken += 1;
        }
        assert!(taken > 50_000, "{taken}");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for input in [
            "",
            "a",
            "a@",
            "@b.c",
            "a b@c.d",
            "a@b.c\r\nBcc: x@y.z",
            "\"a b\"@c.d",
            "A <a@b.c>",
            "a@[127.0.0.1]",
            "ä@b.c",
        ] {
            assert!(EmailAddress::parse(input).is_err(), "{input}");
        }
        assert!(EmailAddress::parse(&format!("{}@{}.com", "a".repeat(64), "b".repeat(250))).is_err());
        let of = |last: usize| {
            let label = "b".repeat(63);
            EmailAddress::parse(&format!("{}@{label}.{label}.{}", "a".repeat(64), "c".repeat(last)))
        };
        assert!(of(61).is_ok_and(|email| email.as_str().len() == LONGEST) && of(62).is_err() && of(63).is_err());
    }

    #[test]
    fn nothing_takes_long_to_read() {
        let megabytes = "ü".repeat(1_000_000);
        let began = std::time::Instant::now();
        for input in [format!("a@xn--{megabytes}"), format!("a@{megabytes}.xn--0be")] {
            assert!(EmailAddress::parse(&input).is_err() && Identifier::parse(&input).is_err());
        }
        assert!(began.elapsed() < std::time::Duration::from_millis(100), "{:?}", began.elapsed());
    }
}
