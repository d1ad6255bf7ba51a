//! Broker credentials: passwords, hashes, the files that hold them, and the atomic replacement of these files.
//!
//! This module has no option names and prints nothing.

pub mod file;
pub mod format;
pub mod hash;
pub mod import;
mod key;
mod password;
pub mod replace;
pub mod target;
mod user_name;

pub use file::PasswordFile;
pub use hash::{Hash, HashError, Scheme};
pub use key::random_key;
pub use password::{Password, PasswordTooLong};
pub use replace::{FileError, Locked};
pub use target::MosquittoTarget;
pub use user_name::{UserName, UserNameError};
