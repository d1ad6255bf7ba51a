//! Called as mosquitto_passwd: its order of words, its output, its exit statuses; and not its ways to lose data.

use super::*;

#[test]
fn prompts_and_results_are_on_standard_output() {
    let passwords = Passwords::none();
    let asked = "Password: \nReenter password: \n";
    let finished = passwords.mosquitto_passwd("-c", "ann").stdin("secret\nsecret\n").run();
    assert_eq!(finished.stderr, "");
    assert_eq!(finished.succeed(), format!("{asked}Adding password for user ann\n"));
    let text = passwords.text();
    assert!(hash_of(&text, "ann").starts_with("$7$1000$"), "{text}");
    passwords.assert_verifies("ann", "secret");
    let finished = passwords.mosquitto_passwd("", "ann").stdin("new\r\nnew\r\n").run();
    assert_eq!(finished.succeed(), format!("{asked}Updating password for user ann\n"));
    passwords.assert_verifies("ann", "new");
    let finished = passwords.mosquitto_passwd("-b", "bob secret").run();
    assert_eq!(finished.succeed(), "Adding password for user bob\n");
    assert_eq!(passwords.mosquitto_passwd("-D", "bob").run().succeed(), "");
    let finished = called_as("mosquitto_passwd", "-c - ann").stdin("secret\nsecret\n").run();
    let line = finished.succeed();
    assert!(line.starts_with(&format!("{asked}ann:$7$1000$")), "{line}");
}

#[test]
fn answers_that_are_empty_or_differ_have_their_statuses() {
    let passwords = Passwords::with("bob:x\n");
    for (stdin, status, prompts) in [
        ("a\nb\n", 2, "Password: \nReenter password: \n"),
        ("a\n", 1, "Password: \nReenter password: "),
        ("a", 1, "Password: \nReenter password: "),
        ("a\n\n", 1, "Password: \nReenter password: "),
        ("\n\n", 1, "Password: "),
        ("", 1, "Password: "),
    ] {
        let finished = passwords.mosquitto_passwd("", "ann").stdin(stdin).run();
        assert_eq!(String::from_utf8_lossy(&finished.stdout), prompts, "{stdin:?}");
        finished.fail(status);
        assert_eq!(passwords.text(), "bob:x\n");
    }
}

#[test]
fn an_empty_password_is_taken_from_the_command_line() {
    let passwords = Passwords::with("");
    passwords.mosquitto_passwd("-b", "ann").arg("").run().expect_status(0);
    assert!(passwords.text().starts_with("ann:$7$1000$"));
}

#[test]
fn options_come_first_and_the_rest_is_taken_as_it_stands() {
    for words in
        ["", "--help", "-h", "--version", "file", "-b file user", "file user password", "-x file user"]
    {
        let finished = called_as("mosquitto_passwd", words).run();
        finished.expect_status(1);
        assert_says(&String::from_utf8_lossy(&finished.stdout), &["Usage: mosquitto_passwd"]);
    }
    let directory = TempDir::new().unwrap();
    for name in ["list", "verify", "--force"] {
        let path = directory.path().join(name);
        called_as("mosquitto_passwd", "-b -c").arg(&path).words("ann x too many").run().expect_status(0);
        called_as("mosquitto_passwd", "-b").arg(path).words("ann -c").run().expect_status(0);
    }
}

#[test]
fn mistakes_are_1() {
    for (words, says) in [
        ("-H", "-H"),
        ("-H bcrypt file user", "bcrypt"),
        ("-I", "-I"),
        ("-I 0 file user", "-I"),
        ("-I x file user", "-I"),
        ("-I 99999999 file user", "99999999"),
        ("-c -D file user", "-c and -D"),
        ("-c -U file", "-c and -U"),
        ("-D -U file user", "-D and -U"),
        ("-b -D file user", "-b and -D"),
        ("-c file", "username"),
        ("-c -b file user", "password"),
        ("-D file", "username"),
        ("-U", "passwordfile"),
        ("-b /nonexistent/file user password", "/nonexistent/file"),
    ] {
        let stderr = called_as("mosquitto_passwd", words).run().fail(1);
        assert_says(&stderr, &["mosquitto_passwd: ", says]);
    }
}

#[test]
fn a_number_of_iterations_without_use_is_overlooked() {
    let passwords = Passwords::with("");
    passwords.mosquitto_passwd("-b -I 5 -H sha512", "ann x").run().expect_status(0);
    passwords.mosquitto_passwd("-b -I 5", "bob x").run().expect_status(0);
    let text = passwords.text();
    assert!(hash_of(&text, "ann").starts_with("$6$") && hash_of(&text, "bob").starts_with("$7$5$"), "{text}");
}

#[test]
fn a_file_that_is_there_is_not_made_anew() {
    let passwords = Passwords::with("bob:x\n");
    assert_says(&passwords.mosquitto_passwd("-c -b", "ann x").run().fail(1), &["already exists"]);
    assert_eq!(passwords.text(), "bob:x\n");
}

#[test]
fn an_unknown_user_cannot_be_deleted() {
    let passwords = Passwords::with("bob:x\n");
    assert_says(&passwords.mosquitto_passwd("-D", "ann").run().fail(1), &["has no user 'ann'"]);
    assert_eq!(passwords.text(), "bob:x\n");
}

#[test]
fn names_that_brokers_pass_over_are_written_with_a_warning() {
    let passwords = Passwords::with("# c: d\n");
    for name in ["", "#x"] {
        for verb in ["Adding", "Updating"] {
            let program = called_as("mosquitto_passwd", "-b").arg(&passwords.path).arg(name).arg("secret");
            let finished = program.run();
            assert_says(&finished.stderr, &["no broker"]);
            assert_eq!(finished.succeed(), format!("{verb} password for user {name}\n"));
        }
    }
    assert_eq!(passwords.text().lines().count(), 3);
    for name in ["a:b", "a\x01"] {
        let program = called_as("mosquitto_passwd", "-b").arg(&passwords.path).arg(name).arg("secret");
        program.run().fail(1);
    }
}

/// The original cuts such files off before the first line that it does not understand, and exits with 0.
#[test]
fn comments_blank_lines_and_a_missing_line_end_lose_nothing() {
    let passwords = Passwords::with("ann:x\n# comment\n\nnone\nbob:y");
    passwords.mosquitto_passwd("-b", "cat secret").run().expect_status(0);
    assert!(passwords.text().starts_with("ann:x\n# comment\n\nnone\nbob:y\ncat:$7$1000$"));
}

#[test]
fn hashing_plain_text_spoils_no_hashes() {
    let passwords = Passwords::with(format!("ann:secret\nbob:{SECRET}\n"));
    assert_eq!(passwords.mosquitto_passwd("-U", "").run().succeed(), "");
    passwords.assert_verifies("ann", "secret");
    passwords.assert_verifies("bob", "secret");
    Passwords::with("").mosquitto_passwd("-U", "").run().expect_status(1);
}

#[test]
fn a_link_takes_the_place_of_mosquitto_passwd() {
    let directory = TempDir::new().unwrap();
    mq("install-links").arg(directory.path()).run().expect_status(0);
    let passwords = Passwords::with("");
    let link = Program::new(directory.path().join("mosquitto_passwd"));
    link.arg("-b").arg(&passwords.path).words("ann secret").run().expect_status(0);
    passwords.assert_verifies("ann", "secret");
}
