//! Credentials of brokers: passwords, their hashes, the file that holds them, and its safe replacement.
//!
//! Nothing here knows an option's name or prints.

pub mod format;
pub mod hash;
mod password;

pub use hash::{Hash, HashError, Scheme};
pub use password::{Password, PasswordTooLong};
