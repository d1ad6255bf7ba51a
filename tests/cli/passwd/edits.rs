//! Adding, changing and deleting users, and hashing plain text.

use super::*;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::thread;

#[test]
fn a_new_file_is_for_its_owner_alone() {
    let passwords = Passwords::none();
    let finished = passwords.passwd("-c", "ann").stdin("secret\n").run();
    assert_says(&finished.stderr, &["mq passwd: ann was added"]);
    assert_eq!(finished.succeed(), "");
    let hash = passwords.text();
    assert!(
        hash.starts_with("ann:$7$20000$") && hash.ends_with("==\n") && hash.lines().count() == 1,
        "{hash}"
    );
    assert_eq!(std::fs::metadata(&passwords.path).unwrap().mode() & 0o7777, 0o600);
    assert_eq!(passwords.files(), ["pw"]);
    passwords.assert_verifies("ann", "secret");
}

#[test]
fn a_password_is_the_first_line_of_standard_input_or_of_a_file() {
    for text in ["se cret", "se cret\n", "se cret\r\nand more\n"] {
        let passwords = Passwords::with("");
        passwords.passwd("-I 1", "ann").stdin(text).run().expect_status(0);
        passwords.assert_verifies("ann", "se cret");
        let secret = passwords.directory.path().join("secret");
        std::fs::write(&secret, text).unwrap();
        passwords.passwd("-I 1 --password-file", "").run().expect_status(2);
        let program = mq("passwd -I 1 --password-file").arg(secret).arg(&passwords.path).arg("bob");
        program.run().expect_status(0);
        passwords.assert_verifies("bob", "se cret");
    }
}

#[test]
fn a_password_on_the_command_line_is_taken_literally() {
    let passwords = Passwords::with("");
    for (user, password) in [("a", "-x"), ("c", "$7$1$x$y"), ("d", "p:q"), ("e", "-")] {
        let finished = passwords.passwd("-b -I 1", user).arg(password).run();
        assert!(!finished.stderr.contains("command line"), "no terminal is there: {}", finished.stderr);
        finished.expect_status(0);
        passwords.assert_verifies(user, password);
    }
    passwords.passwd("-b -I 1 --", "ann").arg("--help").run().expect_status(0);
    passwords.assert_verifies("ann", "--help");
    passwords.passwd("-b", "ann").arg("").run().fail(2);
}

#[test]
fn a_longer_password_than_mqtt_carries_is_refused() {
    let passwords = Passwords::with("");
    passwords.passwd("-I 1", "ann").stdin(vec![b'x'; 65_535]).run().expect_status(0);
    let before = passwords.bytes();
    let stderr = passwords.passwd("-I 1", "ann").stdin(vec![b'x'; 65_536]).run().fail(2);
    assert_says(&stderr, &["65536 bytes", "65535"]);
    passwords.passwd("-I 1", "ann").stdin(vec![b'x'; 10_000_000]).run().fail(1);
    assert_eq!(passwords.bytes(), before);
}

#[test]
fn each_algorithm_has_its_form() {
    for (options, form) in [
        ("", "$7$20000$"),
        ("-I 1000", "$7$1000$"),
        ("-H sha512-pbkdf2 -I 1", "$7$1$"),
        ("-H sha512", "$6$"),
        ("-H argon2id", "$argon2id$v=19$m=47104,t=1,p=1$"),
        ("-H argon2id --memory 64 --passes 3 --lanes 2", "$argon2id$v=19$m=64,t=3,p=2$"),
        ("--target mosquitto-1", "$6$"),
        ("--target mosquitto-2.0", "$7$20000$"),
        ("--target mosquitto-2.0 -H sha512", "$6$"),
        ("--target mosquitto-2.1 -I 7", "$7$7$"),
        ("--target mosquitto-2.1-argon2", "$argon2id$v=19$m=47104,t=1,p=1$"),
    ] {
        let passwords = Passwords::with("");
        passwords.passwd(options, "ann").stdin("secret").run().expect_status(0);
        let text = passwords.text();
        let hash = hash_of(&text, "ann");
        assert!(hash.starts_with(form), "{options} gives {hash}");
        let salt = hash.trim_start_matches(form).split('$').next().unwrap();
        let length = if form.contains("argon2") { 86 } else { 16 };
        assert_eq!(salt.len(), length, "the salt of {hash} in Base64");
        passwords.assert_verifies("ann", "secret");
    }
}

#[test]
fn comments_order_and_line_ends_stay() {
    let passwords = Passwords::with("# Ours\r\n\r\nann:x\r\nno colon\r\n bob : y \r\n# end");
    passwords.set("ann", "secret");
    let text = passwords.text();
    let hash = hash_of(&text, "ann");
    assert_eq!(text, format!("# Ours\r\n\r\nann:{hash}\r\nno colon\r\n bob : y \r\n# end\r\n"));
    passwords.set("bob", "secret");
    passwords.set("zoe", "secret");
    let text = passwords.text();
    let [ann, bob, zoe] = ["ann", " bob ", "zoe"].map(|user| hash_of(&text, user));
    assert_eq!(text, format!("# Ours\r\n\r\nann:{ann}\r\nno colon\r\n bob :{bob}\r\n# end\r\nzoe:{zoe}\r\n"));
    passwords.passwd("-D", "ann").run().expect_status(0);
    assert!(passwords.text().starts_with("# Ours\r\n\r\nno colon\r\n bob :$7$"), "{}", passwords.text());
}

#[test]
fn a_line_that_is_no_text_stays() {
    let passwords = Passwords::with(b"caf\xe9:x\n");
    passwords.set("ann", "secret");
    assert!(passwords.bytes().starts_with(b"caf\xe9:x\nann:$7$1$"));
}

#[test]
fn a_file_without_a_final_line_end_loses_nobody() {
    let passwords = Passwords::with(format!("ann:{SECRET}"));
    passwords.set("bob", "other");
    passwords.assert_verifies("ann", "secret");
    passwords.assert_verifies("bob", "other");
}

#[test]
fn a_duplicate_user_has_one_password_afterwards() {
    let passwords = Passwords::with(format!("ann:{SECRET}\nbob:y\nann:{SECRET}\n"));
    let stderr = passwords.passwd("-b -I 1", "ann new").run().fail(0);
    assert_says(&stderr, &["2 lines", "merged into one"]);
    assert_eq!(passwords.text().matches("ann:").count(), 1);
    passwords.assert_verifies("ann", "new");
}

#[test]
fn names_are_taken_literally() {
    let passwords = Passwords::with("");
    for name in ["Jürgen", "an n", "a#b", "日本", "$6$x", "list", "-D"] {
        let program = mq("passwd -b -I 1").arg(&passwords.path).arg("--").arg(name).arg("secret");
        program.run().expect_status(0);
        let program = mq("passwd verify").arg(&passwords.path).arg("--").arg(name);
        program.stdin("secret").run().expect_status(0);
    }
}

#[test]
fn a_deleted_user_is_gone_and_nobody_else() {
    let passwords = Passwords::with("ann:x\nanna:y\n# ann:z\nAnn:w\n");
    let finished = passwords.passwd("-D", "ann").run();
    assert_eq!((finished.stdout.len(), finished.stderr.len()), (0, 0));
    finished.expect_status(0);
    assert_eq!(passwords.text(), "anna:y\n# ann:z\nAnn:w\n");
    let stderr = passwords.passwd("-D", "ann").run().fail(1);
    assert_says(&stderr, &["has no user 'ann'"]);
    assert_eq!(passwords.text(), "anna:y\n# ann:z\nAnn:w\n");
}

#[test]
fn a_file_that_is_there_is_made_anew_only_by_force() {
    let passwords = Passwords::with("precious:x\n");
    let stderr = passwords.passwd("-c -b", "ann secret").run().fail(1);
    assert_says(&stderr, &["already exists", "--force"]);
    assert_eq!(passwords.text(), "precious:x\n");
    std::fs::set_permissions(&passwords.path, PermissionsExt::from_mode(0o640)).unwrap();
    passwords.passwd("-c --force -b -I 1", "ann secret").run().expect_status(0);
    assert!(passwords.text().starts_with("ann:$7$1$"));
    assert_eq!(std::fs::metadata(&passwords.path).unwrap().mode() & 0o7777, 0o640);
    std::fs::remove_file(&passwords.path).unwrap();
    passwords.passwd("-c --force -b -I 1", "ann secret").run().expect_status(0);
    passwords.assert_verifies("ann", "secret");
}

#[test]
fn a_line_is_printed_where_no_file_is_wanted() {
    let finished = mq("passwd -c -I 1 - ann").stdin("secret").run();
    assert_eq!(finished.stderr, "");
    let passwords = Passwords::with(finished.succeed());
    passwords.assert_verifies("ann", "secret");
    assert_says(&mq("passwd - ann").stdin("x").run().fail(2), &["standard output", "./-"]);
}

#[test]
fn plain_text_is_hashed_and_hashes_are_left_alone() {
    let passwords = Passwords::with(format!("# c\n\nann:secret\nbob:{SECRET}\r\ncat:p:q\r\ndan: x\n"));
    let stderr = passwords.passwd("-U -I 1", "").run().fail(0);
    assert_says(&stderr, &["3 hashed, 1 already hashed"]);
    let text = passwords.text();
    assert!(text.starts_with("# c\n\nann:$7$1$"), "{text}");
    assert!(text.contains(&format!("\nbob:{SECRET}\r\ncat:$7$1$")), "{text}");
    for (user, password) in [("ann", "secret"), ("bob", "secret"), ("cat", "p:q"), ("dan", " x")] {
        passwords.assert_verifies(user, password);
    }
    assert_says(&passwords.passwd("-U", "").run().fail(0), &["0 hashed, 4 already hashed"]);
    assert_eq!(passwords.text(), text);
}

#[test]
fn hundreds_of_plain_passwords_keep_their_users() {
    let lines: String = (0..300).map(|number| format!("user{number}:word{number}\n")).collect();
    let passwords = Passwords::with(lines);
    passwords.passwd("-U -I 1", "").run().expect_status(0);
    for number in [0, 1, 149, 150, 299] {
        passwords.assert_verifies(&format!("user{number}"), &format!("word{number}"));
    }
}

#[test]
fn mode_and_owner_stay() {
    let passwords = Passwords::with("ann:x\n");
    std::fs::set_permissions(&passwords.path, PermissionsExt::from_mode(0o640)).unwrap();
    // Only root can give a file away; everyone else sees here that the file stays their own.
    let _ = std::os::unix::fs::chown(&passwords.path, Some(1), Some(1));
    let before = std::fs::metadata(&passwords.path).unwrap();
    passwords.set("bob", "secret");
    let after = std::fs::metadata(&passwords.path).unwrap();
    assert_eq!((after.mode(), after.uid(), after.gid()), (before.mode(), before.uid(), before.gid()));
    assert_ne!(after.ino(), before.ino(), "it is replaced, not written over");
}

/// Whoever is named there could otherwise not read the file any more; the broker, for example.
#[cfg(target_os = "linux")]
#[test]
#[cfg_attr(feature = "portable", ignore = "only Linux copies it")]
fn the_access_list_stays() {
    use rustix::fs::{XattrFlags, getxattr, setxattr};
    const ACCESS_LIST: &str = "system.posix_acl_access";
    // Version 2; then tag, permissions and number of owner, user 7, group, mask and others.
    let list = bytes::hex(
        "02000000 0100 0600 ffffffff 0200 0400 07000000 0400 0000 ffffffff 1000 0400 ffffffff 2000 0000 ffffffff",
    );
    let passwords = Passwords::with("ann:x\n");
    match setxattr(&passwords.path, ACCESS_LIST, &list, XattrFlags::empty()) {
        Err(rustix::io::Errno::NOTSUP) => return, // this file system has none
        set => set.unwrap(),
    }
    passwords.set("bob", "secret");
    let mut kept = vec![0; 1000];
    let length = getxattr(&passwords.path, ACCESS_LIST, kept.as_mut_slice()).unwrap();
    assert_eq!(kept[..length], list);
}

#[test]
fn a_file_that_everyone_can_read_is_reported() {
    let passwords = Passwords::with("");
    std::fs::set_permissions(&passwords.path, PermissionsExt::from_mode(0o604)).unwrap();
    let stderr = passwords.passwd("-b -I 1", "ann secret").run().fail(0);
    assert_says(&stderr, &["all users", "chmod o="]);
}

#[test]
fn a_symbolic_link_is_followed_and_stays() {
    let passwords = Passwords::with("ann:x\n");
    let elsewhere = TempDir::new().unwrap();
    let link = elsewhere.path().join("link");
    symlink(&passwords.path, &link).unwrap();
    mq("passwd -b -I 1").arg(&link).words("bob secret").run().expect_status(0);
    assert_eq!(std::fs::read_link(&link).unwrap(), passwords.path);
    passwords.assert_verifies("bob", "secret");
    assert_eq!((passwords.files().len(), std::fs::read_dir(elsewhere.path()).unwrap().count()), (1, 1));
}

#[test]
fn another_name_of_the_same_file_is_reported() {
    let passwords = Passwords::with("ann:x\n");
    std::fs::hard_link(&passwords.path, passwords.directory.path().join("other")).unwrap();
    assert_says(&passwords.passwd("-b -I 1", "bob secret").run().fail(0), &["2 hard links", "old content"]);
}

#[test]
fn fifty_at_the_same_time_lose_nothing_of_each_other() {
    let passwords = Passwords::with("# fifty\n");
    thread::scope(|scope| {
        for number in 0..50 {
            let passwords = &passwords;
            scope.spawn(move || passwords.set(&format!("user{number}"), "secret"));
        }
    });
    let text = passwords.text();
    assert_eq!(text.lines().count(), 51, "{text}");
    for number in 0..50 {
        hash_of(&text, &format!("user{number}"));
    }
    assert_eq!(passwords.files(), ["pw"]);
}

#[test]
fn one_of_many_makes_the_file() {
    let passwords = Passwords::none();
    let made: Vec<i32> = thread::scope(|scope| {
        let run = || passwords.passwd("-c -b -I 1", "ann secret").run().status;
        let threads: Vec<_> = (0..10).map(|_| scope.spawn(run)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(made.iter().filter(|status| **status == 0).count(), 1, "{made:?}");
    assert_eq!(made.iter().filter(|status| **status == 1).count(), 9, "{made:?}");
    assert_eq!(passwords.files(), ["pw"]);
}

#[test]
fn a_broker_that_would_not_load_a_line_is_reported_with_line_and_user() {
    let passwords = Passwords::with("# c\nann:plain\n");
    let stderr = passwords.passwd("-b --target mosquitto-2.1", "bob secret").run().fail(0);
    assert_says(&stderr, &["line 2", "'ann'", "mosquitto 2.1", "does not start", "bob was added"]);
}
