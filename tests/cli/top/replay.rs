//! Recordings on the screen, and recording meanwhile.

use super::super::support::*;
use super::{home, top};
use std::path::Path;
use tempfile::TempDir;

fn line(time: &str, topic: &str, payload: &str) -> String {
    format!(
        "{{\"time\":\"2026-01-31T{time}Z\",\"topic\":\"{topic}\",\"qos\":0,\"retain\":false,\
         \"payload_encoding\":\"utf8\",\"payload\":\"{payload}\"}}\n"
    )
}

fn replay(path: &Path) -> Option<Terminal> {
    Terminal::start(&format!("top --list --replay {}", path.display()), 80, 24)
}

#[test]
fn a_recording_is_played_with_stops_and_steps() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("day.ndjson");
    let lines =
        [line("10:00:00", "first", "one"), line("10:00:15", "second", "two"), line("11:00:00", "third", "x")];
    std::fs::write(&path, lines.concat()).unwrap();
    let Some(mut terminal) = replay(&path) else { return };
    terminal.wait_for("of 1:00:00");
    terminal.keys("o");
    terminal.wait_for("STOPPED");
    terminal.wait_for("first");
    terminal.keys("..");
    terminal.wait_for("second");
    terminal.keys(",,");
    terminal.wait_without("second");
    assert_says(&terminal.screen(), &["first", "1 topic", "replay 0:00:0"]);
    terminal.keys("++");
    terminal.wait_for("speed 4");
    terminal.keys("n");
    terminal.wait_for("a recording is shown");
    terminal.resize(40, 15);
    terminal.wait_for("/1:00:00 x4");
    assert_says(&terminal.screen(), &[" day.ndjson  0:00:"]);
    terminal.keys("q");
    let output = terminal.end_with_output(0);
    assert!(!output.contains("connecting"), "a replay never connects");
}

#[test]
fn a_database_is_played_as_well() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("day.sqlite");
    if !cfg!(feature = "sqlite") {
        std::fs::write(&path, "SQLite format 3\0").unwrap();
        let Some(terminal) = replay(&path) else { return };
        assert_says(&terminal.end(1), &["recordings in SQLite are not in this build", "--features sqlite"]);
        return;
    }
    let broker = home();
    let mut recorder = broker.mq("sub -t # -C 5 --record").arg(&path).spawn();
    recorder.wait_for_stdout("dry");
    broker.mq("pub -t garden/soil -m wet").run().succeed();
    recorder.wait_for_end();
    let Some(mut terminal) = replay(&path) else { return };
    terminal.wait_for("wet");
    terminal.wait_for("4 topics  5 msgs");
    terminal.keys(",");
    terminal.wait_for("replay 0:00:0");
    terminal.wait_for("4 topics  5 msgs");
    terminal.keys("q");
    terminal.end(0);
}

#[test]
fn invalid_lines_are_skipped_counted_and_named() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("bad.ndjson");
    let good = |second, topic| line(&format!("10:00:0{second}"), topic, "x");
    let lines = [
        good(0, "first"),
        "{\"topic\":\"a\n".to_owned(),
        "x".repeat(100_000) + "\n",
        "\n{\"payload\":\"no topic\"}\n".to_owned(),
        good(0, "second"),
        "{\"time\":\"2026-01-31T10:00:0".to_owned(),
    ];
    std::fs::write(&path, lines.concat()).unwrap();
    let Some(mut terminal) = replay(&path) else { return };
    terminal.wait_for("4 skipped");
    terminal.wait_for("second");
    terminal.wait_for("line 2 of the recording is skipped: ");
    assert_says(&terminal.screen(), &["first", "2 topics", "at the end"]);
    terminal.keys("q");
    terminal.end(0);
}

#[test]
fn a_time_that_cannot_be_read_is_named() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("bad.ndjson");
    let bad = "{\"time\":\"yesterday\",\"topic\":\"b\"}\n";
    std::fs::write(&path, line("10:00:00", "first", "x") + bad).unwrap();
    let Some(mut terminal) = replay(&path) else { return };
    terminal.wait_for("1 skipped");
    terminal.wait_for("line 2 of the recording is skipped: column 9: expected a time");
    terminal.keys("q");
    terminal.end(0);
}

#[test]
fn options_of_a_connection_are_refused_by_name() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("day.ndjson");
    std::fs::write(&path, line("10:00:00", "first", "one")).unwrap();
    for option in
        ["-h test.example", "-L mqtt://a", "-u me", "--cafile x", "-i id", "--retries 2", "-q 1", "-V 5"]
    {
        let words = format!("top --replay {} {option}", path.display());
        let Some(terminal) = Terminal::start(&words, 80, 24) else { return };
        let name = option.split(' ').next().unwrap();
        assert_says(&terminal.end(2), &[&format!("mq top: --replay cannot be used with {name}")]);
    }
    // What is not typed is not for this screen.
    let configuration = directory.path().join("config.toml");
    std::fs::write(&configuration, "default-profile = \"plant\"\n[profile.plant]\nhost = \"test.example\"\n")
        .unwrap();
    let variables = format!("TERM=xterm MQ_USERNAME=me MQ_CONFIG={}", configuration.display());
    let words = format!("top --replay {}", path.display());
    let Some(mut terminal) = Terminal::start_with(&variables, &words, 80, 24) else { return };
    terminal.wait_for("first");
    terminal.keys("q");
    terminal.end(0);
    let Some(terminal) = Terminal::start_with(&variables, &format!("{words} --profile plant"), 80, 24) else {
        return;
    };
    assert_says(&terminal.end(2), &["mq top: --profile is for a live client; for a recording"]);
}

#[test]
fn a_file_without_messages_is_no_recording() {
    for path in ["/dev/zero", "/bin/true"] {
        let Some(terminal) = replay(Path::new(path)) else { return };
        assert_says(&terminal.end(1), &["mq top: ", path]);
    }
}

#[test]
fn messages_are_recorded_while_they_are_shown() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("day.ndjson");
    let broker = home();
    let Some(mut terminal) = top(&broker, &format!("--record {}", path.display())) else { return };
    terminal.wait_for("4 topics");
    assert_says(&terminal.screen(), &["REC"]);
    terminal.keys("q");
    terminal.end(0);
    let recorded = std::fs::read_to_string(&path).unwrap();
    assert_eq!(recorded.lines().count(), 4, "{recorded}");
}

#[test]
fn a_recording_that_cannot_be_written_ends_the_connection_not_the_screen() {
    let broker = home();
    let Some(mut terminal) = top(&broker, "--record /dev/full") else { return };
    terminal.wait_for("/dev/full: No space left on device");
    terminal.wait_for("NOT CONNECTED");
    assert!(!terminal.screen().contains("REC"), "nothing is recorded any more:\n{}", terminal.screen());
    terminal.keys("q");
    assert_says(&terminal.end(1), &["mq top: cannot write /dev/full: No space left on device"]);
}
