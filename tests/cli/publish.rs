//! `mq pub`: the bytes on the wire for each option, and the results at brokers.

use super::support::*;
use std::io::Write;

#[test]
fn a_delay_is_a_topic_of_emqx() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect("30 (`$delayed/900/home/door` 'open')");
        client.expect("e0 ()");
    });
    peer.mq("pub -t home/door -m open --delay 15m").run().succeed();
    peer.finish();
    let broker = EmbeddedBroker::start();
    let subscriber = broker.subscriber("-t $delayed/# -v -C 2");
    let finished = broker.mq("pub -t a -m x --at +3600").run();
    finished.succeed();
    let finished = broker.mq("pub -t a -m x --delay 4294968").run();
    assert_says(&finished.stderr, &["at most 4294967 s"]);
    finished.succeed();
    let printed = subscriber.finish().succeed();
    let (first, second) = printed.split_once('\n').unwrap();
    assert!(["$delayed/3599/a x", "$delayed/3600/a x"].contains(&first), "{printed}");
    assert_eq!(second, "$delayed/4294968/a x\n");
}

#[test]
fn a_delay_that_emqx_does_not_know_is_refused() {
    for (words, part) in [
        ("-t a -m x --delay 0", "expected a duration greater than 0"),
        ("-t a -m x --delay 42949671", "expected at most 42949670 s"),
        ("-t a -m x --at 2001-01-01T00:00:00Z", "past"),
        ("-t a -m x --at +99999999", "at most 42949670 s"),
        ("-t a -m x --at tomorrow", "--at"),
        ("-t a -m x --at +5 --delay 5", "--at"),
        ("--ndjson --delay 5", "--delay"),
    ] {
        assert_says(&mq(&format!("pub -h 127.0.0.1 -p 1 {words}")).run().fail(2), &[part]);
    }
}

#[test]
fn a_message_goes_out_and_the_connection_ends() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept();
        client.expect("10 (`MQTT` 04 02 003c `me`)");
        client.send("20 (00 00)");
        client.expect("30 (`home/a` 'hello') e0 ()");
        client.expect_end(); // without waiting for our end of the connection for long
    });
    let finished = peer.mq("pub -i me -t home/a -m hello").run();
    assert_eq!(finished.stderr, "");
    assert_eq!(finished.succeed(), "");
    peer.finish();
}

#[test]
fn long_options_mean_the_same() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept();
        client.expect("10 (`MQTT` 04 c2 0007 `me` `ann` `secret`)");
        client.send("20 (00 00)");
        client.expect("33 (`a` 0001 'hello')");
        client.send("40 (0001)");
        client.expect("e0 ()");
    });
    let line = format!(
        "pub --host 127.0.0.1 --port {} --id me --username ann --pw secret --keepalive 7 --protocol-version mqttv311
         --topic a --message hello --qos 1 --retain",
        peer.address().port()
    );
    assert_eq!(mq(&line).run().succeed(), "");
    peer.finish();
}

#[test]
fn qos_1_waits_for_puback_before_disconnect() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect("32 (`a` 0001 'x')");
        client.expect_quiet();
        client.send("40 (0001)");
        client.expect("e0 ()");
    });
    peer.mq("pub -t a -m x -q 1").run().succeed();
    peer.finish();
}

#[test]
fn qos_2_goes_through_all_four_packets() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect("34 (`a` 0001 'x')");
        client.expect_quiet();
        client.send("50 (0001)");
        client.expect("62 (0001)");
        client.expect_quiet();
        client.send("70 (0001)");
        client.expect("e0 ()");
    });
    peer.mq("pub -t a -m x -q 2").run().succeed();
    peer.finish();
}

#[test]
fn mqtt_3_1_has_its_old_name_and_an_identifier_that_fits() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept();
        let connect = client.expect_type(0x10);
        assert_eq!(connect[2..12], bytes::hex("`MQIsdp` 03 02")[..]);
        let length = usize::from(connect[15]);
        assert!((1..=23).contains(&length) && connect.len() == 16 + length, "{connect:02x?}");
        client.send("20 (00 00)");
        client.expect("30 (`a` 'x') e0 ()");
    });
    peer.mq("pub -V mqttv31 -t a -m x").run().succeed();
    peer.finish();
}

#[test]
fn without_an_identifier_the_broker_chooses_one() {
    for (version, connect) in [("311", "10 (`MQTT` 04 02 003c ``)"), ("5", "10 (`MQTT` 05 02 003c () ``)")] {
        let peer = ScriptedPeer::start(move |peer| peer.accept().expect(connect));
        peer.mq(&format!("pub -V {version} -t a -m x")).run();
        peer.finish();
    }
}

#[test]
fn an_identifier_can_be_a_prefix_and_the_process_number() {
    for option in ["-I", "--id-prefix"] {
        let peer = ScriptedPeer::start(|peer| {
            let connect = peer.accept().expect_type(0x10);
            let id = std::str::from_utf8(&connect[14..]).unwrap();
            let number = id.strip_prefix("sensor-").expect("the prefix");
            assert!(number.parse::<u32>().is_ok(), "{id}");
        });
        peer.mq(&format!("pub {option} sensor- -t a -m x")).run();
        peer.finish();
    }
}

#[test]
fn a_file_is_one_message_whatever_it_holds() {
    let peer = ScriptedPeer::accepting(|client| client.expect("30 (`a` 00 ff 0a 0d 'x' 0a) e0 ()"));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes::hex("00 ff 0a 0d 'x' 0a")).unwrap();
    peer.mq("pub -t a -f").arg(file.path()).run().succeed();
    peer.finish();
}

#[test]
fn an_empty_file_is_an_empty_message() {
    let peer = ScriptedPeer::accepting(|client| client.expect("30 (`a`) e0 ()"));
    let file = tempfile::NamedTempFile::new().unwrap();
    peer.mq("pub -t a -f").arg(file.path()).run().succeed();
    peer.finish();
}

#[test]
fn all_of_stdin_is_one_message() {
    let peer = ScriptedPeer::accepting(|client| client.expect("30 (`a` 'two' 0a 'lines' 0a 00) e0 ()"));
    peer.mq("pub -t a -s").stdin(b"two\nlines\n\0").run().succeed();
    peer.finish();
}

#[test]
fn empty_messages_can_be_asked_for_in_two_ways() {
    let peer = ScriptedPeer::accepting(|client| client.expect("31 (`a`) e0 ()"));
    peer.mq("pub -t a -r -n").run().succeed();
    peer.finish();
    let peer = ScriptedPeer::accepting(|client| client.expect("30 (`a`) e0 ()"));
    peer.mq("pub -t a -m").arg("").run().succeed();
    peer.finish();
}

#[test]
fn each_line_of_stdin_is_a_message() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect("30 (`a` 'one')");
        client.expect("30 (`a`)               # a blank line");
        client.expect("30 (`a` 'three' 0d)    # carriage returns stay");
        client.expect("30 (`a` 'fo' 00 'ur')  # so do NULs");
        client.expect("30 (`a` 'no line end')");
        client.expect("e0 ()");
    });
    peer.mq("pub -t a -l").stdin(b"one\n\nthree\r\nfo\0ur\nno line end").run().succeed();
    peer.finish();
}

#[test]
fn no_lines_at_all_are_no_messages() {
    let peer = ScriptedPeer::accepting(|client| client.expect("e0 ()"));
    peer.mq("pub -t a -l -q 1").run().succeed();
    peer.finish();
}

#[test]
fn lines_are_sent_as_they_come() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect("30 (`a` 'one')");
        client.expect("30 (`a` 'two')");
        client.expect("e0 ()");
    });
    let mut publisher = peer.mq("pub -d -t a -l").open_stdin().spawn();
    publisher.write("one\n");
    publisher.wait_for_stderr("-> PUBLISH");
    publisher.write("two\n");
    publisher.wait_for_stderr("-> PUBLISH");
    publisher.finish().succeed();
    peer.finish();
}

#[test]
fn a_line_may_be_a_megabyte() {
    on_each_broker(|broker| {
        let subscriber = broker.subscriber("-t a -C 1");
        let line = "0123456789abcdef".repeat(65536);
        broker.mq("pub -t a -l").stdin(format!("{line}\n")).run().succeed();
        assert!(subscriber.finish().succeed() == line + "\n", "the line arrives whole");
    });
}

#[test]
fn a_message_can_be_repeated() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect("30 (`a` 'x') 30 (`a` 'x') 30 (`a` 'x') e0 ()");
    });
    peer.mq("pub -t a -m x --repeat 3").run().succeed();
    peer.finish();
}

#[test]
fn a_repetition_with_a_delay_waits_for_the_acknowledgement() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect("32 (`a` 0001 'x')");
        client.expect_quiet();
        client.send("40 (0001)");
        client.expect_and_acknowledge();
        client.expect("e0 ()");
    });
    peer.mq("pub -t a -m x -q 1 --repeat 2 --repeat-delay 0.01").run().succeed();
    peer.finish();
}

#[test]
fn dashes_in_front_of_a_value_mean_nothing() {
    let peer = ScriptedPeer::accepting(|client| client.expect("30 (`-x` '-5') e0 ()"));
    peer.mq("pub -t -x -m -5").run().succeed();
    peer.finish();
}

#[test]
fn the_last_of_several_values_counts() {
    let peer = ScriptedPeer::accepting(|client| client.expect("30 (`b` 'x') e0 ()"));
    peer.mq("pub -t a -t b -q 1 -q 0 -m x").run().succeed();
    peer.finish();
}

#[test]
fn no_more_messages_than_allowed_are_in_flight() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect("32 (`a` 0001 '1') 32 (`a` 0002 '2')");
        client.expect_quiet();
        client.send("40 (0002)");
        let third = client.expect_publish();
        assert_eq!(third.payload, b"3");
        client.expect_quiet();
        let [high, low] = third.packet_id.unwrap();
        client.send_bytes(&[0x40, 2, high, low]);
        client.send("40 (0001)");
        client.expect("e0 ()");
    });
    peer.mq("pub -t a -l -q 1 -M 2").stdin("1\n2\n3\n").run().succeed();
    peer.finish();
}

#[test]
fn the_receive_maximum_of_the_broker_is_kept() {
    let peer = ScriptedPeer::accepting_v5("21 0001", |client| {
        for line in ["1", "2", "3"] {
            let message = client.expect_publish();
            client.expect_quiet();
            assert_eq!(message.payload, line.as_bytes());
            let [high, low] = message.packet_id.unwrap();
            client.send_bytes(&[0x40, 2, high, low]);
        }
        client.expect("e0 ()");
    });
    peer.mq("pub -V 5 -t a -l -q 1").stdin("1\n2\n3\n").run().succeed();
    peer.finish();
}

#[cfg(target_os = "linux")] // all of 127.0.0.0/8 is this machine
#[test]
fn the_local_address_can_be_chosen() {
    let peer = ScriptedPeer::start(|peer| {
        let client = peer.accept();
        assert_eq!(client.peer_address().ip().to_string(), "127.0.0.7");
    });
    peer.mq("pub -A 127.0.0.7 -t a -m x").run();
    peer.finish();
}

#[test]
fn all_addresses_of_a_name_are_tried() {
    let peer = ScriptedPeer::accepting(|client| client.expect("30 (`a` 'x')"));
    let port = peer.address().port();
    mq(&format!("pub -h localhost -p {port} -t a -m x")).run().succeed();
    peer.finish();
}

#[test]
fn localhost_needs_neither_a_file_of_hosts_nor_a_name_server() {
    let peer = ScriptedPeer::accepting(|client| client.expect("30 (`a` 'x')"));
    let port = peer.address().port();
    let mounts =
        "mount --bind /dev/null /etc/hosts && mount --bind /dev/null /etc/resolv.conf && echo mounted";
    let script = format!("{mounts} && exec {} pub -h localhost -p {port} -t a -m x", mq_path());
    let finished = Program::new("unshare").words("-m sh -c").arg(script).run();
    if String::from_utf8_lossy(&finished.stdout).contains("mounted") {
        finished.expect_status(0);
    } else {
        // Past the harness, which would keep it to itself.
        let _ = writeln!(
            std::io::stderr(),
            "skipped: a mount namespace is not allowed here: {}",
            finished.stderr
        );
        peer.mq("pub -t a -m x").run().succeed();
    }
    peer.finish();
}

#[test]
fn ipv6_works_where_there_is_some() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        return;
    }
    let peer = ScriptedPeer::start_on("[::1]:0".parse().unwrap(), |peer| {
        peer.accept_v311().expect("30 (`a` 'x')");
    });
    peer.mq("pub -t a -m x").run().succeed();
    peer.finish();
}

#[test]
fn a_session_is_kept_with_c() {
    let peer = ScriptedPeer::start(|peer| {
        peer.accept().expect("10 (`MQTT` 04 00 003c `me`)");
        peer.accept().expect("10 (`MQTT` 05 00 003c (11 ffffffff) `me`)");
        peer.accept().expect("10 (`MQTT` 05 00 003c (11 0000000a) `me`)");
    });
    for options in ["-c", "-c -V 5", "-c -x 10"] {
        peer.mq(&format!("pub -i me -t a -m x {options}")).run();
    }
    peer.finish();
}

#[test]
fn session_expiry_is_a_matter_of_mqtt_5() {
    let peer = ScriptedPeer::start(|peer| {
        peer.accept().expect("10 (`MQTT` 05 02 003c (11 0000003c) `me`)");
        peer.accept().expect("10 (`MQTT` 05 02 003c (11 ffffffff) `me`)");
        peer.accept().expect("10 (`MQTT` 05 02 003c (11 ffffffff) `me`)");
    });
    for expiry in ["60", "-1", "∞"] {
        peer.mq(&format!("pub -i me -t a -m x -x {expiry}")).run();
    }
    peer.finish();
}

#[test]
fn a_will_goes_into_connect() {
    let peer = ScriptedPeer::start(|peer| {
        peer.accept().expect("10 (`MQTT` 04 36 003c `me` `gone` `bye`)");
        peer.accept().expect("10 (`MQTT` 04 06 003c `me` `gone` ``)");
    });
    peer.mq("pub -i me -t a -m x --will-topic gone --will-payload bye --will-qos 2 --will-retain").run();
    peer.mq("pub -i me -t a -m x --will-topic gone").run();
    peer.finish();
}

#[test]
fn a_password_alone_is_allowed_in_mqtt_5() {
    let peer = ScriptedPeer::start(|peer| peer.accept().expect("10 (`MQTT` 05 42 003c () `me` `secret`)"));
    peer.mq("pub -V 5 -i me -P secret -t a -m x").run();
    peer.finish();
}

#[test]
fn properties_go_into_the_packet_they_are_for() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept();
        client.expect(
            "10 (`MQTT` 05 06 003c
                 (21 000a  26 `who` `me`)                    # receive maximum, user property
                 `me`
                 (18 00000005  03 `text/plain`) `gone` ``)   # the will's: delay, content type",
        );
        client.send("20 (00 00 ())");
        client.expect(
            "30 (`a`
                 (01 01  02 0000003c  08 `re/ply`  09 `id`  26 `k` `v`  26 `k` `w`)
                 'x')",
        );
        client.expect("e0 (00 (1f `done`))");
    });
    let finished = peer
        .mq("pub -i me -t a -m x --will-topic gone")
        .words("-D connect receive-maximum 10 -D connect user-property who me")
        .words("-D will will-delay-interval 5 -D WILL Content-Type text/plain")
        .words("-D publish payload-format-indicator 1 -D publish message-expiry-interval 60")
        .words("-D publish response-topic re/ply -D publish correlation-data id")
        .words("-D publish user-property k v -D publish user-property k w")
        .words("-D disconnect reason-string done")
        .run();
    peer.finish();
    finished.succeed();
}

#[test]
fn a_topic_alias_stands_for_the_topic_from_the_second_message_on() {
    let peer = ScriptedPeer::accepting_v5("22 000a", |client| {
        client.expect("30 (`home/a` (23 0003) 'x') 30 (`` (23 0003) 'x') 30 (`` (23 0003) 'x') e0 ()");
    });
    peer.mq("pub -t home/a -m x --repeat 3 -D publish topic-alias 3").run().succeed();
    peer.finish();
}

#[test]
fn quiet_leaves_only_the_status() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept();
        client.expect_type(0x10);
        client.send("20 (00 05)");
    });
    let finished = peer.mq("pub --quiet -t a -m x").run();
    assert_eq!(finished.stderr, "");
    finished.expect_status(5);
    peer.finish();
}

#[test]
fn a_retained_message_is_kept_and_deleted() {
    on_each_broker(|broker| {
        broker.mq("pub -t home/a -m kept -q 1 -r").run().succeed();
        assert_eq!(broker.mq("sub -t home/a -C 1").run().succeed(), "kept\n");
        broker.mq("pub -t home/a -n -q 1 -r").run().succeed();
        broker.mq("pub -t home/b -m next -q 1 -r").run().succeed();
        assert_eq!(broker.mq("sub -t home/+ -C 1").run().succeed(), "next\n");
    });
}

#[test]
fn every_version_and_qos_arrives() {
    on_each_broker(|broker| {
        let subscriber = broker.subscriber("-t # -q 2 -v -C 9");
        for version in ["31", "311", "5"] {
            for qos in 0..=2 {
                broker.mq(&format!("pub -V {version} -q {qos} -t v{version}/{qos} -m hello")).run().succeed();
            }
        }
        let lines = "v31/0 hello\nv31/1 hello\nv31/2 hello\nv311/0 hello\nv311/1 hello\nv311/2 hello\n\
                     v5/0 hello\nv5/1 hello\nv5/2 hello\n";
        assert_eq!(subscriber.finish().succeed(), lines);
    });
}

#[test]
fn a_will_is_not_published_after_a_regular_end() {
    on_each_broker(|broker| {
        let subscriber = broker.subscriber("-t # -v -C 2");
        broker.mq("pub -t a -m x --will-topic gone --will-payload bye").run().succeed();
        broker.mq("pub -t b -m y").run().succeed();
        assert_eq!(subscriber.finish().succeed(), "a x\nb y\n");
    });
}
