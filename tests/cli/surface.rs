//! What surrounds the commands: links with mosquitto's names, and the files that are checked in.

use super::support::*;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

#[test]
fn links_take_the_place_of_mosquitto_s_tools() {
    let directory = TempDir::new().unwrap();
    let stderr = mq("install-links").arg(directory.path()).run().fail(0);
    assert_says(
        &stderr,
        &["mosquitto_pub -> /", "mosquitto_sub -> /", "mosquitto_rr -> /", "mosquitto_passwd -> /"],
    );
    let broker = EmbeddedBroker::start();
    let mut subscriber = broker.subscriber("-t a -C 1");
    let link = directory.path().join("mosquitto_pub");
    Program::new(&link).words(&broker.options()).words("-t a -m x -q 1").run().succeed();
    subscriber.wait_for_stdout("x");
    Program::new(link).words("--version").run().expect_status(1);
    assert_says(&mq("install-links").arg(directory.path()).run().fail(0), &["already exists"]);
}

#[test]
fn a_copy_takes_the_place_as_well() {
    let directory = TempDir::new().unwrap();
    let copy = directory.path().join("mosquitto_sub");
    // By a program of its own: a child of another test could hold a file open that this one writes, and then it cannot be started.
    let copied = std::process::Command::new("cp").arg(mq_path()).arg(&copy).status().unwrap();
    assert!(copied.success());
    assert_says(&Program::new(copy).run().fail(1), &["mosquitto_sub: missing -t"]);
}

#[test]
fn links_replace_nothing_else_unless_forced() {
    let directory = TempDir::new().unwrap();
    let [publisher, subscriber] = ["mosquitto_pub", "mosquitto_sub"].map(|name| directory.path().join(name));
    std::fs::write(&subscriber, "precious").unwrap();
    symlink("/opt/old/mq", &publisher).unwrap();
    let stderr = mq("install-links").arg(directory.path()).run().fail(1);
    assert_says(&stderr, &["mosquitto_sub", "--force"]);
    assert_eq!(std::fs::read(&subscriber).unwrap(), b"precious");
    assert_eq!(std::fs::read_link(&publisher).unwrap(), Path::new("/opt/old/mq"), "nothing was changed");
    mq("install-links --force").arg(directory.path()).run().expect_status(0);
    for link in [publisher, subscriber] {
        assert!(std::fs::read_link(link).unwrap().is_absolute());
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 4);
}

#[test]
fn a_directory_for_links_that_is_not_there_is_named() {
    assert_says(&mq("install-links /nonexistent/bin").run().fail(1), &["/nonexistent/bin", "No such file"]);
    assert_says(&mq("install-links").run().fail(2), &["DIRECTORY"]);
}

/// What `mq man --dir man` and `mq completions --dir completions` write is checked in.
#[test]
fn the_files_that_are_checked_in_are_those_that_the_program_writes() {
    for (command, name) in [("man", "man"), ("completions", "completions")] {
        let checked_in = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        let directory = TempDir::new().unwrap();
        mq(&format!("{command} --dir")).arg(directory.path()).run().succeed();
        let written = files(directory.path());
        let names = |files: &[PathBuf]| {
            files.iter().map(|path| path.file_name().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(&files(&checked_in)), names(&written), "in {name}/");
        for path in written {
            let file = checked_in.join(path.file_name().unwrap());
            let is_same = std::fs::read(&file).unwrap() == std::fs::read(&path).unwrap();
            assert!(is_same, "{} is old; `.ci/generate` writes the manual again", file.display());
        }
    }
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn the_version_is_one_line_with_its_features() {
    let version = mq("--version").run().succeed();
    assert_eq!(version.lines().count(), 1);
    assert_says(&version, &[&format!("mq {} (", env!("CARGO_PKG_VERSION")), "rustls"]);
    assert_says(&version, &[if cfg!(feature = "psk") { ", psk by OpenSSL" } else { ", no psk" }]);
}

#[test]
fn examples_fit_a_terminal_of_80_columns() {
    let modes = ["pubsub", "conn", "pub", "sub", "rr", "reconnect", "scenario", "merge", "compare"];
    let modes = modes.iter().map(|mode| format!("bench {mode}"));
    for command in ["", "pub", "sub", "rr", "bench"].into_iter().map(str::to_owned).chain(modes) {
        let help = mq(&format!("{command} --help")).run().succeed();
        let examples: Vec<&str> = help.lines().skip_while(|line| *line != "Examples:").collect();
        let examples: Vec<&str> = examples.into_iter().take_while(|line| !line.is_empty()).collect();
        assert!(examples.len() > 3, "{command} has examples");
        for line in examples {
            assert!(line.chars().count() < 80, "{line}");
        }
    }
}

#[test]
fn help_that_cannot_be_written_is_a_failure() {
    for words in ["--help", "sub --help", "--version"] {
        let line = format!("{} {words} > /dev/full", mq_path());
        let stderr = Program::new("sh").arg("-c").arg(line).run().fail(1);
        assert_says(&stderr, &["mq: cannot write to standard output"]);
    }
}

#[test]
fn the_verbose_version_has_the_commit_the_features_and_the_tls_library() {
    let facts = mq("--version --verbose").run().succeed();
    let names: Vec<&str> = facts.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, ["mq", "commit", "features", "TLS", "platform"], "{facts}");
    assert_eq!(facts.lines().next(), Some(concat!("mq ", env!("CARGO_PKG_VERSION"))));
    assert_says(&facts, &["rustls with ring", std::env::consts::ARCH]);
    assert_eq!(mq("--verbose -V").run().succeed(), facts);
    assert_eq!(mq("--version").run().succeed().lines().count(), 1);
    mq("--verbose sub -t a").run().fail(2);
}
