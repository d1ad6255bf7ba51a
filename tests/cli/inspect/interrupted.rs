//! Captures from pipes that a signal ends: what was read is shown.

use super::*;
use crate::support::capture::capture;
use crate::support::process::Running;
use std::io::Write;

/// A connection that the server resets, and more packets than a pipe holds: if all are written, the program has read the first ones.
fn traffic() -> Vec<u8> {
    let pings = "2: > c0 00\n".repeat(4000);
    capture(&format!(
        "> 10 (`MQTT` 04 02 003c `a`)\n< 20 (0000)\nreset <\n2: > 10 (`MQTT` 04 02 003c `b`)\n2: < 20 (0000)\n{pings}"
    ))
}

/// Sends the signal, and returns the output.
fn interrupted(mut running: Running, signal: &str, status: i32) -> String {
    running.signal(signal);
    running.wait_for_end();
    let finished = running.finish();
    finished.expect_status(status);
    String::from_utf8(finished.stdout).unwrap()
}

#[test]
fn a_signal_ends_a_capture_from_a_pipe_with_its_output() {
    for (options, expected) in [
        ("--diagnose", "the server reset (RST) the connection"),
        ("--diagnose --format json", "\"closed_by_server\""),
        ("--stats", "CONNECT"),
        ("--stats --format json", "\"CONNECT\""),
        ("--format json", "\"end_of_capture\""),
        ("", "the capture ends"),
    ] {
        for (signal, status) in [("INT", 130), ("TERM", 143)] {
            let mut running = mq("inspect").words(options).open_stdin().spawn();
            running.write(traffic());
            assert_says(&interrupted(running, signal, status), &[expected]);
        }
    }
}

#[test]
fn a_signal_ends_a_capture_from_a_named_pipe() {
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let running = mq("inspect --diagnose").arg(&pipe).spawn();
    let mut writer = std::fs::File::options().write(true).open(&pipe).unwrap();
    writer.write_all(&traffic()).unwrap();
    let shown = interrupted(running, "INT", 130);
    assert_says(&shown, &["the server reset (RST) the connection"]);
    drop(writer);
}

#[test]
fn a_second_signal_ends_a_program_whose_output_is_not_read() {
    let mut running = mq("inspect").open_stdin().holding_stdout().spawn();
    running.write(traffic());
    running.signal_until_end("INT");
}

#[test]
fn signals_that_arrive_together_do_not_cost_the_report() {
    let mut running = mq("inspect --diagnose").open_stdin().spawn();
    running.write(traffic());
    // As `timeout -s INT` sends them.
    let line = format!("kill -INT {0}; kill -TERM {0}; kill -INT {0}", running.id());
    Program::new("sh").arg("-c").arg(line).run().succeed();
    running.wait_for_end();
    let finished = running.finish();
    assert!(matches!(finished.status, 130 | 143), "{}", finished.status);
    assert_says(&String::from_utf8_lossy(&finished.stdout), &["the server reset (RST) the connection"]);
}
