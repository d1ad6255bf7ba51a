//! Keys that act on the broker, the clipboard or a file.

use super::super::support::*;
use super::{home, top};
use tempfile::TempDir;

#[test]
fn a_message_is_published_again_after_a_question() {
    let broker = home();
    let mut subscriber = broker.subscriber("-t garden/soil -R -C 1 -v");
    let Some(mut terminal) = top(&broker, "--list") else { return };
    terminal.wait_for("garden/soil");
    terminal.keys("r");
    terminal.wait_for("publish 3 bytes to garden/soil again, QoS 0, retained? y/n");
    terminal.keys("n");
    terminal.wait_without("y/n");
    terminal.keys("r");
    terminal.wait_for("y/n");
    terminal.keys("y");
    subscriber.wait_for_stdout("garden/soil dry");
    terminal.keys("q");
    terminal.end(0);
}

#[test]
fn retained_messages_of_a_subtree_are_deleted_after_a_question() {
    let broker = home();
    let Some(mut terminal) = top(&broker, "") else { return };
    terminal.wait_for("4 topics");
    terminal.keys("GX");
    terminal.wait_for("delete 1 retained message at home/kitchen/temperature and below? y/n");
    terminal.keys("nhhhX");
    terminal.wait_for("delete 3 retained messages at home and below? y/n");
    terminal.keys("y");
    terminal.wait_for("deleted 3 messages");
    terminal.keys("X");
    terminal.wait_for("no retained message is known at home or below it");
    terminal.keys("q");
    terminal.end(0);
    let left = broker.mq("sub -t # --retained-only -v").run().succeed();
    assert_eq!(left, "garden/soil dry\n");
}

#[test]
fn a_message_that_waits_for_the_connection_is_said() {
    let broker = home();
    let Some(mut terminal) = top(&broker, "--list") else { return };
    terminal.wait_for("garden/soil");
    drop(broker);
    terminal.wait_for("DISCONNECTED");
    terminal.keys("r");
    terminal.wait_for("y/n");
    terminal.keys("y");
    terminal.wait_for("not connected: this is done when the connection is back");
    terminal.keys("q");
    terminal.end(0);
}

#[test]
fn a_read_only_screen_sends_nothing() {
    let broker = home();
    let Some(mut terminal) = top(&broker, "--read-only") else { return };
    terminal.wait_for("garden");
    for key in ["n", "r", "x", "X", "s", "u"] {
        terminal.keys(key);
        terminal.wait_for("the screen is read-only");
        terminal.keys("y");
        terminal.wait_for("to the clipboard");
    }
    terminal.keys("$");
    terminal.wait_for("no message below $SYS/#; this screen does not subscribe");
    terminal.keys("q");
    terminal.end(0);
}

#[test]
fn topic_and_payload_go_to_the_clipboard() {
    let broker = home();
    let Some(mut terminal) = top(&broker, "--list") else { return };
    terminal.wait_for("garden/soil");
    terminal.keys("y");
    terminal.wait_for("sent 11 bytes to the clipboard");
    terminal.keys("Y");
    terminal.wait_for("sent 3 bytes to the clipboard");
    terminal.keys("q");
    let output = terminal.end_with_output(0);
    for copied in ["\u{1b}]52;c;Z2FyZGVuL3NvaWw=\u{7}", "\u{1b}]52;c;ZHJ5\u{7}"] {
        assert!(output.contains(copied), "{copied:?}");
    }
}

#[test]
fn subscriptions_change_while_running() {
    let broker = home();
    let Some(mut terminal) = top(&broker, "garden/#") else { return };
    terminal.wait_for("1 topic ");
    terminal.keys("s");
    terminal.wait_for("subscribe (");
    terminal.keys("1:home/bath/#\r");
    terminal.wait_for("subscribed to home/bath/# at QoS 1");
    terminal.wait_for("2 topics");
    terminal.keys("uhome/#\r");
    terminal.wait_for("not subscribed to home/#, but to garden/#, home/bath/#");
    terminal.keys("u");
    terminal.wait_for("unsubscribe:");
    terminal.keys("home/bath/#\r");
    terminal.wait_for("unsubscribed from home/bath/#");
    terminal.keys("q");
    terminal.end(0);
}

#[test]
fn statistics_of_the_broker_are_a_panel() {
    let broker = home();
    let Some(mut terminal) = top(&broker, "") else { return };
    terminal.wait_for("garden");
    terminal.keys("$");
    terminal.wait_for("clients connected");
    terminal.wait_for("retained messages");
    terminal.keys("\u{1b}");
    terminal.wait_without("clients connected");
    terminal.keys("$");
    terminal.wait_for("clients connected");
    assert_says(&terminal.screen(), &["memory used", " kB"]);
    terminal.keys("$");
    terminal.wait_without("clients connected");
    terminal.wait_for("4 topics");
    terminal.keys("q");
    terminal.end(0);
}

#[test]
fn topics_of_the_broker_stay_if_they_were_subscribed_to() {
    let broker = home();
    let Some(mut terminal) = top(&broker, "--list \\$SYS/broker/uptime") else { return };
    terminal.wait_for("$SYS/broker/uptime");
    terminal.keys("$");
    terminal.wait_for("uptime    ");
    terminal.keys("$");
    terminal.wait_for("$SYS/broker/uptime");
    terminal.keys("s$SYS/#\r");
    terminal.wait_for("$SYS/broker/clients/total");
    terminal.keys("$");
    terminal.wait_for("clients connected");
    terminal.keys("$");
    terminal.wait_without("clients connected");
    assert_says(&terminal.screen(), &["$SYS/broker/clients/total"]);
    terminal.keys("q");
    terminal.end(0);
}

#[test]
fn statistics_are_shown_beside_a_subscription_to_some_of_them() {
    let broker = home();
    let Some(mut terminal) = top(&broker, "--list \\$SYS/broker/uptime") else { return };
    terminal.wait_for("$SYS/broker/uptime");
    terminal.keys("$");
    terminal.wait_for("clients connected");
    terminal.wait_for("retained messages");
    terminal.keys("$");
    terminal.wait_without("clients connected");
    terminal.wait_for("1 topic ");
    assert_says(&terminal.screen(), &["$SYS/broker/uptime"]);
    terminal.keys("q");
    terminal.end(0);
}

#[test]
fn the_reason_of_a_failure_is_shown_behind_a_long_topic() {
    let topic = "ab".repeat(5000);
    let peer = ScriptedPeer::accepting_v5("27 00000100", |wire| {
        wire.expect_type(0x82);
        wire.send("90 (0001 () 00)");
        wire.expect_type(0xe0);
    });
    let Some(mut terminal) = top(&peer, "") else { return };
    terminal.wait_for("connected");
    terminal.keys(&format!("n{topic}\r"));
    terminal.wait_for("payload");
    terminal.keys("x\r");
    terminal.wait_for("QoS");
    terminal.keys("\u{15}r\r");
    terminal.wait_for("cannot publish to");
    assert_says(&terminal.screen(), &["256 bytes", "…", "TOPIC"]);
    terminal.keys("q");
    terminal.end(0);
    peer.finish();
}

#[test]
fn a_message_for_two_subscriptions_counts_once() {
    let peer = ScriptedPeer::accepting_v5("", |wire| {
        wire.expect("82 (0001 (0b 01) `a/#` 08)");
        wire.expect("82 (0002 (0b 02) `a/b` 08)");
        wire.send("90 (0001 () 00) 90 (0002 () 00)");
        wire.send("30 (`a/b` (0b 01) 'x') 30 (`a/b` (0b 02) 'x')");
        wire.send("30 (`a/b` (0b 01) 'x') 30 (`a/b` (0b 02) 'x')");
        wire.send("30 (`a/c` (0b 01) 'x') 30 (`a/c` (0b 01) 'x')");
        wire.expect_type(0xe0);
    });
    let Some(mut terminal) = top(&peer, "a/# a/b") else { return };
    terminal.wait_for("2 topics  4 msgs");
    terminal.keys("q");
    terminal.end(0);
    peer.finish();
}

#[test]
fn a_history_is_exported_as_a_recording() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("history.ndjson");
    let broker = home();
    let variables = format!("TERM=xterm HOME={}", directory.path().display());
    let words = format!("top {} --list garden/#", broker.options());
    let Some(mut terminal) = Terminal::start_with(&variables, &words, 80, 24) else { return };
    terminal.wait_for("garden/soil");
    terminal.keys("\r");
    terminal.wait_for("retained, 3 bytes");
    broker.mq("pub -t garden/soil -m wet").run().succeed();
    terminal.wait_for("wet");
    terminal.keys("e");
    terminal.wait_for("export history");
    terminal.keys(&format!("{}\r", path.display()));
    terminal.wait_for("exported 2 messages");
    terminal.keys("e~/again.ndjson\r");
    terminal.wait_for("/again.ndjson");
    terminal.wait_until("exported", |_| directory.path().join("again.ndjson").exists());
    terminal.keys("q");
    terminal.end(0);
    let mut subscriber = broker.subscriber("-t garden/# -R -C 2 -v");
    broker.mq("pub --speed max --replay").arg(&path).run().succeed();
    subscriber.wait_for_stdout("garden/soil dry");
    subscriber.wait_for_stdout("garden/soil wet");
}

#[test]
fn watching_on_a_terminal_is_the_list() {
    let broker = home();
    let words = format!("sub -w -v {} -t", broker.options());
    let Some(mut terminal) = Terminal::start(&format!("{words} home/#"), 80, 24) else { return };
    terminal.wait_for("home/kitchen/temperature");
    assert!(terminal.is_alternate());
    terminal.keys("q");
    terminal.end(0);
    let Some(mut terminal) = Terminal::start(&format!("{words} garden/# -F %p"), 80, 24) else { return };
    terminal.wait_for("Broker: ");
    terminal.wait_for("dry");
    assert!(!terminal.is_alternate(), "an option asks for another form");
    terminal.signal("INT");
    terminal.end(130);
}
