use std::collections::BTreeMap;

use serde_json::Value;

use super::{Invalid, text};

/// What a field of a document may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text on one line, of at most so many characters.
    Line(usize),
    /// Text of at most so many characters.
    Prose(usize),
    /// One of these words.
    Choice(&'static [&'static str]),
    Flag,
    /// A whole number between these, both included.
    Number(u32, u32),
    /// A list of texts on one line: at most so many, each of at most so many characters.
    Lines(usize, usize),
    /// An `http` or `https` address.
    WebAddress,
    /// Digits, spaces, and the marks that telephone numbers are written with.
    PhoneNumber,
    /// A list of objects of at most so many bytes of JSON.
    Objects(usize),
    /// An object of at most so many bytes of JSON.
    Object(usize),
    /// A language tag (BCP 47).
    Language,
    /// A time zone of the IANA database.
    TimeZone,
}

/// What a field holds where nobody set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unset {
    Nothing,
    Text(&'static str),
    Flag(bool),
    EmptyList,
    EmptyObject,
}

/// A field of a document: one row of the table that validates it, stores it and documents it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: &'static str,
    pub kind: Kind,
    pub unset: Unset,
}

/// Longest address of the web that is kept.
const LONGEST_ADDRESS: usize = 2048;
/// How deep an object of a client's own may be.
const DEEPEST: usize = 8;

impl Field {
    /// A field that holds nothing until it is set.
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, unset: Unset::Nothing }
    }

    /// A field with a value from the beginning.
    pub const fn with(name: &'static str, kind: Kind, unset: Unset) -> Self {
        Self { name, kind, unset }
    }

    /// What it holds where nobody set it.
    pub fn default(&self) -> Value {
        match self.unset {
            Unset::Nothing => Value::Null,
            Unset::Text(text) => Value::from(text),
            Unset::Flag(flag) => Value::from(flag),
            Unset::EmptyList => Value::Array(Vec::new()),
            Unset::EmptyObject => Value::Object(serde_json::Map::new()),
        }
    }

    /// Takes a value as a client sends it.
    ///
    /// # Errors
    /// Where it is not what this field may hold.
    pub fn parse(&self, value: Value) -> Result<Value, Invalid> {
        self.kind.parse(value)
    }
}

impl Kind {
    fn parse(self, value: Value) -> Result<Value, Invalid> {
        match self {
            Self::Line(longest) => text::line(string(&value)?, longest).map(Value::from),
            Self::Prose(longest) => text::prose(string(&value)?, longest).map(Value::from),
            Self::Choice(words) => choice(string(&value)?, words),
            Self::Flag if value.is_boolean() => Ok(value),
            Self::Flag => Err(Invalid::because("must be true or false")),
            Self::Number(least, most) => number(&value, least, most),
            Self::Lines(many, longest) => lines(&value, many, longest),
            Self::WebAddress => text::web_address(string(&value)?, LONGEST_ADDRESS).map(Value::from),
            Self::PhoneNumber => text::phone_number(string(&value)?).map(Value::from),
            Self::Objects(bytes) => {
                let all = value.as_array().is_some_and(|items| items.iter().all(Value::is_object));
                bounded(value, all, "must be a list of objects", bytes)
            }
            Self::Object(bytes) => {
                let is_object = value.is_object();
                bounded(value, is_object, "must be an object", bytes)
            }
            Self::Language => text::language(string(&value)?).map(Value::from),
            Self::TimeZone => text::time_zone(string(&value)?).map(Value::from),
        }
    }
}

fn string(value: &Value) -> Result<&str, Invalid> {
    value.as_str().ok_or_else(|| Invalid::because("must be a string"))
}

fn choice(word: &str, words: &[&str]) -> Result<Value, Invalid> {
    if words.contains(&word) {
        return Ok(Value::from(word));
    }
    Err(Invalid::because(format!("must be one of {}", words.join(", "))))
}

fn number(value: &Value, least: u32, most: u32) -> Result<Value, Invalid> {
    let within = value.as_u64().filter(|number| (u64::from(least)..=u64::from(most)).contains(number));
    within.map(Value::from).ok_or_else(|| Invalid::because(format!("must be a whole number from {least} to {most}")))
}

/// A list is kept in its order, without what stands in it twice.
fn lines(value: &Value, many: usize, longest: usize) -> Result<Value, Invalid> {
    let wrong = || Invalid::because(format!("must be a list of at most {many} strings"));
    let items = value.as_array().filter(|items| items.len() <= many).ok_or_else(wrong)?;
    let mut kept: Vec<String> = Vec::new();
    for item in items {
        let line = text::line(item.as_str().ok_or_else(wrong)?, longest)?;
        if !kept.contains(&line) {
            kept.push(line);
        }
    }
    Ok(kept.into())
}

fn bounded(value: Value, fits: bool, wanted: &str, bytes: usize) -> Result<Value, Invalid> {
    if !fits {
        return Err(Invalid::because(wanted));
    }
    if value.to_string().len() > bytes {
        return Err(Invalid::because(format!("must have at most {bytes} bytes of JSON")));
    }
    if depth(&value) > DEEPEST {
        return Err(Invalid::because(format!("must be at most {DEEPEST} levels deep")));
    }
    text::no_nul(&value.to_string())?;
    Ok(value)
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// What an edit does with one field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Edit<T> {
    /// The field was not sent.
    #[default]
    Unchanged,
    /// The field was sent as `null`.
    Cleared,
    To(T),
}

impl<T> Edit<T> {
    /// Whether it leaves the field as it is.
    pub fn is_unchanged(&self) -> bool {
        matches!(self, Self::Unchanged)
    }

    /// What the field holds after it.
    pub fn applied(&self, before: Option<T>) -> Option<T>
    where
        T: Clone,
    {
        match self {
            Self::Unchanged => before,
            Self::Cleared => None,
            Self::To(value) => Some(value.clone()),
        }
    }
}

/// Edits of a document, by field.
pub type Edits = BTreeMap<&'static str, Edit<Value>>;

/// The fields of a document that someone set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document(BTreeMap<String, Value>);

impl Document {
    /// A document as it is stored.
    pub fn stored(values: BTreeMap<String, Value>) -> Self {
        Self(values)
    }

    /// The values that were set.
    pub fn values(&self) -> &BTreeMap<String, Value> {
        &self.0
    }

    /// What a field holds.
    pub fn get(&self, field: &Field) -> Value {
        self.0.get(field.name).cloned().unwrap_or_else(|| field.default())
    }

    /// A text that was set.
    pub fn text(&self, name: &str) -> Option<String> {
        Some(self.0.get(name)?.as_str()?.to_owned())
    }

    /// A number that was set.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.0.get(name)?.as_u64()
    }

    /// The document after `edits`.
    #[must_use]
    pub fn edited(&self, edits: &Edits) -> Self {
        let mut values = self.0.clone();
        for (name, edit) in edits {
            match edit {
                Edit::Unchanged => {}
                Edit::Cleared => {
                    values.remove(*name);
                }
                Edit::To(value) => {
                    values.insert((*name).to_owned(), value.clone());
                }
            }
        }
        Self(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_field_takes_what_its_kind_says_and_no_more() {
        let cases = [
            (Kind::Line(3), json!("abc"), true),
            (Kind::Line(3), json!("abcd"), false),
            (Kind::Line(9), json!("a\r\nb"), false),
            (Kind::Line(9), json!("a\u{202e}b"), false),
            (Kind::Prose(9), json!("a\u{2066}b"), false),
            (Kind::Prose(9), json!("a\nb"), true),
            (Kind::Prose(9), json!("a\0b"), false),
            (Kind::Choice(&["a", "b"]), json!("b"), true),
            (Kind::Choice(&["a", "b"]), json!("c"), false),
            (Kind::Number(1, 5), json!(5), true),
            (Kind::Number(1, 5), json!(0), false),
            (Kind::Number(1, 5), json!(1.5), false),
            (Kind::Lines(2, 3), json!(["a", "b"]), true),
            (Kind::Lines(2, 3), json!(["a", "b", "c"]), false),
            (Kind::Lines(2, 3), json!([1]), false),
            (Kind::WebAddress, json!("https://example.com/a?b=c"), true),
            (Kind::WebAddress, json!("javascript:alert(1)"), false),
            (Kind::WebAddress, json!("https://"), false),
            (Kind::PhoneNumber, json!("+49 (0)30 123-456"), true),
            (Kind::PhoneNumber, json!("call me"), false),
            (Kind::PhoneNumber, json!("call 12345"), false),
            (Kind::PhoneNumber, json!("+1 2"), false),
            (Kind::Object(20), json!({ "a": [1] }), true),
            (Kind::Object(20), json!({ "a": "0123456789012345" }), false),
            (Kind::Object(20), json!({ "a": "01234567890123" }), false),
            (Kind::Object(20), json!({ "a": "012345678901" }), true),
            (Kind::Object(999), json!([]), false),
            (Kind::Object(999), json!({ "a": [[[[[[[1]]]]]]] }), true),
            (Kind::Object(999), json!({ "a": [[[[[[[[1]]]]]]]] }), false),
            (Kind::Objects(999), json!([{ "a": { "a": { "a": { "a": { "a": { "a": {} } } } } } }]), true),
            (Kind::Objects(999), json!([{ "a": { "a": { "a": { "a": { "a": { "a": { "a": {} } } } } } } }]), false),
            (Kind::Language, json!("pt-BR"), true),
            (Kind::Language, json!("klingonish-x"), false),
            (Kind::TimeZone, json!("Europe/Zurich"), true),
            (Kind::TimeZone, json!("Mars/Olympus"), false),
        ];
        for (kind, value, fits) in cases {
            assert_eq!(kind.parse(value.clone()).is_ok(), fits, "{kind:?} {value}");
        }
    }

    #[test]
    fn an_edit_leaves_clears_or_sets() {
        let before = Document::stored([("a".to_owned(), json!(1)), ("b".to_owned(), json!(2))].into());
        let after = before.edited(&Edits::from([("a", Edit::Cleared), ("c", Edit::To(json!(3)))]));
        assert_eq!(after.values().keys().collect::<Vec<_>>(), ["b", "c"]);
    }
}
