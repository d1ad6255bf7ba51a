//! URLs and unix sockets: which broker they lead to, as whom, and to which topic.

use super::support::*;

/// The parts of a CONNECT of MQTT 3.1.1 for these credentials, without a client identifier.
fn connect(flags: &str, credentials: &str) -> String {
    format!("10 (`MQTT` 04 {flags} 003c `` {credentials})")
}

#[test]
fn a_url_has_user_host_and_topic() {
    for (before, after, options, connect, topic) in [
        ("mqtt://", "/a/b", "", connect("02", ""), "a/b"),
        ("MQTT://ann:secret@", "/a", "", connect("c2", "`ann` `secret`"), "a"),
        ("mqtt://ann@", "//a", "", connect("82", "`ann`"), "/a"),
        ("mqtt://a%40b:p%2F@x:%25@", "/caf%c3%a9", "", connect("c2", "`a@b` `p/@x:%`"), "café"),
        ("mqtt://ann:secret@", "/a", "-u bob", connect("c2", "`bob` `secret`"), "a"),
        ("mqtt://ann:secret@", "/a", "-P other", connect("c2", "`ann` `other`"), "a"),
        ("mqtt://", "/", "-t b", connect("02", ""), "b"),
        ("mqtt://", "", "-t b", connect("02", ""), "b"),
    ] {
        let peer = ScriptedPeer::start(move |peer| {
            let mut client = peer.accept();
            client.expect(&connect);
            client.send("20 (00 00)");
            assert_eq!(client.expect_publish().topic, topic);
        });
        let url = format!("{before}{}{after}", peer.address());
        mq("pub -m x -L").arg(&url).words(options).run().succeed();
        peer.finish();
    }
}

#[test]
fn a_url_may_hold_a_topic_filter() {
    for (path, options, filters) in [
        ("/home/#", "", "`home/#` 00"),
        ("/+/a?b", "-t first", "`first` 00 `+/a?b` 00"),
        ("", "-t first", "`first` 00"),
    ] {
        let granted = " 00".repeat(filters.matches("` 00").count());
        let peer = ScriptedPeer::accepting(move |client| {
            client.expect(&format!("82 (0001 {filters})"));
            client.send(&format!("90 (0001{granted})"));
            client.expect("e0 ()");
        });
        let url = format!("mqtt://{}{path}", peer.address());
        mq("sub -E --url").arg(url).words(options).run().succeed();
        peer.finish();
    }
}

#[test]
fn host_and_port_can_be_overridden() {
    let peer = ScriptedPeer::accepting(|client| drop(client.expect_publish()));
    let (host, port) = (peer.address().ip(), peer.address().port());
    mq(&format!("pub -L mqtt://nobody.invalid:9/a -m x -h {host} -p {port}")).run().succeed();
    peer.finish();
}

#[test]
fn under_mosquittos_names_the_later_one_wins() {
    let directory = tempfile::tempdir().unwrap();
    let tool = directory.path().join("mosquitto_pub");
    std::os::unix::fs::symlink(mq_path(), &tool).unwrap();
    for (options, topic) in [
        ("-p 9 -t before -L mqtt://{address}/url%", "url%"),
        ("-L mqtt://{address}/url -t after", "after"),
        ("-L mqtt://nobody.invalid:9/url -p {port} -h {host}", "url"),
    ] {
        let peer = ScriptedPeer::accepting(move |client| assert_eq!(client.expect_publish().topic, topic));
        let address = peer.address();
        let options = options.replace("{address}", &address.to_string());
        let options = options.replace("{port}", &address.port().to_string());
        let options = options.replace("{host}", &address.ip().to_string());
        Program::new(&tool).words("-m x").words(&options).run().succeed();
        peer.finish();
    }
    assert_says(&Program::new(&tool).words("-m x -t a -L mqtt://host").run().fail(1), &["-L", "no topic"]);
}

#[test]
fn a_request_takes_its_topic_from_a_url() {
    let broker = EmbeddedBroker::start();
    let mut answerer = broker.subscriber("-t ask -C 1");
    let place = format!("mqtt://{}/ask", broker.address());
    let request = mq("rr -m x -W 30 -e answer -V 311 -L").arg(&place).spawn();
    answerer.wait_for_stdout("x");
    broker.mq("pub -t answer -m y").run().succeed();
    assert_eq!(request.finish().succeed(), "y\n");
}

#[test]
fn an_ipv6_address_is_in_brackets() {
    let Ok(listener) = std::net::TcpListener::bind("[::1]:0") else { return };
    let address = listener.local_addr().unwrap();
    drop(listener);
    let peer = ScriptedPeer::start_on(address, |peer| {
        assert_eq!(peer.accept_v311().expect_publish().topic, "a");
    });
    mq(&format!("pub -m x -L mqtt://[::1]:{}/a", address.port())).run().succeed();
    peer.finish();
}

#[test]
fn urls_that_cannot_be_are_reported_without_their_passwords() {
    for (options, parts) in [
        ("-L host/a", ["-L", "SCHEME://"]),
        ("-L coap://host/a", ["coap", "mqtts"]),
        ("-L mqtt://ann:secret@/a", ["-L", "no host"]),
        ("-L mqtt://ann:secret@host:x/a", ["-L", "port"]),
        ("-L mqtt://ann:sec%ret@host/a", ["password", "%25"]),
        ("-L mqtt://ann:s/ecret@host/a", ["-L", "%2F"]),
        ("-L mqtt://ann:secret@host", ["-t", "-L"]),
        ("-L mqtt://ann:secret@host/a/#", ["-L", "a/#"]),
        ("-L mqtt://ann:secret@host/a%0", ["topic", "%25"]),
        ("-L mqtt://host/a -t b", ["-t", "-L"]),
        ("-L mqtt://:secret@host/a", ["the URL's password", "-u"]),
        ("-L mqtt://host/a --proxy ann:secret@host", ["--proxy", "SCHEME://"]),
        ("-L mqtt://host/a --proxy ftp://ann:secret@host", ["--proxy", "socks5h"]),
        ("-L mqtt://host/a --proxy http://ann:secret@host:0", ["--proxy", "port"]),
        ("-L mqtt://host/a --proxy http://ann:secret@", ["--proxy", "no host"]),
        ("-L mqtt://host/a --ws-path /x", ["--ws-path", "--ws"]),
        ("-L mqtt://host/a --ws-header A:secret", ["--ws-header", "--ws"]),
        ("-L ws://host/a --ws-header secret", ["--ws-header", "NAME: VALUE"]),
        ("-L ws://host/a --ws-header Upgrade:secret", ["--ws-header", "upgrade"]),
        ("-t a --unix /x -h host", ["--unix", "-h"]),
        ("-t a --unix /x --proxy http://host", ["--proxy", "unix"]),
        ("-t a --unix /x -S", ["-S", "unix"]),
        ("-t a -h 127.0.0.1 -S", ["-S", "address"]),
        ("-t a -h host -S --ws", ["-S", "WebSocket"]),
    ] {
        let stderr = mq(&format!("pub -m x {options}")).run().fail(2);
        assert_says(&stderr, &parts);
        assert!(!stderr.contains("ecret"), "{stderr}");
    }
    assert_says(&mq("sub -L mqtt://host").run().fail(2), &["-t", "-L"]);
    assert_says(&mq("pub -t a -m x -p 0").run().fail(2), &["-p 0", "-h"]);
    assert_says(&mq("bench -L mqtt://host/topic").run().fail(2), &["-L", "-t"]);
}

#[test]
fn a_broker_on_a_unix_socket_is_reached() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("broker.sock");
    let Some(_broker) = Mosquitto::start_with(&format!("listener 0 {}", socket.display())) else { return };
    let percent = socket.display().to_string().replace('.', "%2e");
    mq("pub -t a -m 1 -r --unix").arg(&socket).run().succeed();
    assert_eq!(mq("sub -t a -C 1 -p 0 -h").arg(&socket).run().succeed(), "1\n");
    assert_eq!(mq(&format!("sub -t a -C 1 -L unix://{percent}")).run().succeed(), "1\n");
}

#[test]
fn under_mosquittos_names_the_last_option_says_where_the_socket_is() {
    for (options, place) in [
        ("-h host -p 7 --unix /nonexistent/socket", "/nonexistent/socket"),
        ("--unix /nonexistent/a -h /nonexistent/socket", "/nonexistent/socket"),
        ("--unix host.invalid -p 7", "host.invalid"),
        ("--unix /nonexistent/socket -L mqtt://host.invalid:7/a", "host.invalid"),
        ("-L mqtt://host.invalid:7/a --unix /nonexistent/socket", "/nonexistent/socket"),
    ] {
        let stderr = called_as("mosquitto_pub", &format!("-m x -t a {options}")).run().fail(1);
        assert_says(&stderr, &[place]);
    }
}

#[test]
fn a_unix_socket_where_nobody_listens_is_reported() {
    let stderr = mq("pub -t a -m x --unix /nonexistent/sock").run().fail(1);
    assert_says(&stderr, &["/nonexistent/sock", "No such file"]);
}
