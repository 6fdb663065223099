//! Reads and writes attributes. Reading can fail, and then says which attribute of which table.

use std::{collections::HashMap, str::FromStr};

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Item, StoreError};

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(super) fn flag(value: bool) -> AttributeValue {
    AttributeValue::Bool(value)
}

/// A moment, in milliseconds since 1970.
pub(super) fn moment(value: DateTime<Utc>) -> AttributeValue {
    number(value.timestamp_millis())
}

/// A moment at which TTL may delete, in whole seconds since 1970.
pub(super) fn expiry(value: DateTime<Utc>) -> AttributeValue {
    number(value.timestamp())
}

/// Adds an attribute where there is a value.
pub(super) fn put_some(item: &mut Item, name: &str, value: Option<AttributeValue>) {
    item.extend(value.map(|value| (name.to_owned(), value)));
}

/// An item, or a map within one, that is being read.
pub(super) struct Reader<'a> {
    table: &'static str,
    attributes: &'a HashMap<String, AttributeValue>,
}

impl<'a> Reader<'a> {
    pub fn new(table: &'static str, attributes: &'a Item) -> Self {
        Self { table, attributes }
    }

    pub fn damaged(&self, attribute: &'static str) -> StoreError {
        StoreError::Damaged { table: self.table, attribute }
    }

    pub fn optional_text(&self, name: &'static str) -> Result<Option<&'a str>, StoreError> {
        self.read(name, |value| value.as_s().ok().map(String::as_str))
    }

    pub fn text(&self, name: &'static str) -> Result<&'a str, StoreError> {
        self.optional_text(name)?.ok_or_else(|| self.damaged(name))
    }

    pub fn optional_number<T: FromStr>(&self, name: &'static str) -> Result<Option<T>, StoreError> {
        self.read(name, |value| value.as_n().ok()?.parse().ok())
    }

    pub fn number<T: FromStr>(&self, name: &'static str) -> Result<T, StoreError> {
        self.optional_number(name)?.ok_or_else(|| self.damaged(name))
    }

    pub fn flag(&self, name: &'static str) -> Result<bool, StoreError> {
        self.read(name, |value| value.as_bool().ok().copied())?.ok_or_else(|| self.damaged(name))
    }

    /// A flag that stands in the item only where it is raised.
    pub fn raised(&self, name: &'static str) -> Result<bool, StoreError> {
        Ok(self.read(name, |value| value.as_bool().ok().copied())?.unwrap_or(false))
    }

    pub fn optional_moment(&self, name: &'static str) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.read(name, |value| DateTime::from_timestamp_millis(value.as_n().ok()?.parse().ok()?))
    }

    pub fn moment(&self, name: &'static str) -> Result<DateTime<Utc>, StoreError> {
        self.optional_moment(name)?.ok_or_else(|| self.damaged(name))
    }

    pub fn uuid(&self, name: &'static str) -> Result<Uuid, StoreError> {
        self.text(name)?.parse().map_err(|_| self.damaged(name))
    }

    pub fn bytes(&self, name: &'static str) -> Result<&'a [u8], StoreError> {
        self.read(name, |value| value.as_b().ok().map(AsRef::as_ref))?.ok_or_else(|| self.damaged(name))
    }

    /// A list of texts; empty where there is none.
    pub fn texts(&self, name: &'static str) -> Result<Vec<String>, StoreError> {
        let texts = |value: &'a AttributeValue| -> Option<Vec<String>> {
            value.as_l().ok()?.iter().map(|item| item.as_s().ok().cloned()).collect()
        };
        Ok(self.read(name, texts)?.unwrap_or_default())
    }

    /// A set of texts; empty where there is none.
    pub fn text_set(&self, name: &'static str) -> Result<Vec<String>, StoreError> {
        Ok(self.read(name, |value| value.as_ss().ok().cloned())?.unwrap_or_default())
    }

    pub fn map(&self, name: &'static str) -> Result<Option<Reader<'a>>, StoreError> {
        let inner = self.read(name, |value| value.as_m().ok())?;
        Ok(inner.map(|attributes| Reader { table: self.table, attributes }))
    }

    /// Whether there is an attribute of that name.
    pub fn has(&self, name: &str) -> bool {
        self.attributes.contains_key(name)
    }

    /// A list of maps; empty where there is none.
    pub fn maps(&self, name: &'static str) -> Result<Vec<Reader<'a>>, StoreError> {
        let table = self.table;
        let maps = |value: &'a AttributeValue| -> Option<Vec<Reader<'a>>> {
            let items = value.as_l().ok()?.iter();
            items.map(|item| item.as_m().ok().map(|attributes| Reader { table, attributes })).collect()
        };
        Ok(self.read(name, maps)?.unwrap_or_default())
    }

    /// The entries of a map of maps.
    pub fn entries(&self) -> impl Iterator<Item = Result<(&'a str, Reader<'a>), StoreError>> {
        let table = self.table;
        self.attributes.iter().map(move |(name, value)| match value.as_m() {
            Ok(attributes) => Ok((name.as_str(), Reader { table, attributes })),
            Err(_) => Err(StoreError::Damaged { table, attribute: "an entry of a map" }),
        })
    }

    fn read<T>(
        &self,
        name: &'static str,
        convert: impl FnOnce(&'a AttributeValue) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        match self.attributes.get(name) {
            None | Some(AttributeValue::Null(_)) => Ok(None),
            Some(value) => convert(value).map(Some).ok_or_else(|| self.damaged(name)),
        }
    }
}
