//! What owners, and admins for them, do against whoever got in. All that was begun before is over then.

use reqwest::StatusCode;
use serde_json::json;

use crate::client::{App, Member, PASSWORD};

const NEW_PASSWORD: &str = "another-horse-battery";

/// A way to throw everybody else out.
#[derive(Clone, Copy, Debug)]
pub enum Defence {
    ResetPassword,
    ChangePassword,
    /// As the users' own routes have it.
    EditPassword,
    LogoutAll,
    /// An admin disables the account, and then enables it again.
    Disable,
}

impl Defence {
    pub const ALL: [Self; 5] =
        [Self::ResetPassword, Self::ChangePassword, Self::EditPassword, Self::LogoutAll, Self::Disable];

    /// Goes that way.
    pub async fn of(self, app: &App, admin: &Member, owner: &Member) {
        let answer = match self {
            Self::ResetPassword => {
                app.post("/auth/forgot-password", json!({ "email": owner.email })).await;
                let (code, _) = app.reset_secrets(&owner.email).await;
                let body = json!({ "email": owner.email, "code": code, "new_password": NEW_PASSWORD });
                app.post("/auth/reset-password", body).await
            }
            Self::ChangePassword => {
                let body = json!({ "current_password": PASSWORD, "new_password": NEW_PASSWORD });
                app.post_as(owner, "/api/v1/auth/change-password", body).await
            }
            Self::EditPassword => {
                let body = json!({ "old_password": PASSWORD, "new_password": NEW_PASSWORD });
                app.patch_as(owner, "/users/me", body).await
            }
            Self::LogoutAll => app.post_as(owner, "/api/v1/auth/logout-all", json!({})).await,
            Self::Disable => {
                let path = format!("/api/v1/users/{}", owner.id);
                app.patch_as(admin, &path, json!({ "is_active": false })).await;
                app.patch_as(admin, &path, json!({ "is_active": true })).await
            }
        };
        assert_eq!(answer.status, StatusCode::OK, "{self:?}: {}", answer.text);
    }
}
