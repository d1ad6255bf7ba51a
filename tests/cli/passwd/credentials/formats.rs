//! `mq passwd --format`: users of other brokers are added, changed, deleted, verified and listed.

use super::*;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

/// All formats but mosquitto's own, with the options that make verifying quick.
const FORMATS: [&str; 7] = [
    "--format mosquitto-dynsec -I 101",
    "--format emqx-json",
    "--format emqx-csv",
    "--format rabbitmq",
    "--format vernemq",
    "--format hivemq -I 101",
    "--format nanomq",
];

/// The options that `verify` and `list` have.
fn reading(options: &str) -> &str {
    options.split(" -I").next().unwrap()
}

#[test]
fn users_are_added_changed_verified_and_deleted_in_every_format() {
    for options in FORMATS {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("users");
        passwd(&format!("-c {options}"), &path, "ann", "one").run().succeed();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{options}");
        let stderr = passwd(options, &path, "bøb", "two two").run();
        assert_says(&stderr.stderr, &["bøb was added"]);
        stderr.succeed();
        let finished = passwd(options, &path, "ann", "new").run();
        assert_says(&finished.stderr, &["password of ann was changed"]);
        finished.succeed();
        verify(reading(options), &path, "ann", "new").succeed();
        assert_says(
            &verify(reading(options), &path, "ann", "one").fail(3),
            &["the password of ann is wrong"],
        );
        verify(reading(options), &path, "bøb", "two two").succeed();
        assert_says(&verify(reading(options), &path, "carol", "x").fail(3), &["no user 'carol'"]);
        let list = mq("passwd list").words(reading(options)).arg(&path).run().succeed();
        assert_eq!(list.lines().count(), 2, "{list}");
        assert!(list.starts_with("ann  ") && list.contains("\nbøb  "), "{list}");
        mq("passwd -D").words(options.split(" -I").next().unwrap()).arg(&path).arg("ann").run().succeed();
        verify(reading(options), &path, "ann", "new").fail(3);
        verify(reading(options), &path, "bøb", "two two").succeed();
        assert_eq!(neighbours(&path), 1, "{options}");
    }
}

#[test]
fn mosquittos_dynamic_security_lets_its_users_in() {
    let plugin = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib"]
        .map(|directory| Path::new(directory).join("mosquitto_dynamic_security.so"))
        .into_iter()
        .find(|path| path.is_file());
    let Some(plugin) = plugin else {
        assert!(broker::find("mosquitto").is_none(), "mosquitto is there without its plugin");
        return;
    };
    let (_directory, path) = file("list.csv", "ann,secret\nbob,other\n");
    let document = path.with_file_name("dynsec.json");
    mq("passwd import -c --format mosquitto-dynsec").arg(&document).arg(&path).run().succeed();
    passwd("--format mosquitto-dynsec", &document, "bob", "changed").run().succeed();
    let text = std::fs::read_to_string(&document).unwrap();
    let configuration = format!(
        "allow_anonymous false\nplugin {}\nplugin_opt_config_file {{directory}}/dynsec.json",
        plugin.display()
    );
    let Some(mosquitto) = Mosquitto::start_with_files(&configuration, &[("dynsec.json", &text)]) else {
        return;
    };
    for version in ["311", "5"] {
        for (who, is_let_in) in [
            ("-u ann -P secret", true),
            ("-u bob -P changed", true),
            ("-u bob -P other", false),
            ("-u carol -P secret", false),
        ] {
            let finished = mosquitto.mq(&format!("pub -V {version} -t a -m x -q 1 {who}")).run();
            finished.expect_status(if is_let_in { 0 } else { 5 });
        }
    }
    let mut subscriber = mosquitto.mq("sub -d -t a -C 1 -u ann -P secret").spawn();
    subscriber.wait_for_stderr("<- SUBACK");
    mosquitto.mq("pub -t a -m hello -u bob -P changed").run().succeed();
    assert_eq!(subscriber.finish().succeed(), "hello\n");
}

#[test]
fn vernemqs_file_is_one_that_mosquitto_loads() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("pw");
    passwd("-c --format vernemq", &path, "ann", "secret").run().succeed();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("ann:$6$"), "{text}");
    mq("passwd verify").arg(&path).arg("ann").stdin("secret").run().succeed();
    let configuration = "allow_anonymous false\npassword_file {directory}/pw";
    let Some(mosquitto) = Mosquitto::start_with_files(configuration, &[("pw", &text)]) else { return };
    mosquitto.mq("pub -t a -m x -q 1 -u ann -P secret").run().succeed();
    mosquitto.mq("pub -t a -m x -q 1 -u ann -P wrong").run().fail(5);
}

#[test]
fn everything_else_in_a_document_stays() {
    let text = "{\n  \"rabbit_version\": \"3.13.0\",\n  \"users\": [],\n  \"queues\": [{\"max\": 1.10, \"a\": 1e2}]\n}\n";
    let (_directory, path) = file("definitions.json", text);
    passwd("--format rabbitmq", &path, "ann", "secret").run().succeed();
    let changed = std::fs::read_to_string(&path).unwrap();
    assert!(
        changed.starts_with("{\n  \"rabbit_version\": \"3.13.0\",\n  \"users\": [\n    {\n"),
        "{changed}"
    );
    assert_says(&changed, &["\"max\": 1.10", "\"configure\": \".*\"", "rabbit_password_hashing_sha256"]);
}

#[test]
fn a_new_document_is_printed_for_the_file_minus() {
    let stdout = passwd("-c --format hivemq", Path::new("-"), "ann", "secret").run().succeed();
    let (_directory, path) = file("credentials.xml", stdout);
    verify("--format hivemq", &path, "ann", "secret").succeed();
}

#[test]
fn plain_text_is_warned_about_loudly() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("pw.conf");
    let finished = passwd("-c --format nanomq", &path, "ann", "secret").run();
    assert_says(&finished.stderr, &["WARNING", "plain text"]);
    finished.succeed();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "\"ann\": \"secret\"\n");
    assert_says(&mq("passwd list --format nanomq").arg(&path).run().succeed(), &["plain text; weak"]);
}

#[test]
fn a_file_that_is_bad_stays_as_it_is_to_the_byte() {
    for (options, text, part) in [
        ("--format mosquitto-dynsec", &b"{\"clients\":[{}]}"[..], "user 1"),
        ("--format mosquitto-dynsec", b"ann:$6$x$y\n", "JSON"),
        ("--format emqx-json", b"[{\"user_id\":\"a\"}]", "password_hash"),
        ("--format emqx-json", b"\xff", "UTF-8"),
        ("--format emqx-csv", b"user_id,password_hash,salt\na,\"b,c\",d\n", "line 2"),
        ("--format rabbitmq", b"{\"users\":[],\"users\":[]}", "duplicate key"),
        ("--format vernemq", b"# users\n", "line 1"),
        ("--format hivemq", b"<file-rbac><users></file-rbac>", "XML"),
        ("--format hivemq", b"<file-rbac><users/><roles/></file-rbac>", "role"),
        ("--format nanomq", b"ann:secret\n", "line 1"),
    ] {
        let (_directory, path) = file("users", text);
        let inode = std::fs::metadata(&path).unwrap().ino();
        let finished = passwd(options, &path, "new", "secret").run();
        assert!(matches!(finished.status, 1 | 2), "{options}: status {}", finished.status);
        assert_says(&finished.stderr, &["mq passwd:", part]);
        assert_eq!(std::fs::read(&path).unwrap(), text);
        assert_eq!((std::fs::metadata(&path).unwrap().ino(), neighbours(&path)), (inode, 1));
    }
}

#[test]
fn users_that_a_format_cannot_hold_are_refused() {
    for (options, user, password, part) in [
        ("--format emqx-csv", "a,b", "x", "comma"),
        ("--format vernemq", "a:b", "x", "colon"),
        ("--format hivemq", "a+b", "x", "wildcard"),
        ("--format nanomq", "a\"b", "x", "quote"),
        ("--format nanomq", "ab", "x\"", "quote"),
        ("--format rabbitmq", "a\u{1b}[31m", "x", "control character"),
        ("--format rabbitmq", "", "x", "empty"),
    ] {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("users");
        let stderr = passwd(&format!("-c {options}"), &path, user, password).run().fail(2);
        assert_says(&stderr, &[part]);
        assert!(!stderr.contains('\u{1b}'), "{stderr:?}");
        assert!(!path.exists());
    }
}

#[test]
fn options_that_a_format_has_no_use_for_are_refused() {
    for (options, part) in [
        ("--role x", "--role"),
        ("--superuser --format rabbitmq", "--superuser"),
        ("--vhost / --format emqx-json", "--vhost"),
        ("--salt-position suffix --format vernemq", "--salt-position"),
        ("-I 5 --format rabbitmq", "-I"),
        ("-H sha256", "--format"),
        ("-H argon2id --format mosquitto-dynsec", "sha512-pbkdf2"),
        ("-H sha512 --format nanomq", "does not hash"),
        ("--target mosquitto-2.0 --format emqx-csv", "--target"),
        ("--memory 5 --format emqx-csv", "--memory"),
        ("--format emqx-json -H sha512-pbkdf2 --salt-position suffix", "salt position"),
        ("--format emqx-json -H sha512-pbkdf2 -I 4000000000", "for -I: expected a number from 1 to 10000000"),
        ("--format nothing", "--format"),
    ] {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("users");
        assert_says(&passwd(&format!("-c {options}"), &path, "ann", "x").run().fail(2), &[part]);
        assert!(!path.exists(), "{options}");
    }
    let (_directory, path) = file("pw", "");
    let stderr = mq("passwd -U --format vernemq").arg(&path).run().fail(2);
    assert_first_line(&stderr, "mq passwd: -U is only for mosquitto's password file");
    let stderr = mq("passwd list -H sha256").arg(&path).run().fail(2);
    assert_first_line(&stderr, "mq passwd: -H is for EMQX; other files contain their hash settings");
    assert_says(&called_as("mosquitto_passwd", "-H sha256 -c x y").run().fail(1), &["sha256"]);
}

#[test]
fn how_emqx_hashes_can_be_chosen() {
    for options in
        ["-H sha512", "-H sha256 --salt-position suffix", "--salt-position disable", "-H sha512-pbkdf2 -I 7"]
    {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("users.json");
        passwd(&format!("-c --superuser --format emqx-json {options}"), &path, "ann", "secret")
            .run()
            .succeed();
        verify(&format!("--format emqx-json {options}"), &path, "ann", "secret").succeed();
        verify(&format!("--format emqx-json {options}"), &path, "ann", "Secret").fail(3);
        assert_says(&std::fs::read_to_string(&path).unwrap(), &["\"is_superuser\": true"]);
    }
    let (_directory, path) = file("u.json", r#"[{"user_id":"ann","password_hash":"abc"}]"#);
    assert_says(&verify("--format emqx-json", &path, "ann", "x").fail(1), &["ann", "SHA-256", "64"]);
}

#[test]
fn links_modes_and_existing_entries_are_kept() {
    let (directory, path) = file("real.json", "[]");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let link = directory.path().join("link.json");
    symlink("real.json", &link).unwrap();
    passwd("--format emqx-json", &link, "ann", "secret").run().succeed();
    assert!(link.is_symlink());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    verify("--format emqx-json", &path, "ann", "secret").succeed();
    let before = std::fs::read(&path).unwrap();
    assert_says(&passwd("-c --format emqx-json", &path, "bob", "x").run().fail(1), &["already exists"]);
    assert_eq!(std::fs::read(&path).unwrap(), before);
    passwd("-c --force --format emqx-json", &path, "bob", "x").run().succeed();
    verify("--format emqx-json", &path, "ann", "secret").fail(3);
    let stderr = passwd("--format emqx-json", Path::new("/nonexistent/x"), "bob", "x").run().fail(1);
    let text = "mq passwd: cannot find /nonexistent/x: No such file or directory (os error 2)\nhint: -c creates a new file\n";
    assert_eq!(stderr, text);
}

#[test]
fn writers_at_the_same_time_lose_nothing_of_each_other() {
    let (_directory, path) = file("users.json", "[]");
    let writers: Vec<Running> = (0..20)
        .map(|number| passwd("--format emqx-json", &path, &format!("user{number}"), "secret").spawn())
        .collect();
    for writer in writers {
        writer.finish().succeed();
    }
    let list = mq("passwd list --format emqx-json").arg(&path).run().succeed();
    assert_eq!((list.lines().count(), neighbours(&path)), (20, 1));
}
