//! `mq passwd import`: lists of users.

use super::*;
use std::fmt::Write;

/// `mq passwd import` into a new file beside a list that holds this.
fn import(options: &str, list: impl AsRef<[u8]>) -> (TempDir, PathBuf, Finished) {
    let (directory, list) = file("list.csv", list);
    let path = directory.path().join("users");
    let finished = mq("passwd import -c").words(options).arg(&path).arg(&list).run();
    (directory, path, finished)
}

#[test]
fn lists_are_imported_into_every_format() {
    for options in [
        "-I 101",
        "-H sha512",
        "--format mosquitto-dynsec -I 101",
        "--format emqx-json",
        "--format emqx-csv",
        "--format rabbitmq",
        "--format vernemq",
        "--format hivemq -I 101",
        "--format nanomq",
    ] {
        let (_directory, path, finished) = import(options, "user,password\r\nann,secret\r\nbob,\"a, b\"\r\n");
        assert_says(&finished.stderr, &["2 added, 0 updated"]);
        finished.succeed();
        let reading = if options.starts_with("--format") { options.split(" -I").next().unwrap() } else { "" };
        verify(reading, &path, "ann", "secret").succeed();
        verify(reading, &path, "bob", "a, b").succeed();
        verify(reading, &path, "bob", "a").fail(3);
    }
}

#[test]
fn existing_users_get_the_new_password_and_others_stay() {
    let (directory, path, finished) = import("-I 101", "ann,one\nbob,two\n");
    finished.succeed();
    let list = directory.path().join("second.csv");
    std::fs::write(&list, "carol,x\nann,new\n").unwrap();
    let finished = mq("passwd import -I 101").arg(&path).arg(&list).run();
    assert_says(&finished.stderr, &["1 added, 1 updated"]);
    finished.succeed();
    for (user, password) in [("ann", "new"), ("bob", "two"), ("carol", "x")] {
        verify("", &path, user, password).succeed();
    }
}

#[test]
fn a_list_comes_from_standard_input_too() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("users");
    mq("passwd import -c -I 101").arg(&path).arg("-").stdin("ann,secret\n").run().succeed();
    verify("", &path, "ann", "secret").succeed();
    let line = mq("passwd import -c -I 101 - -").stdin("ann,secret\n").run().succeed();
    assert!(line.starts_with("ann:$7$101$"), "{line}");
}

#[test]
fn a_header_can_be_a_user() {
    let (_directory, path, finished) = import("-I 101 --no-header", "user,password\n");
    finished.succeed();
    verify("", &path, "user", "password").succeed();
}

#[test]
fn a_bad_row_changes_nothing() {
    for (options, list, parts) in [
        ("", &b"ann,x\nbob\n"[..], &["list.csv", "line 2", "found 1", "nothing was changed"][..]),
        ("", b"ann,x\r\n\r\nann,y\r\n", &["line 3", "ann", "line 1"]),
        ("", b"ann,x\na:b,y\n", &["line 2", "a:b", "colon"]),
        ("", b"ann,x\nbob,\n", &["line 2", "empty"]),
        ("", b"ann,x\n\xffbob,y\n", &["line 2", "UTF-8"]),
        ("", b"ann,x\nb\x1bob,y\n", &["line 2", "control character"]),
        ("--format emqx-csv", b"ann,x\n\"a,b\",y\n", &["line 2", "comma"]),
        ("--format nanomq", b"ann,x\nbob,\"a\"\"b\"\n", &["line 2", "quote"]),
    ] {
        let (directory, list) = file("list.csv", list);
        let path = directory.path().join("users");
        let options = format!("{options} {}", if options.is_empty() { "-I 101" } else { "" });
        mq("passwd import -c").words(&options).arg(&path).arg("-").stdin("old,user\n").run().succeed();
        let before = std::fs::read(&path).unwrap();
        let stderr = mq("passwd import").words(&options).arg(&path).arg(&list).run().fail(1);
        assert_says(&stderr, parts);
        assert_eq!(std::fs::read(&path).unwrap(), before);
        assert_eq!(neighbours(&path), 2);
    }
}

#[test]
fn bad_rows_are_left_out_when_that_is_asked_for() {
    let (_directory, path, finished) = import("-I 101 --keep-going", "ann,x\nbob\nann,y\n:,z\ncarol,w\n");
    assert_says(
        &finished.stderr,
        &["line 2:", "line 3:", "line 4:", "skipped", "2 added, 0 updated, 3 rows"],
    );
    finished.fail(1);
    verify("", &path, "ann", "x").succeed();
    verify("", &path, "carol", "w").succeed();
}

#[test]
fn a_list_that_cannot_be_read_is_reported() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("users");
    for list in ["/nonexistent/list.csv", "/"] {
        assert_says(&mq("passwd import -c").arg(&path).arg(list).run().fail(1), &[list]);
    }
    let endless = format!("ann,\"{}", "x".repeat(3_000_000));
    assert_says(&mq("passwd import -c").arg(&path).arg("-").stdin(endless).run().fail(1), &["quote"]);
    assert!(!path.exists());
    let (_directory, list) = file("list.csv", "ann,x\n");
    assert_says(&mq("passwd import /nonexistent/pw").arg(&list).run().fail(1), &["/nonexistent/pw", "-c"]);
}

#[test]
fn a_signal_changes_nothing() {
    let (_directory, path, finished) = import("-I 101", "old,user\n");
    finished.succeed();
    let before = std::fs::read(&path).unwrap();
    // More than a pipe holds: when all is written, the list is being read.
    let list: String = (0..5000).map(|number| format!("user{number},secret\n")).collect();
    for (signal, status) in [("INT", 130), ("TERM", 143)] {
        let mut running = mq("passwd import -I 300000").arg(&path).arg("-").open_stdin().spawn();
        running.write(&list[..66_000]);
        running.signal(signal);
        running.finish().expect_status(status);
        assert_eq!(std::fs::read(&path).unwrap(), before);
        assert_eq!(neighbours(&path), 2);
    }
}

#[test]
fn ten_thousand_users_are_imported() {
    let mut list = String::from("user,password\n");
    for number in 0..10_000 {
        let _ = writeln!(list, "user{number},password of {number}");
    }
    for options in ["-I 101", "--format hivemq -I 1", "--format mosquitto-dynsec -I 1"] {
        let (_directory, path, finished) = import(options, &list);
        assert_says(&finished.stderr, &["10000 added"]);
        finished.succeed();
        let reading = options.strip_suffix(" -I 1").unwrap_or_default();
        verify(reading, &path, "user9999", "password of 9999").succeed();
        verify(reading, &path, "user0", "password of 1").fail(3);
    }
}

#[test]
fn imported_users_are_let_in() {
    let (_directory, path, finished) = import("", "ann,secret\nbob,\"comma, and \"\"quotes\"\"\"\n");
    finished.succeed();
    let broker = EmbeddedBroker::start_with(&format!("-p 0 --password-file {}", path.display()));
    let password = "comma, and \"quotes\"";
    broker.mq("pub -t a -m x -q 1 -u bob").arg("-P").arg(password).run().succeed();
    broker.mq("pub -t a -m x -q 1 -u bob -P comma").run().fail(5);
    let text = std::fs::read_to_string(&path).unwrap();
    let configuration = "allow_anonymous false\npassword_file {directory}/pw";
    let Some(mosquitto) = Mosquitto::start_with_files(configuration, &[("pw", &text)]) else { return };
    mosquitto.mq("pub -t a -m x -q 1 -u bob").arg("-P").arg(password).run().succeed();
    mosquitto.mq("pub -t a -m x -q 1 -u bob -P comma").run().fail(5);
}
