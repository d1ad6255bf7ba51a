//! Options from files: `-o FILE`, and those that are read by default.

use super::support::*;
use std::path::PathBuf;
use tempfile::TempDir;

/// Nobody listens here: files have to be read before connecting.
const NOWHERE: &str = "-h 127.0.0.1 -p 9";

/// A directory with one file in it.
fn file(name: &str, text: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    (directory, path)
}

/// A broker that receives one message at QoS 1, and returns it.
fn receiving() -> (ScriptedPeer, std::sync::mpsc::Receiver<wire::Message>) {
    let (sender, receiver) = std::sync::mpsc::channel();
    let peer = ScriptedPeer::accepting(move |client| {
        sender.send(client.expect_and_acknowledge()).unwrap();
        client.expect("e0 ()");
    });
    (peer, receiver)
}

#[test]
fn a_file_gives_options_and_typed_ones_win() {
    let text = "# a comment\n\n  # another one\n-t from/file\r\n-m  two  words \n-q 1\n";
    let (_directory, path) = file("options", text);
    for (options, topic, payload) in [
        ("", "from/file", &b"two  words "[..]),
        ("-t typed", "typed", b"two  words "),
        ("--topic=typed -m x", "typed", b"x"),
    ] {
        for name in ["mq", "mosquitto_pub"] {
            let (peer, received) = receiving();
            let program = if name == "mq" { peer.mq("pub") } else { peer.called_as(name) };
            program.words(options).arg("-o").arg(&path).run().succeed();
            peer.finish();
            let message = received.recv().unwrap();
            assert_eq!((message.topic.as_str(), &message.payload[..]), (topic, payload));
        }
    }
}

#[test]
fn the_default_file_is_the_one_of_mosquitto() {
    for (variable, name) in [("XDG_CONFIG_HOME", "mosquitto_pub"), ("HOME", ".config/mosquitto_pub")] {
        let (directory, _path) = file(name, "-q 1\n-t from/file\n-m x\n");
        for name in ["mq", "mosquitto_pub"] {
            let (peer, received) = receiving();
            let program = if name == "mq" { peer.mq("pub") } else { peer.called_as(name) };
            program.without_env().env(variable, directory.path()).run().succeed();
            peer.finish();
            assert_eq!(received.recv().unwrap().topic, "from/file");
        }
    }
}

#[test]
fn only_one_file_is_read() {
    let (home, _path) = file(".config/mosquitto_pub", "--bogus\n");
    let (_directory, path) = file("options", "-t a\n-m x\n-q 1\n");
    let (peer, _received) = receiving();
    peer.mq("pub -o").arg(path).without_env().env("HOME", home.path()).run().succeed();
    peer.finish();
    let (peer, _received) = receiving();
    let program =
        peer.mq("pub -t a -m x -q 1").env("HOME", home.path()).env("XDG_CONFIG_HOME", "/nonexistent");
    program.run().succeed();
    peer.finish();
}

#[test]
fn repeatable_options_add_up() {
    let (_directory, path) = file("options", "-t one\n-D subscribe user-property key  a value\n");
    let peer = ScriptedPeer::accepting_v5("", |client| {
        client.expect("82 (0001 (26 `key` `a value` 26 `k` `v`) `one` 00 `two` 00)");
        client.send("90 (0001 () 00 00)");
        client.expect("e0 ()");
    });
    peer.mq("sub -E -t two -D subscribe user-property k v -o").arg(path).run().succeed();
    peer.finish();
}

#[test]
fn a_value_that_looks_like_the_option_is_a_value() {
    let (peer, received) = receiving();
    peer.mq("pub -t a -q 1 -m -o").run().succeed();
    peer.finish();
    assert_eq!(received.recv().unwrap().payload, b"-o");
}

#[test]
fn mistakes_name_the_file_and_the_line() {
    for (text, parts) in [
        ("-t a\n-q 7\n", &["line 2", "-q", "'7'"][..]),
        ("\n# x\n--mesage x\n", &["line 3", "--mesage", "--message"]),
        ("-m\n", &["line 1", "-m"]),
        ("-r yes\n", &["line 1", "-r"]),
        ("-D publish colour red\n", &["line 1", "-D", "colour"]),
        ("word\n", &["line 1", "word"]),
        ("--\n", &["line 1", "--"]),
        ("-o other\n", &["line 1", "-o"]),
        ("-f file\n", &["-m", "-f", "line 1"]),
        ("-t a\0b\n", &["line 1", "NUL"]),
    ] {
        let (_directory, path) = file("options", text);
        let finished = mq(&format!("pub {NOWHERE} -t a -m x -o")).arg(&path).run();
        let stderr = finished.fail(2);
        assert_says(&stderr, parts);
        assert_says(&stderr, &[&path.display().to_string(), "mq pub: "]);
    }
}

#[test]
fn options_that_do_not_go_together_may_be_in_a_file() {
    for text in ["-c\n", "-V 311\n-x 5\n", "--will-retain\n", "-P secret\n"] {
        let (_directory, path) = file("options", text);
        let stderr = mq(&format!("pub {NOWHERE} -t a -m x -o")).arg(&path).run().fail(2);
        assert_says(&stderr, &[" from ", &path.display().to_string()]);
    }
}

#[test]
fn a_wrong_line_is_1_under_the_names_of_mosquitto() {
    let (directory, _path) = file("mosquitto_sub", "-q 7\n");
    let program = called_as("mosquitto_sub", "-t a").env("XDG_CONFIG_HOME", directory.path());
    assert_says(&program.run().fail(1), &["mosquitto_sub: in ", "line 1"]);
}

#[test]
fn there_is_one_file_at_most() {
    assert_says(&mq(&format!("pub {NOWHERE} -o a -o b -t a -n")).run().fail(2), &["duplicate -o"]);
    assert_says(&called_as("mosquitto_pub", "-o a -o b -t a -n").run().fail(1), &["duplicate -o"]);
}

#[test]
fn a_file_that_is_asked_for_must_be_there() {
    let stderr = mq(&format!("pub {NOWHERE} -t a -n -o /nonexistent/options")).run().fail(1);
    assert_says(&stderr, &["mq pub: cannot read /nonexistent/options"]);
    let stderr = mq(&format!("pub {NOWHERE} -t a -n -o /")).run().fail(1);
    assert_says(&stderr, &["cannot read /", "directory"]);
    let (peer, _received) = receiving();
    peer.called_as("mosquitto_pub -t a -m x -q 1 -o /nonexistent/options").run().succeed();
    peer.finish();
}

#[test]
fn a_default_file_that_is_there_must_be_readable() {
    let directory = TempDir::new().unwrap();
    std::fs::create_dir(directory.path().join("mosquitto_sub")).unwrap();
    let ours = mq(&format!("sub {NOWHERE} -t a")).env("XDG_CONFIG_HOME", directory.path());
    assert_says(&ours.run().fail(1), &["cannot read", "mosquitto_sub", "directory"]);
    let theirs = called_as("mosquitto_sub", "--will-retain -t a").env("XDG_CONFIG_HOME", directory.path());
    assert_first_line(&theirs.run().fail(1), "mosquitto_sub: --will-retain needs --will-topic");
}

#[test]
fn a_file_that_is_too_large_is_not_read() {
    let (_directory, path) = file("options", "# a comment\n".repeat(100_000));
    assert_says(&mq(&format!("pub {NOWHERE} -t a -n -o")).arg(path).run().fail(1), &["larger"]);
}

#[test]
fn a_file_may_give_required_options() {
    let (_directory, path) = file("options", "-t a\n");
    let stderr = mq(&format!("pub {NOWHERE} -o")).arg(&path).run().fail(2);
    assert_says(&stderr, &["missing one of -m"]);
    assert!(!stderr.contains("-t and"), "{stderr}");
}

#[test]
fn a_secret_that_others_can_read_is_reported() {
    use std::os::unix::fs::PermissionsExt;
    for (text, option) in [
        ("-u ann\n-P xyzzy\n", "-P"),
        ("-L mqtt://ann:xyzzy@127.0.0.1:9/a\n", "-L"),
        ("-D connect authentication-method x\n-D connect authentication-data xyzzy\n", "-D"),
        ("-Pxyzzy\n", "-P"),
        ("-P=xyzzy\n", "-P"),
        ("--pw=xyzzy\n", "--pw"),
        ("-Lmqtt://ann:xyzzy@127.0.0.1:9/a\n", "-L"),
        ("-t a\n", ""),
    ] {
        let (_directory, path) = file("options", text);
        for mode in [0o644, 0o600] {
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            let finished = mq(&format!("pub {NOWHERE} -t a -n -o")).arg(&path).run();
            let shown = path.display();
            let warning = format!(
                "mq pub: other users can read the value of {option} in {shown}; `chmod 600 {shown}` prevents it\n"
            );
            let is_reported = finished.stderr.contains(&warning);
            assert_eq!(is_reported, mode == 0o644 && !option.is_empty(), "{text}: {}", finished.stderr);
            assert!(!finished.stderr.contains("xyzzy"), "{}", finished.stderr);
            let theirs = called_as("mosquitto_pub", &format!("{NOWHERE} -t a -n -o")).arg(&path).run();
            assert!(!theirs.stderr.contains("other users"), "{}", theirs.stderr);
        }
    }
}
