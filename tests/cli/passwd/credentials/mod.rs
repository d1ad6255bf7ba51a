//! `mq passwd` for other brokers than mosquitto, with lists of users, and with keys.

mod formats;
mod import;
mod psk;

use crate::support::process::Finished;
use crate::support::*;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A directory with a file of this name, which holds this.
fn file(name: &str, content: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join(name);
    std::fs::write(&path, content).unwrap();
    (directory, path)
}

/// `mq passwd` with these options, a file, and this password on standard input.
fn passwd(options: &str, path: &Path, user: &str, password: &str) -> Program {
    mq("passwd").words(options).arg(path).arg(user).stdin(format!("{password}\n"))
}

/// `mq passwd verify` in the same way.
fn verify(options: &str, path: &Path, user: &str, password: &str) -> Finished {
    mq("passwd verify").words(options).arg(path).arg(user).stdin(format!("{password}\n")).run()
}

/// Everything in the directory of a file: that nothing was left beside it.
fn neighbours(path: &Path) -> usize {
    std::fs::read_dir(path.parent().unwrap()).unwrap().count()
}
