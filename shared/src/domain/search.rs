//! How people are found by words: case and accents make no difference.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use uuid::Uuid;

use super::{AVATAR, Account, Document};

/// Words of a person that the index holds at the most.
pub const MOST_WORDS: usize = 40;
/// Characters of a word that the index holds at the most.
const LONGEST_WORD: usize = 40;

/// What a search shows of a person, and the words that find them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchHit {
    pub id: Uuid,
    pub username: Option<String>,
    pub name: Option<String>,
    pub current_title: Option<String>,
    /// The name of the avatar's object.
    pub avatar: Option<String>,
    pub location: Option<String>,
    /// Every word of name, username and title, folded, in alphabetical order.
    pub words: Vec<String>,
}

impl SearchHit {
    /// What a search shows of someone; nothing of those who are not listed.
    pub fn of(account: &Account, profile: &Document) -> Option<Self> {
        let username = account.username.as_ref().map(|username| username.as_str().to_owned());
        let name = account.name.as_ref().map(|name| name.as_str().to_owned());
        let current_title = profile.text("current_title");
        // The username first: it is what people who know someone look for.
        let texts = [&username, &name, &current_title];
        let mut words: Vec<String> = Vec::new();
        for word in texts.into_iter().flatten().flat_map(|text| words_of(text)) {
            if words.len() < MOST_WORDS && !words.contains(&word) {
                words.push(word);
            }
        }
        words.sort();
        let (avatar, location) = (profile.text(AVATAR), profile.text("location"));
        let hit = Self { id: account.id, username, name, current_title, avatar, location, words };
        account.is_listed().then_some(hit)
    }

    /// Whether every word of `query` begins some word of theirs.
    pub fn matches(&self, query: &[String]) -> bool {
        query.iter().all(|prefix| self.words.iter().any(|word| word.starts_with(prefix)))
    }

    /// The one word at which they are shown for `prefix`, so that they are shown once.
    pub fn shown_at(&self, prefix: &str) -> Option<&str> {
        self.words.iter().find(|word| word.starts_with(prefix)).map(String::as_str)
    }
}

/// The words of a text, folded: lower case, without accents, letters and digits only.
pub fn words_of(text: &str) -> Vec<String> {
    let folded: String = text.nfkd().filter(|character| !is_combining_mark(*character)).flat_map(folded).collect();
    let words = folded.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| word.chars().take(LONGEST_WORD).collect()).collect()
}

/// Lower case, and plain letters for those that no decomposition makes plain.
fn folded(character: char) -> impl Iterator<Item = char> {
    let lower = character.to_lowercase();
    lower.flat_map(|character| {
        let plain = match character {
            'ß' => "ss",
            'æ' => "ae",
            'œ' => "oe",
            'ø' => "o",
            'đ' | 'ð' => "d",
            'ł' => "l",
            'þ' => "th",
            'ı' => "i",
            'ħ' => "h",
            'ς' => "σ",
            _ => "",
        };
        let own = plain.is_empty().then_some(character);
        plain.chars().chain(own)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::NewAccount;

    #[test]
    fn case_and_accents_make_no_difference() {
        assert_eq!(words_of("Łukasz MÜLLER-Straße"), ["lukasz", "muller", "strasse"]);
        assert_eq!(words_of("  İstanbul  ﬁne Ⅳ "), ["istanbul", "fine", "iv"]);
        assert_eq!(words_of("jane_doe-42"), ["jane", "doe", "42"]);
        assert_eq!(words_of("李小龙"), ["李小龙"]);
        assert_eq!(
            words_of("Œuvre Søren Đorđe Það Ħal Æsir Þór Diyarbakır"),
            ["oeuvre", "soren", "dorde", "thad", "hal", "aesir", "thor", "diyarbakir"]
        );
        assert_eq!(words_of("ΟΔΥΣΣΕΥΣ"), words_of("Οδυσσεύς"));
    }

    #[test]
    fn a_person_has_each_word_once_and_forty_at_the_most() {
        let mut account = Account::from(NewAccount::sample());
        account.verified = true;
        let of = |title: String| {
            let profile = Document::stored([("current_title".to_owned(), title.into())].into());
            SearchHit::of(&account, &profile).map(|hit| hit.words)
        };
        assert_eq!(of("Tester of testers, tester".into()), Some(vec!["of".into(), "tester".into(), "testers".into()]));
        let many = (0..50).map(|number| format!("word{number}")).collect::<Vec<_>>().join(" ");
        assert_eq!(of(many).map(|words| words.len()), Some(MOST_WORDS));
    }

    #[test]
    fn a_person_is_shown_at_their_first_matching_word() {
        let hit = SearchHit {
            id: Uuid::nil(),
            username: None,
            name: None,
            current_title: None,
            avatar: None,
            location: None,
            words: vec!["ann".into(), "anna".into(), "lee".into()],
        };
        assert_eq!(hit.shown_at("an"), Some("ann"));
        assert_eq!(hit.shown_at("anna"), Some("anna"));
        assert!(hit.matches(&["le".into(), "anna".into()]) && !hit.matches(&["annab".into()]));
    }
}
