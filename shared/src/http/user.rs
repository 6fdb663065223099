use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::AvatarAddress;
use crate::{
    domain::{AVATAR, Account, Role},
    store::StoredDocument,
};

/// The user, as their owner and admins see them. What was never given is `null`.
#[derive(Debug, Serialize, ToSchema)]
pub struct User {
    pub id: Uuid,
    pub email: String,
    pub username: Option<String>,
    pub name: Option<String>,
    /// `USER` or `ADMIN`.
    pub role: String,
    pub is_active: bool,
    pub is_verified: bool,
    pub is_premium: bool,
    /// `basic` or `premium`.
    pub subscription_tier: String,
    pub avatar_url: Option<String>,
    pub bio: Option<String>,
    pub current_title: Option<String>,
    pub experience_years: Option<u32>,
    pub education_level: Option<String>,
    pub current_role_level: Option<String>,
    pub location: Option<String>,
    pub timezone: Option<String>,
    pub website: Option<String>,
    pub phone_number: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub last_login_at: Option<DateTime<Utc>>,
    /// Wrong passwords in a row; admins only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_attempts: Option<u32>,
    /// When the lock ends; admins only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<DateTime<Utc>>, required = false)]
    pub locked_until: Option<Option<DateTime<Utc>>>,
}

impl User {
    /// The user behind `account` and `profile`, as `viewer` may see them at `now`.
    pub fn seen_by(
        viewer: Role,
        account: &Account,
        profile: &StoredDocument,
        avatars: &AvatarAddress,
        now: DateTime<Utc>,
    ) -> Self {
        let is_admin = viewer == Role::Admin;
        let document = &profile.document;
        Self {
            id: account.id,
            email: account.email.as_str().to_owned(),
            username: account.username.as_ref().map(|username| username.as_str().to_owned()),
            name: account.name.as_ref().map(|name| name.as_str().to_owned()),
            role: account.role.as_str().to_owned(),
            is_active: account.active,
            is_verified: account.verified,
            is_premium: account.is_premium(),
            subscription_tier: account.plan.as_str().to_owned(),
            avatar_url: document.text(AVATAR).map(|object| avatars.of(account.id, &object)),
            bio: document.text("bio"),
            current_title: document.text("current_title"),
            experience_years: document.number("experience_years").and_then(|years| u32::try_from(years).ok()),
            education_level: document.text("education_level"),
            current_role_level: document.text("current_role_level"),
            location: document.text("location"),
            timezone: account.timezone.clone(),
            website: document.text("website"),
            phone_number: document.text("phone_number"),
            created_at: account.created_at,
            updated_at: profile.updated_at.map_or(account.updated_at, |edited| edited.max(account.updated_at)),
            last_login_at: account.last_login_at,
            failed_attempts: is_admin.then(|| account.guesses.failed(now)),
            locked_until: is_admin.then(|| account.guesses.locked_until(now)),
        }
    }
}
