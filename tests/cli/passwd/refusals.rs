//! What cannot be done is told, and leaves the file as it was to the byte.

use super::*;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// A file that must not change.
const BEFORE: &str = "# ours\r\nann:x\nbob:y";

#[track_caller]
fn assert_refused(status: i32, program: impl FnOnce(&Passwords) -> Program, says: &[&str]) {
    let passwords = Passwords::with(BEFORE);
    let stderr = program(&passwords).run().fail(status);
    assert_says(&stderr, says);
    assert_eq!(passwords.text(), BEFORE);
    assert_eq!(passwords.files(), ["pw"]);
}

#[test]
fn options_that_do_not_go_together_are_refused() {
    for (options, words, says) in [
        ("-c -D", "ann", "-c"),
        ("-c -U", "", "-U"),
        ("-D -U", "ann", "-D"),
        ("-D -b", "ann x", "-b"),
        ("-b", "ann", "PASSWORD"),
        ("", "ann x", "-b"),
        ("--force", "ann", "-c"),
        ("-D", "", "USER"),
        ("", "", "USER"),
        ("-b --password-file x", "ann x", "--password-file"),
        ("-H bcrypt", "ann", "sha512-pbkdf2"),
        ("-I 0", "ann", "invalid value '0' for -I: expected a number from 1 to 10000000"),
        ("--iterations 99999999999", "ann", "for --iterations: expected a number from 1 to 10000000"),
        ("--iterations=-1", "ann", "for --iterations: expected a number from 1 to 10000000"),
        ("-I x", "ann", "invalid value 'x' for -I: expected a whole number; 'x' is not a digit"),
        ("-b", "ann x y", "mq passwd: one word too many; a value with spaces needs quotation marks"),
        ("-b", "ann x verify", "verify cannot be used with -b"),
        ("-I 10000001", "ann", "10000000"),
        ("-H sha512 -I 5", "ann", "-I is for sha512-pbkdf2"),
        ("--memory 64", "ann", "--memory is for argon2id"),
        (
            "-H argon2id --memory 7",
            "ann",
            "invalid value '7' for --memory: expected a number from 8 to 1048576",
        ),
        ("-H argon2id --memory 1048576 --passes 5", "ann", "m=1048576,t=5"),
        ("-H argon2id --lanes 0", "ann", "invalid value '0' for --lanes: expected a number from 1 to 255"),
        ("-H argon2id --target mosquitto-2.0", "ann", "argon2id needs mosquitto 2.1"),
        ("-H sha512-pbkdf2 --target mosquitto-1", "ann", "mosquitto 2.0"),
        ("--target mosquitto-3", "ann", "mosquitto-2.0"),
        ("-x", "ann", "-x"),
    ] {
        assert_refused(2, |passwords| passwords.passwd(options, words).stdin("secret\n"), &[says]);
    }
}

#[test]
fn a_name_that_no_file_can_hold_is_refused_with_the_place() {
    for (name, says) in [
        (&b"a:b"[..], "byte 1"),
        (b"ann\n", "byte 3"),
        (b"\x1b[31mred", "\\u{1b}[31mred"),
        (b"caf\xe9", "UTF-8 at byte 3"),
        (b"", "empty"),
        (b"#ann", "comment"),
        (b" ann", "blank"),
        (&[b'a'; 65_536], "65536"),
    ] {
        let name = OsStr::from_bytes(name);
        assert_refused(2, |passwords| passwords.passwd("-b -I 1", "").arg(name).arg("x"), &[says]);
    }
}

#[test]
fn an_empty_password_is_refused() {
    for stdin in ["", "\n", "\r\n", "\nsecret\n"] {
        assert_refused(1, |passwords| passwords.passwd("", "ann").stdin(stdin), &["empty"]);
    }
    assert_refused(2, |passwords| passwords.passwd("-b", "ann").arg(""), &["empty"]);
}

#[test]
fn plain_text_that_cannot_be_hashed_is_reported_with_its_line() {
    for (line, says) in [
        ("cat:", "no password"),
        ("cat:$2y$10$abcdefgh", "looks like a hash"),
        ("cat:$7$1$abc$def", "looks like a hash"),
        ("cat:$7$99999999999$MDEyMzQ1Njc4OWFi$x", "99999999999"),
    ] {
        let text = format!("ann:secret\n{line}\n");
        let passwords = Passwords::with(&text);
        for program in [passwords.passwd("-U", ""), passwords.mosquitto_passwd("-U", "")] {
            assert_says(&program.run().fail(1), &["line 2", says, "nothing was changed"]);
        }
        assert_eq!(passwords.text(), text);
    }
}

#[test]
fn a_path_that_is_not_a_file_is_reported() {
    let directory = TempDir::new().unwrap();
    let path = |name: &str| directory.path().join(name);
    std::fs::create_dir(path("directory")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
    std::os::unix::fs::symlink(path("nowhere"), path("dangling")).unwrap();
    std::fs::write(path("nul"), b"ann:x\nb\0b:y\n").unwrap();
    std::fs::File::create(path("huge")).unwrap().set_len(3 << 30).unwrap();
    for (name, says) in [
        ("directory", "is a directory"),
        ("pipe", "not a file"),
        ("/dev/null", "not a file"),
        ("dangling", "No such file"),
        ("missing", "-c creates a new file"),
        ("directory/none/below", "No such file"),
        ("nul/below", "Not a directory"),
        ("nul", "line 2 has a NUL byte"),
        ("huge", "3221225472 bytes"),
    ] {
        for options in ["-b -I 1", "-D", "-U"] {
            let words = match options {
                "-U" => "",
                "-D" => "ann",
                _ => "ann secret",
            };
            let stderr = mq("passwd").words(options).arg(path(name)).words(words).run().fail(1);
            let is_created = options.starts_with("-b");
            let says = if !is_created && name == "missing" { "No such file" } else { says };
            assert_says(&stderr, &[says, name]);
        }
        for command in ["list", "check"] {
            let parts: &[&str] = if says.starts_with("-c") { &[name] } else { &[says, name] };
            assert_says(&mq("passwd").arg(command).arg(path(name)).run().fail(1), parts);
        }
    }
    assert_eq!(std::fs::read(path("nul")).unwrap(), b"ann:x\nb\0b:y\n");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 5, "nothing was added");
}

#[test]
fn a_new_file_needs_a_directory_and_a_free_name() {
    let directory = TempDir::new().unwrap();
    for (name, says) in [("none/pw", "No such file"), ("", "already exists"), ("/dev/null", "already exists")]
    {
        let path = directory.path().join(name);
        assert_says(&mq("passwd -c -b -I 1").arg(path).words("ann x").run().fail(1), &[says]);
    }
    let dangling = directory.path().join("dangling");
    std::os::unix::fs::symlink("nowhere", &dangling).unwrap();
    mq("passwd -c -b -I 1").arg(dangling).words("ann x").run().fail(1);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_misspelt_subcommand_in_place_of_a_missing_file_is_recognised() {
    let directory = TempDir::new().unwrap();
    let run = |words: &str| mq(words).in_directory(directory.path()).stdin("secret\n").run();
    let hint = "hint: did you mean `mq passwd list`? -c creates a new file";
    assert_says(&run("passwd lst f").fail(1), &["cannot find lst", hint]);
    let stderr = run("passwd users.txt f").fail(1);
    assert!(stderr.contains("hint: -c creates a new file") && !stderr.contains("did you mean"), "{stderr}");
    for words in ["-D nofile f", "--format emqx-csv -D nofile f", "scram -D nofile f", "psk -D nofile f"] {
        let stderr = run(&format!("passwd {words}")).fail(1);
        assert!(stderr.contains("cannot open nofile") && !stderr.contains("hint"), "{words}: {stderr}");
    }
    // A file of that name is meant itself.
    std::fs::write(directory.path().join("lst"), "").unwrap();
    let finished = run("passwd -b -I 1 lst ann x");
    assert_says(&finished.stderr, &["ann was added"]);
    finished.succeed();
}
