//! Durations and sizes: all options, profiles and scenario files take the same forms, and reject other values in the same words.

use super::support::*;

/// A broker that does not exist: a command line without a mistake fails for this reason alone.
const NOWHERE: &str = "--unix /nonexistent/mq.sock";

/// The options with a duration, and the command to use them with.
const DURATIONS: &[(&str, &str)] = &[
    ("pub -t a -n", "--timeout"),
    ("pub -t a -n", "--repeat-delay"),
    ("pub -t a -n", "--connect-timeout"),
    ("pub -t a -n", "--delay"),
    ("pub -t a -n --auth-method X", "--reauthenticate"),
    ("sub -t a", "-W"),
    ("sub -t a", "--timeout"),
    ("sub -t a", "--idle-timeout"),
    ("sub -t a", "--connect-timeout"),
    ("rr -t a -n", "-W"),
    ("rr -t a -n", "--connect-timeout"),
    ("doctor", "-W"),
    ("doctor", "--check-timeout"),
    ("bench --check", "--duration"),
    ("bench conn --check", "--hold"),
    ("bench --check", "--warm-up"),
    ("bench --check --rate 1", "--ramp"),
    ("bench --check", "--timeout"),
    ("bench --check", "--connect-timeout"),
];

/// Forms of a duration.
const VALID_DURATIONS: &[&str] = &[
    "1", "0.5", "500us", "500µs", "500ms", "5s", "1.5s", "1m", "2min", "2h", "1d", "1m30s", "1h 30m", " 5s ",
];

/// Texts that are not durations.
const INVALID_DURATIONS: &[&str] = &["", "x", "5x", "5S", "-5", "s", "1m30", "30s1m", "inf", "1e30", "5 5"];

fn exits_without_usage_error(program: Program, what: &str) {
    let finished = program.run();
    assert_ne!(finished.status, 2, "{what}: {}", finished.stderr);
}

#[test]
fn every_duration_option_takes_the_same_forms() {
    for (words, option) in DURATIONS {
        for value in VALID_DURATIONS {
            let program = mq(words).words(NOWHERE).arg(option).arg(value);
            exits_without_usage_error(program, &format!("mq {words} {option} '{value}'"));
        }
    }
}

#[test]
fn every_duration_option_rejects_other_values_in_the_same_words() {
    for (words, option) in DURATIONS.iter().filter(|(_, option)| *option != "--ramp") {
        for value in INVALID_DURATIONS {
            let stderr = mq(words).words(NOWHERE).arg(option).arg(value).run().fail(2);
            let line = format!(
                ": invalid value '{value}' for {option}: expected a duration such as 500ms, 5s or 2m"
            );
            let empty = if value.is_empty() { "; the value is empty" } else { "" };
            let first = stderr.lines().next().unwrap();
            let is_plain = first.ends_with(&line);
            assert!(is_plain || first.ends_with(&(line + empty)), "mq {words} {option} '{value}': {first}");
        }
    }
    let stderr = mq("bench --rate 1 --ramp 5x").run().fail(2);
    assert_says(
        &stderr,
        &["invalid value '5x' for --ramp: expected a duration such as 5s, or two rates such as 100..5k"],
    );
}

#[test]
fn options_in_whole_seconds_take_units_too() {
    for (option, values) in [
        ("-k", &["5", "60", "60s", "1m", "1h"][..]),
        ("-x", &["0", "3600", "1h", "30d", "1m30s", "0x10", "010", "-1", "∞"]),
    ] {
        for value in values {
            let program = mq("sub -t a -i me").words(NOWHERE).arg(option).arg(value);
            exits_without_usage_error(program, &format!("{option} {value}"));
        }
    }
    for (option, value, expected) in [
        ("-k", "4s", "expected whole seconds from 5 to 65535, such as 60 or 1m"),
        ("-k", "1d", "expected whole seconds from 5 to 65535, such as 60 or 1m"),
        ("-k", "60500ms", "expected whole seconds from 5 to 65535, such as 60 or 1m"),
        ("-x", "5x", "expected seconds from 0 to 4294967295, such as 3600 or 1h, or -1 for no expiry"),
        ("-x", "500ms", "expected seconds from 0 to 4294967295, such as 3600 or 1h, or -1 for no expiry"),
    ] {
        let stderr = mq("sub -t a -i me").words(NOWHERE).arg(option).arg(value).run().fail(2);
        assert_says(&stderr, &[&format!("mq sub: invalid value '{value}' for {option}: {expected}")]);
    }
}

#[test]
fn zero_is_rejected_where_a_duration_must_be_positive() {
    for (words, option) in [("sub -t a", "-W"), ("sub -t a", "--idle-timeout"), ("bench", "--duration")] {
        for value in ["0", "0s", "0ms"] {
            let stderr = mq(words).arg(option).arg(value).run().fail(2);
            let expected = "expected a duration greater than 0, such as 500ms, 5s or 2m";
            assert_says(&stderr, &[&format!("invalid value '{value}' for {option}: {expected}")]);
        }
    }
}

/// Values of mosquitto's own options, and the status of its tools. Units are ignored or wrong, never read.
const OF_MOSQUITTO: &[(&str, &str, &str, i32)] = &[
    ("mosquitto_pub", "-k", "60", 0),
    ("mosquitto_pub", "-k", "1m", 1),
    ("mosquitto_pub", "-k", "4", 1),
    ("mosquitto_pub", "-k", "5m", 0),
    ("mosquitto_pub", "-x", "60", 0),
    ("mosquitto_pub", "-x", "0x10", 0),
    ("mosquitto_pub", "-x", "1h", 1),
    ("mosquitto_pub", "--repeat-delay", "0.01", 0),
    ("mosquitto_pub", "--repeat-delay", "0.01ms", 0),
    ("mosquitto_sub", "-C 1 -W", "20", 0),
    ("mosquitto_sub", "-C 1 -W", "20m", 0),
    ("mosquitto_sub", "-C 1 -W", "0.5", 1),
    ("mosquitto_sub", "-C 1 -W", "0", 1),
];

#[test]
fn mosquittos_own_options_keep_its_rules_under_its_names() {
    let broker = EmbeddedBroker::start();
    broker.mq("pub -t kept -m x -r -q 1").run().succeed();
    for (name, option, value, status) in OF_MOSQUITTO {
        let words = if *name == "mosquitto_pub" { "-t a -m x" } else { "-t kept" };
        let words = format!("{} {words} {option}", broker.options());
        let finished = called_as(name, &words).arg(value).run();
        assert_eq!(finished.status, *status, "{name} {option} {value}: {}", finished.stderr);
        if let Some(tool) = broker::find(name) {
            let real = Program::new(tool).words(&words).arg(value).run();
            assert_eq!(real.status, *status, "real {name} {option} {value}: {}", real.stderr);
        }
    }
}

/// A unit that mosquitto_sub ignores is not a unit: `-W 1m` waits for one second.
#[test]
fn a_unit_has_no_effect_under_mosquittos_names() {
    let broker = EmbeddedBroker::start();
    let words = format!("{} -t nothing", broker.options());
    assert_says(&called_as("mosquitto_sub", &words).words("-W 1m").run().fail(27), &["Timed out"]);
    assert_says(
        &String::from_utf8_lossy(&called_as("mosquitto_sub", "--help").run().stdout),
        &["-W, --timeout <SECONDS>"],
    );
}

/// The options with a size, and the command to use them with.
const SIZES: &[(&str, &str)] = &[("bench --check", "-s"), ("pub -t a", "--random")];

#[test]
fn every_size_option_takes_the_same_forms() {
    let valid = ["0", "512", "512B", "64K", "64k", "64KiB", "64KB", "1M", "1.5MiB", "64..1KiB", "1KiB..1MiB"];
    for (words, option) in SIZES {
        let is_valid = |value: &&str| *value != "0" || *option != "-s"; // a header is part of the payload
        for value in valid.into_iter().filter(is_valid) {
            let program = mq(words).words(NOWHERE).arg(option).arg(value);
            exits_without_usage_error(program, &format!("mq {words} {option} {value}"));
        }
        for value in ["x", "5x", "-5", "64KIB", "1G", "5..", "1.5"] {
            let stderr = mq(words).words(NOWHERE).arg(option).arg(value).run().fail(2);
            let expected = "expected a size such as 512, 64KiB or 1MiB, or a range such as 64..1KiB";
            assert_says(&stderr, &[&format!("invalid value '{value}' for {option}: {expected}")]);
        }
    }
    for option in ["--memory", "--client-memory"] {
        for value in ["65536", "64K", "64KiB", "1M", "1MiB", "1.5GiB", "1GB"] {
            mq("broker -p 0 --stop-with-stdin").arg(option).arg(value).run().succeed();
        }
        for value in ["0", "63KiB", "x", "1m", "1T"] {
            let stderr = mq("broker -p 0 --stop-with-stdin").arg(option).arg(value).run().fail(2);
            let expected = "expected a size of at least 64KiB, such as 16MiB or 2GiB";
            assert_says(&stderr, &[&format!("invalid value '{value}' for {option}: {expected}")]);
        }
    }
}

#[test]
fn a_rotation_is_a_size_or_a_duration() {
    let directory = tempfile::tempdir().unwrap();
    let sub =
        || mq("sub -t a --record").arg(directory.path().join("a.ndjson")).words(NOWHERE).arg("--rotate");
    for value in ["100M", "100MiB", "64KB", "1m", "30min", "1h", "1d", "1h30m"] {
        exits_without_usage_error(sub().arg(value), value);
    }
    for value in ["", "0", "3600", "5x", "-1h"] {
        let stderr = sub().arg(value).run().fail(2);
        let expected = "expected a size such as 100MiB, or an age such as 30m, 1h or 1d";
        assert_says(&stderr, &[&format!("invalid value '{value}' for --rotate: {expected}")]);
    }
}

#[test]
fn thresholds_take_the_same_durations() {
    for value in ["10ms", "500us", "500µs", "1.5s", "1m", "1m30s", "10 ms"] {
        let program = mq("bench --check --fail-if").arg(format!("p99>{value}"));
        exits_without_usage_error(program, value);
    }
    for value in ["x", "10", "10x", "1e3ms"] {
        let stderr = mq("bench --check --fail-if").arg(format!("p99>{value}")).run().fail(2);
        assert_says(&stderr, &[&format!("p99>{value}: expected a duration such as 500ms, 5s or 2m")]);
    }
}

#[test]
fn scenario_files_take_the_same_durations_and_sizes() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("load.toml");
    let run = |duration: &str, size: &str| {
        let text = format!(
            "duration = {duration}\nwarm_up = {duration}\n[[group]]\nname = 'a'\nscenario = 'pubsub'\nsize = {size}\n"
        );
        std::fs::write(&file, text).unwrap();
        mq("bench --check scenario").arg(&file).run()
    };
    for (duration, size) in [("5", "64"), ("0.5", "'64..1KiB'"), ("'500ms'", "'64KiB'"), ("'1m30s'", "'1M'")]
    {
        let finished = run(duration, size);
        assert_ne!(finished.status, 2, "{duration} {size}: {}", finished.stderr);
    }
    let stderr = run("'5x'", "64").fail(2);
    assert_says(
        &stderr,
        &["line 1, column 12: invalid value '5x' for duration: expected a duration such as 500ms, 5s or 2m"],
    );
    assert_says(&run("5", "'5x'").fail(2), &["expected a size such as 512, 64KiB or 1MiB"]);
}

#[test]
fn profiles_and_variables_take_the_same_durations() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config.toml");
    for value in ["5", "0.5", "'500ms'", "'1m30s'"] {
        std::fs::write(&file, format!("[defaults]\nconnect-timeout = {value}\n")).unwrap();
        mq("config check").env("MQ_CONFIG", &file).run().succeed();
        let program = mq("pub -t a -n").words(NOWHERE).env("MQ_CONFIG", &file);
        exits_without_usage_error(program, value);
    }
    std::fs::write(&file, "[defaults]\nconnect-timeout = '5x'\n").unwrap();
    let stderr = mq("pub -t a -n").words(NOWHERE).env("MQ_CONFIG", &file).run().fail(2);
    assert_says(&stderr, &["line 2, column 1", "expected a duration such as 500ms, 5s or 2m"]);
    let stderr = mq("pub -t a -n").words(NOWHERE).env("MQ_CONNECT_TIMEOUT", "5x").run().fail(2);
    assert_says(&stderr, &["MQ_CONNECT_TIMEOUT", "expected a duration such as 500ms, 5s or 2m"]);
}
