//! `mq broker --acl`: the same deliveries and reason codes as mosquitto with the same file.

use super::wait_until;
use crate::support::*;
use std::path::PathBuf;
use tempfile::TempDir;

const RULES: &str = "\
# before the first user: clients without a user name
topic open/#
topic read news
topic deny open/no
user admin
topic readwrite #
topic readwrite $foo/#
user bob
topic read a/#
topic  write  w/+
topic readwrite both
topic deny a/no
topic a/also
topic read $foo/#
  topic read two words\r

user carol
topic deny carol/no
topic read #
user dave
topic deny #
user bob
topic write late
pattern read p/%u/#
pattern write p/%c/up
pattern deny p/+/secret
pattern readwrite shared
pattern deny a/also
pattern deny shared/none
";

const TOPICS: [&str; 20] = [
    "open/x",
    "open/no",
    "news",
    "a",
    "a/x",
    "a/no",
    "a/also",
    "w/1",
    "w/1/2",
    "both",
    "$foo/x",
    "two words",
    "carol/no",
    "late",
    "p/bob/1",
    "p/bob/secret",
    "p/me/up",
    "shared",
    "shared/none",
    "other",
];

/// Runs a test against both brokers with these rules. The path is that of the file.
fn with_rules(rules: &str, test: impl Fn(&mut dyn Broker, PathBuf)) {
    let (_directory, path) = file(rules);
    let mut broker = EmbeddedBroker::start_with(&format!("-p 0 --acl {path}"));
    test(&mut broker, path.into());
    // With max_queued_messages 0, mosquitto 2.0.11 closes the connection of a client that may not publish (findings/denied-publish.sh).
    let configuration = "max_queued_messages 1000\nacl_file {directory}/acl";
    if let Some(mut mosquitto) = Mosquitto::start_with_files(configuration, &[("acl", rules)]) {
        let path = mosquitto.path("acl");
        test(&mut mosquitto, path);
    }
}

/// A client with a user name, of MQTT 3.1.1 or 5.
struct Client {
    wire: Wire,
    is_v5: bool,
    /// The topics of messages that were read and not looked at.
    pending: Vec<String>,
}

impl Client {
    fn connect(server: &dyn Server, client_id: &str, user: Option<&str>, is_v5: bool) -> Client {
        Client::open(server, client_id, user, is_v5, 2, "", "")
    }

    /// With more flags, properties of CONNECT, and fields for the will.
    fn open(
        server: &dyn Server,
        client_id: &str,
        user: Option<&str>,
        is_v5: bool,
        flags: u8,
        properties: &str,
        will: &str,
    ) -> Client {
        let mut wire = server.connect();
        let flags = flags | if user.is_some() { 0x80 } else { 0 };
        let (level, properties) = if is_v5 { (5, format!("({properties})")) } else { (4, String::new()) };
        let user = user.map(|user| format!("`{user}`")).unwrap_or_default();
        wire.send(&format!(
            "10 (`MQTT` {level:02x} {flags:02x} 003c {properties} `{client_id}` {will} {user})"
        ));
        if is_v5 {
            wire.speak_v5();
        }
        let connack = wire.packet();
        assert_eq!((connack[0], connack[3]), (0x20, 0), "{connack:02x?}");
        Client { wire, is_v5, pending: Vec::new() }
    }

    fn properties(&self) -> &'static str {
        if self.is_v5 { "()" } else { "" }
    }

    /// The reason code of SUBACK.
    fn subscribe(&mut self, filter: &str, qos: u8) -> u8 {
        let properties = self.properties();
        self.wire.send(&format!("82 (0001 {properties} `{filter}` {qos:02x})"));
        *self.until(0x90).last().unwrap()
    }

    /// The reason code of PUBACK or PUBREC, if the version has one.
    fn publish(&mut self, topic: &str, qos: u8, retain: u8) -> u8 {
        let properties = self.properties();
        let id = if qos > 0 { "0002" } else { "" };
        self.wire.send(&format!("{:02x} (`{topic}` {id} {properties} '{topic}')", 0x30 | qos << 1 | retain));
        match qos {
            0 => 0,
            1 => self.until(0x40).get(4).copied().unwrap_or(0),
            _ => {
                let code = self.until(0x50).get(4).copied().unwrap_or(0);
                if code == 0 {
                    self.wire.send("62 (0002)");
                    self.until(0x70);
                }
                code
            }
        }
    }

    /// Reads messages up to this packet, which is returned.
    fn until(&mut self, first_byte: u8) -> Vec<u8> {
        loop {
            let packet = self.wire.packet();
            assert!(!packet.is_empty(), "the connection was closed");
            if packet[0] == first_byte {
                return packet;
            }
            assert_eq!(packet[0] >> 4, 3, "{packet:02x?}");
            // All these packets are short: one byte of length.
            let length = usize::from(packet[3]);
            let topic = String::from_utf8(packet[4..4 + length].to_vec()).unwrap();
            if packet[0] & 6 == 2 {
                let id = [packet[4 + length], packet[5 + length]];
                self.wire.send_bytes(&[0x40, 2, id[0], id[1]]);
            }
            self.pending.push(if packet[0] & 1 == 1 { format!("{topic} (retained)") } else { topic });
        }
    }

    /// The topics of all messages that were routed before.
    fn received(&mut self) -> Vec<String> {
        // The messages follow the first answer at the latest.
        for _ in 0..2 {
            self.wire.send("c0 ()");
            self.until(0xd0);
        }
        let mut topics = std::mem::take(&mut self.pending);
        topics.sort();
        topics
    }
}

/// What one client may do, in words that are the same for both brokers.
fn observe(server: &dyn Server, client_id: &str, user: Option<&str>, is_v5: bool) -> Vec<String> {
    let mut admin = Client::connect(server, "admin", Some("admin"), is_v5);
    let mut client = Client::connect(server, client_id, user, is_v5);
    let mut seen = vec![format!("{client_id} {user:?} {is_v5}")];
    for filter in ["#", "$foo/#", "a/no", "nothing/here"] {
        seen.push(format!("subscribe {filter}: {:02x}", client.subscribe(filter, 0)));
    }
    client.received();
    for topic in TOPICS {
        admin.publish(topic, 1, 0);
    }
    let mut received = client.received();
    // mosquitto sends a copy for each subscription.
    received.dedup();
    seen.push(format!("receives {received:?}"));
    for topic in TOPICS {
        admin.publish(topic, 1, 1);
    }
    client.received();
    let mut late = Client::connect(server, client_id, user, is_v5);
    late.subscribe("#", 1);
    late.subscribe("$foo/#", 1);
    seen.push(format!("retained {:?}", late.received()));
    admin.subscribe("#", 0);
    admin.subscribe("$foo/#", 0);
    admin.received();
    for topic in TOPICS.into_iter().chain(["$SYS/x", "$share/g/x"]) {
        for qos in 0..3 {
            // mosquitto has no 0x10 (no matching subscribers) at QoS 2.
            let code = late.publish(topic, qos, 0) & 0x80;
            late.received();
            seen.push(format!("publish {topic} at {qos}: {code:02x} {:?}", admin.received()));
        }
    }
    for topic in TOPICS {
        admin.wire.send(&format!("31 (`{topic}` {})", if is_v5 { "()" } else { "" }));
    }
    admin.received();
    seen
}

#[test]
fn rules_have_the_meaning_that_they_have_in_mosquitto() {
    let clients: [(&str, Option<&str>); 9] = [
        ("me", None),
        ("me", Some("bob")),
        ("bob", Some("carol")),
        ("me", Some("dave")),
        ("me", Some("erin")),
        ("bob", None),
        ("a+b", Some("bob")),
        ("me", Some("#")),
        ("me", Some("")),
    ];
    for rules in [
        RULES,
        "topic read open/#\nuser admin\ntopic #\ntopic $foo/#\n",
        "user admin\ntopic #\npattern %c/#\n",
    ] {
        let all = std::cell::RefCell::new(Vec::new());
        with_rules(rules, |server, _| {
            let observed: Vec<Vec<String>> = clients
                .iter()
                .flat_map(|(client_id, user)| {
                    [false, true].map(|is_v5| observe(server, client_id, *user, is_v5))
                })
                .collect();
            all.borrow_mut().push(observed);
        });
        let all = all.into_inner();
        if let [ours, theirs] = &all[..] {
            for (ours, theirs) in ours.iter().zip(theirs) {
                assert_eq!(ours, theirs);
            }
        }
    }
}

#[test]
fn a_denied_message_is_refused_in_mqtt_5_and_dropped_silently_before() {
    with_rules(RULES, |server, _| {
        let mut watching = Client::connect(server, "admin", Some("admin"), true);
        watching.subscribe("#", 0);
        for is_v5 in [false, true] {
            let mut bob = Client::connect(server, "b", Some("bob"), is_v5);
            let denied = if is_v5 { 0x87 } else { 0 };
            assert_eq!([bob.publish("a/x", 1, 0), bob.publish("a/x", 2, 1)], [denied, denied]);
            assert_eq!(bob.publish("a/x", 0, 0), 0);
            assert_eq!([bob.publish("w/1", 1, 0), bob.publish("w/1", 2, 0)], [0, 0]);
            assert_eq!(watching.received(), ["w/1", "w/1"]);
        }
    });
}

#[test]
fn a_will_is_published_only_if_its_client_may_publish_it() {
    with_rules(RULES, |server, _| {
        let mut watching = Client::connect(server, "admin", Some("admin"), true);
        watching.subscribe("#", 0);
        for is_v5 in [false, true] {
            let properties = if is_v5 { "()" } else { "" };
            for topic in ["a/x", "w/1"] {
                let will = format!("{properties} `{topic}` `bye`");
                drop(Client::open(server, "b", Some("bob"), is_v5, 6, "", &will));
            }
            assert_eq!(watching.wire.expect_publish().topic, "w/1");
        }
    });
}

#[test]
fn changed_rules_apply_to_connected_clients_queues_and_retained_messages() {
    let before = "user admin\ntopic #\nuser bob\ntopic a\ntopic b\nuser away\ntopic a\ntopic b\n";
    with_rules(before, |server, path| {
        let mut admin = Client::connect(server, "admin", Some("admin"), true);
        let mut bob = Client::connect(server, "b", Some("bob"), true);
        let mut away = Client::open(server, "w", Some("away"), true, 0, "11 ffffffff", "");
        away.subscribe("#", 1);
        drop(away);
        bob.subscribe("#", 0);
        assert_eq!(bob.publish("b", 1, 1), 0);
        admin.publish("a", 1, 1);
        assert_eq!(bob.received(), ["a", "b"]);
        std::fs::write(&path, "user admin\ntopic #\nuser bob\ntopic read a\nuser away\ntopic read a\n")
            .unwrap();
        server.signal("HUP");
        wait_until("bob may publish to b still", || bob.publish("b", 1, 0) == 0x87);
        bob.received();
        admin.publish("b", 1, 0);
        admin.publish("a", 1, 0);
        assert_eq!(bob.received(), ["a"]);
        let mut away = Client::open(server, "w", Some("away"), true, 0, "11 ffffffff", "");
        assert!(!away.received().contains(&"b".to_owned()), "queued before the rules changed");
        // The publisher of the other retained message may not publish it any more. mosquitto 2.0.11 delivers it still.
        admin.subscribe("#", 0);
        let is_mosquitto = path.with_file_name("mosquitto.conf").exists();
        assert!(is_mosquitto || admin.received() == ["a (retained)"]);
    });
}

#[test]
fn a_message_that_waits_for_a_connected_client_is_checked_again_when_it_is_delivered() {
    let (_directory, path) = file("user admin\ntopic #\nuser bob\ntopic a\ntopic b\n");
    let mut broker = EmbeddedBroker::start_with(&format!("-p 0 --limit in-flight=1 --acl {path}"));
    let mut admin = Client::connect(&broker, "admin", Some("admin"), true);
    let mut bob = Client::connect(&broker, "b", Some("bob"), true);
    bob.subscribe("#", 1);
    for topic in ["a", "b", "a"] {
        assert_eq!(admin.publish(topic, 1, 0), 0);
    }
    let first = bob.wire.expect_publish();
    assert_eq!(first.topic, "a");
    std::fs::write(&path, "user admin\ntopic #\nuser bob\ntopic a\n").unwrap();
    broker.signal("HUP");
    broker.process().wait_for_stderr("acl again");
    let [high, low] = first.packet_id.unwrap();
    bob.wire.send_bytes(&[0x40, 2, high, low]);
    assert_eq!(bob.wire.expect_and_acknowledge().topic, "a");
    bob.wire.expect_nothing_more();
}

#[test]
fn a_rule_for_a_shared_subscription_is_accepted_and_applies_to_nothing() {
    let rules = "user admin\ntopic #\nuser bob\ntopic read $share/g/#\ntopic read $share/+/x\ntopic read $share\ntopic read b\n";
    with_rules(rules, |server, _| {
        let mut admin = Client::connect(server, "admin", Some("admin"), true);
        let mut bob = Client::connect(server, "b", Some("bob"), true);
        assert_eq!(bob.subscribe("$share/g/#", 0), 0);
        for topic in ["a", "b"] {
            admin.publish(topic, 1, 0);
        }
        assert_eq!(bob.received(), ["b"]);
    });
}

#[test]
fn surprising_rules_are_named_at_the_start_and_after_a_reload() {
    let (_directory, path) = file("topic read $share/g/#\n");
    let mut broker = EmbeddedBroker::start_with(&format!("-p 0 --acl {path}"));
    let line = broker.process().wait_for_stderr("line 1");
    assert_says(&line, &["warning: ", "acl, line 1: ", "never applies", "$share/g/#"]);
    std::fs::write(&path, "user ann\ntopic #\npattern deny safe\n").unwrap();
    broker.signal("HUP");
    assert_says(&broker.process().wait_for_stderr("line 3"), &["warning: ", "does not deny", "as on line 2"]);
}

#[test]
fn a_session_does_not_pass_to_another_user() {
    let (_directory, path) = file("user ann\ntopic #\nuser bob\ntopic read b\n");
    let broker = EmbeddedBroker::start_with(&format!("-p 0 --acl {path}"));
    let mut ann = Client::open(&broker, "same", Some("ann"), true, 0, "11 ffffffff", "");
    ann.subscribe("#", 1);
    drop(ann);
    let mut other = Client::connect(&broker, "other", Some("ann"), true);
    assert_eq!(other.publish("a", 1, 0), 0, "it is queued");
    let mut bob = Client::open(&broker, "same", Some("bob"), true, 0, "11 ffffffff", "");
    assert_eq!(other.publish("b", 1, 0), 0x10, "the subscription is gone");
    assert_eq!(bob.received(), Vec::<String>::new());
}

#[test]
fn a_shared_subscription_passes_messages_to_members_that_may_read_them() {
    let (_directory, path) = file("user ann\ntopic #\nuser bob\ntopic read b\n");
    let broker = EmbeddedBroker::start_with(&format!("-p 0 --acl {path}"));
    let mut ann = Client::connect(&broker, "a", Some("ann"), true);
    let mut bob = Client::connect(&broker, "b", Some("bob"), true);
    ann.subscribe("$share/g/#", 0);
    bob.subscribe("$share/g/#", 0);
    for _ in 0..4 {
        assert_eq!(ann.publish("a", 1, 0), 0);
    }
    assert_eq!((ann.received().len(), bob.received().len()), (4, 0));
}

#[test]
fn the_log_names_denied_messages() {
    let (_directory, path) = file("user bob\ntopic read a\n");
    let mut broker = EmbeddedBroker::start_with(&format!("-p 0 -v --acl {path}"));
    let stderr = broker.process().wait_for_stderr("warning");
    assert_says(&stderr, &["--acl", "--password-file", "claim any user name"]);
    Client::connect(&broker, "b", Some("bob"), true).publish("a\u{1b}[2J", 1, 0);
    let line = broker.process().wait_for_stderr("may not publish");
    assert_says(&line, &["\"b\"", "(user \"bob\")", "\"a\\u{1b}[2J\""]);
}

#[test]
fn denied_messages_are_counted_and_the_first_ones_of_a_connection_are_logged() {
    let (_directory, path) = file("user admin\ntopic #\ntopic read $SYS/#\nuser bob\ntopic read a\n");
    let mut broker = EmbeddedBroker::start_with(&format!("-p 0 --acl {path}"));
    let mut admin = Client::connect(&broker, "admin", Some("admin"), true);
    let mut bobs = ["b", "c"].map(|client_id| Client::connect(&broker, client_id, Some("bob"), true));
    for bob in &mut bobs {
        bob.subscribe("#", 1);
    }
    bobs[0].subscribe("+", 1);
    for _ in 0..3 {
        admin.publish("secret", 1, 1);
    }
    let line = broker.process().wait_for_stderr("may not");
    assert_says(&line, &["(user \"bob\") may not receive \"secret\""]);
    for _ in 0..4 {
        assert_eq!(bobs[0].publish("a", 1, 0), 0x87);
    }
    let will = "() `a` `bye`";
    drop(Client::open(&broker, "w", Some("bob"), true, 6, "", will));
    // Once for the retained message.
    bobs[1].subscribe("secret", 1);
    let count = |what: &str| {
        let mut reader = Client::connect(&broker, "reader", Some("admin"), true);
        reader.subscribe(&format!("$SYS/broker/publish/messages/{what}"), 0);
        String::from_utf8(reader.wire.expect_publish().payload).unwrap()
    };
    wait_until("the will is denied", || count("denied") == "5");
    assert_eq!(count("withheld"), "7");
    let process = broker.into_process();
    process.signal("TERM");
    let stderr = process.finish().stderr;
    assert_eq!(stderr.matches("may not").count(), 1, "{stderr}");
    assert_says(&stderr, &["the access rules denied messages of 3 more clients in the last seconds"]);
}

#[test]
fn a_file_with_an_invalid_line_is_rejected_whole() {
    let (_directory, path) = file("topic read a\ntopic raed b\n");
    let stderr = mq(&format!("broker -p 0 --acl {path}")).run().fail(2);
    assert_says(&stderr, &["acl, line 2, column 7", "unknown access \"raed\"", "readwrite"]);
    let (_directory, path) = file("topic read a\n");
    let mut broker = EmbeddedBroker::start_with(&format!("-p 0 --acl {path}"));
    let mut anyone = Client::connect(&broker, "x", None, true);
    anyone.subscribe("a", 0);
    std::fs::write(&path, "topic a\nuser\n").unwrap();
    broker.signal("HUP");
    assert_says(&broker.process().wait_for_stderr("line 2"), &["column 5", "missing user name"]);
    assert_says(&broker.process().wait_for_stderr("unchanged"), &["the access rules are unchanged: 1 rule"]);
    assert_eq!(anyone.publish("a", 1, 0), 0x87);
    std::fs::write(&path, "topic a\n").unwrap();
    broker.signal("HUP");
    assert_says(&broker.process().wait_for_stderr("again"), &["acl again: 1 rule"]);
    assert_eq!(anyone.publish("a", 1, 0), 0);
}

/// A directory with a file that holds these rules.
fn file(rules: &str) -> (TempDir, String) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("acl");
    std::fs::write(&path, rules).unwrap();
    let path = path.display().to_string();
    (directory, path)
}

#[test]
fn rules_can_allow_the_states_of_bridges() {
    let rules =
        "topic read #\npattern write $SYS/broker/connection/%c/state\ntopic write $SYS/broker/uptime\n";
    with_rules(rules, |server, _| {
        let mut bridge = Client::connect(server, "b1", None, true);
        assert_eq!(bridge.publish("$SYS/broker/connection/b1/state", 1, 1) & 0x80, 0);
        assert_eq!(bridge.publish("$SYS/broker/connection/b2/state", 1, 1), 0x87);
        assert_eq!(bridge.publish("$SYS/broker/uptime", 1, 1), 0x87);
    });
    let (_directory, path) = file(rules);
    let broker = EmbeddedBroker::start_with(&format!("-p 0 --acl {path}"));
    let process = broker.into_process();
    process.signal("TERM");
    let stderr = process.finish().stderr;
    assert_eq!(stderr.matches("warning").count(), 2, "{stderr}");
    assert_says(
        &stderr,
        &["acl, line 3: below $SYS, clients can publish only to $SYS/broker/connection/+/state"],
    );
}
