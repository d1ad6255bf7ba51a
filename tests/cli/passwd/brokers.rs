//! Who can log in at a mosquitto that loads the file, and who cannot.

use super::*;

/// mosquitto with this password file. `None` when it is not installed.
fn mosquitto_with(passwords: &Passwords) -> Option<Mosquitto> {
    let configuration = "allow_anonymous false\npassword_file {directory}/pw";
    Mosquitto::start_with_files(configuration, &[("pw", &passwords.text())])
}

/// The exit status of a client with this user and password.
fn log_in(broker: &Mosquitto, user: &str, password: &str) -> i32 {
    broker.mq("pub -t a -n -q 1 -u").arg(user).arg("-P").arg(password).run().status
}

#[track_caller]
fn assert_only_this_password(broker: &Mosquitto, user: &str, password: &str) {
    assert_eq!(log_in(broker, user, password), 0, "{user} with {password}");
    for wrong in [&format!("{password}x"), "", "wrong"] {
        assert_eq!(log_in(broker, user, wrong), 5, "{user} with {wrong}");
    }
}

#[test]
fn every_portable_form_lets_the_right_password_in_and_no_other() {
    let passwords = Passwords::with("# ours\n");
    for (user, options) in [
        ("default", ""),
        ("once", "-I 1"),
        ("old", "-H sha512"),
        ("for-1", "--target mosquitto-1"),
        ("for-2.0", "--target mosquitto-2.0"),
        ("for-2.1", "--target mosquitto-2.1"),
    ] {
        passwords.passwd(options, user).stdin("p:ä ss").run().expect_status(0);
    }
    passwords.mosquitto_passwd("-b", "theirs p:äss").run().expect_status(0);
    passwords.mosquitto_passwd("-b -H sha512", "theirs-old p:äss").run().expect_status(0);
    let Some(broker) = mosquitto_with(&passwords) else { return };
    for user in ["default", "once", "old", "for-1", "for-2.0", "for-2.1"] {
        assert_only_this_password(&broker, user, "p:ä ss");
    }
    for user in ["theirs", "theirs-old"] {
        assert_only_this_password(&broker, user, "p:äss");
    }
    assert_eq!(log_in(&broker, "nobody", "p:ä ss"), 5);
}

#[test]
fn names_and_passwords_of_all_kinds_log_in() {
    let passwords = Passwords::with("");
    let long = "x".repeat(65_535);
    let users = [("Jürgen", "日本"), ("an n", " blank "), ("a#b", "-x"), ("$7$1", "$7$1$"), ("long", &long)];
    for (user, password) in users {
        let program = mq("passwd -I 1").arg(&passwords.path).arg(user);
        program.stdin(password).run().expect_status(0);
    }
    let Some(broker) = mosquitto_with(&passwords) else { return };
    for (user, password) in users {
        assert_eq!(log_in(&broker, user, password), 0, "{user}");
    }
}

#[test]
fn an_edited_file_lets_in_the_remaining_users() {
    let passwords = Passwords::with("# ours\r\n\r\nann:plain\r\nbob:plain\r\ncat:plain");
    passwords.passwd("-U -I 1", "").run().expect_status(0);
    passwords.set("bob", "new");
    passwords.set("dan", "new");
    passwords.passwd("-D", "cat").run().expect_status(0);
    let Some(broker) = mosquitto_with(&passwords) else { return };
    for (user, password, status) in
        [("ann", "plain", 0), ("bob", "new", 0), ("bob", "plain", 5), ("dan", "new", 0), ("cat", "plain", 5)]
    {
        assert_eq!(log_in(&broker, user, password), status, "{user} with {password}");
    }
}

/// So `check` tells the truth about 2.0.
#[test]
fn check_objects_to_the_lines_that_mosquitto_2_0_skips() {
    let passwords = Passwords::with("");
    passwords.passwd("-b -I 1", "good secret").run().expect_status(0);
    passwords.passwd("-b -H argon2id --memory 64", "argon secret").run().expect_status(0);
    let mut text = passwords.text();
    // PBKDF2 with one iteration and a salt of 64 bytes, of the password "".
    text += "long:$7$1$MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3Bxcg==$\
             mccb3evUM4uA8Z2XSM+dRk4Wrc1NPc9qQy/n1rAaCxQjhLXoIsgJ1RnIewUl4BqgWEE/C5HxhBpW8RRAlUzIVQ==\nplain:secret\n";
    std::fs::write(&passwords.path, &text).unwrap();
    let finished = passwords.below("check --target mosquitto-2.0", "").run();
    finished.expect_status(3);
    let found = String::from_utf8(finished.stdout).unwrap();
    assert_eq!(found.lines().count(), 3, "{found}");
    let Some(broker) = mosquitto_with(&passwords) else { return };
    for (user, password, status) in
        [("good", "secret", 0), ("argon", "secret", 5), ("long", "", 5), ("plain", "secret", 5)]
    {
        assert_eq!(log_in(&broker, user, password), status, "{user}");
        assert_eq!(found.contains(&format!("'{user}'")), status == 5, "{user} in {found}");
    }
}

#[test]
fn files_of_debian_s_mosquitto_passwd_verify() {
    let Some(program) = broker::find("mosquitto_passwd") else { return };
    let passwords = Passwords::none();
    for (options, user) in [("-b -c", "ann"), ("-b", "bob")] {
        Program::new(&program)
            .words(options)
            .arg(&passwords.path)
            .words(user)
            .arg("p äss")
            .run()
            .expect_status(0);
    }
    passwords.assert_verifies("ann", "p äss");
    passwords.set("ann", "new");
    Program::new(&program).words("-b").arg(&passwords.path).words("cat secret").run().expect_status(0);
    for (user, password) in [("ann", "new"), ("bob", "p äss"), ("cat", "secret")] {
        passwords.assert_verifies(user, password);
    }
}
