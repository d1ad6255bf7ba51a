//! The course of a connection, and several of one client.

use super::support::{assert_found, found, v5, v5_with, v311};

const CONNECT: &str = "> 10 (`MQTT` 05 02 003c () `c`)";
const WITH_METHOD: &str = "> 10 (`MQTT` 05 02 003c (15 `A`) `c`)";

#[test]
fn connect_comes_first_and_once() {
    assert_found("> 30 (`t` 'x')", &["error MQTT-3.1.0-1 at PUBLISH"]);
    assert_found(&v311("> 10 (`MQTT` 04 02 003c `c`)"), &["error MQTT-3.1.0-2 at CONNECT"]);
    assert_found("midway\n> 30 (`t` 'x')\n> 30 (`t` 'x')\n> c0 ()\n< d0 ()", &[]);
}

#[test]
fn connack_comes_first_and_once() {
    assert_found("> 10 (`MQTT` 04 02 003c `c`)\n< 30 (`t`)\n< 20 (0000)", &["error MQTT-3.2.0-1 at PUBLISH"]);
    assert_found(&v5("< 20 (0000 ())"), &["error MQTT-3.2.0-2 at CONNACK"]);
    assert_found(&format!("{CONNECT}\n< e0 (82)"), &["error MQTT-3.14.0-1 at DISCONNECT"]);
    // What came before may have been CONNACK.
    assert_found("> 10 (`MQTT` 04 02 003c `c`)\nlost < 4\n< 30 (`t` 'x')\n< 30 (`t` 'x')", &[]);
}

#[test]
fn a_connack_fits_its_connect() {
    assert_found("> 10 (`MQTT` 04 02 003c `c`)\n< 20 (0100)", &["error MQTT-3.2.2-1 at CONNACK"]);
    assert_found(&format!("{CONNECT}\n< 20 (0100 ())"), &["error MQTT-3.2.2-2 at CONNACK"]);
    assert_found("> 10 (`MQTT` 05 02 003c () ``)\n< 20 (0000 ())", &["error MQTT-3.2.2-16 at CONNACK"]);
    assert_found("> 10 (`MQTT` 05 02 003c () ``)\n< 20 (0000 (12 `id`))", &[]);
    assert_found(
        "> 10 (`MQTT` 04 00 003c ``)\n< 20 (0000)",
        &["error MQTT-3.1.3-7 at CONNECT", "error MQTT-3.1.3-8 at CONNACK"],
    );
    assert_found(&format!("{CONNECT}\n< 20 (0000 (1a `r`))"), &["error MQTT-3.1.2-28 at CONNACK"]);
    assert_found(
        "> 10 (`MQTT` 05 16 003c () `c` () `w` `x`)\n< 20 (0000 (24 01))",
        &["error MQTT-3.2.2-12 at CONNACK"],
    );
    assert_found(
        "> 10 (`MQTT` 05 26 003c () `c` () `w` `x`)\n< 20 (0000 (25 00))",
        &["error MQTT-3.2.2-13 at CONNACK"],
    );
}

#[test]
fn a_server_that_does_not_know_mqtt_5_refuses_as_mqtt_3_1_1_demands() {
    assert_found(&format!("{CONNECT}\n< 20 (0001)\nclose"), &["info mq/v5/3.2 at CONNACK"]);
    // To accept so is another matter.
    assert_eq!(found(&format!("{CONNECT}\n< 20 (0000)"))[0], "error MQTT-2.2.2-1 at CONNACK");
}

#[test]
fn undecodable_properties_are_not_taken_for_absent() {
    // The method may have been behind the property that does not exist.
    let connect = "> 10 (`MQTT` 05 02 003c (7f 15 `A` 22 0005) `c`)";
    let answer = "< 20 (0000 (15 `A` 12 `id` 1a `r`))\n< 30 (`t` (23 0001))";
    assert_found(&format!("{connect}\n{answer}"), &["error mq/v5/2.2.2.2 at CONNECT"]);
    // And so may the alias.
    let alias = "> 30 (`t` (7f 23 0001))\n> 30 (`` (23 0001))";
    assert_found(&v5_with("", "22 0005", alias), &["error mq/v5/2.2.2.2 at PUBLISH"]);
}

#[test]
fn a_connect_is_answered_if_there_was_time() {
    assert_found(&format!("{CONNECT}\nwait 2\nclose"), &["warn MQTT-3.1.4-5 at closed"]);
    assert_found(&format!("{CONNECT}\nclose"), &["info MQTT-3.1.4-5 at closed"]);
    assert_found(CONNECT, &["info MQTT-3.1.4-5 at closed"]);
}

#[test]
fn authentication_is_agreed_on_in_connect() {
    assert_found(&format!("{CONNECT}\n< f0 (18 (15 `A`))"), &["error MQTT-4.12.0-6 at AUTH"]);
    assert_found(&v5("> f0 (19 (15 `A`))"), &["error MQTT-4.12.0-7 at AUTH"]);
    assert_found(&format!("{CONNECT}\n< 20 (0000 (15 `A`))"), &["error MQTT-4.12.0-6 at CONNACK"]);
    assert_found(&format!("{WITH_METHOD}\n< f0 (18 (15 `B`))"), &["error MQTT-4.12.0-5 at AUTH"]);
    assert_found(&format!("{WITH_METHOD}\n< f0 (00 (15 `A`))"), &["error MQTT-4.12.0-2 at AUTH"]);
    assert_found(
        &format!("{WITH_METHOD}\n< f0 (18 (15 `A`))\n> f0 (19 (15 `A`))"),
        &["error MQTT-4.12.0-3 at AUTH"],
    );
    assert_found(
        &format!("{WITH_METHOD}\n> 30 (`t` ())\n< 20 (0000 (15 `A`))"),
        &["error MQTT-3.1.2-30 at PUBLISH"],
    );
    assert_found(
        &format!("{WITH_METHOD}\n> f0 (00 (15 `A`))"),
        &["error MQTT-3.15.2-1 at AUTH", "error MQTT-4.12.0-3 at AUTH", "info MQTT-3.1.4-5 at closed"],
    );
    assert_found(&format!("{WITH_METHOD}\n< f0 (18 ())"), &["error mq/v5/3.15.2.2.2 at AUTH"]);
}

#[test]
fn the_client_begins_to_authenticate_again() {
    let connected = format!("{WITH_METHOD}\n< f0 (18 (15 `A`))\n> f0 (18 (15 `A`))\n< 20 (0000 (15 `A`))\n");
    let again = "> f0 (19 (15 `A`))\n< f0 (18 (15 `A`))\n> f0 (18 (15 `A`))\n< f0 (00 (15 `A`))\n";
    assert_found(&format!("{connected}{again}"), &[]);
    assert_found(&format!("{connected}< f0 (18 (15 `A`))"), &["error MQTT-4.12.1-1 at AUTH"]);
    assert_found(&format!("{connected}{again}> f0 (18 (15 `A`))"), &["error MQTT-4.12.1-1 at AUTH"]);
}

#[test]
fn nothing_follows_a_refusal_or_a_farewell() {
    assert_found("> 10 (`MQTT` 04 02 003c `c`)\n< 20 (0005)\n< 30 (`t`)", &["error MQTT-3.2.2-5 at PUBLISH"]);
    assert_found(
        &v311("> e0 ()\n> c0 ()"),
        &["error MQTT-3.14.4-2 at PINGREQ", "info MQTT-3.12.4-1 at closed"],
    );
    assert_found(
        &v5("< e0 (8b)\n< d0 ()"),
        &["error MQTT-3.14.4-1 at PINGRESP", "warn mq/v5/3.13 at PINGRESP"],
    );
    // What crosses a farewell on its way is in order.
    assert_found(&v5("> 82 (0001 () `#` 00)\n> e0 ()\n< 90 (0001 () 00)"), &[]);
    assert_found(&v5("> e0 ()\nwait 40\nclose"), &["warn MQTT-3.14.4-2 at closed"]);
    assert_found(
        "> 10 (`MQTT` 05 02 0000 () `c`)\n< 20 (0087 ())\nwait 40\nclose",
        &["warn MQTT-3.2.2-7 at closed"],
    );
}

#[test]
fn a_disconnect_does_not_prolong_a_session_that_was_to_end() {
    assert_found(&v5("> e0 (00 (11 00000005))"), &["error mq/v5/3.14.2.2.2 at DISCONNECT"]);
    assert_found(&v5("> e0 (00 (11 00000000))"), &[]);
    assert_found(&v5_with("11 00000001", "", "> e0 (00 (11 00000005))"), &[]);
}

#[test]
fn a_client_that_connects_again_ends_its_earlier_connection() {
    let both = v5("2: > 10 (`MQTT` 05 02 003c () `c`)\n2: < 20 (0000 ())\nwait 2\n> c0 ()\n");
    assert_eq!(found(&format!("{both}< d0 ()")), ["warn MQTT-3.1.4-3 at PINGRESP"]);
    assert_found(&format!("{both}< e0 (8e)"), &["info MQTT-3.12.4-1 at closed"]);
}

#[test]
fn a_session_that_ended_is_not_there_again() {
    let first = v5("> e0 ()\nclose");
    let script = format!("{first}\n2: > 10 (`MQTT` 05 00 003c () `c`)\n2: < 20 (0100 ())");
    assert_eq!(found(&script), ["2: warn MQTT-3.2.2-3 at CONNACK"]);
    let kept = v5_with("11 000000ff", "", "> e0 ()\nclose");
    let script = format!("{kept}\n2: > 10 (`MQTT` 05 00 003c () `c`)\n2: < 20 (0100 ())");
    assert_eq!(found(&script), [""; 0]);
}

#[test]
fn keep_alive_is_kept_and_enforced() {
    let quick = "> 10 (`MQTT` 04 02 0002 `c`)\n< 20 (0000)\n";
    assert_found(&format!("{quick}wait 2.5\n> c0 ()\n< d0 ()"), &[]);
    assert_found(&format!("{quick}wait 3.5\n> c0 ()\n< d0 ()"), &["warn MQTT-3.1.2-23 at PINGREQ"]);
    assert_found(&format!("{quick}wait 9\n> c0 ()\n< d0 ()"), &["warn MQTT-3.1.2-24 at PINGREQ"]);
    assert_found(&format!("{quick}wait 9\nclose"), &["warn MQTT-3.1.2-23 at closed"]);
    assert_found(
        &format!("{quick}wait 9\n< 30 (`t`)"),
        &["warn MQTT-3.3.2-3 at PUBLISH", "warn MQTT-3.1.2-24 at closed"],
    );
    assert_found(&format!("{quick}> e0 ()\nwait 9\nclose"), &[]);
    // The server's word counts.
    assert_found(
        "> 10 (`MQTT` 05 02 003c () `c`)\n< 20 (0000 (13 0002))\nwait 9\n> c0 ()\n< d0 ()",
        &["warn MQTT-3.1.2-22 at PINGREQ"],
    );
}
