use std::fmt;

use zeroize::Zeroizing;
use zxcvbn::matching::patterns::MatchPattern;

use super::{DisplayName, EmailAddress, Invalid, Username};

/// Code points that a password has at least (ASVS 6.2.1) and at most; hashing starts only below the cap.
const SHORTEST: usize = 8;
const LONGEST: usize = 128;

/// Characters of an own word (name, username, address) below which it counts for nothing.
const SHORTEST_OWN_WORD: usize = 3;

/// Symbols that zxcvbn reads as letters in every combination, and how many of them, in a password longer than this, it is shown.
/// No word of its lists is so long with so many, and nothing that holds them is guessed in a thousand tries; yet a hundred of them
/// in turns would keep it at work for a second.
const LIKE_LETTERS: [char; 10] = ['@', '(', '{', '[', '<', '!', '|', '$', '+', '%'];
const MOST_LIKE_LETTERS: usize = 2;
const LONGEST_SHOWN_WHOLE: usize = 16;

/// A password as it was received, to be compared and then forgotten. Never altered (ASVS 6.2.8).
#[derive(Clone)]
pub struct Plaintext(Zeroizing<String>);

impl Plaintext {
    /// Takes a password to compare.
    ///
    /// # Errors
    /// Where it is empty or longer than any password may be, so that no one buys a long hash (ASVS 15.1.3).
    pub fn parse(input: String) -> Result<Self, Invalid> {
        let input = Zeroizing::new(input);
        match input.chars().count() {
            0 => Err(Invalid::because("must not be empty")),
            1..=LONGEST => Ok(Self(input)),
            _ => Err(Invalid::because(format!("must have at most {LONGEST} characters"))),
        }
    }

    /// The bytes to hash.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Plaintext {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Plaintext(…)")
    }
}

/// What a new password is held against, beside its length.
#[derive(Clone, Copy, Debug)]
pub struct PasswordRules<'a> {
    pub require_mixed: bool,
    /// None where the address given is not one: then the rest still holds.
    pub email: Option<&'a EmailAddress>,
    pub name: Option<&'a DisplayName>,
    pub username: Option<&'a Username>,
}

/// A password that someone may have from now on.
#[derive(Debug)]
pub struct NewPassword(Plaintext);

impl NewPassword {
    /// Takes a new password, held against `rules` and the lists of common ones (ASVS 6.2.4, 6.2.12).
    ///
    /// # Errors
    /// Says which rule it breaks.
    pub fn parse(input: String, rules: &PasswordRules<'_>) -> Result<Self, Invalid> {
        let plaintext = Plaintext::parse(input)?;
        let password = plaintext.0.as_str();
        if password.chars().count() < SHORTEST {
            return Err(Invalid::because(format!("must have at least {SHORTEST} characters")));
        }
        if rules.require_mixed && !is_mixed(password) {
            return Err(Invalid::because("must have an upper-case letter, a lower-case letter and a digit"));
        }
        if is_own_word(password, rules) {
            return Err(Invalid::because("must not be made of your own address, name or username"));
        }
        if is_common(password) {
            return Err(Invalid::because("is one of the passwords that are guessed first"));
        }
        Ok(Self(plaintext))
    }

    /// The password, to be hashed.
    pub fn into_plaintext(self) -> Plaintext {
        self.0
    }
}

fn is_mixed(password: &str) -> bool {
    password.chars().any(char::is_uppercase)
        && password.chars().any(char::is_lowercase)
        && password.chars().any(|character| character.is_ascii_digit())
}

/// Whether nothing but digits and punctuation is left once the person's own words are taken out.
fn is_own_word(password: &str, rules: &PasswordRules<'_>) -> bool {
    let mut words: Vec<String> = Vec::new();
    let mut add = |text: &str| {
        let text = text.to_lowercase();
        words.extend(text.split(|character: char| !character.is_alphanumeric()).map(str::to_owned));
        words.push(text);
    };
    rules.email.iter().for_each(|email| add(email.as_str()));
    rules.email.iter().for_each(|email| add(email.local_part()));
    rules.name.iter().for_each(|name| add(name.as_str()));
    rules.username.iter().for_each(|username| add(username.as_str()));
    words.retain(|word| word.chars().count() >= SHORTEST_OWN_WORD);
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));

    let folded = password.to_lowercase();
    let rest = words.iter().fold(folded.clone(), |rest, word| rest.replace(word, ""));
    rest != folded && !rest.chars().any(char::is_alphabetic)
}

/// Whether zxcvbn knows it: whole, as one word of its lists (30,000 common passwords among them), or as guessed within
/// a thousand tries (score 0).
fn is_common(password: &str) -> bool {
    let folded = bounded(password.to_lowercase());
    let estimate = zxcvbn::zxcvbn(&folded, &[]);
    let listed = estimate.sequence().iter().any(|found| match &found.pattern {
        MatchPattern::Dictionary(entry) => entry.matched_word == folded && !entry.reversed && !entry.l33t,
        _ => false,
    });
    listed || estimate.score() == zxcvbn::Score::Zero
}

/// What zxcvbn can judge in a short time.
fn bounded(password: String) -> String {
    let symbols = LIKE_LETTERS.iter().filter(|symbol| password.contains(**symbol)).count();
    if password.chars().count() <= LONGEST_SHOWN_WHOLE || symbols <= MOST_LIKE_LETTERS {
        return password;
    }
    password.replace(LIKE_LETTERS, "~")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Identifier;

    fn judge(password: &str) -> Result<(), Invalid> {
        let email = EmailAddress::parse("alice.jones@example.com").unwrap();
        let name = DisplayName::parse("Alice Jones").unwrap();
        let username = Username::parse("wonder_alice").unwrap();
        let rules =
            PasswordRules { require_mixed: false, email: Some(&email), name: Some(&name), username: Some(&username) };
        NewPassword::parse(password.to_owned(), &rules).map(drop)
    }

    #[test]
    fn the_seeds_passwords_are_accepted() {
        for password in ["Secret123!", "SecurePass123!", "SecurePass123", "NewSecurePass123!"] {
            assert_eq!(judge(password), Ok(()), "{password}");
        }
    }

    #[test]
    fn common_and_own_passwords_are_refused_whatever_their_case() {
        for password in [
            "password",
            "PASSWORD",
            "12345678",
            "qwertyuiop",
            "Password1",
            "iloveyou",
            "baseball",
            "trustno1",
            "aaaaaaaa",
            "AliceJones",
            "alice.jones@example.com",
            "Wonder_Alice1",
            "jonesalice!!",
            "example.com1",
        ] {
            assert!(judge(password).is_err(), "{password}");
        }
        assert_eq!(judge("83#19_47!25@"), Ok(()), "without letters, and nobody's own");
    }

    #[test]
    fn a_word_of_the_lists_is_refused_as_it_stands_there() {
        for listed in ["butterscotch", "Thunderbird", "SNOWBOARDING"] {
            assert!(zxcvbn::zxcvbn(&listed.to_lowercase(), &[]).score() > zxcvbn::Score::Zero, "{listed}");
            assert!(judge(listed).is_err(), "{listed}");
        }
        for altered in ["hctocsrettub", "butter5cotch"] {
            assert_eq!(judge(altered), Ok(()), "{altered}");
        }
    }

    #[test]
    fn no_password_takes_long_to_judge() {
        let symbols: String = "4@8({[<369|1!70$5+%2".chars().cycle().take(LONGEST).collect();
        let digits: String = "4836917052@!".chars().cycle().take(LONGEST).collect();
        for password in [&symbols, &digits, &symbols[..LONGEST_SHOWN_WHOLE]] {
            let began = std::time::Instant::now();
            (0..4).for_each(|_| assert_eq!(judge(password), Ok(()), "{password}"));
            assert!(began.elapsed() < std::time::Duration::from_secs(1), "{password}: {:?}", began.elapsed());
        }
    }

    #[test]
    fn the_local_part_is_an_own_word_also_where_its_parts_are_too_short() {
        let email = EmailAddress::parse("al.jo@example.com").unwrap();
        let of = |email| PasswordRules { require_mixed: false, email, name: None, username: None };
        let judge = |email| NewPassword::parse("al.jo#71502946".to_owned(), &of(email)).is_ok();
        assert!(judge(None) && !judge(Some(&email)));
    }

    #[test]
    fn a_mixed_password_has_two_cases_and_a_digit() {
        let rules = PasswordRules { require_mixed: true, email: None, name: None, username: None };
        let judge = |password: &str| NewPassword::parse(password.to_owned(), &rules).is_ok();
        assert!(judge("Correct-horse-7"));
        for lacking in ["correct-horse-7", "CORRECT-HORSE-7", "Correct-horse-x", "4711-0815-93-7"] {
            assert!(!judge(lacking), "{lacking}");
        }
    }

    #[test]
    fn nothing_personal_is_printed() {
        let email = EmailAddress::parse("alice@example.com").unwrap();
        let (name, identifier) = (DisplayName::parse("Alice").unwrap(), Identifier::parse("alice").unwrap());
        let plaintext = Plaintext::parse("correct horse".to_owned()).unwrap();
        let printed = format!("{email:?} {name:?} {identifier:?} {plaintext:?}");
        assert_eq!(printed, "EmailAddress(…) DisplayName(…) Identifier(…) Plaintext(…)");
    }

    #[test]
    fn length_is_counted_in_code_points() {
        assert!(judge("ñandúés").is_err(), "seven code points, ten bytes");
        assert_eq!(judge("ñandúésΩ"), Ok(()));
        assert_eq!(judge(&"Ω≈ç√∫˜µ≤".repeat(16)), Ok(()));
        assert!(judge(&format!("{}x", "Ω≈ç√∫˜µ≤".repeat(16))).is_err());
    }
}
