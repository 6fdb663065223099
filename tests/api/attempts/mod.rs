mod activity;
mod agreement;
mod attempt;
mod history;
mod questions;
mod submit;
mod summary;
