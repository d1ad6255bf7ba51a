//! `mq passwd psk`: keys for TLS with pre-shared keys.

use super::*;
use std::os::unix::fs::PermissionsExt;

/// The key behind this identity in the file.
fn key_in(path: &Path, identity: &str) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{identity}:")));
    line.unwrap_or_else(|| panic!("no {identity} in {text}")).to_owned()
}

fn psk(options: &str, path: &Path, identity: &str) -> Program {
    mq("passwd psk").words(options).arg(path).arg(identity)
}

#[test]
fn keys_are_made_changed_and_deleted() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("keys");
    assert_eq!(psk("-c", &path, "lamp").run().succeed(), "");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let first = key_in(&path, "lamp");
    assert!(first.len() == 64 && first.bytes().all(|byte| byte.is_ascii_hexdigit()), "{first}");
    let printed = psk("--print --bytes 16", &path, "door").run().succeed();
    assert_eq!(printed, format!("{}\n", key_in(&path, "door")));
    assert_eq!(printed.len(), 33);
    psk("", &path, "lamp").run().succeed();
    assert_ne!(key_in(&path, "lamp"), first);
    psk("-D", &path, "lamp").run().succeed();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("door:") && text.lines().count() == 1, "{text}");
    assert_says(&psk("-D", &path, "lamp").run().fail(1), &["no identity 'lamp'"]);
    assert_eq!(neighbours(&path), 1);
}

#[test]
fn a_line_is_printed_for_the_file_minus() {
    let line = psk("", Path::new("-"), "lamp").run().succeed();
    let key = line.strip_prefix("lamp:").unwrap().trim_end();
    assert_eq!((key.len(), line.lines().count()), (64, 1));
}

#[test]
fn bad_words_are_refused_and_nothing_is_written() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("keys");
    let long = "x".repeat(129);
    for (options, identity, part) in [
        ("-c", "a:b", "':'"),
        ("-c", "a\nb", "control character"),
        ("-c", "#a", "identity"),
        ("-c", "", "identity"),
        ("-c", &long, "129 bytes"),
        ("-c --bytes 15", "a", "--bytes"),
        ("-c --bytes 257", "a", "--bytes"),
        ("-c -D", "a", "-D"),
        ("--force", "a", "-c"),
    ] {
        assert_says(&psk(options, &path, identity).run().fail(2), &[part]);
        assert!(!path.exists());
    }
    assert_says(&psk("", &path, "a").run().fail(1), &["keys", "-c"]);
    std::fs::write(&path, "a:00\n").unwrap();
    assert_says(&psk("-c", &path, "b").run().fail(1), &["already exists"]);
    assert_eq!(std::fs::read(&path).unwrap(), b"a:00\n");
}

#[test]
fn mosquitto_takes_the_keys() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("keys");
    let lamp = psk("-c --print", &path, "lamp").run().succeed();
    let door = psk("--print --bytes 16", &path, "door").run().succeed();
    let text = std::fs::read_to_string(&path).unwrap();
    let configuration = "psk_hint hint\npsk_file {directory}/keys\nuse_identity_as_username true";
    let Some(mosquitto) = Mosquitto::start_with_files(configuration, &[("keys", &text)]) else { return };
    for (identity, key, is_let_in) in [
        ("lamp", lamp.trim_end(), true),
        ("door", door.trim_end(), true),
        ("lamp", door.trim_end(), false),
        ("other", lamp.trim_end(), false),
    ] {
        let options = format!("-t a -m x -q 1 --psk {key} --psk-identity {identity}");
        let Some(program) = mosquitto.mosquitto_pub(&options) else { return };
        assert_eq!(program.run().status == 0, is_let_in, "{identity}");
    }
}
