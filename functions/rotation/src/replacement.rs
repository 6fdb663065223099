use serde::Deserialize;

use crate::{Failure, Rotation, ring};

/// What an operator asks for once keys have leaked: others in place of all of one kind, the ones that were to be next too.
#[derive(Deserialize)]
pub struct Replacement {
    #[serde(rename = "Replace")]
    kind: Kind,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Signing,
    Derivation,
}

impl Rotation {
    /// Replaces keys: what was made with them counts no more, once every instance has read the new ones.
    pub(crate) async fn replace(&self, replacement: &Replacement) -> Result<(), Failure> {
        match replacement.kind {
            Kind::Signing => ring::replace::<ring::Signing>(self, &self.signing).await,
            Kind::Derivation => ring::replace::<ring::Deriving>(self, &self.derivation).await,
        }
    }
}
