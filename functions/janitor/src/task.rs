use aws_lambda_events::dynamodb::EventRecord;
use shared::store::{Accounts, Attempts, Erasure, Event, Pending, StoreError};
use uuid::Uuid;

/// What a record of a stream calls for.
pub enum Task {
    /// What others find of a user may be another thing now.
    Index(Uuid),
    /// Someone wants all of their data.
    Export(Uuid),
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
        let user = Accounts::user_of_image(record.change.new_image.clone())?;
        let wants_export = match Accounts::read_image(record.change.new_image)? {
            Some((event, _)) => event == Event::ExportRequested,
            None => false,
        };
        Ok(user.map(if wants_export { Self::Export } else { Self::Index }))
    }
}
