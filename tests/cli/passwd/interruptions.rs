//! What a kill, a signal or a failing disk leaves at each step: the old file or the new one, and nothing that does harm.
//!
//! strace kills the real program at the nth call of the system, or makes the call fail.

use super::*;
use std::path::Path;

/// The calls that open a file: musl uses `open` (which arm64 does not have, hence the question mark), glibc `openat`.
const OPEN: &str = "?open,openat";

/// The calls in which the file is opened, locked, written, given its mode, brought to the disk and put in its place.
const STEPS: [&str; 10] = [
    OPEN,
    "flock",
    "newfstatat,statx,fstat",
    "getdents64",
    "read",
    "fchmod",
    "write",
    "fsync",
    "rename",
    "close",
];

/// What makes sense of a file that takes long to write.
fn old_content() -> String {
    let line = |number: usize| format!("user{number}:{SECRET}\n");
    format!("# ours\n{}", (0..500).map(line).collect::<String>())
}

/// `mq passwd` under strace, with this injected. `None`, and a word about it, when strace is not installed.
fn with_injected(injection: &str, options: &str, path: &Path, words: &str) -> Option<Program> {
    let strace = Program::new(broker::find("strace")?);
    let strace = strace.words("-f -qq -o /dev/null -e trace=all -e").arg(format!("inject={injection}"));
    Some(strace.arg(mq_path()).words("passwd").words(options).arg(path).words(words))
}

/// Kills the program at each call of this kind, and looks what is there then. How often that was.
fn kill_at_each(step: &str, options: &str, words: &str, content: Option<&str>) -> Option<usize> {
    for number in 1.. {
        let passwords = Passwords::none();
        if let Some(content) = content {
            std::fs::write(&passwords.path, content).unwrap();
        }
        let injection = format!("{step}:signal=SIGKILL:when={number}");
        let finished = with_injected(&injection, options, &passwords.path, words)?.run();
        assert_old_or_new(&passwords, content);
        passwords.set("next", "secret");
        assert_eq!(passwords.files(), ["pw"], "{step} {number} left something for good");
        if finished.status == 0 {
            return Some(number - 1);
        }
        assert_eq!(finished.status, -9, "{step} {number}: {}", finished.stderr);
    }
    None
}

#[track_caller]
fn assert_old_or_new(passwords: &Passwords, old: Option<&str>) {
    if !passwords.path.exists() {
        assert_eq!(old, None, "the file is gone");
        std::fs::write(&passwords.path, "").unwrap(); // what happens next needs one
        return;
    }
    let text = passwords.text();
    let Some(new) = text.strip_prefix(old.unwrap_or_default()) else { panic!("neither old nor new: {text}") };
    let is_new = new.starts_with("ann:$7$1$") && new.ends_with("==\n") && new.lines().count() == 1;
    assert!(new.is_empty() && old.is_some() || is_new, "neither old nor new: {new}");
}

#[test]
fn a_kill_at_any_moment_of_a_change_leaves_the_old_file_or_the_new_one() {
    for step in STEPS {
        let Some(kills) = kill_at_each(step, "-b -I 1", "ann secret", Some(&old_content())) else { return };
        assert!(kills > 0, "{step} is called");
    }
}

#[test]
#[cfg_attr(feature = "portable", ignore = "the steps are those of Linux")]
fn a_kill_at_any_moment_leaves_no_new_file_or_a_whole_one() {
    for step in [OPEN, "fchmod", "write", "fsync", "renameat2", "close"] {
        let Some(kills) = kill_at_each(step, "-c -b -I 1", "ann secret", None) else { return };
        assert!(kills > 0, "{step} is called");
    }
}

#[track_caller]
fn assert_fails(injection: &str, options: &str, content: Option<&str>, says: &[&str]) {
    let passwords = Passwords::none();
    if let Some(content) = content {
        std::fs::write(&passwords.path, content).unwrap();
    }
    let Some(program) = with_injected(injection, options, &passwords.path, "ann secret") else { return };
    let finished = program.run();
    finished.expect_status(1);
    assert_says(&finished.stderr, says);
    match content {
        Some(content) => assert_eq!(passwords.text(), content, "{injection}"),
        None => assert!(!passwords.path.exists(), "{injection}"),
    }
    assert_eq!(passwords.files().len(), usize::from(content.is_some()), "{injection} leaves litter");
}

#[test]
fn a_failure_at_any_step_of_a_change_leaves_the_old_file_and_no_litter() {
    for (injection, says) in [
        // The first call of every thread fails, the message among them.
        ("write:error=ENOSPC:when=1", &[][..]),
        ("write:retval=0:when=1", &[]),
        ("fsync:error=EIO:when=1", &["sync to the disk", "Input/output error"]),
        ("rename:error=EACCES", &["cannot replace", "Permission denied"]),
        ("rename:error=EROFS", &["cannot replace", "Read-only"]),
        ("fchmod:error=EPERM:when=1", &["mode"]),
        ("fchmod:error=EPERM:when=2", &["mode"]),
        ("flock:error=ENOLCK", &["cannot lock", "No locks"]),
    ] {
        assert_fails(injection, "-b -I 1", Some(&old_content()), says);
    }
}

#[test]
fn a_file_that_takes_no_other_in_its_place_is_written_in_place() {
    for injection in ["rename:error=EBUSY", "rename:error=EXDEV"] {
        let passwords = Passwords::with(old_content());
        let Some(program) = with_injected(injection, "-b -I 1", &passwords.path, "ann secret") else {
            return;
        };
        let finished = program.run();
        finished.expect_status(0);
        assert_says(&finished.stderr, &["in place"]);
        passwords.assert_verifies("ann", "secret");
        assert_eq!(passwords.files().len(), 1, "{injection} leaves litter");
    }
}

#[test]
#[cfg_attr(feature = "portable", ignore = "the steps are those of Linux")]
fn a_failure_at_any_step_leaves_no_new_file_and_no_litter() {
    for (injection, says) in [
        ("write:error=ENOSPC:when=1", &[][..]),
        ("fsync:error=EIO:when=1", &["sync to the disk", "Input/output error"]),
        ("renameat2:error=EACCES", &["cannot create", "Permission denied"]),
    ] {
        assert_fails(injection, "-c -b -I 1", None, says);
    }
}

#[test]
fn a_file_system_without_that_kind_of_renaming_gets_the_file_all_the_same() {
    let passwords = Passwords::none();
    let injection = "renameat2:error=EINVAL";
    let Some(program) = with_injected(injection, "-c -b -I 1", &passwords.path, "ann secret") else { return };
    program.run().expect_status(0);
    assert_eq!(passwords.files(), ["pw"]);
    passwords.assert_verifies("ann", "secret");
}

#[test]
fn a_directory_that_does_not_get_to_the_disk_is_reported() {
    let passwords = Passwords::with("bob:x\n");
    let injection = "fsync:error=EIO:when=2";
    let Some(program) = with_injected(injection, "-b -I 1", &passwords.path, "ann secret") else { return };
    assert_says(&program.run().fail(1), &["is replaced", "not synced"]);
    passwords.assert_verifies("ann", "secret");
}

#[test]
fn a_file_of_somebody_else_whose_owner_cannot_be_kept_is_left_alone() {
    let passwords = Passwords::with("bob:x\n");
    if std::os::unix::fs::chown(&passwords.path, Some(1), Some(1)).is_err() {
        return; // only root can make the situation
    }
    let injection = "fchown:error=EPERM";
    let Some(program) = with_injected(injection, "-b -I 1", &passwords.path, "ann secret") else { return };
    assert_says(&program.run().fail(1), &["belongs to user 1 and group 1", "as that user or as root"]);
    assert_eq!(passwords.text(), "bob:x\n");
    assert_eq!(passwords.files(), ["pw"]);
}

#[test]
fn a_file_that_cannot_be_written_is_reported() {
    let passwords = Passwords::with("bob:x\n");
    let Some(strace) = broker::find("strace") else { return };
    let options = format!("-f -qq -o /dev/null -e trace={OPEN} -e inject={OPEN}:error=EACCES -P");
    let strace = Program::new(strace).words(&options);
    let program = strace.arg(&passwords.path).arg(mq_path()).words("passwd -b -I 1");
    let stderr = program.arg(&passwords.path).words("ann secret").run().fail(1);
    assert_says(&stderr, &["cannot open", "Permission denied"]);
    assert_eq!(passwords.text(), "bob:x\n");
}

#[test]
fn leftovers_of_killed_runs_are_cleaned_up_and_nothing_else() {
    let passwords = Passwords::with("bob:x\n");
    let stale = ".pw.mq-0123456789abcdef";
    let others =
        [".pw.mq-0123456789abcde", ".pw.mq-0123456789abcdeg", ".pw.mq-", ".other.mq-0123456789abcdef"];
    for name in others.into_iter().chain([stale]) {
        std::fs::write(passwords.directory.path().join(name), "ann:x").unwrap();
    }
    passwords.set("ann", "secret");
    let files = passwords.files();
    assert!(!files.iter().any(|name| name == stale), "{files:?}");
    assert_eq!(files.len(), others.len() + 1, "{files:?}");
}

#[test]
fn a_name_as_long_as_names_can_be_leaves_room_for_the_file_beside() {
    let directory = TempDir::new().unwrap();
    for name in ["a".repeat(255), "ü".repeat(127)] {
        let path = directory.path().join(name);
        mq("passwd -c -b -I 1").arg(&path).words("ann secret").run().expect_status(0);
        mq("passwd -b -I 1").arg(&path).words("bob secret").run().expect_status(0);
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 2);
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 2);
}

#[test]
fn a_signal_while_it_hashes_changes_nothing() {
    let passwords = Passwords::with("bob:x\n");
    for (signal, status) in [("INT", 130), ("TERM", 143)] {
        let mut program = passwords.passwd("-I 10000000", "ann").open_stdin().spawn();
        program.write("secret\n");
        wait_for_thread(&program);
        program.signal(signal);
        program.finish().expect_status(status);
        assert_eq!(passwords.text(), "bob:x\n");
        assert_eq!(passwords.files(), ["pw"]);
    }
}

#[test]
fn a_lock_is_waited_for() {
    let passwords = Passwords::with("bob:x\n");
    let lock = std::fs::File::open(&passwords.path).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let [mut stopped, program] = [(); 2].map(|()| passwords.passwd("-b -I 1", "ann secret").spawn());
    wait_for_thread(&stopped);
    wait_for_thread(&program);
    stopped.signal("TERM");
    stopped.wait_for_end();
    assert_eq!(passwords.text(), "bob:x\n");
    drop(lock);
    program.finish().expect_status(0);
    passwords.assert_verifies("ann", "secret");
}

#[test]
fn users_added_during_the_hashing_of_plain_text_stay() {
    let lines: String = (0..40).map(|number| format!("user{number}:word{number}\n")).collect();
    let passwords = Passwords::with(lines);
    let hashing = passwords.passwd("-U", "").spawn();
    wait_for_thread(&hashing);
    passwords.set("ann", "secret");
    hashing.finish().expect_status(0);
    for (user, password) in [("ann", "secret"), ("user0", "word0"), ("user39", "word39")] {
        passwords.assert_verifies(user, password);
    }
}

/// A signal that came after the file beside was made ends nothing, or it would be left there.
#[test]
fn a_signal_while_the_file_is_written_comes_too_late() {
    let passwords = Passwords::with("bob:x\n");
    let injection = "fsync:delay_enter=1000000:when=1";
    let options = "-b -I 1";
    let Some(program) = with_injected(injection, options, &passwords.path, "ann secret") else { return };
    let program = program.spawn();
    let is_written = || passwords.files().len() == 2;
    let deadline = std::time::Instant::now() + DEADLINE;
    while !is_written() {
        assert!(std::time::Instant::now() < deadline, "no file is made beside");
        std::thread::sleep(std::time::Duration::from_millis(1)); // there is nothing else to wait for
    }
    program.signal_children("INT");
    program.finish().expect_status(0);
    assert_eq!(passwords.files(), ["pw"]);
    passwords.assert_verifies("ann", "secret");
}

/// Waits until the program has a second thread: it hashes, with signals caught, or waits for a lock.
fn wait_for_thread(program: &Running) {
    let deadline = std::time::Instant::now() + DEADLINE;
    while program.threads() < 2 {
        assert!(std::time::Instant::now() < deadline, "it does not start to hash");
        std::thread::sleep(std::time::Duration::from_millis(1)); // there is nothing else to wait for
    }
}
