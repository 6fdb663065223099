mod activity;
pub mod agreement;
mod attempt;
mod history;
mod questions;
pub mod submit;
mod summary;
