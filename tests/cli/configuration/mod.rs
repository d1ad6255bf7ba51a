//! Profiles, `MQ_*` variables and `mq config`.

mod alternatives;
mod command;
mod files;
mod mistakes;
mod precedence;

use super::support::*;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use tempfile::TempDir;

/// A file of profiles, for its owner alone.
struct Profiles {
    directory: TempDir,
}

impl Profiles {
    fn new(text: impl AsRef<[u8]>) -> Profiles {
        let profiles = Profiles { directory: TempDir::new().unwrap() };
        std::fs::write(profiles.path(), text).unwrap();
        profiles.set_mode(0o600);
        profiles
    }

    fn set_mode(&self, mode: u32) {
        std::fs::set_permissions(self.path(), std::fs::Permissions::from_mode(mode)).unwrap();
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("config.toml")
    }

    /// The path as messages show it.
    fn shown(&self) -> String {
        self.path().display().to_string()
    }

    fn mq(&self, words: &str) -> Program {
        mq(words).env("MQ_CONFIG", self.path())
    }
}

/// What a test has besides the command line: a file, and variables. `{port}` is that of the broker.
struct Set {
    file: &'static str,
    variables: &'static [(&'static str, &'static str)],
}

impl Set {
    /// Publishes an empty message to `a` with these options, at a broker that expects this CONNECT from the version on.
    #[track_caller]
    fn connects(&self, options: &str, connect: &str) {
        self.runs(&format!("pub -t a -n {options}"), connect);
    }

    /// Runs this command, which publishes an empty message to `a`.
    #[track_caller]
    fn runs(&self, words: &str, connect: &str) {
        let is_version_5 = connect.starts_with("05");
        let connect = format!("10 (`MQTT` {connect})");
        let peer = ScriptedPeer::start(move |peer| {
            let mut client = peer.accept();
            client.expect(&connect);
            client.send(if is_version_5 { "20 (00 00 ())" } else { "20 (00 00)" });
            client.expect(if is_version_5 { "30 (`a` ()) e0 ()" } else { "30 (`a`) e0 ()" });
        });
        let port = peer.address().port().to_string();
        let fill = |text: &str| text.replace("{port}", &port);
        let profiles = Profiles::new(fill(self.file));
        let mut program = profiles.mq(&fill(words));
        for (name, value) in self.variables {
            program = program.env(name, fill(value));
        }
        program.run().succeed();
        peer.finish();
    }
}
