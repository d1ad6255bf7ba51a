//! Commands that a test does not run: their options and values are those that `mq` knows.

use super::super::support::mq_path;
use std::process::{Command, Stdio};

/// The shell finds no programs, and `mq` is a function that prints the help instead of doing anything: an unknown option or an invalid
/// value before `--help` is an error.
const STAND_INS: &str = r#"
PATH=/nonexistent
mq() {
    echo >>"$HOME/commands"
    "$MQ" "$@" --help </dev/null >/dev/null 2>>"$HOME/errors" || echo "of: mq $*" >>"$HOME/errors"
}
date() { echo 2030-01-01T00:00:00Z; }
kill() { :; } # what runs in the background is checked, too
"#;

/// Returns the number of commands in the lines of a script, and the errors of `mq`.
pub fn check(script: &str) -> (usize, String) {
    let directory = tempfile::TempDir::new().unwrap();
    let output = Command::new("bash")
        .arg("-c")
        .arg(format!("{STAND_INS}\n{script}\nwait"))
        .env("HOME", directory.path())
        .env("MQ", mq_path())
        .current_dir(directory.path())
        .stdin(Stdio::null())
        .output()
        .expect("bash runs");
    let shell = String::from_utf8_lossy(&output.stderr);
    assert!(!shell.contains("syntax error"), "{shell}");
    let read = |name| std::fs::read_to_string(directory.path().join(name)).unwrap_or_default();
    (read("commands").lines().count(), read("errors"))
}

#[test]
fn unknown_options_and_invalid_values_are_errors() {
    assert_eq!(check("seq 3 | mq pub -l -t a # lines\nmq broker &\nkill $!"), (2, String::new()));
    for wrong in
        ["mq pub --bogus", "mq sub -t a -q 7", "echo $(mq bench --rat 5)", "mq sub -t a | mq pub --tpoic b"]
    {
        let (_, errors) = check(wrong);
        assert!(errors.contains("of: mq "), "{wrong}: {errors}");
    }
}
