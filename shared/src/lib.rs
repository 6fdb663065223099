//! What every function shares: the domain, the store, cryptography, the HTTP edge, mail and telemetry.
//!
//! The arrows between these modules are part of the design (see `ARCHITECTURE.md`) and `tests/house/arrows.rs`
//! fails on one that points the wrong way.

pub mod aws;
pub mod clock;
pub mod config;
pub mod crypto;
pub mod domain;
pub mod http;
pub mod invocation;
pub mod mail;
pub mod markup;
pub mod objects;
pub mod operator;
pub mod platform;
pub mod store;
pub mod telemetry;

pub use platform::{Platform, StartFailure};
