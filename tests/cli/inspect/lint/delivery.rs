//! What the server delivers.

use super::support::{assert_found, v5, v311};

#[test]
fn a_delivered_message_matches_a_subscription() {
    let subscribed = "> 82 (0001 () `a/+` 00 `#` 00)\n< 90 (0001 () 00 87)\n";
    assert_found(&v5(&format!("{subscribed}< 30 (`a/b` ())")), &[]);
    assert_found(&v5(&format!("{subscribed}< 30 (`b` ())")), &["warn MQTT-3.3.2-3 at PUBLISH"]);
    assert_found(&v5("< 30 (`b` ())"), &["warn MQTT-3.3.2-3 at PUBLISH"]);
    assert_found(&v5("> 82 (0001 () `$share/g/b` 00)\n< 90 (0001 () 00)\n< 30 (`b` ())"), &[]);
    // It may come before SUBACK, and after UNSUBACK.
    assert_found(&v5("> 82 (0001 () `b` 00)\n< 30 (`b` ())\n< 90 (0001 () 00)"), &[]);
    let late =
        "> 82 (0001 () `b` 00)\n< 90 (0001 () 00)\n> a2 (0002 () `b`)\n< b0 (0002 () 00)\n< 30 (`b` ())";
    assert_found(&v5(late), &[]);
}

/// A queue and a stream have a name, and bring messages of any topic; `$queue/FILTER` was a shared subscription before.
#[test]
fn filters_of_emqx_bring_messages_of_other_topics() {
    for filter in [
        "$queue/jobs",
        "$queue/jobs/t/#",
        "$queue/t",
        "$q/t/#",
        "$stream/log",
        "$share/g/$stream/log",
        "$share/g/$queue/jobs",
        "$exclusive/t",
        "$exclusive/+",
    ] {
        let subscribed = format!("> 82 (0001 () `{filter}` 00)\n< 90 (0001 () 00)\n");
        assert_found(&v5(&format!("{subscribed}< 30 (`t` ())")), &[]);
    }
    let exclusive = "> 82 (0001 () `$exclusive/t` 00)\n< 90 (0001 () 00)\n< 30 (`u` ())";
    assert_found(&v5(exclusive), &["warn MQTT-3.3.2-3 at PUBLISH"]);
    let refused = "> 82 (0001 () `$queue/jobs` 00)\n< 90 (0001 () 87)\n< 30 (`t` ())";
    assert_found(&v5(refused), &["warn MQTT-3.3.2-3 at PUBLISH"]);
}

#[test]
fn delayed_messages_come_with_the_topic_behind_the_delay() {
    let script = "> 82 (0001 () `t` 00)\n< 90 (0001 () 00)\n> 30 (`$delayed/5/t` () 'x')\n< 30 (`t` () 'x')";
    assert_found(&v5(script), &[]);
}

#[test]
fn subscriptions_that_were_not_seen_are_there_nonetheless() {
    assert_found("> 10 (`MQTT` 05 00 003c () `c`)\n< 20 (0100 ())\n< 30 (`b` ())", &[]);
    assert_found(&v5("lost > 10\n< 30 (`b` ())"), &[]);
    assert_found("midway\n< 30 (`b` () 'x')\n< 30 (`b` () 'x')", &[]);
}

#[test]
fn wildcards_leave_out_topics_that_begin_with_a_dollar() {
    let subscribed = "> 82 (0001 () `#` 00 `+/x` 00)\n< 90 (0001 () 00 00)\n";
    assert_found(&v5(&format!("{subscribed}< 30 (`$SYS/x` ())")), &["warn MQTT-4.7.2-1 at PUBLISH"]);
    assert_found(&v311("> 82 (0001 `$SYS/#` 00)\n< 90 (0001 00)\n< 30 (`$SYS/x`)"), &[]);
}

#[test]
fn messages_are_delivered_with_the_qos_that_was_granted() {
    let subscribed = "> 82 (0001 () `a` 02)\n< 90 (0001 () 01)\n";
    let script = format!("{subscribed}< 34 (`a` 0001 ())\n> 50 (0001)\n< 62 (0001)\n> 70 (0001)");
    assert_found(&v5(&script), &["warn MQTT-3.8.4-8 at PUBLISH"]);
    let overlapping = format!("{subscribed}> 82 (0002 () `+` 02)\n< 90 (0002 () 02)\n< 34 (`a` 0001 ())");
    assert_found(&v5(&overlapping), &["info MQTT-4.3.3-8 at closed"]);
}

#[test]
fn retain_is_for_new_subscriptions() {
    let subscribed = "> 82 (0001 () `a` 00)\n< 90 (0001 () 00)\n< 31 (`a` ())\n";
    assert_found(&v5(subscribed), &[]);
    assert_found(&v5(&format!("{subscribed}wait 40\n< 31 (`a` ())")), &["warn MQTT-3.3.1-12 at PUBLISH"]);
    let as_published = "> 82 (0001 () `a` 08)\n< 90 (0001 () 00)\nwait 40\n< 31 (`a` ())";
    assert_found(&v5(as_published), &[]);
    let unwanted = "> 82 (0001 () `a` 20)\n< 90 (0001 () 00)\n< 31 (`a` ())";
    assert_found(&v5(unwanted), &["info MQTT-3.3.1-11 at PUBLISH"]);
    // mosquitto's bridges get RETAIN as it was published.
    let bridge =
        "> 10 (`MQTT` 84 02 003c `c`)\n< 20 (0000)\n> 82 (0001 `a` 00)\n< 90 (0001 00)\nwait 40\n< 31 (`a`)";
    assert_found(bridge, &[]);
}

#[test]
fn subscription_identifiers_are_those_of_the_client() {
    let subscribed = "> 82 (0001 (0b 07) `a` 00)\n< 90 (0001 () 00)\n";
    assert_found(&v5(&format!("{subscribed}< 30 (`a` (0b 07))")), &[]);
    assert_found(&v5(&format!("{subscribed}< 30 (`a` (0b 08))")), &["warn MQTT-3.3.4-5 at PUBLISH"]);
    assert_found(&v5(&format!("{subscribed}< 30 (`a` ())")), &["warn MQTT-3.3.4-3 at PUBLISH"]);
    let one_without = format!("{subscribed}> 82 (0002 () `+` 00)\n< 90 (0002 () 00)\n< 30 (`a` ())");
    assert_found(&v5(&one_without), &[]);
}
