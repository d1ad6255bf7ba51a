//! Broker credentials: passwords, hashes, the files that hold them, and the atomic replacement of these files.
//!
//! This module has no option names and prints nothing.

pub(crate) mod file;
pub(crate) mod format;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
pub(crate) mod hash;
pub(crate) mod import;
mod key;
mod password;
pub(crate) mod replace;
pub(crate) mod target;
mod user_name;

pub(crate) use file::PasswordFile;
pub(crate) use hash::{Hash, HashError, Scheme};
pub(crate) use key::random_key;
pub(crate) use password::Password;
pub(crate) use replace::{FileError, Locked};
pub(crate) use target::MosquittoTarget;
pub(crate) use user_name::{UserName, UserNameError};
