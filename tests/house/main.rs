//! Guards of the house: its layout, its arrows, its derived files, its template.

mod arrows;
mod derived;
mod layout;
mod operations;
mod readme;
mod template;
