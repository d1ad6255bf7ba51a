//! A shell with a network, a home directory and an `mq` of its own, which runs one command after another.

use crate::support::DEADLINE;
use crate::support::broker::find;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Instant;
use tempfile::TempDir;

/// A reader types the next command when a subscriber in the background is ready. Here, `mq` with the variable SUBSCRIBED says when
/// that is: with SUBACK, which -d shows. The other lines of -d are removed again.
const MQ: &str = r#"#!/bin/bash
if [ "$1" = sub ] && [ -n "$SUBSCRIBED" ]; then
    shift
    exec PROGRAM sub -d "$@" 2> >(while IFS= read -r line; do
        case $line in
            *' <- SUBACK '*) : > "$SUBSCRIBED" ;;
            [0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9]*) ;;
            *) printf '%s\n' "$line" >&2 ;;
        esac
    done)
fi
exec PROGRAM "$@"
"#;

/// A running shell. Its end ends all that it started.
pub struct Shell {
    child: Child,
    stdin: ChildStdin,
    output: Receiver<Vec<u8>>,
    pending: Vec<u8>,
    home: TempDir,
    commands: usize,
}

impl Shell {
    /// Whether this machine has bash, and lets the test have a network of its own. If not, says so.
    pub fn is_available() -> bool {
        if ["bash", "unshare", "ip", "jq"].iter().any(|program| find(program).is_none()) {
            return false;
        }
        let probe = Command::new("unshare").args(["-rn", "true"]).stderr(Stdio::null()).status();
        let is_available = probe.is_ok_and(|status| status.success());
        if !is_available {
            let _ = writeln!(
                std::io::stderr(),
                "skipped: the commands in the documents, as `unshare -rn` is not permitted"
            );
        }
        is_available
    }

    pub fn start() -> Shell {
        let home = TempDir::new().unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        install_mq(&home.path().join(".bin"));
        let mut child = Command::new("unshare")
            .args(["-rn", "bash", "--norc"])
            .env_clear()
            .env("HOME", home.path())
            .env("PATH", format!("{}:{path}:/usr/sbin:/sbin", home.path().join(".bin").display()))
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC")
            .current_dir(home.path())
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().expect("it is piped");
        let stdout = child.stdout.take().expect("it is piped");
        let (sender, output) = channel();
        thread::spawn(move || read_all(stdout, &sender));
        let mut shell = Shell { child, stdin, output, pending: Vec::new(), home, commands: 0 };
        shell.write("exec 2>&1; status=0; ip link set lo up\n");
        shell
    }

    /// Runs a command until it has ended, or is in the background, and its output is right: from the end of the command before, and
    /// including that of earlier ones in the background. The error is the output.
    pub fn run(&mut self, command: &str, is_right: impl Fn(&str) -> bool) -> Result<(), String> {
        self.commands += 1;
        let marker = format!("@end-of-command-{}@\n", self.commands);
        let subscribed = starts_subscriber(command)
            .then(|| self.home.path().join(format!(".subscribed-{}", self.commands)));
        let variable = subscribed.as_ref().map_or_else(String::new, |path| path.display().to_string());
        self.write(&format!(
            "export SUBSCRIBED='{variable}'\n(exit \"$status\")\n{{ {command}\n}} < /dev/null\nstatus=$?\nprintf '{}\\n'\n",
            marker.trim_end()
        ));
        let deadline = Instant::now() + DEADLINE;
        loop {
            let text = String::from_utf8_lossy(&self.pending).into_owned();
            let output = text.replacen(&marker, "", 1);
            let has_ended = output.len() < text.len();
            let is_ready = subscribed.as_deref().is_none_or(Path::exists);
            if has_ended && is_ready && is_right(&output) {
                self.pending.clear();
                return Ok(());
            }
            if Instant::now() > deadline || !self.receive() {
                return Err(output);
            }
        }
    }

    /// Writes a file below the home directory, which is also the current one.
    pub fn write_file(&self, name: &str, lines: &[String]) {
        let path: PathBuf = self.home.path().join(name);
        fs::create_dir_all(path.parent().expect("it is below the home directory")).unwrap();
        fs::write(&path, lines.join("\n") + "\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap(); // it may contain a password
    }

    fn write(&mut self, text: &str) {
        self.stdin.write_all(text.as_bytes()).expect("the shell reads its commands");
    }

    /// Waits for output, or a moment for the file of a subscriber. False if the shell has ended.
    fn receive(&mut self) -> bool {
        match self.output.recv_timeout(std::time::Duration::from_millis(5)) {
            Ok(bytes) => self.pending.extend(bytes),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return false,
        }
        true
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let group = format!("kill -s KILL -- -{}", self.child.id());
        let _ = Command::new("sh").args(["-c", &group]).stderr(Stdio::null()).status();
        let _ = self.child.wait();
    }
}

/// Whether the command leaves `mq sub` in the background.
fn starts_subscriber(command: &str) -> bool {
    let command = command.split(" # ").next().unwrap_or(command).trim_end();
    command.ends_with('&') && command.contains("mq sub ")
}

fn install_mq(directory: &Path) {
    fs::create_dir(directory).unwrap();
    let file = directory.join("mq");
    fs::write(&file, MQ.replace("PROGRAM", crate::support::mq_path())).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
}

fn read_all(mut stdout: impl Read, sender: &Sender<Vec<u8>>) {
    let mut chunk = vec![0; 65536];
    while let Ok(length) = stdout.read(&mut chunk) {
        if length == 0 || sender.send(chunk[..length].to_vec()).is_err() {
            return;
        }
    }
}
