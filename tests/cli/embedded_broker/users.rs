//! `mq broker --password-file`: accepted and rejected clients, with mosquitto's reason codes.

use crate::support::*;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Hashes of "secret": 101 iterations of PBKDF2, one round of SHA-512, Argon2id with little memory.
pub(super) const PBKDF2: &str = "$7$101$MDEyMzQ1Njc4OWFi$EO/lLlkeUgIiBaS8G8UK0ZMP1u508TA7Tl+AdJ1cEsmlbGyEPAERErpfq84j1kepISs0UzmcdL4ucgZ2uodxfQ==";
const SHA512: &str = "$6$MDEyMzQ1Njc4OWFi$qEXipeLbgxRlwd06QHfY5WITkUZg0jLg9SZbXzq3ifXjfj+v3GbJGrSfC5PAg3UNCS+UFfbhUIZX4bmIAs330w==";
const ARGON2ID: &str = "$argon2id$v=19$m=64,t=3,p=4$c2FsdHNhbHQ$8/RTMUZ1jPZmqIX33K5v0A";

/// A directory with a file that holds this.
pub(super) fn file(text: &str) -> (TempDir, PathBuf) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("pw");
    std::fs::write(&path, text).unwrap();
    (directory, path)
}

/// A broker for the users in this file.
pub(super) fn broker_for(path: &Path, options: &str) -> EmbeddedBroker {
    EmbeddedBroker::start_with(&format!("-p 0 --password-file {} {options}", path.display()))
}

/// CONNECT of each version with these bytes behind the client identifier, and the first bytes of what must come back.
#[track_caller]
fn expect_answer(server: &dyn Server, has_name: bool, has_password: bool, fields: &str, v3: u8, v5: u8) {
    let flags = 2 | u8::from(has_name) << 7 | u8::from(has_password) << 6;
    for (start, code) in [
        (format!("`MQIsdp` 03 {flags:02x} 003c"), v3),
        (format!("`MQTT` 04 {flags:02x} 003c"), v3),
        (format!("`MQTT` 05 {flags:02x} 003c ()"), v5),
    ] {
        let mut wire = server.connect();
        wire.send(&format!("10 ({start} `me` {fields})"));
        let answer = wire.packet();
        assert_eq!((answer[0], answer[2], answer[3]), (0x20, 0, code), "{start}{fields}: {answer:02x?}");
        if code != 0 {
            assert_eq!(wire.expect_end(), b"");
        }
    }
}

#[track_caller]
fn expect_users_alone(server: &dyn Server) {
    expect_answer(server, true, true, "`ann` `secret`", 0, 0);
    for (has_name, has_password, fields) in [
        (true, true, "`ann` `Secret`"),
        (true, true, "`ann` ``"),
        (true, true, "`bob` `secret`"),
        (true, true, "`` `secret`"),
        (true, false, "`ann`"),
        (false, false, ""),
    ] {
        expect_answer(server, has_name, has_password, fields, 5, 0x87);
    }
}

#[test]
fn users_are_let_in_and_all_others_get_mosquittos_answer() {
    let line = format!("ann:{PBKDF2}\n");
    let (_directory, path) = file(&line);
    expect_users_alone(&broker_for(&path, ""));
    let configuration = "allow_anonymous false\npassword_file {directory}/pw";
    if let Some(mosquitto) = Mosquitto::start_with_files(configuration, &[("pw", &line)]) {
        expect_users_alone(&mosquitto);
    }
}

#[test]
fn a_line_without_a_user_name_is_refused() {
    let (_directory, path) = file(&format!("ann:{PBKDF2}\n:{PBKDF2}\n"));
    let stderr = mq(&format!("broker -p 0 --password-file {}", path.display())).run().fail(1);
    assert_says(&stderr, &["--password-file", "line 2", "missing user name"]);
}

#[test]
fn an_empty_password_lets_nobody_in_unless_that_is_asked_for() {
    let (_directory, path) = file("");
    called_as("mosquitto_passwd", "-b").arg(&path).arg("ann").arg("").run().expect_status(0);
    expect_answer(&broker_for(&path, ""), true, true, "`ann` ``", 5, 0x87);
    let broker = broker_for(&path, "--allow-empty-passwords");
    expect_answer(&broker, true, true, "`ann` ``", 0, 0);
    expect_answer(&broker, true, true, "`ann` `x`", 5, 0x87);
    expect_answer(&broker, true, true, "`bob` ``", 5, 0x87);
}

#[test]
fn every_hash_of_mosquittos_is_checked() {
    let (_directory, path) =
        file(&format!("# all kinds\na:{SHA512}\r\n\nb:{PBKDF2}\nno colon\nc:{ARGON2ID}"));
    let broker = broker_for(&path, "");
    for user in ["a", "b", "c"] {
        expect_answer(&broker, true, true, &format!("`{user}` `secret`"), 0, 0);
        expect_answer(&broker, true, true, &format!("`{user}` `wrong`"), 5, 0x87);
    }
}

#[test]
fn clients_without_a_name_are_let_in_when_that_is_asked_for() {
    let (_directory, path) = file(&format!("ann:{PBKDF2}\n"));
    let broker = broker_for(&path, "--allow-anonymous");
    expect_answer(&broker, false, false, "", 0, 0);
    // As in mosquitto.
    expect_answer(&broker, true, true, "`` `secret`", 0, 0);
    expect_answer(&broker, true, true, "`ann` `secret`", 0, 0);
    expect_answer(&broker, true, true, "`ann` `wrong`", 5, 0x87);
    expect_answer(&broker, true, true, "`bob` `secret`", 5, 0x87);
}

#[test]
fn an_empty_file_accepts_no_user() {
    let (_directory, path) = file("# nobody yet\n");
    expect_answer(&broker_for(&path, ""), true, true, "`ann` `secret`", 5, 0x87);
}

#[test]
fn tools_tell_their_users() {
    let Some(program) = broker::find("mosquitto_passwd") else { return };
    let (_directory, path) = file("ann:secret\nbob:other\n");
    assert!(Command::new(program).arg("-U").arg(&path).status().unwrap().success());
    let broker = broker_for(&path, "");
    for version in ["mqttv31", "mqttv311", "mqttv5"] {
        for (who, is_let_in) in [
            ("-u ann -P secret", true),
            ("-u bob -P other", true),
            ("-u bob -P secret", false),
            ("-u carol -P secret", false),
            ("", false),
        ] {
            let finished = broker.mq(&format!("pub -t a -m x -q 1 -V {version} {who}")).run();
            if is_let_in {
                finished.succeed();
            } else {
                assert_says(&finished.fail(5), &["not authorized", "-u USER and -P PASSWORD"]);
            }
            let Some(program) = broker.mosquitto_pub(&format!("-t a -m x -V {version} {who}")) else {
                return;
            };
            assert_eq!(program.run().status == 0, is_let_in, "{version} {who}");
        }
    }
}

#[test]
fn the_broker_names_refused_users() {
    let (_directory, path) = file(&format!("ann:{PBKDF2}\n"));
    let mut broker = broker_for(&path, "");
    broker.mq("pub -t a -m x -u mallory -P guess").run().fail(5);
    let line = broker.process().wait_for_stderr("refused");
    assert_says(&line, &["not authorized", "\"mallory\""]);
    assert!(!line.contains("guess"), "{line}");
}

#[test]
fn the_file_is_read_again_at_sighup_and_a_bad_one_changes_nothing() {
    let (_directory, path) = file(&format!("ann:{PBKDF2}\n"));
    let mut broker = broker_for(&path, "");
    let mut client = broker.connect();
    client.send("10 (`MQTT` 04 c2 003c `me` `ann` `secret`)");
    client.expect("20 (00 00)");

    std::fs::write(&path, format!("bob:{PBKDF2}\ncarol:plain\n")).unwrap();
    broker.process().signal("HUP");
    let line = broker.process().wait_for_stderr("line 2");
    assert_says(&line, &["carol", "unknown hash"]);
    broker.process().wait_for_stderr("the users are unchanged: 1 user");
    expect_answer(&broker, true, true, "`ann` `secret`", 0, 0);
    expect_answer(&broker, true, true, "`bob` `secret`", 5, 0x87);

    std::fs::write(&path, format!("bob:{PBKDF2}\ncarol:{SHA512}\n")).unwrap();
    broker.process().signal("HUP");
    broker.process().wait_for_stderr("again: 2 users");
    expect_answer(&broker, true, true, "`ann` `secret`", 5, 0x87);
    expect_answer(&broker, true, true, "`bob` `secret`", 0, 0);

    std::fs::remove_file(&path).unwrap();
    broker.process().signal("HUP");
    broker.process().wait_for_stderr("the users are unchanged: 2 users");
}

#[test]
fn connected_clients_stay_when_the_users_change() {
    let (_directory, path) = file(&format!("ann:{PBKDF2}\n"));
    let mut broker = broker_for(&path, "");
    let mut client = broker.connect();
    client.send("10 (`MQTT` 04 c2 003c `me` `ann` `secret`)");
    client.expect("20 (00 00)");
    std::fs::write(&path, "").unwrap();
    broker.process().signal("HUP");
    broker.process().wait_for_stderr("again: 0 users");
    client.ping();
}

#[test]
fn a_file_with_a_bad_line_is_refused_with_the_line() {
    for (text, parts) in [
        (format!("ann:{PBKDF2}\nbob:secret\n"), &["line 2", "bob", "unknown hash"][..]),
        (format!("ann:{PBKDF2}\n\nann:{SHA512}\n"), &["line 3", "ann", "duplicate user, also on line 1"]),
        ("ann:$7$99999999999$AAAA$AAAA\n".to_owned(), &["line 1", "iterations"]),
        ("ann:$6$\0\n".to_owned(), &["line 1", "NUL"]),
    ] {
        let (_directory, path) = file(&text);
        let stderr = mq("broker -p 0 --password-file").arg(&path).run().fail(1);
        assert_says(&stderr, &["mq broker:", "--password-file"]);
        assert_says(&stderr, parts);
    }
    assert_says(&mq("broker -p 0 --password-file /nonexistent").run().fail(1), &["/nonexistent", "No such"]);
    assert_says(&mq("broker -p 0 --password-file /dev/null").run().fail(1), &["/dev/null"]);
    let stderr = mq("broker -p 0 --allow-anonymous").run().fail(2);
    assert_first_line(&stderr, "mq broker: missing one of --password-file, --scram-file");
}

#[test]
fn others_are_served_while_passwords_are_checked() {
    // A hash that takes longer than all the rest of the test.
    let slow = PBKDF2.replace("$101$", "$2000000$");
    let (_directory, path) = file(&format!("slow:{slow}\nann:{PBKDF2}\n"));
    let broker = broker_for(&path, "--allow-anonymous");
    let mut waiting = broker.connect();
    waiting.send("10 (`MQTT` 04 c2 003c `slow` `slow` `wrong`)");
    let mut client = Wire::v311(&broker, "other");
    client.ping();
    waiting.expect_quiet();
    client.ping();
    waiting.expect("20 (00 05)");
}

#[test]
fn a_crowd_at_the_door_is_let_in_one_after_the_other() {
    let (_directory, path) = file(&format!("ann:{PBKDF2}\n"));
    let broker = broker_for(&path, "");
    let mut wires: Vec<Wire> = (0..200).map(|_| broker.connect()).collect();
    for (number, wire) in wires.iter_mut().enumerate() {
        wire.send(&format!("10 (`MQTT` 04 c2 003c `{number}` `ann` `secret`)"));
    }
    for wire in &mut wires {
        wire.expect("20 (00 00)");
    }
}

#[test]
fn a_client_that_leaves_while_it_is_checked_does_no_harm() {
    let slow = PBKDF2.replace("$101$", "$200000$");
    let (_directory, path) = file(&format!("slow:{slow}\n"));
    let broker = broker_for(&path, "--allow-anonymous");
    for _ in 0..8 {
        broker.connect().send("10 (`MQTT` 04 c2 003c `gone` `slow` `secret`)");
    }
    Wire::v311(&broker, "other").ping();
    let process = broker.into_process();
    process.signal("TERM");
    process.finish().expect_status(143);
}

#[test]
fn lines_without_a_colon_are_ignored_and_reported() {
    let (_directory, path) = file(&format!("ann:{PBKDF2}\n\n# x\nbob\n \t\nx y\n"));
    let mut broker = broker_for(&path, "");
    let warning = "4 and 1 line more: ignored, since there is no colon after a user name";
    assert_says(&broker.process().wait_for_stderr("warning: "), &["pw, line ", warning]);
    expect_users_alone(&broker);
    std::fs::write(&path, "ann\n").unwrap();
    broker.signal("HUP");
    broker.process().wait_for_stderr("again: 0 users");
    assert_says(&broker.process().wait_for_stderr("warning: "), &["pw, line 1: ignored"]);
}
