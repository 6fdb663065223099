//! One file an endpoint: its request, its answer, its handler.

pub mod follow_verification_link;
pub mod login;
pub mod me;
pub mod register;
pub mod verify_email;
pub mod verify_email_request;

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
