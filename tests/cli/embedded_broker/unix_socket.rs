//! `mq broker --unix`: connections by path, and the file of the socket.

use crate::support::*;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use tempfile::TempDir;

/// A broker that listens at this path alone, when it does.
fn listening(path: &Path) -> Running {
    let mut broker = mq("broker --unix").arg(path).spawn();
    let line = broker.wait_for_stdout("");
    assert_eq!(line, format!("listening on {} (unix socket)", path.display()));
    broker
}

/// `mq` with these words and the socket.
fn at(path: &Path, words: &str) -> Program {
    mq(words).arg("--unix").arg(path)
}

#[test]
fn messages_go_from_socket_to_socket_at_every_qos_in_every_version() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("mq.sock");
    let _broker = listening(&path);
    for version in ["31", "311", "5"] {
        let mut subscriber = at(&path, &format!("sub -d -V {version} -t a -q 2 -C 3")).spawn();
        subscriber.wait_for_stderr("<- SUBACK");
        for qos in 0..3 {
            at(&path, &format!("pub -V {version} -t a -q {qos} -m {qos}")).run().succeed();
        }
        assert_eq!(subscriber.finish().succeed(), "0\n1\n2\n");
    }
}

#[test]
fn a_port_stands_beside_the_socket_when_it_is_asked_for() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("mq.sock");
    let broker = EmbeddedBroker::start_with(&format!("-p 0 --unix {}", path.display()));
    let subscriber = broker.subscriber("-t a -C 1");
    at(&path, "pub -t a -m across").run().succeed();
    assert_eq!(subscriber.finish().succeed(), "across\n");
}

#[test]
fn the_file_is_gone_when_the_broker_ends() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("mq.sock");
    for (signal, status) in [("INT", 130), ("TERM", 143)] {
        let broker = listening(&path);
        broker.signal(signal);
        broker.finish().expect_status(status);
        assert!(!path.exists());
    }
}

#[test]
fn the_file_of_another_broker_stays() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("mq.sock");
    let first = listening(&path);
    std::fs::remove_file(&path).unwrap();
    let _second = listening(&path);
    first.signal("TERM");
    first.finish().expect_status(143);
    at(&path, "pub -t a -m x").run().succeed();
}

#[test]
fn the_socket_of_a_killed_broker_is_replaced() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("mq.sock");
    let mut broker = listening(&path);
    broker.kill();
    assert!(path.exists());
    let _again = listening(&path);
    at(&path, "pub -t a -m x").run().succeed();
}

#[test]
fn a_socket_that_is_listened_on_stays() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("mq.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let stderr = mq("broker --unix").arg(&path).run().fail(1);
    assert_says(&stderr, &["mq broker:", &path.display().to_string(), "another program listens"]);
    UnixStream::connect(&path).unwrap();
    drop(listener);
}

#[test]
fn other_files_are_left_alone() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("file");
    std::fs::write(&path, "precious").unwrap();
    assert_says(&mq("broker --unix").arg(&path).run().fail(1), &["file", "not a socket"]);
    assert_eq!(std::fs::read(&path).unwrap(), b"precious");
    let link = directory.path().join("link");
    std::os::unix::fs::symlink("nowhere", &link).unwrap();
    assert_says(&mq("broker --unix").arg(&link).run().fail(1), &["link", "not a socket"]);
    assert!(link.is_symlink());
}

#[test]
fn a_path_that_cannot_be_is_reported() {
    assert_says(
        &mq("broker --unix /nonexistent/mq.sock").run().fail(1),
        &["/nonexistent/mq.sock", "No such"],
    );
    let long = format!("/tmp/{}", "x".repeat(200));
    assert_says(&mq(&format!("broker --unix {long}")).run().fail(1), &[&long]);
    let stderr = mq("broker").arg("--unix").arg("").run().fail(2);
    assert_first_line(&stderr, "mq broker: --unix needs a value");
}
