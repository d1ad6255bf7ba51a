//! `mq config show`, `check` and `path`.

use super::*;

const FILE: &str = "
default-profile = 'home'
[defaults]
keepalive = 30
host = 'of.defaults'
[profile.home]
host = 'broker.example'
username = 'ann'
password = 'xyzzy'
ws = true
ws-header = ['Authorization: Bearer xyzzy', 'X-Site: xyzzy']
[profile.url]
url = 'mqtt://ann:xyzzy@host/a'
proxy = 'http://bob:xyzzy@proxy:3128'
psk = '78797a7a79'
psk-identity = 'device'
property = ['connect authentication-method m', 'connect authentication-data xyzzy']
";

#[test]
fn show_lists_effective_values_and_their_origin() {
    let profiles = Profiles::new(FILE);
    let path = profiles.shown();
    let shown = profiles.mq("config show").env("MQ_KEEPALIVE", "40").run().succeed();
    let lines: Vec<String> =
        shown.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let expected = [
        format!("file: {path}"),
        "profile: home (default-profile)".to_owned(),
        String::new(),
        format!("host broker.example profile home, {path}:7"),
        "connect-timeout 30s built-in".to_owned(),
        format!("username ann profile home, {path}:8"),
        format!("password ... profile home, {path}:9"),
        "keepalive 40 MQ_KEEPALIVE".to_owned(),
        format!("ws true profile home, {path}:10"),
        format!("ws-header Authorization: ... profile home, {path}:11"),
        format!("ws-header X-Site: ... profile home, {path}:11"),
        "will-qos 0 built-in".to_owned(),
    ];
    assert_eq!(lines, expected);
    let shown = profiles.mq("config show --profile url").run().succeed();
    assert_says(&shown, &["profile: url (--profile)", "mqtt://...@host/a", &format!("defaults, {path}:4")]);
    let shown = profiles.mq("config show").env("MQ_PROFILE", "url").run().succeed();
    assert_says(&shown, &["profile: url (MQ_PROFILE)"]);
}

#[test]
fn show_never_tells_a_secret() {
    let profiles = Profiles::new(FILE);
    for words in
        ["config show", "config show --json", "config show --profile url", "config show --profile url --json"]
    {
        let program = profiles.mq(words).env("MQ_PSK", "78797a7a79").env("MQ_WS_HEADER", "xyzzy");
        let shown = program.run().succeed();
        assert!(!shown.contains("xyzzy") && !shown.contains("7879"), "{words}: {shown}");
    }
    let shown = mq("config show").env("MQ_PASSWORD", "xyzzy").env("MQ_URL", "ann:xyzzy@host").run().succeed();
    assert!(!shown.contains("xyzzy"), "{shown}");
    assert_says(&shown, &["MQ_PASSWORD"]);
}

#[test]
fn show_gives_json_to_scripts() {
    let profiles = Profiles::new(FILE);
    let shown = profiles.mq("config show --json").env("MQ_INSECURE", "on").run().succeed();
    let value: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(value["file"], profiles.shown());
    assert_eq!((&value["profile"], &value["profile_from"]), (&"home".into(), &"default-profile".into()));
    let options = value["options"].as_array().unwrap();
    let option = |key: &str| options.iter().find(|option| option["key"] == key).unwrap();
    let host = serde_json::json!({
        "key": "host", "value": "broker.example", "source": "profile", "profile": "home",
        "file": profiles.shown(), "line": 7, "column": 1,
    });
    assert_eq!(*option("host"), host);
    let insecure = serde_json::json!({
        "key": "insecure", "value": "true", "source": "environment", "variable": "MQ_INSECURE",
    });
    assert_eq!(*option("insecure"), insecure);
    assert_eq!((&option("password")["value"], &option("password")["secret"]), (&"...".into(), &true.into()));
    assert_eq!(option("keepalive")["source"], "defaults");
    assert_eq!(option("connect-timeout")["source"], "built-in");
}

#[test]
fn show_refuses_the_files_that_commands_refuse() {
    let profiles = Profiles::new("[profile.home]\nhostt = 1\n");
    assert_says(&profiles.mq("config show").run().fail(2), &["hostt", "line 2"]);
    assert_says(&mq("config show --profile home").run().fail(2), &["home", "/nonexistent/mq/config.toml"]);
    assert_says(&mq("config show").run().succeed(), &["file: none", "profile: none"]);
}

#[test]
fn check_tells_all_mistakes_in_their_order() {
    let profiles =
        Profiles::new("[profile.b]\nport = 'x'\nhostt = 'a'\n[defaults]\npassword = 'xyzzy'\ninsecure = 1\n");
    profiles.set_mode(0o644);
    let finished = profiles.mq("config check").env("MQ_KEEPALIVE", "1").env("MQ_WS", "x").run();
    assert!(finished.stdout.is_empty());
    let stderr = finished.fail(2);
    let path = profiles.shown();
    let lines: Vec<&str> = stderr.lines().collect();
    for (line, part) in lines.iter().zip([
        format!("mq config: {path}, line 2, column 1: invalid value 'x' for --port"),
        format!("mq config: {path}, line 3, column 1: unknown key \"hostt\""),
        format!("mq config: {path}, line 5, column 1: password is a secret"),
        format!("mq config: {path}, line 6, column 12: insecure: expected true or false"),
        "mq config: the variable MQ_WS: expected true or false".to_owned(),
        "mq config: the variable MQ_KEEPALIVE: invalid value '1'".to_owned(),
    ]) {
        assert!(line.starts_with(&part), "{part:?} in {stderr}");
    }
    assert_eq!(lines.len(), 6, "{stderr}");
    assert!(!stderr.contains("xyzzy"), "{stderr}");
}

#[test]
fn check_tells_every_error_of_the_text() {
    let profiles = Profiles::new("[defaults]\nhost = \nport = \n");
    let stderr = profiles.mq("config check").run().fail(2);
    assert_says(&stderr, &["line 2", "line 3"]);
}

#[test]
fn check_reports_conflicting_entries() {
    for (entries, parts) in [
        ("id = 'a'\nid-prefix = 'b'", ["--id", "--id-prefix"]),
        ("cert = 'a'", ["--cert", "needs --key"]),
        ("protocol-version = 311\nsession-expiry-interval = 3", ["-x", "MQTT 5"]),
        ("unix = '/a'\nhost = 'a'", ["--unix", "-h"]),
        ("ws-path = '/a'", ["--ws-path", "--ws"]),
        ("will-payload = 'a'", ["--will-payload", "--will-topic"]),
        ("url = 'mqtt:ann:xyzzy@host'", ["-L", "SCHEME"]),
    ] {
        let profiles = Profiles::new(format!("[profile.home]\n{entries}\n"));
        let stderr = profiles.mq("config check").run().fail(2);
        assert_says(&stderr, &[&format!("{}, line 1, column 10: ", profiles.shown())]);
        assert_says(&stderr, &parts);
        assert!(!stderr.contains("xyzzy"), "{stderr}");
    }
}

#[test]
fn check_says_when_nothing_is_wrong() {
    let profiles = Profiles::new(FILE.replace("psk-identity", "#").replace("psk", "#"));
    let stdout = profiles.mq("config check").run().succeed();
    assert_eq!(stdout, format!("{}: no mistakes; profiles: home, url\n", profiles.shown()));
    let named = mq("config check").arg(profiles.path()).env("MQ_KEEPALIVE", "1").run().succeed();
    assert_eq!(named, stdout, "a file by itself");
}

#[test]
fn check_tells_that_there_is_no_file() {
    assert_says(&mq("config check").run().fail(1), &["/nonexistent/mq/config.toml"]);
    assert_says(&mq("config check").env("MQ_CONFIG", "").run().fail(1), &["MQ_CONFIG"]);
    assert_says(&mq("config check /nonexistent/file").run().fail(1), &["/nonexistent/file"]);
    assert_says(&mq("config check").env("MQ_PORT", "x").run().fail(2), &["MQ_PORT"]);
}

#[test]
fn path_tells_where_the_file_would_be() {
    assert_eq!(mq("config path").run().succeed(), "/nonexistent/mq/config.toml\n");
    assert_eq!(mq("config path").env("MQ_CONFIG", "/a/b").run().succeed(), "/a/b\n");
    assert_says(&mq("config path").env("MQ_CONFIG", "").run().fail(1), &["MQ_CONFIG is empty"]);
}

#[test]
fn config_needs_a_command() {
    assert_says(&mq("config").run().fail(2), &["show", "check", "path"]);
    assert_says(&mq("config shw").run().fail(2), &["shw"]);
}

#[test]
fn a_closed_reader_ends_it_quietly() {
    let finished = mq("config show").closing_stdout_after(1).run();
    assert!(finished.stderr.is_empty(), "{}", finished.stderr);
}

/// The output of a table has no wider columns than Rust's formatting supports.
#[test]
fn profiles_with_names_of_any_length_are_listed() {
    let long = "x".repeat(70_000);
    let profiles = Profiles::new(format!("[profile.{long}]\nhost = 'a'\n[profile.b]\nhost = 'c'\n"));
    let listed = profiles.mq("config list").run().succeed();
    let lines: Vec<&str> = listed.lines().collect();
    assert_eq!(lines.len(), 2, "{} bytes", listed.len());
    assert!(lines[0].ends_with("x  a"), "{} bytes", lines[0].len());
    assert!(lines[1].starts_with("b ") && lines[1].ends_with("  c") && lines[1].len() < 100, "{}", lines[1]);
}

#[test]
fn list_reports_mistakes_with_its_status() {
    let profiles = Profiles::new("[profile.a]\nhost = 'b'\nx =\n");
    for words in ["list", "show", "check", "set host c", "unset host"] {
        let finished = profiles.mq(&format!("config {words}")).run();
        assert!(finished.stdout.is_empty(), "{words}");
        assert_says(&finished.fail(2), &[&profiles.shown(), "line 3, column 4"]);
    }
    let profiles = Profiles::new("[profile.a]\nhost = 'b'\nhostt = 'c'\n");
    let finished = profiles.mq("config list").run();
    assert_eq!(finished.stdout, b"a  b\n", "the others are listed");
    assert_says(&finished.fail(2), &["line 3, column 1: unknown key \"hostt\""]);
    let json: serde_json::Value =
        serde_json::from_slice(&profiles.mq("config list --json").run().stdout).unwrap();
    assert_eq!(json["mistakes"], 1);
}

#[test]
fn values_that_the_option_refuses_later_are_not_set() {
    let profiles = Profiles::new("[profile.a]\nhost = 'b'\n");
    for (key, value, part) in [
        ("host", "a\nb", "-h: the host contains a space or a control character ('a\\nb')"),
        ("host", "a b", "-h: the host contains a space"),
        ("host", "", "-h: the host is empty"),
        ("proxy", "socks5h://a%0Ab", "--proxy socks5h://a%0Ab: the host contains"),
        ("url", "mqtt://a%01b", "-L mqtt://a%01b: the host contains"),
        ("tls-hostname", "a\nb", "--tls-hostname: 'a\\nb' is neither a host name nor an address"),
        ("ciphers", "a\nb", "--ciphers a\\nb: 'a\\nb' is not supported"),
        ("id", "", "-i needs an identifier"),
        ("tls-alpn", "a,,b", "--tls-alpn 'a,,b': a protocol has from 1 to 255 bytes"),
    ] {
        let stderr = profiles.mq("config set --profile a").arg(key).arg(value).run().fail(2);
        assert_says(&stderr, &[part]);
        let text = format!("[profile.a]\n{key} = \"{}\"\n", value.escape_debug());
        assert_says(&Profiles::new(text).mq("config check").run().fail(2), &[part]);
    }
    let stderr = profiles.mq("config set --profile a.b id").arg("").run().fail(2);
    assert_says(&stderr, &["[profile.\"a.b\"]: -i needs an identifier"]);
    let headers = profiles.mq("config set --profile a ws true").run();
    headers.succeed();
    let stderr = profiles.mq("config set --profile a ws-header").arg("a b: c").run().fail(2);
    assert_says(&stderr, &["--ws-header: invalid header name"]);
    for option in ["host", "url"] {
        let program = mq("pub -t a -n")
            .arg(format!("--{option}={}a\u{1}b", if option == "url" { "mqtt://" } else { "" }));
        assert_says(&program.run().fail(2), &["the host contains"]);
    }
}

#[test]
fn a_key_with_the_name_of_a_profile_is_set_with_its_option() {
    let profiles = Profiles::new("[profile.lab]\nhost = 'a'\n");
    for words in [
        "config set profile.lab.host b",
        "config set lab.host b",
        "config unset profile.lab.host",
        "config unset lab.host",
    ] {
        assert_says(&profiles.mq(words).run().fail(2), &["unknown key \"", "--profile lab host"]);
    }
    let unnamed = profiles.mq("config set port 1 --profile").arg("").run();
    assert_says(&unnamed.fail(2), &["--profile needs a value"]);
    let stderr = profiles.mq("config set profile.lab x").run().fail(2);
    assert_says(&stderr, &["unknown key \"profile.lab\"", "--profile NAME"]);
    assert_says(&profiles.mq("config set defaults.host x").run().fail(2), &["expected host; [defaults]"]);
}
