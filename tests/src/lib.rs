//! What the tests share: a stack of their own each, and clients named for who is calling.

pub mod capacity;
pub mod client;
pub mod defence;
pub mod deployed;
pub mod derived;
pub mod fuzz;
pub mod noise;
