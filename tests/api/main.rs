//! Black-box tests. The tree mirrors the URLs' groups; each test has a stack of its own.

mod access;
mod attempts;
mod auth;
mod authorizer;
mod avatars;
mod bounces;
mod conventions;
mod corpus;
mod dump;
mod events;
mod forged_tokens;
mod rotation;
mod runtime;
mod stack;
mod system;
mod tokens;
mod users;
