use uuid::Uuid;

use crate::config::Settings;

/// Where avatars are to be seen.
#[derive(Clone, Debug)]
pub struct AvatarAddress {
    issuer: String,
    base: Option<String>,
}

impl AvatarAddress {
    /// As the settings say.
    pub fn new(settings: &Settings) -> Self {
        Self { issuer: settings.tokens.issuer.clone(), base: settings.avatar_base_url.clone() }
    }

    /// The address of a user's avatar, an object of that name: at the distribution in front of the bucket, or at our own
    /// endpoint, which leads to a signed one.
    pub fn of(&self, user_id: Uuid, object: &str) -> String {
        match &self.base {
            Some(base) => format!("{base}/{object}"),
            None => format!("{}/api/v1/users/{user_id}/avatar", self.issuer),
        }
    }
}
