//! What goes together with `--auth-method`, and which data files are none.

use super::*;

#[test]
fn options_that_do_not_go_together_are_refused() {
    let scram = "--auth-method SCRAM-SHA-256";
    for (words, parts) in [
        ("pub -t a -n --auth-method X -V 311".to_owned(), &["--auth-method needs MQTT 5", "3.1.1"][..]),
        ("sub -t a --auth-data-file token".to_owned(), &["--auth-method"]),
        ("sub -t a --reauthenticate 10".to_owned(), &["--auth-method"]),
        ("sub -t a --auth-method X --reauthenticate 0".to_owned(), &["--reauthenticate"]),
        (format!("sub -t a {scram}"), &["user name and a password", "-u NAME"]),
        (format!("sub -t a {scram} -u ann"), &["user name and a password", "--ask-password"]),
        (
            format!("sub -t a {scram} -u ann -P secret --auth-data-file -"),
            &["--auth-data-file", "SCRAM-SHA-256"],
        ),
        ("sub -t a --auth-method SCRAM-SHA-224 -u ann -P x".to_owned(), &["SCRAM-SHA-256, SCRAM-SHA-512"]),
        ("sub -t a --auth-method scram-sha-256 -u ann -P x".to_owned(), &["SCRAM-SHA-256, SCRAM-SHA-512"]),
        ("pub -t a -s --auth-method X --auth-data-file -".to_owned(), &["-s both read standard input"]),
        (
            "sub -t a --auth-method X --auth-data-file - -u ann --password-file -".to_owned(),
            &["--password-file - both read standard input"],
        ),
        (
            "sub -t a --auth-method X --auth-data-file - --reauthenticate 5".to_owned(),
            &["--reauthenticate reads --auth-data-file again"],
        ),
        ("sub -t a --auth-method X --auth-data-file /dev/null --reauthenticate 5".to_owned(), &["/dev/null"]),
        (
            "sub -t a --auth-method X -D connect authentication-method Y".to_owned(),
            &["--auth-method and -D connect authentication-method set the same property"],
        ),
        (
            "sub -t a --auth-method X -D connect authentication-data Y".to_owned(),
            &["--auth-method and -D connect authentication-data"],
        ),
        ("inspect --auth-method X".to_owned(), &["--auth-method needs a client"]),
    ] {
        let finished = mq(&words).stdin("token").run();
        let status = if words.contains("/dev/null") { 1 } else { 2 };
        assert_says(&finished.fail(status), parts);
    }
    for (name, line) in [
        ("", "mq sub: invalid value '' for --auth-method: expected the name of a method"),
        (
            "a\u{1b}b",
            r"mq sub: invalid value 'a\u{1b}b' for --auth-method: expected a name without control characters",
        ),
    ] {
        assert_first_line(&mq("sub -t a --auth-method").arg(name).run().fail(2), line);
    }
}

#[test]
fn a_password_that_SCRAM_cannot_use_is_refused_before_anything_connects() {
    for (user, password, part) in
        [("ann", "a\u{7}", "password"), ("a\u{7}", "secret", "user name"), ("ann", "\u{ad}", "password")]
    {
        let words = "pub -t a -n --allow-control-characters --auth-method SCRAM-SHA-256 -u";
        let program = mq(words).arg(user).arg("-P").arg(password);
        let stderr = program.run().fail(2);
        assert_says(&stderr, &["cannot be used with SCRAM", part]);
        assert!(!stderr.contains('\u{7}'), "{stderr:?}");
    }
}

#[test]
fn data_files_that_are_none_are_refused() {
    let (directory, path) = private_file("");
    let words = "pub -p 1 -t a -n --auth-method X --auth-data-file";
    assert_says(&mq(words).arg(&path).run().fail(1), &["token", "empty"]);
    std::fs::write(&path, "\n").unwrap();
    assert_says(&mq(words).arg(&path).run().fail(1), &["token", "empty"]);
    std::fs::write(&path, vec![b'x'; 65_536]).unwrap();
    assert_says(&mq(words).arg(&path).run().fail(1), &["token", "the maximum of authentication data"]);
    assert_says(&mq(words).arg("/dev/zero").run().fail(1), &["/dev/zero", "exceeds"]);
    assert_says(&mq(words).arg(directory.path()).run().fail(1), &["directory"]);
    assert_says(&mq(words).arg("/nonexistent").run().fail(1), &["/nonexistent", "No such file"]);
    assert_says(&mq(words).arg("-").run().fail(1), &["standard input", "empty"]);
}

#[test]
fn a_data_file_that_others_can_read_is_reported() {
    use std::os::unix::fs::PermissionsExt;
    let (_directory, path) = private_file("token");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    let peer = ScriptedPeer::accepting_v5("", |client| drop(client.expect_end()));
    let finished = peer.mq("pub -t a -n --auth-method X --auth-data-file").arg(&path).run();
    assert_says(&finished.fail(0), &["other users can read the authentication data", "chmod 600"]);
    peer.finish();
}
