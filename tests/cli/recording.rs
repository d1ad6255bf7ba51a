//! `mq sub --record` and `mq pub --replay`: recorded messages are published again, unchanged and with their timing.

use super::support::*;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Recorders of every kind that this build has, by the endings of their files.
fn endings() -> Vec<&'static str> {
    if cfg!(feature = "sqlite") { vec!["ndjson", "sqlite"] } else { vec!["ndjson"] }
}

/// A directory with the path of a recording in it.
fn place(ending: &str) -> (TempDir, PathBuf) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join(format!("day.{ending}"));
    (directory, path)
}

fn recorder(broker: &(impl Server + ?Sized), path: &Path, options: &str) -> Running {
    let mut running = broker.mq(&format!("sub -d -q 2 -t # {options} --record")).arg(path).spawn();
    running.wait_for_stderr("<- SUBACK");
    running
}

fn replay(broker: &(impl Server + ?Sized), path: &Path, options: &str) -> Program {
    broker.mq("pub --replay").arg(path).words(options)
}

/// A recording of messages to the topic `a`, so many seconds after each other.
fn lines(payloads: &[&str], seconds: f64) -> String {
    let line = |(index, payload): (usize, &&str)| {
        let time = 1_000.0 + index as f64 * seconds;
        let minutes = (time / 60.0).floor();
        let rest = time - minutes * 60.0;
        format!(
            "{{\"time\":\"2026-01-31T12:{minutes:02}:{rest:06.3}Z\",\"topic\":\"a\",\"payload\":\"{payload}\"}}\n"
        )
    };
    payloads.iter().enumerate().map(line).collect()
}

#[test]
fn messages_come_back_as_they_were() {
    on_each_broker(|broker| {
        for ending in endings() {
            let (_directory, path) = place(ending);
            let recorder = recorder(broker, &path, "-V 5 -C 4");
            let properties = "-D publish user-property k v -D publish content-type text/plain";
            broker.mq(&format!("pub -V 5 -t one -m x -q 1 {properties}")).run().succeed();
            broker.mq("pub -t two -s -q 1").stdin([0, 0xff, b'\n']).run().succeed();
            broker.mq("pub -t two -n -q 1").run().succeed();
            broker.mq("pub -t three -s -q 2").stdin("€ \"\\").run().succeed();
            assert_eq!(recorder.finish().succeed(), "", "it is kept instead of printed");
            let format = "-q 2 -V 5 -t # -C 4 -F %t;%q;%x;%P;%C";
            let subscriber = broker.subscriber(format);
            replay(broker, &path, "--speed max").run().succeed();
            let expected = "one;1;78;k:v;text/plain\ntwo;1;00ff0a;;\ntwo;1;;;\nthree;2;e282ac20225c;;\n";
            assert_eq!(subscriber.finish().succeed(), expected);
        }
    });
}

#[test]
fn a_recording_goes_on_where_it_ended() {
    let broker = EmbeddedBroker::start();
    for ending in endings() {
        let (_directory, path) = place(ending);
        for payload in ["one", "two"] {
            let recorder = recorder(&broker, &path, "-C 1");
            broker.mq(&format!("pub -t a -m {payload}")).run().succeed();
            recorder.finish().succeed();
        }
        let subscriber = broker.subscriber("-t a -C 2");
        replay(&broker, &path, "--speed max").run().succeed();
        assert_eq!(subscriber.finish().succeed(), "one\ntwo\n");
    }
}

#[test]
fn recorded_messages_are_also_printed_on_request() {
    let broker = EmbeddedBroker::start();
    let (_directory, path) = place("ndjson");
    let recorder = recorder(&broker, &path, "-v -C 1");
    broker.mq("pub -t a -m x").run().succeed();
    assert_eq!(recorder.finish().succeed(), "a x\n");
    assert!(fs::read_to_string(&path).unwrap().contains("\"payload\":\"x\""));
}

#[test]
fn a_killed_recorder_leaves_whole_messages() {
    let broker = EmbeddedBroker::start();
    for ending in endings() {
        let (_directory, path) = place(ending);
        let mut recorder = recorder(&broker, &path, "");
        let mut flood = broker.mq("pub -t a -m x --repeat 1000000 -q 1").spawn();
        broker.subscriber("-t a -C 5000").finish().expect_status(0);
        recorder.kill();
        flood.kill();
        let subscriber = broker.subscriber("-t a --idle-timeout 2");
        replay(&broker, &path, "--speed max").run().succeed();
        let received = subscriber.finish();
        received.expect_status(27);
        let count = String::from_utf8(received.stdout).unwrap().lines().count();
        assert!(count > 100, "{count} of about 5000 or more");
    }
}

#[test]
fn a_recording_that_was_cut_off_is_read_up_to_there() {
    let broker = EmbeddedBroker::start();
    let (_directory, path) = place("ndjson");
    fs::write(&path, lines(&["one", "two"], 0.0) + "{\"time\":\"2026-01-31T1").unwrap();
    let subscriber = broker.subscriber("-t a -C 2");
    let finished = replay(&broker, &path, "").run();
    assert_says(&finished.stderr, &["day.ndjson, line 3", "cut off"]);
    finished.succeed();
    assert_eq!(subscriber.finish().succeed(), "one\ntwo\n");
    let recorder = recorder(&broker, &path, "-C 1");
    broker.mq("pub -t a -m three").run().succeed();
    let finished = recorder.finish();
    assert_says(&finished.stderr, &["the last message was cut off"]);
    finished.succeed();
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 3);
}

#[test]
fn pauses_are_as_they_were_or_as_requested() {
    let broker = EmbeddedBroker::start();
    let (_directory, path) = place("ndjson");
    fs::write(&path, lines(&["1", "2", "3"], 1000.0)).unwrap();
    for options in ["", "--speed 2", "--rate 1/min"] {
        let subscriber = broker.subscriber("-t a -C 1");
        let running = replay(&broker, &path, options).spawn();
        assert_eq!(subscriber.finish().succeed(), "1\n");
        running.signal("TERM");
        running.finish().expect_status(143); // It waited for the pause.
    }
    for options in ["--speed 1000000", "--speed max", "--rate 1000"] {
        let subscriber = broker.subscriber("-t a -C 3");
        replay(&broker, &path, options).run().succeed();
        assert_eq!(subscriber.finish().succeed(), "1\n2\n3\n");
    }
}

#[test]
fn on_a_terminal_one_line_shows_how_far_a_replay_is() {
    let broker = EmbeddedBroker::start();
    for (ending, options, end) in
        [("ndjson", "--speed 60", "of 00:00:01"), ("ndjson", "--rate 5", "of about")]
    {
        let (_directory, path) = place(ending);
        fs::write(&path, lines(&["1", "2", "3"], 30.0)).unwrap();
        let program = mq_path();
        let replay = format!("{program} pub {} --replay {} {options}", broker.options(), path.display());
        let Some(running) = on_a_terminal(&format!("stty rows 24 cols 40; {replay}; echo status $?")) else {
            return;
        };
        let text = String::from_utf8(running.finish().stdout).unwrap();
        assert_says(&text, &[end, "100%", "status 0"]);
        for shown in text.split(['\r', '\n']) {
            // Clearing two lines at the cursor would also remove messages printed meanwhile.
            let shown = shown.rsplit("\x1b[2K").next().unwrap_or_default();
            assert!(shown.chars().count() <= 40, "{shown:?} in {text:?}");
        }
    }
    let (_directory, path) = place("ndjson");
    fs::write(&path, lines(&["1", "2"], 30.0)).unwrap();
    let program = mq_path();
    let line = format!("{program} pub -q 1 --quiet {} --replay {}", broker.options(), path.display());
    let Some(running) = on_a_terminal(&format!("{line} --speed 60")) else { return };
    assert_eq!(running.finish().succeed(), "", "nothing is shown with --quiet");
}

#[test]
fn several_recordings_follow_each_other_below_other_topics() {
    let broker = EmbeddedBroker::start();
    let (directory, path) = place("ndjson");
    let other = directory.path().join("other.ndjson");
    fs::write(
        &path,
        "{\"topic\":\"home/door\",\"payload\":\"1\"}\n{\"topic\":\"garden\",\"payload\":\"2\"}\n",
    )
    .unwrap();
    fs::write(&other, "\n{\"topic\":\"homework\",\"payload\":\"3\"}").unwrap();
    let subscriber = broker.subscriber("-t # -C 3 -v");
    let finished = replay(&broker, &path, "--rewrite home=house --rewrite =x --replay").arg(&other).run();
    finished.succeed();
    assert_eq!(subscriber.finish().succeed(), "house/door 1\nx/garden 2\nx/homework 3\n");
}

#[test]
fn a_long_recording_goes_on_in_new_files() {
    let broker = EmbeddedBroker::start();
    let (directory, path) = place("ndjson");
    let recorder = recorder(&broker, &path, "--rotate 1K -C 50");
    broker.mq("pub -t a -m 0123456789 --repeat 50 -q 1").run().succeed();
    recorder.finish().succeed();
    let mut files: Vec<PathBuf> =
        fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 4, "{files:?}");
    let texts = files.iter().map(|file| fs::read_to_string(file).unwrap());
    let (sizes, counts): (Vec<usize>, Vec<usize>) =
        texts.map(|text| (text.len(), text.lines().count())).unzip();
    assert!(sizes.iter().all(|size| *size <= 1024), "{sizes:?}");
    assert_eq!(counts.iter().sum::<usize>(), 50);
}

#[test]
fn a_file_that_is_not_a_recording_is_refused_before_anything_is_sent() {
    let (directory, path) = place("ndjson");
    let good = directory.path().join("good.ndjson");
    fs::write(&good, lines(&["x"], 0.0)).unwrap();
    let before = "pub -h 127.0.0.1 -p 1 --replay";
    for (content, parts) in [
        (&b"hello\n"[..], &["not a recording: ", "day.ndjson", "its first line, column 1"][..]),
        (b"{\"a\":1}\n", &["its first line", "unknown key \"a\""]),
        (b"\x00\x01\x02", &["not a recording"]),
    ] {
        fs::write(&path, content).unwrap();
        let stderr = mq(before).arg(&good).arg("--replay").arg(&path).run().fail(1);
        assert_says(&stderr, parts);
        let stderr = mq("sub -h 127.0.0.1 -p 1 -t a --record").arg(&path).run().fail(1);
        assert_says(&stderr, parts);
        assert_eq!(fs::read(&path).unwrap(), content, "it is left as it was");
    }
    let stderr = mq(before).arg(directory.path().join("none")).run().fail(1);
    assert_says(&stderr, &["none", "No such file"]);
    let stderr = mq("sub -h 127.0.0.1 -p 1 -t a --record").arg(directory.path()).run().fail(1);
    assert_says(&stderr, &["directory"]);
}

#[test]
fn a_broken_message_inside_ends_the_replay_with_its_place() {
    let broker = EmbeddedBroker::start();
    let (_directory, path) = place("ndjson");
    fs::write(&path, lines(&["one"], 0.0) + "{\"topic\":}\n" + &lines(&["two"], 0.0)).unwrap();
    let stderr = replay(&broker, &path, "").run().fail(1);
    assert_says(&stderr, &["mq pub: ", "day.ndjson, line 2, column 10"]);
    assert!(!stderr.contains("standard input"), "{stderr}");
}

#[test]
fn a_time_that_cannot_be_read_ends_the_replay_with_its_place() {
    let broker = EmbeddedBroker::start();
    let (_directory, path) = place("ndjson");
    for time in ["yesterday", "2026-01-31 12:16:40"] {
        let bad = format!("{{\"topic\":\"a\",\"time\":\"{time}\"}}\n");
        let part = format!("expected a time such as \"2026-01-31T12:00:00Z\", found \"{time}\"");
        fs::write(&path, lines(&["one"], 0.0) + &bad + &lines(&["two"], 0.0)).unwrap();
        let stderr = replay(&broker, &path, "").run().fail(1);
        assert_says(&stderr, &["day.ndjson, line 2, column 21: ", &part]);
        fs::write(&path, bad).unwrap();
        let stderr = replay(&broker, &path, "").run().fail(1);
        assert_says(&stderr, &["not a recording: ", "its first line, column 21: ", &part]);
    }
    fs::write(&path, lines(&["one"], 0.0) + "{\"topic\":\"a\",\"time\":null}\n{\"topic\":\"a\"}\n").unwrap();
    replay(&broker, &path, "").run().succeed();
}

#[test]
fn a_whole_last_line_is_not_called_cut_off() {
    let broker = EmbeddedBroker::start();
    let (_directory, path) = place("ndjson");
    let content = lines(&["one"], 0.0) + "{\"topic\":\"a\",\"qos\":7}";
    fs::write(&path, &content).unwrap();
    let stderr = replay(&broker, &path, "").run().fail(1);
    assert_says(&stderr, &["day.ndjson, line 2, column 20: expected a QoS of 0, 1 or 2, found 7"]);
    let recorder = recorder(&broker, &path, "-C 1");
    broker.mq("pub -t b -m x -q 1").run().succeed();
    recorder.finish().succeed();
    assert!(fs::read_to_string(&path).unwrap().starts_with(&(content + "\n{")), "the line stays");
}

#[test]
fn two_recorders_do_not_mix_in_one_file() {
    let broker = EmbeddedBroker::start();
    let (_directory, path) = place("ndjson");
    let _first = recorder(&broker, &path, "");
    let stderr = broker.mq("sub -t a --record").arg(&path).run().fail(1);
    assert_says(&stderr, &["day.ndjson", "written by another"]);
}

#[test]
fn a_full_disk_ends_the_recording_and_says_so() {
    let broker = EmbeddedBroker::start();
    let mut recorder = broker.mq("sub -d -t a -q 1 --record /dev/full").spawn();
    recorder.wait_for_stderr("<- SUBACK");
    broker.mq("pub -t a -m x -q 1").run().succeed();
    let stderr = recorder.finish().fail(1);
    assert_says(&stderr, &["/dev/full", "space"]);
    assert!(!stderr.contains("-> PUBACK"), "what is not kept is not acknowledged: {stderr}");
}

#[test]
fn options_of_recordings_are_checked() {
    for (words, part) in [
        ("pub --replay x --speed 0", "--speed"),
        ("pub --replay x --rate 5 --speed 2", "--speed"),
        ("pub --replay x -m y", "-m"),
        ("pub -t a -m x --speed 2", "--replay"),
        ("pub --replay x --rewrite nothing", "FROM=TO"),
        ("sub -t a --rotate 1M", "--record"),
        ("sub -t a --record x --rotate 1x", "30m, 1h or 1d"),
    ] {
        assert_says(&mq(words).run().fail(2), &[part]);
    }
}

#[cfg(not(feature = "sqlite"))]
#[test]
fn a_build_without_databases_says_how_to_get_one_with_them() {
    let (_directory, path) = place("sqlite");
    for program in [mq("sub -t a --record").arg(&path), mq("pub --replay").arg(&path)] {
        fs::write(&path, "SQLite format 3\0").unwrap();
        assert_says(&program.run().fail(1), &["--features sqlite"]);
    }
}

#[cfg(feature = "sqlite")]
mod databases {
    use super::*;
    use rusqlite::Connection;

    #[test]
    fn the_schema_is_as_documented() {
        let broker = EmbeddedBroker::start();
        let (_directory, path) = place("sqlite");
        let recorder = recorder(&broker, &path, "-V 5 -C 1");
        broker.mq("pub -V 5 -t a/b -m x -q 1 -D publish user-property k v").run().succeed();
        recorder.finish().succeed();
        let database = Connection::open(&path).unwrap();
        let row = database
            .query_row("SELECT topic, qos, retain, dup, payload, properties FROM messages", [], |row| {
                Ok((
                    row.get::<_, String>(0)?,
                    row.get::<_, i64>(1)?,
                    row.get::<_, bool>(2)?,
                    row.get::<_, bool>(3)?,
                    row.get::<_, Vec<u8>>(4)?,
                    row.get::<_, String>(5)?,
                ))
            })
            .unwrap();
        let properties = r#"{"user_properties":[["k","v"]]}"#.to_owned();
        assert_eq!(row, ("a/b".to_owned(), 1, false, false, b"x".to_vec(), properties));
        let mode: String = database.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
        assert_eq!(mode, "wal");
    }

    #[test]
    fn databases_of_others_are_refused() {
        let (_directory, path) = place("sqlite");
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE messages (x)").unwrap();
        for program in [mq("sub -h 127.0.0.1 -p 1 -t a --record"), mq("pub -h 127.0.0.1 -p 1 --replay")] {
            assert_says(
                &program.arg(&path).run().fail(1),
                &["not a recording: ", "day.sqlite", "another program"],
            );
        }
        fs::write(&path, "this is text, and not a database at all").unwrap();
        let stderr = mq("sub -h 127.0.0.1 -p 1 -t a --record").arg(&path).run().fail(1);
        assert_says(&stderr, &["not a recording"]);
    }

    #[test]
    fn a_locked_database_is_reported() {
        let broker = EmbeddedBroker::start();
        let (_directory, path) = place("sqlite");
        let recorder = recorder(&broker, &path, "");
        let locking = Connection::open(&path).unwrap();
        locking.execute_batch("BEGIN EXCLUSIVE").unwrap();
        broker.mq("pub -t a -m x").run().succeed();
        assert_says(&recorder.finish().fail(1), &["day.sqlite is locked by another program"]);
    }

    #[test]
    fn a_database_is_not_rotated() {
        let (_directory, path) = place("sqlite");
        let program = mq("sub -h 127.0.0.1 -p 1 -t a --rotate 1M --record").arg(&path);
        let line = format!("mq sub: {}: a database is not rotated", path.display());
        let stderr = program.run().fail(1);
        assert_first_line(&stderr, &line);
        assert_says(&stderr, &["hint: --rotate is for files of lines"]);
    }
}
