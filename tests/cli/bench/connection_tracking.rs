//! Clients that time out while the kernel's connection tracking table is full. A folder takes the place of the kernel's files, in a
//! mount namespace, which needs root; elsewhere the test says that it was skipped.

use super::*;
use crate::support::certificates::Files;
use crate::support::process::Finished;
use std::io::Write;
use std::net::TcpListener;

/// A run of three clients that nobody answers, on a machine whose table has this many entries of 1000. `None` without a namespace.
fn unanswered(entries: &str, options: &str) -> Option<Finished> {
    // The kernel makes the connections, and CONNECT is never read.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let files = Files::new(&[]);
    let folder = files.path("netfilter");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("nf_conntrack_max"), "1000\n").unwrap();
    std::fs::write(folder.join("nf_conntrack_count"), entries).unwrap();
    let script = "mount --bind \"$1\" /proc/sys/net && shift && exec \"$0\" \"$@\"";
    let program = Program::new("unshare").words("-m sh -c").arg(script).arg(mq_path()).arg(files.path(""));
    let words = format!("bench conn -h 127.0.0.1 -p {port} -c 3 --connect-timeout 0.3 {options}");
    let finished = program.words(&words).run();
    if finished.stderr.contains("unshare:") || finished.stderr.contains("mount:") {
        // Past the harness, which would keep it to itself.
        let _ = writeln!(
            std::io::stderr(),
            "skipped: a mount namespace is not allowed here: {}",
            finished.stderr
        );
        return None;
    }
    Some(finished)
}

#[test]
fn clients_that_time_out_are_told_of_a_full_connection_tracking_table() {
    let Some(finished) = unanswered("990\n", "--json -") else { return };
    let report: serde_json::Value = serde_json::from_slice(&finished.stdout).unwrap();
    let [error] = report["errors"].as_array().unwrap().as_slice() else { panic!("{report}") };
    assert_eq!((&error["stage"], &error["count"]), (&"connect".into(), &3.into()));
    let remedy = "the kernel's connection tracking table is full (990 of 1000 entries): raise net.netfilter.nf_conntrack_max";
    let reason = format!("timed out after 0.3 s; {remedy}");
    assert_says(error["text"].as_str().unwrap(), &[&reason]);
    let text = finished.fail(1);
    assert_says(&text, &["3 of 3 clients could not connect: ", &reason]);
    assert!(!text.contains("hint:"), "no other cause is suggested: {text}");
    let Some(finished) = unanswered("1000\n", "") else { return };
    assert_says(
        &String::from_utf8_lossy(&finished.stdout),
        &["connecting ", "3 x timed out after 0.3 s;", "nf_conntrack_max"],
    );
}

#[test]
fn a_table_with_room_is_no_cause_of_timeouts() {
    for entries in ["989\n", "", "-1", "\u{1b}[31m1000"] {
        let Some(finished) = unanswered(entries, "") else { return };
        let text = finished.fail(1);
        assert_says(
            &text,
            &["3 of 3 clients could not connect: timed out after 0.3 s\nhint: is the broker running there?"],
        );
    }
}
