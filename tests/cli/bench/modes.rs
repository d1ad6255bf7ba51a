//! The modes of `mq bench`: each has its own options, help and manual page.

use crate::support::*;
use std::collections::BTreeSet;

const MODES: [&str; 9] = ["pubsub", "conn", "pub", "sub", "rr", "reconnect", "scenario", "merge", "compare"];

/// The long options in the help of a mode.
fn options_of(mode: &str) -> BTreeSet<String> {
    let help = mq(&format!("bench {mode} --help")).run().succeed();
    let lines = help.lines().take_while(|line| *line != "Examples:");
    let options = lines.filter_map(|line| {
        let line = line.strip_prefix("  ")?;
        let long = line.strip_prefix("    --").or_else(|| line.get(4..)?.strip_prefix("--"))?;
        long.split([' ', '[']).next().map(str::to_owned)
    });
    options.collect()
}

#[test]
fn the_help_of_a_mode_has_its_options_and_no_others() {
    for (option, modes) in [
        ("hold", &["conn"][..]),
        ("keep-sessions", &["reconnect"]),
        ("recorded-topics", &["pub"]),
        ("topology", &["pubsub", "reconnect"]),
        ("subscribers", &["pubsub", "rr", "reconnect"]),
        ("share", &["pubsub", "sub", "reconnect"]),
        ("rate", &["pubsub", "pub", "rr", "reconnect"]),
        ("search", &["pubsub", "pub", "rr", "reconnect"]),
        ("messages", &["pubsub", "pub", "sub", "rr"]),
        ("qos", &["pubsub", "pub", "sub", "rr", "reconnect"]),
        ("clients", &["pubsub", "conn", "pub", "sub", "rr", "reconnect"]),
        ("host", &["pubsub", "conn", "pub", "sub", "rr", "reconnect", "scenario"]),
        ("fail-if", &MODES[..8]),
        ("tolerance", &MODES),
    ] {
        let found: Vec<&str> = MODES.into_iter().filter(|mode| options_of(mode).contains(option)).collect();
        assert_eq!(found, modes, "--{option}");
    }
    assert_eq!(options_of(""), options_of("pubsub"), "pubsub is the default");
}

#[test]
fn the_help_lists_the_modes() {
    let help = mq("bench --help").run().succeed();
    let modes = help.lines().skip_while(|line| *line != "Modes:").skip(1).take_while(|line| !line.is_empty());
    let modes: Vec<&str> = modes.filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(modes, MODES);
    assert!(mq("help bench conn").run().succeed().starts_with(&mq("bench conn --help").run().succeed()));
    assert_eq!(mq("bench --help conn").run().succeed(), mq("bench conn --help").run().succeed());
}

#[test]
fn options_without_a_use_are_refused_with_their_mode() {
    for (words, problem) in [
        ("scenario s.toml -q 2 --size 500", "-q cannot be used with scenario; set it in the scenario file"),
        ("scenario s.toml --hold 5", "--hold cannot be used with scenario, only with conn"),
        ("conn -q 2", "-q cannot be used with conn, only with pubsub, pub, sub, rr and reconnect"),
        ("conn -q2", "-q cannot be used with conn, only with pubsub, pub, sub, rr and reconnect"),
        ("-q 2 conn", "-q cannot be used with conn, only with pubsub, pub, sub, rr and reconnect"),
        ("conn --size 10", "--size cannot be used with conn, only with pubsub, pub, rr and reconnect"),
        ("conn --duration 5", "--duration cannot be used with conn; use --hold"),
        ("sub -t a --size 5", "--size cannot be used with sub, only with pubsub, pub, rr and reconnect"),
        ("pub --share a", "--share cannot be used with pub, only with pubsub, sub and reconnect"),
        ("rr --topology mesh", "--topology cannot be used with rr, only with pubsub and reconnect"),
        ("reconnect --messages 5", "--messages cannot be used with reconnect; use --duration"),
        ("--hold 5", "--hold cannot be used with pubsub (the default mode), only with conn"),
        ("pubsub --hold 5", "--hold cannot be used with pubsub, only with conn"),
        ("merge a.json -q 2", "-q cannot be used with merge, which only reads reports"),
        ("merge a.json --cafile /none", "--cafile cannot be used with merge, which only reads reports"),
        ("merge a.json --profile home", "--profile cannot be used with merge, which only reads reports"),
        ("merge a.json -d", "-d cannot be used with merge, which only reads reports"),
    ] {
        let stderr = mq(&format!("bench {words}")).run().fail(2);
        assert_eq!(stderr.lines().next(), Some(&*format!("mq bench: {problem}")), "{words}");
    }
    let stderr = mq("bench -c 5 conn -q 2").run().fail(2);
    assert_says(&stderr, &["hint: `mq bench conn --help` lists all options"]);
}

#[test]
fn a_word_that_is_no_mode_is_refused() {
    for (words, problem) in [
        (
            "flood",
            "unknown mode 'flood': expected pubsub, conn, pub, sub, rr, reconnect, scenario, merge or compare",
        ),
        (
            "con",
            "unknown mode 'con': expected pubsub, conn, pub, sub, rr, reconnect, scenario, merge or compare; did you mean 'conn'?",
        ),
        ("-c 5 mix.toml", "unknown mode 'mix.toml'; did you mean 'scenario mix.toml'?"),
        ("pubsub mix.toml", "unknown word 'mix.toml': pubsub takes no file; scenario, merge and compare do"),
        ("scenario a.toml b.toml", "unknown word 'b.toml': scenario takes one file"),
        ("--search --duration 1s", "invalid value '--duration' for --search: expected rate"),
        ("--raet 5 conn", "unknown option or word '--raet'; did you mean '--rate'?"),
        ("sub", "missing -t FILTER"),
        ("scenario", "missing FILE.toml"),
        ("merge", "missing FILE"),
        ("compare", "missing OLD.json"),
    ] {
        let stderr = mq(&format!("bench {words}")).run().fail(2);
        assert_eq!(stderr.lines().next(), Some(&*format!("mq bench: {problem}")), "{words}");
    }
}

#[test]
fn a_mode_may_follow_its_options() {
    for words in
        ["--hold 0.1 -c 3 conn", "-c 3 --hold=0.1 conn", "-dc 3 conn --hold 0.1", "-c3 conn --hold 0.1"]
    {
        let report = mq(&format!("bench --embedded {words}")).run().succeed();
        assert_says(&report, &["3 of 3 clients"]);
    }
    // A value may have the name of a mode.
    let report = mq("bench --embedded -c 2 --messages 4 -t conn -i pub{i}").run().succeed();
    assert_says(&report, &[super::ALL_ARRIVED]);
}

#[test]
fn an_option_file_may_have_options_of_other_modes() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "-c 3\n-q 2\n--hold 0.1\n--rate=5\n--embedded\n").unwrap();
    let report = mq("bench conn -o").arg(file.path()).run().succeed();
    assert_says(&report, &["3 of 3 clients"]);
    std::fs::write(file.path(), "conn\n-c 3\n--hold 0.1\n--embedded\n").unwrap();
    assert_says(&mq("bench -o").arg(file.path()).run().succeed(), &["3 of 3 clients"]);
    std::fs::write(file.path(), "--hold x\n").unwrap();
    assert_says(
        &mq("bench conn -o").arg(file.path()).run().fail(2),
        &["line 1: invalid value 'x' for --hold"],
    );
}

#[test]
fn the_manual_has_the_modes() {
    let page = mq("man --roff bench").run().succeed();
    for mode in MODES {
        assert_says(&page, &[&format!("mq\\-bench\\-{mode}(1)")]);
        let page = mq(&format!("man --roff bench-{mode}")).run().succeed();
        assert_says(&page, &[&format!("mq bench {mode}")]);
        assert!(!page.contains("mosquitto_pub"), "mq bench {mode} replaces no tool of mosquitto");
    }
}

#[test]
fn a_lost_response_does_not_stop_a_requester() {
    // The peer is broker and responder at once: it loses the first request and answers the others.
    let peer = ScriptedPeer::start(|peer| {
        let mut wires = [peer.accept_v311(), peer.accept_v311()];
        let filters = wires.each_mut().map(|wire| {
            let packet = wire.packet();
            wire.send(&format!("90 ({:02x} {:02x} 00)", packet[2], packet[3]));
            String::from_utf8_lossy(&packet[6..packet.len() - 1]).into_owned()
        });
        let requester = filters.iter().position(|filter| filter.contains("/answers/")).unwrap();
        let (wire, topic) = (&mut wires[requester], &filters[requester]);
        drop(wire.expect_publish());
        for _ in 0..4 {
            let payload = wire.expect_publish().payload;
            let length = u8::try_from(2 + topic.len() + payload.len()).unwrap();
            let head = [0x30, length, 0, u8::try_from(topic.len()).unwrap()];
            wire.send_bytes(&[&head, topic.as_bytes(), &payload].concat());
        }
        wire.expect_type(0xc0);
        wire.send("d0 ()");
        wire.expect_type(0xe0);
    });
    let words = "bench rr -c 1 --subscribers 1 -q 0 --messages 5 --inflight 1 --threads 1 --timeout 20 -s 40";
    let report = peer.mq(words).run().succeed();
    assert_eq!(
        (super::numbers_of(&report, "sent"), super::numbers_of(&report, "received")),
        (vec![5], vec![4]),
        "{report}"
    );
    assert_says(&report, &["1 of 5 messages lost"]);
    peer.finish();
}

#[test]
fn requests_that_nobody_answers_end_the_run() {
    let peer = ScriptedPeer::start(|peer| {
        let mut wires = [peer.accept_v311(), peer.accept_v311()];
        for wire in &mut wires {
            let packet = wire.packet();
            wire.send(&format!("90 ({:02x} {:02x} 00)", packet[2], packet[3]));
        }
        for wire in &mut wires {
            while wire.packet().first() != Some(&0xe0) {}
        }
    });
    let words = "bench rr -c 1 --subscribers 1 -q 0 --messages 500 --threads 1 --timeout 1.5 -s 40";
    let finished = peer.mq(words).run();
    assert_says(&String::from_utf8_lossy(&finished.stdout), &["timeout: "]);
    finished.expect_status(1);
    peer.finish();
}
