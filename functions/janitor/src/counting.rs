use aws_lambda_events::dynamodb::{EventRecord, StreamRecord};
use shared::{
    domain::Tally,
    store::{Accounts, Attempts, Event, Mails, StoreError, Tallied},
};

/// What a record of a stream adds to the counters.
///
/// # Errors
/// Where an image is damaged.
pub fn tallied(record: &EventRecord) -> Result<Tallied, StoreError> {
    let mut tally = of_account(&record.change)?;
    tally += of_attempts(&record.change)?;
    tally += of_mail(&record.change)?;
    Ok(Tallied { event_id: record.event_id.clone(), tally })
}

fn of_account(change: &StreamRecord) -> Result<Tally, StoreError> {
    let before = Accounts::read_image(change.old_image.clone())?.map(|(_, account)| account);
    let (event, after) = Accounts::read_image(change.new_image.clone())?.unzip();
    Ok(Tally {
        sign_ins: i64::from(matches!(event, Some(Event::SignedIn | Event::SignedInAnew))),
        locks: i64::from(event == Some(Event::Locked)),
        ..Tally::of_change(before.as_ref(), after.as_ref())
    })
}

/// Attempts that were made: those that are erased have been made too.
fn of_attempts(change: &StreamRecord) -> Result<Tally, StoreError> {
    let before = Attempts::read_total(change.old_image.clone())?.unwrap_or_default();
    let after = Attempts::read_total(change.new_image.clone())?.unwrap_or_default();
    Ok(Tally { attempts: i64::try_from(after.saturating_sub(before)).unwrap_or_default(), ..Tally::default() })
}

fn of_mail(change: &StreamRecord) -> Result<Tally, StoreError> {
    let before = Mails::read_sent(change.old_image.clone())?.unwrap_or_default();
    let after = Mails::read_sent(change.new_image.clone())?.unwrap_or_default();
    Ok(Tally { mails: i64::from(after && !before), ..Tally::default() })
}
