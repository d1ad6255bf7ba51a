//! `mq passwd scram`: the file of keys.

use super::*;
use std::os::unix::fs::PermissionsExt;

#[test]
fn users_are_added_changed_and_deleted() {
    let keys = Keys::none();
    let added = keys.make("-c", "ann", "secret");
    assert_says(&added.stderr, &["ann was added"]);
    added.succeed();
    assert_eq!(std::fs::metadata(keys.path()).unwrap().permissions().mode() & 0o777, 0o600);
    let first = keys.text();
    assert!(first.starts_with("ann:SCRAM-SHA-256$4096:"), "{first}");
    keys.make("--mechanism scram-sha-512", "b,=b", "secret").succeed();
    let text = keys.text();
    assert!(
        text.starts_with(&first) && text[first.len()..].starts_with("b,=b:SCRAM-SHA-512$4096:"),
        "{text}"
    );
    assert_says(&keys.make("-I 5000", "ann", "secret").fail(0), &["the password of ann was changed"]);
    assert!(keys.text().starts_with("ann:SCRAM-SHA-256$5000:"), "{}", keys.text());
    keys.make("-D", "ann", "").succeed();
    assert!(keys.text().starts_with("b,=b:") && keys.text().lines().count() == 1, "{}", keys.text());
    assert_says(&keys.make("-D", "ann", "").fail(1), &["no user 'ann'"]);
}

#[test]
fn a_line_is_printed_for_the_file_minus() {
    let line = mq("passwd scram - ann").stdin("secret\n").run().succeed();
    assert!(line.starts_with("ann:SCRAM-SHA-256$20000:") && line.lines().count() == 1, "{line}");
}

#[test]
fn the_password_is_asked_for_twice() {
    let keys = Keys::none();
    let line = format!("{} passwd scram -c {} ann", mq_path(), keys.path().display());
    let Some(mut running) = on_a_terminal(&format!("{line}; echo status $?")) else { return };
    running.wait_for_part_of_stdout("Password for ann: ");
    running.write("secret\n");
    running.wait_for_part_of_stdout("Reenter password for ann: ");
    running.write("Secret\n");
    running.wait_for_part_of_stdout("status 2");
    assert!(!keys.path().exists());
}

#[test]
fn bad_words_are_refused_and_nothing_is_written() {
    let keys = Keys::none();
    for (options, user, password, part) in [
        ("-c", "a:b", "x", "':'"),
        ("-c", "", "x", "empty"),
        ("-c", "#a", "x", "'#'"),
        ("-c", "ann", "", "standard input"),
        ("-c", "ann", "a\u{7}b", "cannot be used with SCRAM"),
        ("-c", "\u{ad}", "x", "cannot be used with SCRAM"),
        ("-c -I 4095", "ann", "x", "4096"),
        ("-c -I 10000001", "ann", "x", "10000000"),
        ("-c --mechanism SCRAM-SHA-1", "ann", "x", "SCRAM-SHA-512"),
        ("-c -D", "ann", "x", "-D"),
        ("", "ann", "x", "-c creates a new file"),
    ] {
        let options = if options.contains("-I") { options } else { &format!("{options} -I 4096") };
        let program = mq("passwd scram").words(options).arg(keys.path()).arg(user);
        let finished = program.stdin(format!("{password}\n")).run();
        assert!([1, 2].contains(&finished.status), "{options} {user}: {}", finished.stderr);
        assert_says(&finished.stderr, &[part]);
        assert!(!keys.path().exists(), "{options} {user}");
    }
}

#[test]
fn a_file_of_something_else_is_left_alone() {
    let keys = Keys::none();
    let text = "ann:$7$1$AAAA$AAAA\n";
    std::fs::write(keys.path(), text).unwrap();
    assert_says(
        &keys.make("", "bob", "secret").fail(1),
        &["line 1", "ann", "not SCRAM keys", "nothing was changed"],
    );
    assert_eq!(keys.text(), text);
}
