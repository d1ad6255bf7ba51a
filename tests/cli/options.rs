//! Each option by itself: it changes the bytes on the wire or the output, and its long name does the same as its
//! short one. What exactly it changes is tested where its feature is.

use super::support::*;

/// All that can be seen of a run: the packets that it sent, its output and its status.
type Conversation = (Vec<Vec<u8>>, Vec<u8>, i32);

/// Runs `mq` against a peer that takes everything, answers requests on `re`, and sends subscribers some messages.
fn converse(words: &str) -> Conversation {
    let (say, hear) = std::sync::mpsc::channel();
    let peer = ScriptedPeer::start(move |peer| {
        let mut client = peer.accept();
        let mut sent = Vec::new();
        loop {
            let packet = client.packet();
            let is_end = packet.is_empty() || packet[0] >> 4 == 14;
            sent.push(packet);
            if is_end {
                break;
            }
            answer(&mut client, &sent);
        }
        say.send(sent).unwrap();
    });
    let finished = peer.mq(words).stdin("line one\nline two\n").run();
    peer.finish();
    (hear.recv().unwrap(), finished.stdout, finished.status)
}

/// What a broker of the version that CONNECT asked for says to the last of these packets.
fn answer(client: &mut Wire, sent: &[Vec<u8>]) {
    let is_v5 = sent[0].get(8) == Some(&5);
    let properties = if is_v5 { "()" } else { "" };
    let packet = &sent[sent.len() - 1];
    let id = format!("{:02x}{:02x}", packet[2], packet[3]);
    match packet[0] >> 4 {
        1 => client.send(&format!("20 (00 00 {properties})")),
        3 => answer_publish(client, packet, is_v5),
        6 => client.send(&format!("70 ({id})")),
        8 => {
            client.send(&format!("90 ({id} {properties} 00)"));
            if packet.windows(2).any(|bytes| bytes == b"re") {
                return; // a requester gets its answer and nothing else
            }
            for message in ["31 (`a` {} 'kept')", "30 (`a` {} '1')", "30 (`b` {} '2')"] {
                client.send(&message.replace("{}", properties));
            }
            client.send(&format!("30 (`end` {properties} '0')").repeat(5));
        }
        10 => client.send(&format!("b0 ({id} {})", if is_v5 { "() 00" } else { "" })),
        _ => {}
    }
}

/// Acknowledges a message, and answers it when it is a request.
fn answer_publish(client: &mut Wire, packet: &[u8], is_v5: bool) {
    let (topic, rest) = packet[4..].split_at(packet[3].into());
    match packet[0] & 0x06 {
        0x02 => client.send_bytes(&[0x40, 2, rest[0], rest[1]]),
        0x04 => client.send_bytes(&[0x50, 2, rest[0], rest[1]]),
        _ => {}
    }
    if topic.starts_with(b"ask") {
        client.send(if is_v5 { "30 (`re` (09 0001 'c') 'answer')" } else { "30 (`re` 'answer')" });
    }
}

/// Each of these options, behind the same words, does something, and the same by both names.
#[track_caller]
fn assert_options_work(words: &str, options: &[(&str, &str)]) {
    let without = converse(words);
    for (short, long) in options {
        let with = converse(&format!("{words} {short}"));
        assert!(with != without, "{short} makes no difference to {words}");
        let (packets, stdout, status) = &with;
        assert_eq!(*status, 0, "{words} {short} sent {packets:02x?} and printed {}", stdout.escape_ascii());
        assert_eq!(converse(&format!("{words} {long}")), with, "{words}: {short} and {long}");
    }
}

/// What every client has.
const COMMON: &[(&str, &str)] = &[
    ("-c -i me", "--disable-clean-session --id me"),
    ("-i me", "--id=me"),
    ("-k 7", "--keepalive 7"),
    ("-u ann", "--username ann"),
    ("-u ann -P secret", "--username ann --pw secret"),
    ("-q 1", "--qos 1"),
    ("-q 2", "--qos=2"),
    ("--will-topic gone", "--will-topic=gone"),
    ("--will-topic gone --will-payload bye", "--will-topic=gone --will-payload=bye"),
    ("--will-topic gone --will-qos 1", "--will-topic=gone --will-qos=1"),
    ("--will-topic gone --will-retain", "--will-retain --will-topic=gone"),
];

/// What every client has, with MQTT 5.
const COMMON_V5: &[(&str, &str)] = &[
    ("-x 60", "--session-expiry-interval 60"),
    ("-c -i me", "--disable-clean-session --id me"),
    ("-P secret", "--pw secret"),
    ("-D connect user-property k v", "--property connect user-property k v"),
    ("-D disconnect user-property k v", "--property disconnect user-property k v"),
    (
        "--will-topic gone -D will will-delay-interval 5",
        "--will-topic gone --property will will-delay-interval 5",
    ),
];

#[test]
fn options_of_pub_work_by_both_names() {
    assert_options_work("pub -t a -m x", COMMON);
    assert_options_work("pub -t a -m x -V 5", COMMON_V5);
    let own = [
        ("-t b", "--topic b"),
        ("-m y", "--message y"),
        ("-r", "--retain"),
        ("--repeat 2", "--repeat=2"),
        ("-V 31 -i me", "--protocol-version mqttv31 --id me"),
        ("-V 5", "--protocol-version mqttv5"),
        ("-D publish content-type x", "--property publish content-type x"),
    ];
    assert_options_work("pub -t a -m x", &own);
}

#[test]
fn payloads_come_from_where_both_names_say() {
    let files = certificates::Files::new(&[("payload", "content".to_owned())]);
    for (short, long, payloads) in [
        ("-m x", "--message x", &["x"][..]),
        ("-f {}/payload", "--file {}/payload", &["content"]),
        ("-s", "--stdin-file", &["line one\nline two\n"]),
        ("-n", "--null-message", &[""]),
        ("-l", "--stdin-line", &["line one", "line two"]),
    ] {
        for words in ["pub -t ask", "rr -V 311 -e re -t ask"] {
            if short == "-l" && words.starts_with("rr") {
                continue; // which is one request
            }
            for option in [short, long] {
                let (packets, ..) = converse(&files.words(&format!("{words} {option}")));
                let sent = packets.iter().filter(|packet| packet[0] >> 4 == 3);
                let sent: Vec<_> = sent.map(|packet| String::from_utf8_lossy(&packet[7..])).collect();
                assert_eq!(sent, payloads, "{words} {option}");
            }
        }
    }
}

#[test]
fn options_of_sub_work_by_both_names() {
    assert_options_work("sub -t a -C 4", COMMON);
    assert_options_work("sub -t a -C 4 -V 5", COMMON_V5);
    let own = [
        ("-C 2", "--count 2"),
        ("-E", "--exit-after-subscribe"),
        ("-F %t|%p", "--format %t|%p"),
        ("-N", "--no-newline"),
        ("-R", "--no-retained"),
        ("--retained-only", "--retained-only -V 311"),
        ("-T a", "--filter-out a"),
        ("-U b", "--unsubscribe b"),
        ("-V 31 -i me", "--protocol-version mqttv31 --id me"),
        ("-V 5", "--protocol-version mqttv5"),
        ("-v", "--verbose"),
        ("-w", "--watch"),
        ("--output hex", "--output=hex"),
        ("--remove-retained", "--remove-retained -V 311"),
    ];
    assert_options_work("sub -t a -C 4", &own);
    let v5 = [
        ("--retain-handling new", "--retain-handling=new"),
        ("--retain-as-published", "--retain-as-published -V 5"),
        ("--no-local", "--no-local -V 5"),
        ("-D subscribe subscription-identifier 5", "--property subscribe subscription-identifier 5"),
        ("-U b -D unsubscribe user-property k v", "--unsubscribe b --property unsubscribe user-property k v"),
    ];
    assert_options_work("sub -t a -C 4 -V 5", &v5);
}

#[test]
fn options_of_rr_work_by_both_names() {
    let v3 = "rr -V 311 -t ask -m x -e re";
    assert_options_work(v3, COMMON);
    let own = [
        ("-t ask/other", "--topic ask/other"),
        ("-m y", "--message y"),
        ("-F %t|%p", "--format %t|%p"),
        ("-N", "--no-newline"),
        ("-v", "--verbose"),
        ("--output base64", "--output=base64"),
        ("-w", "--watch"),
    ];
    assert_options_work(v3, &own);
    let v5 = "rr -t ask -m x -e re -D publish correlation-data c";
    assert_options_work(v5, COMMON_V5);
    let own = [
        ("-R", "--no-retained"),
        ("--retain-handling new", "--retain-handling=new"),
        ("--retain-as-published", "--retain-as-published -V 5"),
        ("-D publish content-type x", "--property publish content-type x"),
        ("-D subscribe user-property k v", "--property subscribe user-property k v"),
    ];
    assert_options_work(v5, &own);
}

#[test]
fn required_options_have_two_names_as_well() {
    let files = certificates::Files::new(&[("options", "-t a\n-m from-file\n".to_owned())]);
    for (short, long) in [
        ("rr -V 311 -t ask -m x -e re", "rr -V 311 -t ask -m x --response-topic re"),
        ("sub -U b -E", "sub --unsubscribe b -E"),
        ("pub -o {}/options", "pub --option-file {}/options"),
        ("pub -t a -m x -A 127.0.0.1", "pub -t a -m x --bind 127.0.0.1"),
        ("sub -t a -E -W 20", "sub -t a -E --timeout 20"),
        ("pub -t a -l -q 1 -M 1", "pub -t a -l -q 1 --max-inflight 1"),
    ] {
        let seen = converse(&files.words(short));
        assert_eq!(seen.2, 0, "{short}");
        assert_eq!(converse(&files.words(long)), seen, "{short} and {long}");
    }
}

#[test]
fn nodelay_is_taken_since_it_is_always_done() {
    assert_eq!(converse("pub -t a -m x --nodelay"), converse("pub -t a -m x"));
}

#[test]
fn an_option_is_not_the_name_of_a_file() {
    let directory = tempfile::TempDir::new().unwrap();
    let run = |words: &str| mq(words).in_directory(directory.path()).run();
    for (words, option, next) in [
        ("bench --embedded -c 1 --messages 1 --json --csv", "--json", "--csv"),
        ("bench conn --html --embedded", "--html", "--embedded"),
        ("bench --baseline --csv", "--baseline", "--csv"),
        ("bench --json -r", "--json", "-r"),
        ("sub -t a --record -v", "--record", "-v"),
        ("pub -t a -f -r", "-f", "-r"),
        ("pub -t a -f --retain", "-f", "--retain"),
        ("pub --cafile --insecure -t a -n", "--cafile", "--insecure"),
        ("sub -t a --record --quiet", "--record", "--quiet"),
        ("top --replay --list", "--replay", "--list"),
        ("broker --acl --verbose", "--acl", "--verbose"),
        ("inspect --tls-keylog --lint", "--tls-keylog", "--lint"),
        ("gateway --predefined --aggregate", "--predefined", "--aggregate"),
        ("bridge --config --check", "--config", "--check"),
        ("passwd --password-file --create f u", "--password-file", "--create"),
        ("passwd verify --password-file --format f u", "--password-file", "--format"),
    ] {
        let message =
            format!("{option} needs a value, but '{next}' follows; for a file of this name, use ./{next}\n");
        assert_says(&run(words).fail(2), &[&message]);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "{words}");
    }
    run("bench --embedded -c 1 --messages 1 --json ./--csv").succeed();
    run("bench --embedded -c 1 --messages 1 --json=--html").succeed();
    for name in ["--csv", "--html"] {
        assert!(directory.path().join(name).exists(), "{name}");
    }
    // As in mosquitto's tools, a text may look like an option.
    let broker = EmbeddedBroker::start();
    let subscriber = broker.subscriber("-t a -C 1");
    broker.mq("pub -t a -m --csv").run().succeed();
    assert_eq!(subscriber.finish().succeed(), "--csv\n");
    let called = called_as("mosquitto_pub", "-h 127.0.0.1 -p 9 -t a -f --retain").run();
    assert!(!called.stderr.contains("needs a value"), "{}", called.stderr);
}

#[test]
fn a_number_out_of_range_is_rejected_with_the_range() {
    for (words, range) in [
        ("pub -t a -n -p 70000", "-p: expected a number from 0 to 65535"),
        ("pub -t a -n -p 99999999999999999999999", "-p: expected a number from 0 to 65535"),
        ("pub -t a -n --port=-1", "--port: expected a number from 0 to 65535"),
        ("pub -t a -n --retries 99999999999999999999", "--retries: expected a number from 0 to 4294967295"),
        ("sub -t a -C 99999999999999999999", "-C: expected a number from 1 to 18446744073709551615"),
        ("passwd scram -I 99999999999999999999 f u", "-I: expected a number from 4096 to 10000000"),
        ("bench --messages 99999999999999999999", "--messages: expected a number from 1 to 140737488355328"),
        ("gateway --max-topics 99999999999999999999", "expected a number from 1 to 18446744073709551615"),
        ("gateway --listen 70000", "--listen: expected a port from 0 to 65535"),
        ("bench --metrics 127.0.0.1:70000", "--metrics: expected a port from 0 to 65535"),
        ("bench --serve x", "--serve: expected a port, or a local address and a port"),
        ("broker --front-processes=-1", "--front-processes: expected a number from 1 to 64"),
        (
            "pub -t a -n -D publish message-expiry-interval 4294967296",
            "of message-expiry-interval: expected a number from 0 to 4294967295",
        ),
        ("pub -t a -n -p x", "-p: expected a whole number; 'x' is not a digit"),
        ("pub -t a -n -p 1.5", "-p: expected a whole number; '.' is not a digit"),
    ] {
        assert_says(&mq(words).run().fail(2), &[range]);
    }
}
