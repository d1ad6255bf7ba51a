//! Passwords that are asked for on a terminal.

use super::*;
use std::os::unix::fs::symlink;

/// A directory with `mq` and `mosquitto_passwd`.
fn programs() -> TempDir {
    let programs = TempDir::new().unwrap();
    for name in ["mq", "mosquitto_passwd"] {
        symlink(mq_path(), programs.path().join(name)).unwrap();
    }
    programs
}

/// Runs this on a terminal, in the directory of the file, types an answer after each prompt, and gives all that is shown.
fn talk(passwords: &Passwords, line: &str, talk: &[(&str, &str)]) -> Option<String> {
    let programs = programs();
    let (programs, place) = (programs.path().display(), passwords.directory.path().display());
    let line = format!("PATH={programs}:$PATH; cd {place}; {line}; echo status $?; stty -a");
    let mut running = on_a_terminal(&line)?;
    for (prompt, answer) in talk {
        running.wait_for_part_of_stdout(prompt);
        running.write(answer);
    }
    let shown = String::from_utf8(running.finish().stdout).unwrap();
    assert!(!shown.contains("xyzzy"), "the password is shown: {shown}");
    for flag in ["echo", "icanon", "isig"] {
        assert!(shown.split_whitespace().any(|word| word == flag), "{flag} in {shown}");
    }
    Some(shown)
}

#[test]
fn a_password_is_asked_for_twice_and_not_shown() {
    let passwords = Passwords::none();
    let answers = [("Password for ann: ", "xyzzy\r"), ("Reenter password for ann: ", "xyzzy\r")];
    let Some(shown) = talk(&passwords, "mq passwd -c -I 1 pw ann", &answers) else { return };
    assert_says(&shown, &["ann was added", "status 0"]);
    passwords.assert_verifies("ann", "xyzzy");
    let answers = [("Password: ", "xyzzy1\r"), ("Reenter password: ", "xyzzy1\r")];
    let shown = talk(&passwords, "mosquitto_passwd pw ann", &answers).unwrap();
    assert_says(&shown, &["Updating password for user ann", "status 0"]);
    passwords.assert_verifies("ann", "xyzzy1");
}

#[test]
fn two_different_answers_change_nothing() {
    for (line, reenter) in [
        ("mq passwd pw ann", "Reenter password for ann: "),
        ("mosquitto_passwd pw ann", "Reenter password: "),
    ] {
        let passwords = Passwords::with("bob:x\n");
        let answers = [("Password", "xyzzy\r"), (reenter, "xyzzz\r")];
        let Some(shown) = talk(&passwords, line, &answers) else { return };
        assert_says(&shown, &["differ", "status 2"]);
        assert_eq!(passwords.text(), "bob:x\n");
    }
}

#[test]
fn an_empty_answer_changes_nothing() {
    for (line, status) in [("mq passwd pw ann", "status 2"), ("mosquitto_passwd pw ann", "status 1")] {
        let passwords = Passwords::with("bob:x\n");
        let Some(shown) = talk(&passwords, line, &[("Password", "\r")]) else { return };
        assert_says(&shown, &["empty", status]);
        assert_eq!(passwords.text(), "bob:x\n");
    }
}

#[test]
fn a_signal_at_either_prompt_leaves_terminal_and_file_as_they_were() {
    for (line, reenter) in [
        ("mq passwd pw ann", "Reenter password for ann: "),
        ("mosquitto_passwd pw ann", "Reenter password: "),
    ] {
        for answers in [&[("Password", "\x03")][..], &[("Password", "xyzzy\r"), (reenter, "\x03")]] {
            let passwords = Passwords::with("bob:x\n");
            let Some(shown) = talk(&passwords, line, answers) else { return };
            assert_says(&shown, &["status 130"]);
            assert_eq!(passwords.text(), "bob:x\n");
            assert_eq!(passwords.files(), ["pw"]);
        }
    }
}

#[test]
fn a_password_on_the_command_line_is_warned_of_on_a_terminal() {
    let passwords = Passwords::with("");
    for line in ["mq passwd -b -I 1 pw ann secret", "mosquitto_passwd -b pw ann secret"] {
        let Some(shown) = talk(&passwords, line, &[]) else { return };
        assert_eq!(shown.matches("on the command line is visible").count(), 1, "{shown}");
        assert_says(&shown, &["status 0"]);
    }
}

#[test]
fn a_known_password_is_asked_for_once() {
    let passwords = Passwords::with(format!("ann:{SECRET}\n"));
    for (answer, status) in [("secret\r", "status 0"), ("xyzzy\r", "status 3")] {
        let answers = [("Password for ann: ", answer)];
        let Some(shown) = talk(&passwords, "mq passwd verify pw ann", &answers) else { return };
        assert_says(&shown, &[status]);
    }
}
