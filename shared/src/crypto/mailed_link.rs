use uuid::Uuid;

use super::{Derivation, derivation::TokenForm};

/// What a mailed link is for. Each purpose has a prefix and a tag of its own, so that no link serves for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkPurpose {
    /// Chooses the password of an account that an admin made.
    Invitation,
    /// Confirms a new address.
    AddressChange,
    /// Takes a change of address back.
    AddressUndo,
    /// Downloads an export.
    Export,
}

impl LinkPurpose {
    const ALL: [Self; 4] = [Self::Invitation, Self::AddressChange, Self::AddressUndo, Self::Export];

    fn form(self) -> TokenForm {
        let (purpose, prefix) = match self {
            Self::Invitation => ("invitation-link", "in1_"),
            Self::AddressChange => ("address-change-link", "ac1_"),
            Self::AddressUndo => ("address-undo-link", "au1_"),
            Self::Export => ("export-link", "ex1_"),
        };
        TokenForm { purpose, prefix, ids: 16 + 16 }
    }

    /// What a token says that it is for, by its prefix.
    pub fn of(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| text.starts_with(purpose.form().prefix))
    }
}

/// A link that is derived from an id which the table holds for as long as the link lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailedLink {
    pub user_id: Uuid,
    pub id: Uuid,
}

impl MailedLink {
    /// The token of the link, under the present key; nothing where that is gone.
    pub fn encode(&self, purpose: LinkPurpose, derivation: &Derivation) -> Option<String> {
        let ids = [self.user_id.as_bytes().as_slice(), self.id.as_bytes()].concat();
        derivation.seal(&purpose.form(), derivation.current(), &ids)
    }

    /// Reads a token and checks its tag, without asking the table; nothing where anything is wrong.
    pub fn decode(text: &str, purpose: LinkPurpose, derivation: &Derivation) -> Option<Self> {
        let (_, ids) = derivation.open(&purpose.form(), text)?;
        Some(Self { user_id: Uuid::from_slice(ids.get(0..16)?).ok()?, id: Uuid::from_slice(ids.get(16..32)?).ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::DerivationKeys;

    #[test]
    fn a_link_serves_its_own_purpose_alone() {
        let derivation = Derivation::new(&DerivationKeys::generate(chrono::DateTime::UNIX_EPOCH).unwrap()).unwrap();
        let link = MailedLink { user_id: Uuid::from_u128(1), id: Uuid::from_u128(2) };
        for purpose in LinkPurpose::ALL {
            let text = link.encode(purpose, &derivation).unwrap();
            assert_eq!(LinkPurpose::of(&text), Some(purpose));
            for other in LinkPurpose::ALL {
                let swapped = text.replacen(purpose.form().prefix, other.form().prefix, 1);
                assert_eq!(MailedLink::decode(&swapped, other, &derivation).is_some(), other == purpose);
            }
        }
    }
}
