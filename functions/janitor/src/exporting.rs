use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use shared::{
    domain::{Account, EXTENDED, Export, JOB_MATCHING, Role, SETTINGS},
    http::{User, document},
    objects::ObjectWriter,
    store::{DocumentKind, HistoryPage, PageStart},
};
use uuid::Uuid;

use crate::{Failure, Janitor};

/// Attempts that are read at a time, and how many of them at once.
const PAGE: u64 = 200;
const PARALLEL: usize = 16;

/// How long one may take: a record that is never done with holds up everyone's behind it. What was begun in the bucket goes
/// after a day.
pub const LONGEST: Duration = Duration::from_secs(90);

impl Janitor {
    /// Writes all of a person's data as one JSON document, where they still want that one, and notes that it is there.
    pub async fn export(&self, user_id: Uuid, export_id: Uuid) -> Result<(), Failure> {
        let Some(account) = self.accounts.find(user_id).await?.filter(|account| account.active) else { return Ok(()) };
        let wanted = account.export.clone().filter(|export| export.id == export_id && export.ready_at.is_none());
        let Some(export) = wanted else { return Ok(()) };
        // Those from before go: their links are dead.
        self.exports.delete_all(&format!("exports/{user_id}/")).await?;
        self.write_export(&account, &export).await?;
        if self.accounts.note_export(&account, &export, self.clock.now()).await? {
            tracing::info!(%user_id, "export ready");
            return Ok(());
        }
        // The account went meanwhile, or wants another one by now: nobody is to find this one.
        Ok(self.exports.delete(&export.object(user_id)).await?)
    }

    async fn write_export(&self, account: &Account, export: &Export) -> Result<(), Failure> {
        let mut writer = self.exports.begin(&export.object(account.id), "application/json").await?;
        let head = self.all_but_attempts(account).await?.to_string();
        // The attempts go within the same object, however many there are.
        writer.write(head.strip_suffix('}').unwrap_or(&head).as_bytes()).await?;
        writer.write(b",\"attempts\":[").await?;
        self.write_attempts(account.id, &mut writer).await?;
        writer.write(b"]}").await?;
        Ok(writer.finish().await?)
    }

    async fn all_but_attempts(&self, account: &Account) -> Result<Value, Failure> {
        let id = account.id;
        let (profile, extended, preferences, devices) = tokio::try_join!(
            self.accounts.find_document(id, DocumentKind::Profile),
            self.accounts.find_document(id, DocumentKind::Extended),
            self.accounts.find_document(id, DocumentKind::Preferences),
            self.accounts.find_all_devices(id)
        )?;
        let now = self.clock.now();
        // Of one that ended there is nothing but where it was opened from; of one that began just now, nothing but its times.
        let open: BTreeMap<_, _> = account.sessions.iter().map(|session| (session.id, session.times)).collect();
        let sessions = devices.keys().chain(open.keys()).collect::<BTreeSet<_>>().into_iter().map(|id| {
            let (device, times) = (devices.get(id), open.get(id));
            json!({
                "id": id,
                "is_active": times.is_some_and(|times| now < times.end()),
                "created_at": device.map(|(at, _)| at),
                "last_activity_at": times.map(|times| times.used_at),
                "expires_at": times.map(|times| times.end()),
                "ip_address": device.and_then(|(_, device)| device.ip_address.as_deref()),
                "user_agent": device.and_then(|(_, device)| device.user_agent.as_deref()),
            })
        });
        let visible = |public: bool| if public { "public" } else { "private" };
        let mut extended = document::shown(&extended.document, &[EXTENDED]);
        extended.insert("profile_visibility".to_owned(), visible(!account.profile_private).into());
        extended.insert("contact_visibility".to_owned(), visible(account.contact_public).into());
        let mut preferences = document::shown(&preferences.document, &[SETTINGS, JOB_MATCHING]);
        preferences.insert("language".to_owned(), json!(account.language.as_deref().unwrap_or("en")));
        preferences.insert("timezone".to_owned(), json!(account.timezone.as_deref().unwrap_or("UTC")));
        Ok(json!({
            "exported_at": now,
            "user": User::seen_by(Role::User, account, &profile, &self.avatar_address, now),
            "profile": extended,
            "preferences": preferences,
            "sessions": sessions.collect::<Vec<_>>(),
            "requested_address": account.address_change.as_ref().map(|change| change.email.as_str()),
            "former_addresses": account.address_undos.iter().map(|undo| undo.email.as_str()).collect::<Vec<_>>(),
        }))
    }

    /// Every attempt with its code, newest first.
    async fn write_attempts(&self, user_id: Uuid, writer: &mut ObjectWriter) -> Result<(), Failure> {
        let total = self.attempts.find_total(user_id, None).await?;
        let (mut start, mut first) = (PageStart::Offset(0), true);
        loop {
            let page = HistoryPage::new(total, start, PAGE);
            let rows = self.attempts.find_page(user_id, None, &page).await?;
            let found = stream::iter(rows.into_iter().map(|row| self.attempts.find(row.id))).buffered(PARALLEL);
            let found: Vec<_> = found.try_collect().await?;
            for (_, attempt, code) in found.into_iter().flatten() {
                let text = json!({
                    "id": attempt.id,
                    "question_id": attempt.question_id,
                    "language": attempt.language,
                    "passed_tests": attempt.outcome.passed_tests,
                    "total_tests": attempt.outcome.total_tests,
                    "runtime_ms": attempt.outcome.runtime_ms,
                    "created_at": attempt.created_at,
                    "is_solved": attempt.outcome.is_solved(),
                    "submitted_code": code,
                })
                .to_string();
                writer.write(if first { b"" } else { b"," }).await?;
                writer.write(text.as_bytes()).await?;
                first = false;
            }
            match page.next() {
                Some(number) => start = PageStart::Before(number),
                None => return Ok(()),
            }
        }
    }
}
