//! `verify`, `list` and `check`, which change nothing.

use super::*;

#[test]
fn the_right_password_is_0_and_any_other_3() {
    let passwords = Passwords::with(format!("# c\r\n ann : {SECRET} :more\r\n"));
    let verify = |user, password: &str| passwords.below("verify", user).stdin(password).run();
    verify("ann", "secret\n").expect_status(0);
    for wrong in ["Secret", "secret ", "secre"] {
        assert_says(&verify("ann", wrong).fail(3), &["the password of ann is wrong"]);
    }
    assert_says(&verify("zoe", "secret").fail(3), &["no user 'zoe'"]);
    assert_says(&verify("ann", "").fail(1), &["empty"]);
    assert_says(&passwords.below("verify", "").run().fail(2), &["USER"]);
    let stderr = mq("passwd verify /nonexistent ann").stdin("x").run().fail(1);
    assert_says(&stderr, &["/nonexistent", "No such file"]);
}

#[test]
fn a_line_that_cannot_be_checked_is_an_error() {
    let passwords = Passwords::with(format!("ann:plain\nbob:{SECRET}\nbob:{SECRET}\n"));
    for (user, says) in [("ann", "line 1"), ("bob", "lines 2 and 3")] {
        let finished = passwords.below("verify", user).stdin("plain").run();
        assert!(!finished.stderr.contains("plain"), "{}", finished.stderr);
        assert_says(&finished.fail(1), &[says]);
    }
}

#[test]
fn a_hash_that_would_cost_hours_is_refused_at_once() {
    for costs in ["m=4294967295,t=1,p=1", "m=1048576,t=1000,p=1", "m=64,t=4294967295,p=1"] {
        let passwords =
            Passwords::with(format!("ann:$argon2id$v=19${costs}$c2FsdHNhbHQ$8/RTMUZ1jPZmqIX33K5v0A\n"));
        passwords.below("verify", "ann").stdin("x").run().fail(1);
    }
}

#[test]
fn a_list_has_users_schemes_and_weaknesses() {
    let passwords = Passwords::with(format!("# c\nann:{SECRET}\nbad:plain\n"));
    passwords.passwd("-b", "bob x").run().expect_status(0);
    passwords.passwd("-b -H sha512", "cat x").run().expect_status(0);
    passwords.passwd("-b -H argon2id", "dan x").run().expect_status(0);
    assert_eq!(
        passwords.below("list", "").run().succeed(),
        "ann  sha512-pbkdf2  1 iteration, salt of 12 bytes; weak: few iterations\n\
         bad  -              line 3: unknown hash; mosquitto's begin with $6$, $7$ or $argon2id$\n\
         bob  sha512-pbkdf2  20000 iterations, salt of 12 bytes\n\
         cat  sha512         salt of 12 bytes; weak: one round of SHA-512; a GPU tests billions of passwords per second\n\
         dan  argon2id       m=47104,t=1,p=1, salt of 64 bytes\n"
    );
    assert_eq!(Passwords::with("").below("list", "").run().succeed(), "");
}

#[test]
fn names_that_a_terminal_would_obey_are_shown_escaped() {
    let passwords = Passwords::with(b"\x1b[2J\x07:x\ncaf\xe9\x7f:y\n");
    for command in ["list", "check"] {
        let finished = passwords.below(command, "").run();
        let shown = String::from_utf8(finished.stdout).unwrap();
        assert!(!shown.bytes().any(|byte| byte.is_ascii_control() && byte != b'\n'), "{shown:?}");
        assert_says(&shown, &["\\u{1b}[2J\\u{7}"]);
    }
}

#[test]
fn a_closed_standard_output_ends_quietly() {
    let lines: String = (0..20_000).map(|number| format!("user{number}:x\n")).collect();
    let passwords = Passwords::with(lines);
    let finished = passwords.below("list", "").closing_stdout_after(1).run();
    assert_eq!(finished.stderr, "");
    finished.expect_status(0);
}

#[test]
fn check_lists_the_lines_that_each_broker_would_not_load() {
    let digest = SECRET.rsplit('$').next().unwrap();
    let salt = |length: usize| format!("{}==", "A".repeat(length.div_ceil(3) * 4 - 2));
    let argon2 = "$argon2id$v=19$m=64,t=3,p=4$c2FsdHNhbHQ$8/RTMUZ1jPZmqIX33K5v0A";
    let text = format!(
        "short:{SECRET}\nlong:$7$1${}${digest}\neight:$6$${digest}\nargon:{argon2}\nplain:x\nold:$6${}${digest}\nold:{SECRET}\n",
        salt(64),
        "A".repeat(16),
    );
    let passwords = Passwords::with(text);
    for (target, bad) in [
        ("mosquitto-1", &["1:short", "2:long", "3:eight", "4:argon", "5:plain", "7:old"][..]),
        ("mosquitto-2.0", &["2:long", "3:eight", "4:argon", "5:plain", "7:old"]),
        ("mosquitto-2.1", &["3:eight", "4:argon", "5:plain", "7:old"]),
        ("mosquitto-2.1-argon2", &["3:eight", "5:plain", "7:old"]),
    ] {
        let finished = passwords.below(&format!("check --target {target}"), "").run();
        finished.expect_status(3);
        let text = String::from_utf8(finished.stdout).unwrap();
        let found: Vec<String> = text.lines().map(line_and_user).collect();
        assert_eq!(found, bad, "{target}: {text}");
    }
}

/// `3:ann` for a line about line 3 and the user ann.
fn line_and_user(text: &str) -> String {
    let between =
        |start: &str, end: &str| text.split(start).nth(1).unwrap().split(end).next().unwrap().to_owned();
    format!("{}:{}", between(", line ", ","), between("user '", "'"))
}

#[test]
fn a_file_that_a_broker_loads_is_0() {
    let passwords = Passwords::with(format!("# c\n\nann:{SECRET}\nno colon\n"));
    for target in ["mosquitto-2.0", "mosquitto-2.1", "mosquitto-2.1-argon2"] {
        let finished = passwords.below(&format!("check --target {target}"), "").run();
        assert_says(&finished.stderr, &["loads every line with a user: 1"]);
        assert_eq!(finished.succeed(), "");
    }
}

#[test]
fn users_with_names_of_any_length_are_listed() {
    let long = "x".repeat(70_000);
    let passwords = Passwords::with(format!("{long}:{SECRET}\nann:{SECRET}\n"));
    let list = passwords.below("list", "").run().succeed();
    let lines: Vec<&str> = list.lines().collect();
    assert!(lines.len() == 2 && lines[1].len() < 200, "{} bytes", list.len());
    let users = format!(r#"[{{"user_id":"{long}","password_hash":"aa","salt":"b"}}]"#);
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("users.json");
    std::fs::write(&path, users).unwrap();
    let list = mq("passwd list --format emqx-json").arg(&path).run().succeed();
    assert!(list.starts_with(&long), "{} bytes", list.len());
}
