use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::AvatarAddress;
use crate::{
    domain::{AVATAR, Account, Role, SearchHit},
    store::StoredDocument,
};

/// What a person lets others see. It has no address, telephone number, role or sign-in time to show.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublicProfile {
    pub id: Uuid,
    pub username: Option<String>,
    pub name: Option<String>,
    /// Always: nothing is shown of those who are disabled.
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
    /// A link: `null` unless `contact_visibility` is `public`.
    pub website: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl PublicProfile {
    /// What others see of someone; nothing of those who are disabled, unverified or private.
    pub fn of(account: &Account, profile: &StoredDocument, avatars: &AvatarAddress) -> Option<Self> {
        if !account.is_listed() {
            return None;
        }
        let document = &profile.document;
        Some(Self {
            id: account.id,
            username: account.username.as_ref().map(|username| username.as_str().to_owned()),
            name: account.name.as_ref().map(|name| name.as_str().to_owned()),
            is_active: account.active,
            is_verified: account.verified,
            // Who is an admin is not told, not even by what they may do.
            is_premium: Account { role: Role::User, ..account.clone() }.is_premium(),
            subscription_tier: account.plan.as_str().to_owned(),
            avatar_url: document.text(AVATAR).map(|object| avatars.of(account.id, &object)),
            bio: document.text("bio"),
            current_title: document.text("current_title"),
            experience_years: document.number("experience_years").and_then(|years| u32::try_from(years).ok()),
            education_level: document.text("education_level"),
            current_role_level: document.text("current_role_level"),
            location: document.text("location"),
            timezone: account.timezone.clone(),
            website: document.text("website").filter(|_| account.contact_public),
            created_at: account.created_at,
            updated_at: profile.updated_at.map_or(account.updated_at, |edited| edited.max(account.updated_at)),
        })
    }
}

/// What a search shows of a person.
#[derive(Debug, Serialize, ToSchema)]
pub struct FoundUser {
    pub id: Uuid,
    pub username: Option<String>,
    pub name: Option<String>,
    pub current_title: Option<String>,
    pub avatar_url: Option<String>,
    pub location: Option<String>,
}

impl FoundUser {
    /// A hit of the index.
    pub fn of(hit: SearchHit, avatars: &AvatarAddress) -> Self {
        Self {
            avatar_url: hit.avatar.as_deref().map(|object| avatars.of(hit.id, object)),
            id: hit.id,
            username: hit.username,
            name: hit.name,
            current_title: hit.current_title,
            location: hit.location,
        }
    }
}
