//! One file an endpoint: its request, its answer, its handler.

pub mod home;
pub mod is_admin;
