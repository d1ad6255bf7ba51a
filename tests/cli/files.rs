//! Files that options name: how much of them is read, what editors put in front of them, what happens when the process may open no
//! more of them or write no larger ones, and files that cannot be replaced.

use super::support::certificates::*;
use super::support::*;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::TempDir;

/// What editors on Windows put in front of a text.
const MARK: &str = "\u{feff}";

/// `mq` with these words, below a limit of the shell's `ulimit`.
fn limited(limit: &str, words: &str) -> Program {
    let program = Program::new("sh").arg("-c").arg(format!("ulimit {limit}; exec \"$0\" \"$@\""));
    program.arg(mq_path()).words(words)
}

#[test]
fn too_few_descriptors_are_an_error_and_no_panic() {
    let broker = EmbeddedBroker::start();
    let directory = TempDir::new().unwrap();
    let passwords = directory.path().join("pw");
    fs::write(&passwords, "").unwrap();
    let place = broker.options();
    let list = passwords.display();
    for command in [
        format!("pub {place} -t a -m x"),
        format!("sub {place} -t a -W 1 -E"),
        format!("rr {place} -t a -e b -m x -W 1"),
        format!("doctor {place}"),
        format!("bench {place} -c 1 --messages 1"),
        format!("bench {place} -c 1 --messages 1 --processes 2"),
        format!("inspect {place} -t a -W 1"),
        "inspect --listen 127.0.0.1:0 --to 127.0.0.1:9 -W 1".to_owned(),
        "inspect --hex c000".to_owned(),
        format!("passwd -b {list} ann secret"),
        "broker -p 0 --stop-with-stdin".to_owned(),
    ] {
        for count in 4..16 {
            let finished = limited(&format!("-n {count}"), &command).run();
            assert!(
                (0..100).contains(&finished.status) && !finished.stderr.contains("panicked"),
                "{command} with {count} descriptors ends with {}: {}",
                finished.status,
                finished.stderr
            );
        }
    }
    for command in [format!("pub {place} -t a -m x"), format!("bench {place} -c 1")] {
        let stderr = limited("-n 6", &command).run().fail(1);
        assert_says(&stderr, &["open files", "ulimit -n"]);
    }
}

#[test]
fn endless_files_are_refused_with_their_limit() {
    let ca = authority("CA");
    let files = Files::new(&[("cert.pem", ca.pem()), ("key.pem", ca.encrypted_key_pem("secret"))]);
    let pair = files.words("--cert {}/cert.pem --key {}/key.pem");
    for options in [
        "--cafile /dev/zero".to_owned(),
        files.words("--cert /dev/zero --key {}/key.pem"),
        files.words("--cert {}/cert.pem --key /dev/zero"),
        format!("{pair} --key-password-file /dev/zero"),
        "-o /dev/zero".to_owned(),
        "--preset azure-iothub --device d --sas-key-file /dev/zero".to_owned(),
    ] {
        let finished =
            mq(&format!("pub -h 127.0.0.1 -p 9 -t devices/d/messages/events/ -m x {options}")).run();
        assert_says(&finished.stderr, &["/dev/zero", "larger than", "bytes"]);
        assert!((1..=2).contains(&finished.status), "{options}: {}", finished.status);
    }
    for words in [
        "bench scenario /dev/zero",
        "bench pub --payload-file /dev/zero",
        "bench --baseline /dev/zero",
        "bench merge /dev/zero",
    ] {
        let finished = mq(words).run();
        assert_says(&finished.stderr, &["/dev/zero", "larger than", "bytes"]);
        assert!((1..=2).contains(&finished.status), "{words}: {}", finished.status);
    }
}

#[test]
fn a_file_that_may_not_grow_ends_the_recording_and_leaves_it_whole() {
    let broker = EmbeddedBroker::start();
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("day.ndjson");
    let words = format!("sub -d -q 1 {} -t a --record {}", broker.options(), path.display());
    // In blocks of 512 bytes.
    let mut recorder = limited("-f 8", &words).spawn();
    recorder.wait_for_stderr("<- SUBACK");
    let lines: String = (0..200).map(|number| format!("message {number:040}\n")).collect();
    broker.mq("pub -t a -q 1 -l").stdin(lines).run().succeed();
    assert_says(&recorder.finish().fail(1), &["day.ndjson", "too large"]);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.len() <= 4096 && (text.is_empty() || text.ends_with("}\n")), "{text}");
    // It goes on where there is room.
    let mut recorder = broker.mq("sub -d -C 1 -t a --record").arg(&path).spawn();
    recorder.wait_for_stderr("<- SUBACK");
    broker.mq("pub -t a -m last").run().succeed();
    recorder.finish().succeed();
    let whole = fs::read_to_string(&path).unwrap();
    assert!(whole.starts_with(&text) && whole.contains("\"last\""), "{whole}");
}

#[test]
fn a_file_that_may_not_grow_fails_other_commands_as_well() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("pw");
    let old = "# comment\n".repeat(1000);
    fs::write(&path, &old).unwrap();
    let stderr = limited("-f 4", &format!("passwd -b {} ann secret", path.display())).run().fail(1);
    assert_says(&stderr, &["pw", "too large"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), old);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_byte_order_mark_is_no_part_of_certificates_and_keys() {
    let ca = authority("Test CA");
    let server = ca.issue(server_params());
    let client = ca.issue(for_clients(named("client", &[])));
    let files = Files::new(&[
        ("ca.pem", format!("{MARK}{}", ca.pem())),
        ("cert.pem", format!("{MARK}{}", client.pem())),
        ("key.pem", format!("{MARK}{}", client.key_pem())),
        ("encrypted.pem", format!("{MARK}{}", client.encrypted_key_pem("secret"))),
        ("password", format!("{MARK}secret\r\n")),
    ]);
    for key in ["--key {}/key.pem", "--key {}/encrypted.pem --key-password-file {}/password"] {
        let peer = TlsPeer::demanding(&[&server], &ca);
        let options = files.words(&format!("--cafile {{}}/ca.pem --cert {{}}/cert.pem {key}"));
        peer.mq(&format!("pub -t a -m x -h localhost {options}")).run().succeed();
        peer.finish();
    }
}

#[test]
fn a_byte_order_mark_is_no_part_of_options_passwords_and_recordings() {
    let directory = TempDir::new().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs::write(&path, format!("{MARK}{text}")).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        path
    };
    let password = file("password", "secret\r\n");
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept();
        client.expect("10 (`MQTT` 04 c2 003c `` `ann` `secret`)");
        client.send("20 (00 00)");
        client.expect("30 (`a` 'x') e0 ()");
    });
    peer.mq("pub -u ann -t a -m x --password-file").arg(password).run().succeed();
    peer.finish();
    let options = file("options", "-t a\r\n-m x\r\n");
    let recording = file("day.ndjson", "{\"topic\":\"a\",\"payload\":\"x\"}\n");
    for (option, path) in [("-o", &options), ("--replay", &recording)] {
        let peer = ScriptedPeer::accepting(|client| client.expect("30 (`a` 'x') e0 ()"));
        peer.mq(&format!("pub -V 311 {option}")).arg(path).run().succeed();
        peer.finish();
    }
    let peer = ScriptedPeer::accepting(|client| client.expect("30 (`a` 'x') e0 ()"));
    peer.mq("pub -V 311 --ndjson").stdin(fs::read(&recording).unwrap()).run().succeed();
    peer.finish();
    let config = file("config.toml", "[profile.a]\nhost = '127.0.0.1'\nport = 9\n");
    let stderr = mq("pub -t a -n --profile a").env("MQ_CONFIG", &config).run().fail(1);
    assert_says(&stderr, &["127.0.0.1:9"]);
    let broker = EmbeddedBroker::start();
    let scenario = file("s.toml", "messages = 10\n[[group]]\nname = 'a'\npublishers = 1\nsubscribers = 1\n");
    let finished = broker.mq("bench scenario").arg(&scenario).run();
    assert!(!finished.stderr.contains("line 1"), "{}", finished.stderr);
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_users_name() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("pw");
    mq("passwd -c -b -I 1").arg(&path).words("ann secret").run().expect_status(0);
    let line = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{MARK}{line}")).unwrap();
    let stdout = mq("passwd check").arg(&path).run().stdout;
    assert_says(&String::from_utf8_lossy(&stdout), &["line 1", "byte order mark"]);
    let broker = EmbeddedBroker::start_with(&format!("-p 0 --password-file {}", path.display()));
    broker.mq("pub -u ann -P secret -t a -m x").run().succeed();
    mq("passwd -b -I 1").arg(&path).words("bob secret").run().expect_status(0);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("ann:") && text.contains("\nbob:"), "{text}");
    for list in ["user,password\nann,secret\n", "ann,secret\n"] {
        let list_path = directory.path().join("list.csv");
        fs::write(&list_path, format!("{MARK}{list}")).unwrap();
        let imported = directory.path().join("imported");
        let _ = fs::remove_file(&imported);
        mq("passwd import -c -I 1").arg(&imported).arg(&list_path).run().expect_status(0);
        assert!(fs::read_to_string(&imported).unwrap().starts_with("ann:"));
    }
}

/// Runs a line of the shell in a mount namespace of its own, in which `$1` is mounted on itself. `None`, and a word about it, where
/// that is not allowed.
fn where_it_is_a_mount(path: &Path, line: &str) -> Option<process::Finished> {
    let script = format!("mount --bind \"$1\" \"$1\" && echo mounted && {line}");
    let program = Program::new("unshare").words("-m sh -c").arg(script).arg(mq_path()).arg(path);
    let finished = program.run();
    if !String::from_utf8_lossy(&finished.stdout).contains("mounted") {
        let reason = &finished.stderr;
        // Past the harness, which would keep it to itself.
        let _ = writeln!(std::io::stderr(), "skipped: a mount namespace is not allowed here: {reason}");
        return None;
    }
    Some(finished)
}

#[test]
fn a_file_that_is_a_mount_of_its_own_is_written_in_place() {
    for line in [
        "\"$0\" passwd -b -I 1 \"$1\" bob secret",
        "\"$0\" passwd -c --force -b -I 1 \"$1\" bob secret",
        "\"$0\" passwd psk \"$1\" bob",
        "echo secret | \"$0\" passwd scram \"$1\" bob",
        "printf 'bob,secret\\n' | \"$0\" passwd import -I 1 \"$1\" -",
    ] {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("pw");
        fs::write(&path, "").unwrap();
        let Some(finished) = where_it_is_a_mount(&path, line) else { return };
        assert_eq!(finished.status, 0, "{line}: {}", finished.stderr);
        assert_says(&finished.stderr, &["in place", "busy"]);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("bob:") && text.ends_with('\n'), "{line}: {text}");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "{line} leaves nothing behind");
    }
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("pw");
    fs::write(&path, format!("ann:{}\n", "x".repeat(5000))).unwrap();
    let line = "\"$0\" passwd -D \"$1\" ann";
    let Some(finished) = where_it_is_a_mount(&path, line) else { return };
    assert_eq!(finished.status, 0, "{}", finished.stderr);
    assert_eq!(fs::read_to_string(&path).unwrap(), "");
}

#[test]
fn an_interrupted_change_in_place_is_not_overwritten() {
    let directory = TempDir::new().unwrap();
    let (path, saved) = (directory.path().join("pw"), directory.path().join("pw.mq-old"));
    fs::write(&path, "ann:").unwrap();
    fs::write(&saved, "ann:whole\n").unwrap();
    let line = "\"$0\" passwd -b -I 1 \"$1\" bob secret";
    let Some(finished) = where_it_is_a_mount(&path, line) else { return };
    assert_says(&finished.fail(1), &["interrupted", "pw.mq-old"]);
    assert_eq!(fs::read_to_string(&saved).unwrap(), "ann:whole\n");
}

#[test]
fn a_report_is_written_to_a_mount_of_its_own() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("report.json");
    fs::write(&path, "old".repeat(100_000)).unwrap();
    let line = "\"$0\" bench conn --embedded -c 1 --json \"$1\"";
    let Some(finished) = where_it_is_a_mount(&path, line) else { return };
    assert_eq!(finished.status, 0, "{}", finished.stderr);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with('{') && text.ends_with("}\n"), "{text}");
}

#[test]
fn a_recording_that_is_a_mount_of_its_own_is_rotated() {
    let broker = EmbeddedBroker::start();
    let lines: String = (0..20)
        .map(|number| {
            format!("{{\"topic\":\"a/{number}\",\"payload\":\"{number:0>100}\",\"retain\":true}}\n")
        })
        .collect();
    broker.mq("pub -q 1 --ndjson").stdin(lines).run().succeed();
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("day.ndjson");
    fs::write(&path, "").unwrap();
    let line = format!("\"$0\" sub {} -t a/# -C 20 --record \"$1\" --rotate 1K", broker.options());
    let Some(finished) = where_it_is_a_mount(&path, &line) else { return };
    assert_eq!(finished.status, 0, "{}", finished.stderr);
    let files: Vec<_> = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let messages: usize = files.iter().map(|path| fs::read_to_string(path).unwrap().lines().count()).sum();
    assert!(files.len() > 2, "{files:?}");
    assert_eq!(messages, 20);
}

#[test]
fn a_file_in_a_read_only_directory_is_written_in_place() {
    let directory = TempDir::new().unwrap();
    let (inner, path) = (directory.path().join("config"), directory.path().join("pw"));
    fs::create_dir(&inner).unwrap();
    fs::write(&path, "").unwrap();
    fs::write(inner.join("pw"), "").unwrap();
    // The directory is mounted read-only, and the file in it is a mount that is not.
    let line = "d=\"${1%/pw}/config\"; mount --bind \"$d\" \"$d\" && mount -o remount,ro,bind \"$d\" && \
                mount --bind \"$1\" \"$d/pw\" && \"$0\" passwd -b -I 1 \"$d/pw\" bob secret";
    let Some(finished) = where_it_is_a_mount(&path, line) else { return };
    assert_eq!(finished.status, 0, "{}", finished.stderr);
    assert_says(&finished.stderr, &["in place", "read-only"]);
    assert!(fs::read_to_string(&path).unwrap().starts_with("bob:"));
}

#[test]
fn a_changed_password_file_ends_with_a_line_end() {
    for (options, words) in [
        ("passwd -b -I 1", "ann other"),
        ("passwd -b -I 1", "zoe new"),
        ("passwd -D", "ann"),
        ("passwd -U -I 1", ""),
        ("passwd -b -I 1", "bob other"),
    ] {
        for end in ["", "\r"] {
            let directory = TempDir::new().unwrap();
            let path = directory.path().join("pw");
            fs::write(&path, format!("ann:1{end}\nbob:2{end}")).unwrap();
            mq(options).arg(&path).words(words).run().expect_status(0);
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{options} {words}: {text:?}");
            if !options.contains("-I") {
                continue;
            }
            fs::write(&path, "ann:1\nbob:2").unwrap();
            called_as("mosquitto_passwd", &options["passwd ".len()..options.len() - "-I 1".len()])
                .arg(&path)
                .words(words)
                .run()
                .expect_status(0);
            assert!(fs::read_to_string(&path).unwrap().ends_with('\n'), "{options} {words}");
        }
    }
}

#[test]
fn time_zones_are_read_as_the_c_library_does_it() {
    let broker = EmbeddedBroker::start();
    let shown = |zone: &str| {
        let program = broker.mq("sub -d -t a -C 1 -F @z/@Z").env("TZ", zone);
        let mut subscriber = program.spawn();
        subscriber.wait_for_stderr("<- SUBACK");
        broker.mq("pub -t a -m x").run().succeed();
        let finished = subscriber.finish();
        (String::from_utf8_lossy(&finished.stdout).trim().to_owned(), finished.stderr)
    };
    for (zone, expected) in [
        ("XYZ-25", "+2400/XYZ"),
        ("XYZ-5:30", "+0530/XYZ"),
        ("Asia/Tokyo", "+0900/JST"),
        (":UTC", "+0000/UTC"),
    ] {
        let (stdout, stderr) = shown(zone);
        assert_eq!(stdout, expected, "{zone}");
        assert!(!stderr.contains("TZ="), "{stderr}");
    }
    if Path::new("/usr/share/zoneinfo/posix/Asia/Tokyo").exists() {
        assert_eq!(shown("posix/Asia/Tokyo").0, "+0900/JST");
    }
    for zone in ["Nowhere/At_All", "right/Nowhere", "\u{1b}[2J"] {
        let (stdout, stderr) = shown(zone);
        assert_eq!(stdout, "+0000/UTC", "{zone}");
        assert_says(&stderr, &["TZ=", "UTC"]);
        assert!(!stderr.contains('\u{1b}'), "{stderr}");
    }
    let stderr = mq("inspect --hex c000").env("TZ", "Nowhere/At_All").run().stderr;
    assert_says(&stderr, &["TZ=Nowhere/At_All", "UTC"]);
}
