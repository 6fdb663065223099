use aws_lambda_events::dynamodb::{EventRecord, StreamRecord};
use shared::{
    domain::AVATAR,
    store::{Accounts, Attempts, Erasure, Event, Pending, StoreError},
};
use uuid::Uuid;

/// The events of an account after which others may find it otherwise than before.
const INDEXED: [Event; 6] = [
    Event::Verified,
    Event::PasswordChanged,
    Event::Imported,
    Event::Edited,
    Event::RoleChanged,
    Event::AddressChanged,
];

/// What a record of a stream calls for.
pub enum Task {
    /// What others find of a user may be another thing now.
    Index(Uuid),
    /// So may it be of this one, whose profile no longer names that avatar.
    Unname { user_id: Uuid, avatar: String },
    /// Someone wants all of their data, in this export.
    Export { user_id: Uuid, export_id: Uuid },
    /// An account was ended.
    Erase(Erasure),
    /// Nothing came, for a day, that would refer to this code.
    ClearUp(Pending),
}

impl Task {
    /// Reads a record; nothing where it calls for nothing.
    ///
    /// # Errors
    /// Where an image is damaged.
    pub fn of(record: EventRecord) -> Result<Option<Self>, StoreError> {
        if record.event_name == "REMOVE" {
            return Ok(Attempts::read_pending(record.change.old_image)?.map(Self::ClearUp));
        }
        if let Some(erasure) = Accounts::read_erasure(record.change.new_image.clone())? {
            return Ok(Some(Self::Erase(erasure)));
        }
        Ok(match Accounts::read_image(record.change.new_image.clone())? {
            Some((Event::ExportRequested, account)) => {
                account.export.map(|export| Self::Export { user_id: account.id, export_id: export.id })
            }
            Some((event, account)) => INDEXED.contains(&event).then_some(Self::Index(account.id)),
            None => Self::of_profile(record.change)?,
        })
    }

    fn of_profile(change: StreamRecord) -> Result<Option<Self>, StoreError> {
        let Some((user_id, profile)) = Accounts::read_profile(change.new_image)? else { return Ok(None) };
        let former = Accounts::read_profile(change.old_image)?.and_then(|(_, former)| former.document.text(AVATAR));
        let gone = former.filter(|former| profile.document.text(AVATAR).as_ref() != Some(former));
        Ok(Some(gone.map_or(Self::Index(user_id), |avatar| Self::Unname { user_id, avatar })))
    }
}
