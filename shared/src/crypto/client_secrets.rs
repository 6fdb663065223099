use std::collections::BTreeMap;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use serde::Deserialize;

use super::fingerprint;

/// Characters that a client's secret has at the least: an empty or a short one lets nobody in.
const SHORTEST: usize = 32;

/// The services that may introspect tokens, each with its secret.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct ClientSecrets(BTreeMap<String, String>);

impl ClientSecrets {
    /// Whether `secret` is that of the client `id`, compared in constant time.
    pub fn admit(&self, id: &str, secret: &str) -> bool {
        let (known, right) = match self.0.get(id) {
            Some(right) if right.chars().count() >= SHORTEST => (true, right.as_str()),
            _ => (false, ""),
        };
        let digests = (fingerprint(&[secret.as_bytes()]), fingerprint(&[right.as_bytes()]));
        verify_slices_are_equal(&digests.0, &digests.1).is_ok() && known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_known_client_with_its_own_long_secret_is_admitted() {
        let text = format!(r#"{{"a": "{}", "b": "{}", "c": "", "d": "short"}}"#, "x".repeat(32), "y".repeat(32));
        let clients: ClientSecrets = serde_json::from_str(&text).unwrap();
        assert!(clients.admit("a", &"x".repeat(32)));
        for (id, secret) in [("a", "y".repeat(32)), ("e", String::new()), ("c", String::new()), ("d", "short".into())] {
            assert!(!clients.admit(id, &secret), "{id}");
        }
    }
}
