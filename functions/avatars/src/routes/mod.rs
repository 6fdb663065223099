//! One file an endpoint: its request, its answer, its handler.

pub mod avatar;
pub mod delete_avatar;
pub mod upload_avatar;
