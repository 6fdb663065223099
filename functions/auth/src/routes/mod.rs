//! One file an endpoint: its request, its answer, its handler.

pub mod accept_invitation_page;
pub mod change_email;
pub mod change_password;
pub mod end_session;
pub mod follow_verification_link;
pub mod introspect;
pub mod login;
pub mod logout;
pub mod logout_all;
pub mod me;
pub mod password_reset_confirm;
pub mod password_reset_request;
pub mod refresh;
pub mod register;
pub mod reset_password_page;
pub mod revoke;
pub mod sessions;
pub mod token;
pub mod undo_email_change;
pub mod undo_email_change_page;
pub mod verify_email;
pub mod verify_email_request;
pub mod verify_password;
pub mod verify_reset_code;

mod signed_in;

use serde::Serialize;
use utoipa::ToSchema;

/// An answer that says no more than that it is done.
#[derive(Debug, Serialize, ToSchema)]
pub struct Done {
    pub ok: bool,
    pub message: &'static str,
}

impl Done {
    fn saying(message: &'static str) -> Self {
        Self { ok: true, message }
    }
}
