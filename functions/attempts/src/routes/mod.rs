//! One file an endpoint: its request, its answer, its handler.

pub mod activity;
pub mod attempt;
pub mod history;
pub mod questions;
pub mod submit;
pub mod summary;

mod shown;
