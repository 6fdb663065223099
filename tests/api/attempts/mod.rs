mod attempt;
mod history;
mod submit;
mod summary;
