use std::{collections::HashMap, sync::Arc};

use aws_lc_rs::hmac;
use data_encoding::BASE64URL_NOPAD;

use super::{DerivationKeys, KeyError, keys::DerivationKey};
use crate::domain::EmailAddress;

/// Which derivation key something was made with.
pub type KeyId = u32;

/// Derives codes, links and refresh tokens: HMAC-SHA-256 over ids, so that the tables hold nothing that can be used.
#[derive(Clone)]
pub struct Derivation(Arc<Keys>);

/// A kind of derived token: its text is the prefix and, in base64url, key id, ids and tag.
pub struct TokenForm {
    pub purpose: &'static str,
    pub prefix: &'static str,
    /// Bytes of the ids.
    pub ids: usize,
}

/// Bytes of a key id.
const KEY_ID: usize = size_of::<KeyId>();

struct Keys {
    current: KeyId,
    by_id: HashMap<KeyId, hmac::Key>,
    lookup: hmac::Key,
}

impl Derivation {
    /// Takes the keys of the secret.
    ///
    /// # Errors
    /// Where one of them is no key of 32 bytes.
    pub fn new(keys: &DerivationKeys) -> Result<Self, KeyError> {
        let all = [Some(&keys.current), keys.previous.as_ref(), Some(&keys.next)];
        let named = |key: &DerivationKey| Ok((key.id, hmac_key(&key.key)?));
        let by_id = all.into_iter().flatten().map(named).collect::<Result<_, KeyError>>()?;
        Ok(Self(Arc::new(Keys { current: keys.current.id, by_id, lookup: hmac_key(&keys.lookup)? })))
    }

    /// The key for what is made now.
    pub fn current(&self) -> KeyId {
        self.0.current
    }

    /// A token that says `ids` and cannot be made without key `key`; nothing where that key is gone.
    pub fn seal(&self, form: &TokenForm, key: KeyId, ids: &[u8]) -> Option<String> {
        let payload = [key.to_be_bytes().as_slice(), ids].concat();
        let tag = self.tag(key, form.purpose, &[&payload])?;
        Some(format!("{}{}", form.prefix, BASE64URL_NOPAD.encode(&[payload.as_slice(), &tag].concat())))
    }

    /// What a token of that form says, once its tag has been checked; nothing where anything is wrong with it.
    pub fn open(&self, form: &TokenForm, text: &str) -> Option<(KeyId, Vec<u8>)> {
        let bytes = BASE64URL_NOPAD.decode(text.strip_prefix(form.prefix)?.as_bytes()).ok()?;
        let (payload, tag) = bytes.split_at_checked(KEY_ID + form.ids)?;
        let (key, ids) = payload.split_at_checked(KEY_ID)?;
        let key = KeyId::from_be_bytes(key.try_into().ok()?);
        self.is_tag(key, form.purpose, &[payload], tag).then(|| (key, ids.to_vec()))
    }

    /// The tag of `parts` for `purpose` under key `id`; nothing where the key is gone.
    ///
    /// Each part goes in with its length, so that no two lists of parts read alike.
    pub fn tag(&self, id: KeyId, purpose: &str, parts: &[&[u8]]) -> Option<[u8; 32]> {
        Some(digest(self.0.by_id.get(&id)?, purpose, parts))
    }

    /// Whether `tag` is the one of `parts`, compared in constant time.
    pub fn is_tag(&self, id: KeyId, purpose: &str, parts: &[&[u8]], tag: &[u8]) -> bool {
        self.tag(id, purpose, parts)
            .is_some_and(|right| aws_lc_rs::constant_time::verify_slices_are_equal(&right, tag).is_ok())
    }

    /// A key for a row about a mailbox, however its address is spelt.
    pub fn mailbox(&self, address: &EmailAddress) -> String {
        self.lookup("mailbox", &address.to_ascii_domain())
    }

    /// A key for a row about `text` that says nothing of it. The same for as long as the stack lives.
    pub fn lookup(&self, purpose: &str, text: &str) -> String {
        BASE64URL_NOPAD.encode(&digest(&self.0.lookup, purpose, &[text.as_bytes()])[..18])
    }
}

fn hmac_key(encoded: &str) -> Result<hmac::Key, KeyError> {
    match BASE64URL_NOPAD.decode(encoded.as_bytes()) {
        Ok(bytes) if bytes.len() == 32 => Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes)),
        _ => Err(KeyError::Unusable("a derivation key is not 32 bytes in base64url".into())),
    }
}

fn digest(key: &hmac::Key, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(key);
    for part in std::iter::once(&purpose.as_bytes()).chain(parts) {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let mut tag = [0; 32];
    tag.copy_from_slice(context.sign().as_ref());
    tag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_differ_by_purpose_parts_and_key() {
        let derivation = Derivation::new(&DerivationKeys::generate(chrono::DateTime::UNIX_EPOCH).unwrap()).unwrap();
        let tag = derivation.tag(1, "a", &[b"bc"]).unwrap();
        assert!(derivation.is_tag(1, "a", &[b"bc"], &tag));
        for other in
            [derivation.tag(1, "ab", &[b"c"]), derivation.tag(1, "a", &[b"b", b"c"]), derivation.tag(2, "a", &[b"bc"])]
        {
            assert_ne!(other.unwrap(), tag);
        }
        assert!(derivation.tag(9, "a", &[]).is_none());
        assert!(!derivation.is_tag(1, "a", &[b"bc"], &tag[..31]));
    }

    #[test]
    fn a_key_has_32_bytes() {
        let of = |bytes: usize| hmac_key(&BASE64URL_NOPAD.encode(&vec![7; bytes]));
        assert!(of(32).is_ok() && of(31).is_err() && of(33).is_err() && hmac_key("!").is_err());
    }
}
