//! Enhanced authentication of MQTT 5: `--auth-method` of the clients, `--scram-file` of the broker, and `mq passwd scram`.

mod broker;
mod exchange;
mod keys;
mod options;
mod scram;
mod tokens;

use super::support::*;
use std::path::PathBuf;
use tempfile::TempDir;

/// A directory with a file of keys, and where that is.
struct Keys {
    directory: TempDir,
}

impl Keys {
    /// The file is not there yet.
    fn none() -> Keys {
        Keys { directory: TempDir::new().unwrap() }
    }

    /// A file for ann, whose password is "secret", with this mechanism.
    fn of_ann(mechanism: &str) -> Keys {
        let keys = Keys::none();
        keys.make(&format!("-c --mechanism {mechanism}"), "ann", "secret").succeed();
        keys
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("keys")
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.path()).unwrap()
    }

    /// `mq passwd scram` with these options for this user, whose password comes from standard input.
    fn make(&self, options: &str, user: &str, password: &str) -> process::Finished {
        let program = mq("passwd scram -I 4096").words(options).arg(self.path()).arg(user);
        program.stdin(format!("{password}\n")).run()
    }

    /// A broker for these users.
    fn broker(&self, options: &str) -> EmbeddedBroker {
        EmbeddedBroker::start_with(&format!("-p 0 --scram-file {} {options}", self.path().display()))
    }
}

/// A directory with a file that holds this, for its owner alone.
fn private_file(content: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    use std::os::unix::fs::PermissionsExt;
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("token");
    std::fs::write(&path, content).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    (directory, path)
}
