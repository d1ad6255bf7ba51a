//! The conditions under which `mq sub` ends or continues: slow readers, silence, lost brokers, and kept sessions.

use super::support::*;

/// More than pipes hold.
const MUCH: usize = 1 << 20;

fn publish_much(client: &mut Wire) {
    let message = bytes::hex(&format!("30 (`a` '{}')", "x".repeat(1000)));
    client.send_bytes(&message.repeat(MUCH / 1000));
}

#[test]
fn a_reader_that_stalls_does_not_cost_the_connection() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept();
        client.speak_v5();
        client.expect_type(0x10);
        client.send("20 (00 00 (13 0001))"); // a keep alive of one second
        client.expect_type(0x82);
        client.send("90 (0001 () 00)");
        let message =
            bytes::hex("30 (`a` () 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx')");
        client.send_bytes(&message.repeat(MUCH / 64));
        // Nothing of what follows is read yet, and still there are signs of life.
        client.send("30 (`a` () 'last')");
        for _ in 0..3 {
            client.expect("c0 00");
        }
        client.expect("e0 ()");
    });
    let mut running =
        peer.mq("sub -V 5 -t a -d").arg("-C").arg((MUCH / 64 + 1).to_string()).holding_stdout().spawn();
    for _ in 0..3 {
        running.wait_for_stderr("-> PINGREQ");
    }
    running.read_stdout();
    let output = running.finish().succeed();
    peer.finish();
    assert_eq!(output.lines().count(), MUCH / 64 + 1);
    assert!(output.ends_with("\nlast\n"));
}

#[test]
fn messages_that_a_slow_reader_has_not_taken_are_not_acknowledged() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect_type(0x82);
        publish_much(client);
        client.send("90 (0001 01)  32 (`a` 0001 'one')");
        client.expect_quiet();
    });
    let mut running = peer.mq("sub -t a -q 1").holding_stdout().spawn();
    peer.finish();
    running.kill();
}

#[test]
fn a_reader_that_stalls_does_not_keep_the_program_from_ending() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect_type(0x82);
        client.send("90 (0001 00)");
        publish_much(client);
        client.expect("e0 ()");
    });
    let mut running = peer.mq("sub -t a -W 1").holding_stdout().spawn();
    peer.finish();
    running.wait_for_stderr("timed out");
    running.read_stdout();
    running.finish().expect_status(27);
}

#[test]
fn it_ends_when_its_reader_is_gone_though_nothing_arrives() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect_type(0x82);
        client.send("90 (0001 00)");
        client.expect("e0 ()");
    });
    let mut running = peer.mq("sub -t a -d").holding_stdout().spawn();
    running.wait_for_stderr("<- SUBACK");
    running.close_stdout();
    running.finish().expect_status(0);
    peer.finish();
}

#[test]
fn silence_ends_it_with_status_27() {
    on_each_broker(|broker| {
        let mut subscriber = broker.subscriber("-t a --idle-timeout 1");
        broker.mq("pub -t a -m one").run().succeed();
        subscriber.wait_for_stdout("one");
        assert_says(&subscriber.finish().fail(27), &["no message", "1 s"]);
    });
}

#[test]
fn a_broker_that_is_not_there_yet_is_waited_for_with_retries() {
    let mut broker = EmbeddedBroker::start();
    broker.kill();
    let mut subscriber = broker.mq("sub -t a -C 1 --retries 20").spawn();
    subscriber.wait_for_stderr("connecting again");
    broker.restart();
    let publisher = broker.mq("pub -t a -m hello -r --retries 3").run();
    publisher.succeed();
    assert_eq!(subscriber.finish().succeed(), "hello\n");
}

#[test]
fn retries_come_to_an_end() {
    let finished = mq("sub -h 127.0.0.1 -p 9 -t a --retries 1").run();
    let stderr = finished.fail(1);
    assert_eq!(stderr.matches("connecting again").count(), 1, "{stderr}");
    let finished = mq("pub -h 127.0.0.1 -p 9 -t a -n --retries 1").run();
    assert_eq!(finished.fail(1).matches("connecting again").count(), 1);
}

#[test]
fn publishing_ends_with_its_timeout() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect_type(0x32);
        client.expect("e0 ()");
    });
    let finished = peer.mq("pub -t a -n -q 1 --timeout 1").run();
    peer.finish();
    assert_says(&finished.fail(27), &["1 message was sent", "timed out"]);
}

#[test]
fn each_filter_has_its_own_qos() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect("82 (0001 `a` 01 `b/#` 02 `c` 00)");
        client.send("90 (0001 01 02 00)");
    });
    peer.mq("sub -t a -q 1 --topic-qos 2:b/# --topic-qos 0:c -E").run().succeed();
    peer.finish();
    for wrong in ["3:a", "a", "1:a/#/b", ":a", "1:"] {
        let finished = mq(&format!("sub -h 127.0.0.1 -p 9 --topic-qos {wrong}")).run();
        assert_says(&finished.fail(2), &["--topic-qos", wrong]);
    }
}

#[test]
fn own_messages_are_left_out_with_no_local() {
    let peer = ScriptedPeer::accepting_v5("", |client| {
        client.expect("82 (0001 () `a` 05)");
        client.send("90 (0001 () 01)");
    });
    peer.mq("sub -V 5 -t a -q 1 --no-local -E").run().succeed();
    peer.finish();
    let nowhere = "sub -h 127.0.0.1 -p 9 --no-local";
    assert_says(&mq(&format!("{nowhere} -t a")).run().fail(2), &["--no-local", "-V 5"]);
    assert_says(&mq(&format!("{nowhere} -V 5 -t $share/g/a")).run().fail(2), &["--no-local", "$share/g/a"]);
}

#[test]
fn only_retained_messages_are_printed() {
    on_each_broker(|broker| {
        broker.mq("pub -t kept/a -m one -r -q 1").run().succeed();
        broker.mq("pub -t kept/b -m two -r -q 1").run().succeed();
        let output = broker.mq("sub -t kept/# --retained-only -v").run().succeed();
        let mut lines: Vec<&str> = output.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["kept/a one", "kept/b two"]);
    });
}

#[test]
fn retained_messages_are_deleted_except_filtered_ones() {
    on_each_broker(|broker| {
        for number in 0..50 {
            broker.mq(&format!("pub -t old/{number} -m x -r -q 1")).run().succeed();
        }
        broker.mq("pub -t old/keep/me -m x -r -q 1").run().succeed();
        let clean = "sub -t old/# -T old/keep/# --remove-retained --retained-only -v -q 1";

        let finished = broker.mq(&format!("{clean} --dry-run")).run();
        assert_says(&finished.stderr, &["would delete 50 "]);
        assert_eq!(finished.succeed().lines().count(), 50);

        let finished = broker.mq(clean).run();
        assert_says(&finished.stderr, &["deleted 50 "]);
        assert_eq!(finished.succeed().lines().count(), 50);

        assert_eq!(broker.mq("sub -t old/# --retained-only -v").run().succeed(), "old/keep/me x\n");
    });
}

#[test]
fn clean_up_waits_for_every_acknowledgement() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect_type(0x82);
        client.send("90 (0001 00)  31 (`a` 'x')  31 (`b` 'x')  31 (`c` 'x')");
        client.expect("33 (`a` 0002)");
        client.expect("33 (`b` 0003)");
        client.expect_quiet();
        client.send("40 (0002)  40 (0003)");
        client.expect("e0 ()");
    });
    let finished = peer.mq("sub -t # --remove-retained -C 2").run();
    peer.finish();
    assert_says(&finished.stderr, &["deleted 2 "]);
    assert_eq!(finished.succeed(), "x\nx\n");
}

#[test]
fn clean_up_counts_topics_however_many_subscriptions_bring_them() {
    on_each_broker(|broker| {
        broker.mq("pub -t old/one -m x -r -q 1").run().succeed();
        let filters = "-V 5 -t old/# -t old/+ -t old/one --remove-retained --retained-only -q 1";
        assert_says(
            &broker.mq(&format!("sub {filters} --dry-run")).run().stderr,
            &["would delete 1 retained message"],
        );
        assert_says(&broker.mq(&format!("sub {filters}")).run().stderr, &["deleted 1 retained message"]);
    });
}

#[test]
fn a_clean_up_that_finds_nothing_through_a_wildcard_names_possible_causes() {
    on_each_broker(|broker| {
        let finished = broker.mq("sub -t nothing/# --remove-retained --retained-only").run();
        assert_says(&finished.stderr, &["deleted 0 ", "nothing/#", "RabbitMQ", "mosca"]);
        finished.succeed();
        let finished = broker.mq("sub -t nothing --remove-retained --retained-only").run();
        assert!(!finished.stderr.contains("RabbitMQ"), "{}", finished.stderr);
    });
}

#[test]
fn a_clean_up_without_a_connection_deletes_nothing_and_says_so_only_once() {
    let stderr = mq("sub -h 127.0.0.1 -p 1 -t old/# --remove-retained").run().fail(1);
    assert_first_line(&stderr, "mq sub: cannot connect to 127.0.0.1:1: Connection refused (os error 111)");
    assert!(!stderr.contains("deleted"), "{stderr}");
}

#[test]
fn a_clean_up_counts_the_removals_that_were_not_acknowledged() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect_type(0x82);
        client.send("90 (0001 00)  31 (`a` 'x')  31 (`b` 'x')  31 (`c` 'x')");
        client.expect("33 (`a` 0002)");
        client.expect("33 (`b` 0003)");
        client.expect("33 (`c` 0004)");
        client.send("40 (0002)");
        client.expect("e0 ()");
    });
    let finished = peer.mq("sub -t # --remove-retained -W 1").run();
    peer.finish();
    assert_says(&finished.stderr, &["deleted 1 retained message, 2 not acknowledged"]);
    finished.expect_status(27);
}

#[test]
fn a_rejected_clean_up_is_status_3() {
    let peer = ScriptedPeer::accepting_v5("", |client| {
        client.expect_type(0x82);
        client.send("90 (0001 () 00)  31 (`a` () 'x')");
        client.expect("33 (`a` 0002 ())");
        client.send("40 (0002 87)");
    });
    let finished = peer.mq("sub -V 5 -t # --remove-retained -C 1").run();
    peer.finish();
    assert_says(&finished.fail(3), &["a", "not authorized", "deleted 0 "]);
}

#[test]
fn a_rate_is_printed_every_second_instead_of_the_messages() {
    on_each_broker(|broker| {
        let mut subscriber = broker.subscriber("-t a --message-rate");
        broker.mq("pub -t a -m x --repeat 1000").run().succeed();
        let mut total = 0;
        while total < 1000 {
            let line = subscriber.wait_for_stdout(" msgs/s");
            total += line.strip_suffix(" msgs/s").unwrap().parse::<u32>().unwrap();
        }
        assert_eq!(total, 1000);
    });
}

#[test]
fn a_part_of_the_messages_is_chosen_at_random() {
    on_each_broker(|broker| {
        let some = broker.subscriber("-t a --random-filter 50 -C 1000");
        let all = broker.subscriber("-t a --random-filter 100 -C 1000");
        broker.mq("pub -t a -m x --repeat 1000").run().succeed();
        let count = some.finish().succeed().lines().count();
        assert!((300..700).contains(&count), "{count} of 1000");
        assert_eq!(all.finish().succeed().lines().count(), 1000);
    });
    for wrong in ["0", "0.05", "100.1", "-1", "x", "nan"] {
        let finished = mq(&format!("sub -h 127.0.0.1 -p 9 -t a --random-filter {wrong}")).run();
        assert_says(&finished.fail(2), &["--random-filter", wrong]);
    }
}
