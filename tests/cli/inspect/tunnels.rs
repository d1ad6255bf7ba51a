//! Captures whose TCP is inside something else, and captures without any.

use super::*;
use crate::support::capture::capture;
use crate::support::datagrams::datagrams;

/// The packets without what differs from one capture to another.
fn timeless(name: &str) -> Vec<Value> {
    let mut all = packets(inspect(&format!("tunnels/{name}.pcap"), ""));
    for packet in &mut all {
        for key in ["time", "frame", "round_trip_ns", "since_publish_ns"] {
            packet.as_object_mut().unwrap().remove(key);
        }
    }
    all
}

/// What is said on standard error of a capture of which nothing is shown.
#[track_caller]
fn passed_over(file: impl AsRef<std::path::Path>) -> String {
    let finished = mq("inspect").arg(file.as_ref()).run();
    assert_eq!((finished.status, finished.stdout.as_slice()), (0, &b""[..]), "{}", finished.stderr);
    finished.stderr
}

#[test]
fn tunnels_and_link_layers_do_not_change_the_packets_inside() {
    let plain = timeless("plain");
    assert_eq!(plain.len(), 20);
    for name in ["gre", "mpls", "nflog", "ppp", "pppoe", "vxlan"] {
        assert_eq!(timeless(name), plain, "{name}");
    }
}

#[test]
fn frames_that_are_passed_over_are_counted_by_kind() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("udp.pcap");
    std::fs::write(&path, datagrams("port 5000\n> 02 16\n> ff 16\n> 02 17")).unwrap();
    assert_says(
        &passed_over(&path),
        &["3 of 3 frames contain neither TCP nor MQTT-SN: 2 of UDP (perhaps MQTT-SN), 1 of UDP"],
    );
    // Beside a conversation that is shown, they are not worth a word.
    let shown = mq("inspect").arg(corpus("tunnels/plain.pcap")).run();
    assert_eq!((shown.status, shown.stderr.as_str()), (0, ""));
    let path = directory.path().join("empty.pcap");
    std::fs::write(&path, &std::fs::read(corpus("tunnels/plain.pcap")).unwrap()[..24]).unwrap();
    assert_says(&passed_over(&path), &["the capture holds no frames"]);
}

#[test]
fn two_servers_do_not_speak_mqtt_to_each_other() {
    // Keep-alives of PCEP have the bytes of a CONNACK.
    let all = inspect("passed-over/pcep.pcap", "--lint=info");
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!((&all[0]["event"], &all[0]["protocol"]), (&"foreign".into(), &"unknown".into()));
}

/// A WebSocket with these further lines in request and answer, and the output for it.
fn web_socket(request: &str, answer: &str, frames: &str) -> Vec<Value> {
    let script = format!(
        "> 'GET /x HTTP/1.1' 0d0a 'Host: x' 0d0a 'Upgrade: websocket' 0d0a {request} 0d0a\n\
         < 'HTTP/1.1 101 Switching Protocols' 0d0a 'Upgrade: websocket' 0d0a {answer} 0d0a\n{frames}"
    );
    objects(
        &String::from_utf8(mq("inspect --lint=info --format json").stdin(capture(&script)).run().stdout)
            .unwrap(),
    )
}

#[test]
fn mqtt_in_a_web_socket_of_another_subprotocol_is_read_and_reported() {
    const MQTT: &str = "> 82 8f 00000000 10 (`MQTT` 04 02 003c `c`)\n< 82 04 20 (0000)\n";
    const OFFER: &str = "'Sec-WebSocket-Protocol: mqtt' 0d0a";
    const CHAT: &str = "'Sec-WebSocket-Protocol: chat' 0d0a";
    for (request, answer, statement, direction) in [
        ("", "", "MQTT-6.0.0-3", "c2s"),
        (CHAT, CHAT, "MQTT-6.0.0-3", "c2s"),
        (OFFER, "", "MQTT-6.0.0-4", "s2c"),
    ] {
        let all = web_socket(request, answer, MQTT);
        let fault = all.iter().find(|object| object["event"] == "bad_frame").unwrap();
        assert_eq!(fault["findings"][0]["statement"], statement, "{fault}");
        assert_eq!(fault["direction"], direction);
        assert_eq!(packets(all).len(), 2);
    }
    assert_eq!(packets(web_socket(OFFER, OFFER, MQTT)).len(), 2);
    // What is no MQTT stays HTTP.
    let chat = web_socket(CHAT, CHAT, "> 81 85 00000000 'hello'");
    assert_eq!((chat.len(), &chat[0]["protocol"]), (1, &"http".into()));
}

#[test]
fn a_file_of_another_type_is_named() {
    for (bytes, named) in [
        (&b"\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff\0"[..], "lzma"),
        (b"LZIP\x01", "lzip"),
        (b"\x89LZO\0\r\n\x1a\n", "lzop"),
        (b"7z\xbc\xaf\x27\x1c\0\x04", "7-Zip"),
        (b"\xaa\xaa\xaa\xaa\x20\0\0\0", "5views"),
        (b"TR\0d\0\0\0\0", "nettl"),
        (b"TRSNIFF data    \x1a", "Sniffer"),
        (b"\x05VNF\0", "Visual Networks"),
        (b"\x01\x10L\0\x01\x05Trace Disp", "LANalyzer"),
    ] {
        assert_says(&mq("inspect").stdin(bytes).run().fail(1), &[named]);
    }
}
