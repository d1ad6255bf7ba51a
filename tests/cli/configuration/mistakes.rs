//! Mistakes in the file and in variables, and their error messages.

use super::*;
use std::os::unix::ffi::OsStrExt;

#[test]
fn a_mistake_is_reported_with_its_place() {
    for (text, line, column, parts) in [
        ("[defaults]\nhost = \n", 2, 8, &["string"][..]),
        ("[defaults\n", 1, 10, &["]"]),
        ("[defaults]\nhost = 'a'\nhost = 'b'\n", 3, 1, &["duplicate"]),
        ("[profile.home]\nhostt = 'a'\n", 2, 1, &["hostt", "did you mean 'host'?"]),
        ("[profile.home]\npw = 'a'\n", 2, 1, &["pw", "did you mean 'password'?"]),
        ("[profile.home]\ntopic = 'a'\n", 2, 1, &["topic"]),
        ("host = 'a'\n", 1, 1, &["host belongs below [defaults]", "[profile.home]"]),
        ("default_profile = 'a'\n", 1, 1, &["default_profile", "did you mean 'default-profile'?"]),
        ("default-profile = 3\n", 1, 19, &["name of a profile"]),
        (
            "default-profile = 'hone'\n[profile.work]\n[profile.home]\n",
            1,
            19,
            &["\"hone\"", "expected \"home\" or \"work\"; did you mean 'home'?"],
        ),
        ("[profile]\nhome = 3\n", 2, 1, &["table", "home"]),
        ("[defaults]\nport = true\n", 2, 8, &["port: expected text or a number"]),
        ("[defaults]\nport = 1979-05-27\n", 2, 8, &["port: expected text or a number"]),
        ("[defaults]\nport = 99999999999999999999\n", 2, 8, &["port", "too large"]),
        ("[defaults]\nhost = ['a', 'b']\n", 2, 8, &["host: expected one value, not a list"]),
        ("[defaults]\nws-header = ['a: b', [1]]\n", 2, 22, &["ws-header"]),
        ("[defaults]\n  insecure = 'yes'\n", 2, 14, &["insecure: expected true or false"]),
        ("[defaults]\nid = \"a\\u0000b\"\n", 2, 6, &["id: the text contains a NUL"]),
        ("[defaults]\n\nport = 65536\n", 3, 1, &["65536", "--port", "65535"]),
        ("[defaults]\nkeepalive = 0x1\n", 2, 1, &["'1'", "--keepalive", "5"]),
        (
            "[defaults]\nproperty = ['connect receive-maximum 1', 'connect x y']\n",
            2,
            42,
            &["--property", "'x'"],
        ),
    ] {
        let profiles = Profiles::new(text);
        let place = format!("{}, line {line}, column {column}: ", profiles.shown());
        let stderr = profiles.mq("pub -t a -n").run().fail(2);
        assert_says(&stderr, &[&place]);
        assert_says(&stderr, parts);
    }
}

#[test]
fn a_value_that_does_not_count_is_not_looked_at() {
    let profiles = Profiles::new("[defaults]\nport = 99999\n");
    assert_says(&profiles.mq("pub -t a -n -h 127.0.0.1 -p 9").run().fail(1), &["127.0.0.1:9"]);
    assert_says(&profiles.mq("pub -t a -n -h 127.0.0.1").run().fail(2), &["99999"]);
}

#[test]
fn a_variable_is_reported_by_its_name() {
    for (name, value, parts) in [
        ("MQ_PORT", &b"x"[..], &["MQ_PORT", "'x'", "whole number"][..]),
        ("MQ_TLS_VERSION", b"tlsv1.9", &["MQ_TLS_VERSION", "tlsv1.9"]),
        ("MQ_INSECURE", b"maybe", &["MQ_INSECURE", "true or false"]),
        ("MQ_HOST", b"\xff", &["MQ_HOST", "UTF-8"]),
        ("MQ_PROFILE", b"\xff", &["MQ_PROFILE", "UTF-8"]),
        ("MQ_PROFILE", b"home", &["MQ_PROFILE", "\"home\"", "/nonexistent/mq/config.toml"]),
        ("MQ_PROPERTY", b"connect", &["MQ_PROPERTY", "missing NAME: expected PACKET NAME [KEY] VALUE"]),
        ("MQ_CONFIG", b"/nonexistent/file", &["MQ_CONFIG", "/nonexistent/file"]),
    ] {
        let stderr = mq("pub -t a -n").env(name, std::ffi::OsStr::from_bytes(value)).run().fail(2);
        assert_says(&stderr, parts);
    }
    // Other programs have such variables, too.
    mq("config show").env("MQ_CONNECT_TYPE", "local").env("MQ_KEY_PASSWORD", "x").run().succeed();
}

#[test]
fn an_unknown_profile_is_reported_with_those_that_exist() {
    let profiles = Profiles::new("[profile.work]\n[profile.home]\n[profile.\"o p\"]\n");
    let stderr = profiles.mq("sub -t a --profile hone").run().fail(2);
    assert_says(
        &stderr,
        &[
            "--profile",
            "unknown profile \"hone\": expected \"work\", \"home\" or \"o p\"; did you mean 'home'?",
            &profiles.shown(),
        ],
    );
    for words in ["sub -t a --profile", "sub -t a --profile="] {
        profiles.mq(words).run().fail(2);
    }
    assert_says(
        &mq("sub -t a --profile home").run().fail(2),
        &["--profile", "\"home\"", "/nonexistent/mq/config.toml"],
    );
    let stderr = mq("sub -t a --profile home").env("MQ_CONFIG", "").run().fail(2);
    assert_says(&stderr, &["\"home\"", "MQ_CONFIG is empty"]);
}

#[test]
fn help_is_there_whatever_the_file_says() {
    let profiles = Profiles::new("this is no TOML");
    assert_says(&profiles.mq("pub --help").run().succeed(), &["--profile", "[profile.NAME]"]);
    profiles.mq("man config").run().succeed();
}

#[test]
fn a_secret_that_others_can_read_is_refused() {
    for entry in [
        "password = 'xyzzy'",
        "psk = '7879'",
        "url = 'mqtt://ann:xyzzy@host'",
        "url = 'mqtt://ann:xy/zzy@host'",
        "proxy = 'socks5h://ann:xyzzy@host'",
        "property = 'connect authentication-data xyzzy'",
        "ws-header = 'Authorization: xyzzy'",
    ] {
        let profiles = Profiles::new(format!("[defaults]\nport = 9\n\n[profile.unused]\n{entry}\n"));
        for mode in [0o640, 0o604, 0o644] {
            profiles.set_mode(mode);
            let stderr = profiles.mq("pub -t a -n -h 127.0.0.1").run().fail(2);
            let chmod = format!("chmod 600 {}", profiles.shown());
            assert_says(&stderr, &[&chmod, &format!("mode {mode:04o}"), "line 5, column 1"]);
            assert!(!stderr.contains("zzy") && !stderr.contains("7879"), "{stderr}");
        }
        profiles.set_mode(0o600);
        assert_says(&profiles.mq("pub -t a -n -h 127.0.0.1").run().fail(1), &["127.0.0.1:9"]);
    }
    let profiles =
        Profiles::new("[defaults]\nport = 9\nurl = 'mqtt://ann@127.0.0.1:9/a@b:c'\npassword-file = 'x'\n");
    profiles.set_mode(0o644);
    assert_says(&profiles.mq("config check").run().succeed(), &["no mistakes"]);
}

#[test]
fn only_a_file_of_a_usual_size_is_read() {
    let directory = TempDir::new().unwrap();
    let pipe = directory.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for path in [directory.path().to_owned(), pipe, "/dev/zero".into(), "/dev/null".into()] {
        let stderr = mq("pub -t a -n").env("MQ_CONFIG", &path).run().fail(2);
        assert_says(&stderr, &[&path.display().to_string(), "no file"]);
        assert_says(&mq("config check").arg(&path).run().fail(2), &["no file"]);
    }
    let large = Profiles::new(vec![b'#'; 1024 * 1024 + 1]);
    assert_says(&large.mq("pub -t a -n").run().fail(2), &[&large.shown(), "larger"]);
    let largest = Profiles::new(vec![b'#'; 1024 * 1024]);
    largest.mq("config check").run().succeed();
    let latin = Profiles::new(b"[defaults]\nid = 'caf\xe9'\n");
    assert_says(&latin.mq("pub -t a -n").run().fail(2), &["line 2", "UTF-8"]);
    let nested = Profiles::new(format!("[defaults]\nhost = {}", "[".repeat(100_000)));
    nested.mq("pub -t a -n").run().fail(2);
}

#[test]
fn a_link_leads_to_the_file() {
    let profiles =
        Profiles::new("[defaults]\nhost = '127.0.0.2'\nport = 9\nusername = 'ann'\npassword = 'xyzzy'\n");
    let link = profiles.directory.path().join("link");
    std::os::unix::fs::symlink(profiles.path(), &link).unwrap();
    assert_says(&mq("pub -t a -n").env("MQ_CONFIG", &link).run().fail(1), &["127.0.0.2:9"]);
    profiles.set_mode(0o644);
    assert_says(&mq("pub -t a -n").env("MQ_CONFIG", &link).run().fail(2), &["chmod 600"]);
}

#[test]
fn a_file_that_may_not_be_read_is_an_error() {
    let profiles = Profiles::new("");
    profiles.set_mode(0o000);
    if std::fs::read(profiles.path()).is_ok() {
        return; // to root every file is open
    }
    assert_says(&profiles.mq("pub -t a -n").run().fail(1), &[&profiles.shown(), "Permission denied"]);
}
