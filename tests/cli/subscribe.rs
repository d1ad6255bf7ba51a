//! `mq sub`: what it asks for, what it prints, and when it ends.

use super::support::*;

#[test]
fn all_filters_go_into_one_subscribe_with_the_same_qos() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept();
        client.expect("10 (`MQTT` 04 02 003c `me`)");
        client.send("20 (00 00)");
        client.expect("82 (0001 `home/#` 01 `+/b` 01)");
        client.send("90 (0001 01 01)");
        client.send("30 (`home/a` 'hello')");
        client.expect("e0 ()");
    });
    let finished = peer.mq("sub -i me -t home/# -t +/b -q 1 -C 1").run();
    peer.finish();
    assert_eq!(finished.stderr, "");
    assert_eq!(finished.succeed(), "hello\n");
}

#[test]
fn messages_are_acknowledged_at_their_own_qos() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect_type(0x82);
        client.send("90 (0001 02)");
        client.send("32 (`a` 0007 'one')");
        client.expect("40 (0007)");
        client.send("34 (`a` 0008 'two')");
        client.expect("50 (0008)");
        client.send("62 (0008)");
        client.expect("70 (0008)");
        client.send("30 (`a` 'three')");
        client.expect("e0 ()");
    });
    let finished = peer.mq("sub -t a -q 2 -C 3").run();
    peer.finish();
    assert_eq!(finished.succeed(), "one\ntwo\nthree\n");
}

#[test]
fn a_message_of_qos_2_that_comes_twice_is_printed_once() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect_type(0x82);
        client.send("90 (0001 02)");
        client.send("34 (`a` 0008 'once')");
        client.expect("50 (0008)");
        client.send("3c (`a` 0008 'once')");
        client.expect("50 (0008)");
        client.send("62 (0008)");
        client.expect("70 (0008)");
        client.send("30 (`a` 'next')");
    });
    assert_eq!(peer.mq("sub -t a -q 2 -C 2").run().succeed(), "once\nnext\n");
    peer.finish();
}

#[test]
fn a_message_that_came_with_suback_is_not_lost() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect_type(0x82);
        client.send("30 (`a` 'early')  90 (0001 00)  30 (`a` 'late')");
    });
    assert_eq!(peer.mq("sub -t a -C 2").run().succeed(), "early\nlate\n");
    peer.finish();
}

#[test]
fn the_last_counted_message_is_acknowledged_before_disconnect() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect_type(0x82);
        client.send("90 (0001 01)  32 (`a` 0001 'one')  32 (`a` 0002 'two')");
        client.expect("40 (0001) e0 ()");
    });
    assert_eq!(peer.mq("sub -t a -q 1 -C 1").run().succeed(), "one\n");
    peer.finish();
}

#[test]
fn topics_are_printed_with_v() {
    on_each_broker(|broker| {
        let subscriber = broker.subscriber("-t home/# -v -C 2");
        broker.mq("pub -t home/a").arg("-m").arg("two words").run().succeed();
        broker.mq("pub -t home/a -n").run().succeed();
        assert_eq!(subscriber.finish().succeed(), "home/a two words\nhome/a (null)\n");
    });
}

#[test]
fn empty_messages_print_nothing_and_count() {
    on_each_broker(|broker| {
        let subscriber = broker.subscriber("-t a -C 2");
        broker.mq("pub -t a -l").stdin("\nx\n").run().succeed();
        assert_eq!(subscriber.finish().succeed(), "x\n");
    });
}

#[test]
fn line_ends_are_left_out_with_N() {
    on_each_broker(|broker| {
        let plain = broker.subscriber("-t a -N -C 3");
        let verbose = broker.subscriber("-t a -N -v -C 3");
        broker.mq("pub -t a -l").stdin("one\n\nthree\n").run().succeed();
        assert_eq!(plain.finish().succeed(), "onethree");
        assert_eq!(verbose.finish().succeed(), "a onea three");
    });
}

#[test]
fn payloads_are_printed_byte_for_byte() {
    on_each_broker(|broker| {
        let subscriber = broker.subscriber("-t a -C 1");
        broker.mq("pub -t a -s").stdin(bytes::hex("00 ff fe 0d 0a 1b")).run().succeed();
        let finished = subscriber.finish();
        finished.expect_status(0);
        assert_eq!(finished.stdout, bytes::hex("00 ff fe 0d 0a 1b 0a"));
    });
}

#[test]
fn a_message_is_printed_as_soon_as_it_is_there() {
    on_each_broker(|broker| {
        let mut subscriber = broker.subscriber("-t a");
        broker.mq("pub -t a -m first").run().succeed();
        assert_eq!(subscriber.wait_for_stdout("first"), "first");
    });
}

#[test]
fn time_is_up_with_status_27() {
    on_each_broker(|broker| {
        broker.mq("pub -t a -m kept -r -q 1").run().succeed();
        let finished = broker.mq("sub -t a -W 1").run();
        assert_eq!(finished.stdout, b"kept\n");
        assert_says(&finished.fail(27), &["mq sub:", "Timed out"]);
    });
}

#[test]
fn the_timeout_also_ends_a_silent_connection() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept();
        client.expect_type(0x10);
        client.expect_end();
    });
    assert_says(&peer.mq("sub -t a -W 1").run().fail(27), &["Timed out"]);
    peer.finish();
}

#[test]
fn a_session_is_set_up_with_E_and_used_later() {
    on_each_broker(|broker| {
        assert_eq!(broker.mq("sub -c -i me -t a -q 1 -E").run().succeed(), "");
        broker.mq("pub -t a -q 1 -l").stdin("one\ntwo\n").run().succeed();
        assert_eq!(broker.mq("sub -c -i me -t a -q 1 -C 2").run().succeed(), "one\ntwo\n");
    });
}

#[test]
fn E_waits_for_the_answer_and_prints_nothing() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect("82 (0001 `a` 00)");
        client.expect_quiet();
        client.send("90 (0001 00)");
        client.expect("e0 ()");
    });
    let finished = peer.mq("sub -t a -E").run();
    assert_eq!(finished.stderr, "");
    assert_eq!(finished.succeed(), "");
    peer.finish();
}

#[test]
fn messages_are_filtered_out_by_topic_and_not_counted() {
    on_each_broker(|broker| {
        let subscriber = broker.subscriber("-t # -T home/secret/# -T +/noise -v -C 2");
        for topic in ["home/secret/key", "home/a", "home/noise", "home/noise/b"] {
            broker.mq(&format!("pub -t {topic} -m x")).run().succeed();
        }
        assert_eq!(subscriber.finish().succeed(), "home/a x\nhome/noise/b x\n");
    });
}

#[test]
fn retained_messages_are_skipped_with_R() {
    on_each_broker(|broker| {
        broker.mq("pub -t a -m old -r -q 1").run().succeed();
        for version in ["311", "5"] {
            let subscriber = broker.subscriber(&format!("-V {version} -t a -R -C 1"));
            broker.mq("pub -t a -m new -q 1").run().succeed();
            assert_eq!(subscriber.finish().succeed(), "new\n");
        }
    });
}

#[test]
fn only_retained_messages_are_printed_with_retained_only() {
    on_each_broker(|broker| {
        for topic in ["a", "b"] {
            broker.mq(&format!("pub -t {topic} -m kept -r -q 1")).run().succeed();
        }
        let subscriber = broker.subscriber("-t # --retained-only -v");
        broker.mq("pub -t c -m live").run().succeed();
        let printed = subscriber.finish().succeed();
        let mut lines: Vec<&str> = printed.lines().collect();
        lines.sort_unstable(); // the order is the broker's affair
        assert_eq!(lines, ["a kept", "b kept"]);
    });
}

#[test]
fn retain_options_go_into_the_subscription() {
    for (options, byte) in [
        ("--retain-handling always", "00"),
        ("--retain-handling new", "10"),
        ("--retain-handling never", "20"),
        ("-R", "20"),
        ("--retain-as-published -q 2", "0a"),
        ("--retain-as-published --retain-handling new -q 1", "19"),
    ] {
        let peer = ScriptedPeer::accepting_v5("", move |client| {
            client.expect(&format!("82 (0001 () `a` {byte})"));
            client.send("90 (0001 () 00)");
        });
        peer.mq(&format!("sub -V 5 -t a -E {options}")).run().succeed();
        peer.finish();
    }
}

#[test]
fn a_kept_session_is_set_up_without_receiving_its_messages() {
    on_each_broker(|broker| {
        for (number, options) in ["-q 1", "-q 2", "-V 5 -q 1", "-V 5 -q 2"].into_iter().enumerate() {
            let options = format!("-c -i me{number} -t kept/{number} {options}");
            broker.mq(&format!("sub -E {options}")).run().succeed();
            let lines = "1\n2\n3\n";
            broker.mq(&format!("pub -t kept/{number} -l -q 2")).stdin(lines).run().succeed();
            for _ in 0..2 {
                assert_eq!(broker.mq(&format!("sub -E {options}")).run().succeed(), "");
            }
            assert_eq!(broker.mq(&format!("sub -C 3 {options}")).run().succeed(), lines);
        }
    });
}

#[test]
fn mosquitto_sub_receives_what_comes_before_suback() {
    for (is_mosquitto, printed) in [(true, "x\n"), (false, "")] {
        let peer = ScriptedPeer::accepting(move |client| {
            client.expect("82 (0001 `a` 01)");
            client.send("32 (`a` 0007 'x') 90 (0001 01)");
            client.expect(if is_mosquitto { "40 (0007) e0 ()" } else { "e0 ()" });
        });
        let words = "-c -i me -t a -q 1 -E";
        let program = match is_mosquitto {
            true => peer.called_as(&format!("mosquitto_sub {words}")),
            false => peer.mq(&format!("sub {words}")),
        };
        assert_eq!(program.run().succeed(), printed);
        peer.finish();
    }
}

#[test]
fn retain_stays_as_published_when_asked_for() {
    on_each_broker(|broker| {
        let mut subscriber = broker.subscriber("-V 5 -t a --retain-as-published -C 1");
        broker.mq("pub -t a -m x -r").run().succeed();
        assert_says(&subscriber.wait_for_stderr("<- PUBLISH"), &["\"a\" QoS 0 retain, 1 byte \"x\""]);
        assert_eq!(subscriber.finish().succeed(), "x\n");
    });
}

#[test]
fn unsubscribing_follows_subscribing() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect("82 (0001 `a` 00) a2 (0002 `b`) a2 (0003 `c/#`)");
        client.send("90 (0001 00) b0 (0002) b0 (0003) 30 (`a` 'x')");
        client.expect("e0 ()");
    });
    assert_eq!(peer.mq("sub -t a -U b -U c/# -C 1").run().succeed(), "x\n");
    peer.finish();
}

#[test]
fn unsubscribing_needs_no_subscription() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect("a2 (0001 `b`) a2 (0002 `c`)");
        client.send("b0 (0001)");
        client.expect_quiet();
        client.send("b0 (0002)");
        client.expect("e0 ()");
    });
    let finished = peer.mq("sub -U b -U c -E").run();
    peer.finish();
    finished.succeed();
}

#[test]
fn a_kept_session_forgets_removed_subscriptions() {
    on_each_broker(|broker| {
        broker.mq("sub -c -i me -t a -t b -q 1 -E").run().succeed();
        broker.mq("sub -c -i me -U a -E").run().succeed();
        broker.mq("pub -t a -m x -q 1").run().succeed();
        broker.mq("pub -t b -m y -q 1").run().succeed();
        assert_eq!(broker.mq("sub -c -i me -t b -q 1 -v -C 1").run().succeed(), "b y\n");
    });
}

#[test]
fn a_rejected_subscription_is_reported_with_status_3() {
    for (version, suback, reason) in
        [("311", "90 (0001 80)", "0x80"), ("5", "90 (0001 () 87)", "not authorized")]
    {
        let peer = ScriptedPeer::start(move |peer| {
            let mut client = if version == "5" { peer.accept_v5("") } else { peer.accept_v311() };
            client.expect_type(0x82);
            client.send(suback);
            client.expect("e0 ()");
        });
        let finished = peer.mq(&format!("sub -V {version} -t home/#")).run();
        peer.finish();
        assert_says(&finished.fail(3), &["mq sub:", "home/#", reason]);
    }
}

#[test]
fn granted_subscriptions_receive_though_the_rest_was_rejected() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect_type(0x82);
        client.send("90 (0001 80 00) 30 (`b` 'x')");
        client.expect("e0 ()");
    });
    let finished = peer.mq("sub -t a -t b -C 1").run();
    peer.finish();
    assert_eq!(finished.stdout, b"x\n");
    assert_says(&finished.fail(3), &["rejected", "subscription to a"]);
}

#[test]
fn properties_go_into_subscribe_and_unsubscribe() {
    let peer = ScriptedPeer::accepting_v5("", |client| {
        client.expect("82 (0001 (0b 07  26 `k` `v`) `a` 00)");
        client.expect("a2 (0002 (26 `u` `w`) `b`)");
        client.send("90 (0001 () 00) b0 (0002 () 00)");
        client.expect("e0 ()");
    });
    let finished = peer
        .mq("sub -t a -U b -E -D subscribe subscription-identifier 7 -D subscribe user-property k v")
        .words("-D unsubscribe user-property u w")
        .run();
    peer.finish();
    finished.succeed();
}

#[test]
fn topic_aliases_of_the_broker_are_understood() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept();
        client.speak_v5();
        client.expect("10 (`MQTT` 05 02 003c (22 000a  21 0004) `me`)  # no more at once than -C wants");
        client.send("20 (00 00 ())");
        client.expect_type(0x82);
        client.send("90 (0001 () 00)");
        client.send("30 (`home/a` (23 0001) 'one')");
        client.send("30 (`` (23 0001) 'two')");
        client.send("30 (`home/b` (23 0001) 'three')");
        client.send("30 (`` (23 0001) 'four')");
    });
    let finished = peer.mq("sub -i me -t # -v -C 4 -D connect topic-alias-maximum 10").run();
    peer.finish();
    assert_eq!(finished.succeed(), "home/a one\nhome/a two\nhome/b three\nhome/b four\n");
}

#[test]
fn a_group_is_put_in_front_of_each_filter() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect("82 (0001 `$share/g/a` 00 `$share/g/b/#` 01)");
        client.send("90 (0001 00 01)");
        client.expect("e0 ()");
    });
    peer.mq("sub -t a --topic-qos 1:b/# --share g -E").run().succeed();
    peer.finish();
    for (words, part) in [
        ("-t a --share a/b", "--share"),
        ("-t $share/h/a --share g", "shared already"),
        ("-V 5 -t a --share g --no-local", "--no-local"),
    ] {
        assert_says(&mq(&format!("sub -h 127.0.0.1 -p 1 {words}")).run().fail(2), &[part]);
    }
}

#[test]
fn a_group_shares_its_messages() {
    on_each_broker(|broker| {
        let mut first = broker.subscriber("-V 5 -t $share/group/a -q 1");
        let mut second = broker.subscriber("-V 5 -t $share/group/a -q 1");
        let lines: String = (0..10).map(|n| format!("{n}\n")).collect();
        broker.mq("pub -t a -q 1 -l").stdin(lines).run().succeed();
        for (subscriber, numbers) in [(&mut first, 5), (&mut second, 5)] {
            for _ in 0..numbers {
                subscriber.wait_for_stdout("");
            }
        }
    });
}

#[test]
fn debugging_keeps_stdout_clean() {
    on_each_broker(|broker| {
        let subscriber = broker.subscriber("-t a -q 1 -C 1");
        broker.mq("pub -t a -m x -q 1").run().succeed();
        let finished = subscriber.finish();
        assert_says(
            &finished.stderr,
            &["-> CONNECT", "<- SUBACK", "<- PUBLISH", "-> PUBACK", "-> DISCONNECT"],
        );
        assert_eq!(finished.succeed(), "x\n");
    });
}

#[test]
fn a_lower_qos_than_asked_for_is_said() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect_type(0x82);
        client.send("90 (0001 01)");
    });
    let finished = peer.mq("sub -t home/a -q 2 -E").run();
    assert_says(&finished.stderr, &["home/a", "QoS 1", "QoS 2"]);
    finished.succeed();
    peer.finish();
}
