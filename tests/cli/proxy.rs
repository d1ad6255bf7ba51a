//! Proxies: SOCKS5 by microsocks and by hand, HTTP with CONNECT by hand.

use super::support::proxy::Microsocks;
use super::support::*;
use std::net::TcpListener;

#[test]
fn messages_go_through_a_socks_proxy() {
    let Some(proxy) = Microsocks::start("") else { return };
    let broker = EmbeddedBroker::start();
    let port = broker.address().port();
    for (scheme, host) in
        [("socks5h", "127.0.0.1"), ("socks5", "127.0.0.1"), ("SOCKS5H", "localhost"), ("socks5", "localhost")]
    {
        let place = format!("-h {host} -p {port} --proxy {scheme}://{}", proxy.address);
        mq(&format!("pub -t a -m {scheme} -r -q 1 {place}")).run().succeed();
        assert_eq!(mq(&format!("sub -t a -C 1 {place}")).run().succeed(), format!("{scheme}\n"));
    }
}

#[test]
fn a_socks_proxy_gets_the_credentials() {
    let Some(proxy) = Microsocks::start("-u ann -P p@ss") else { return };
    let broker = EmbeddedBroker::start();
    let publish = |credentials: &str| {
        broker.mq(&format!("pub -t a -m x --proxy socks5h://{credentials}{}", proxy.address)).run()
    };
    publish("ann:p%40ss@").succeed();
    let stderr = publish("ann:wrong@").fail(1);
    assert_says(&stderr, &["the proxy socks5h://127.0.0.1", "rejected the user name or the password"]);
    assert!(!stderr.contains("wrong"), "{stderr}");
    assert_says(&publish("").fail(1), &["requires a user name and a password", "--proxy"]);
}

#[test]
fn a_socks_proxy_gets_the_name_or_the_address() {
    for (scheme, host, target) in [
        ("socks5h", "broker.invalid", "03 0e 'broker.invalid'"),
        ("socks5h", "192.0.2.1", "01 c0000201"),
        ("socks5h", "2001:db8::1", "04 20010db8 00000000 00000000 00000001"),
        ("socks5", "192.0.2.1", "01 c0000201"),
    ] {
        let peer = ScriptedPeer::start(move |peer| {
            let mut client = peer.accept();
            client.expect("05 01 00");
            client.send("05 00");
            client.expect(&format!("05 01 00 {target} 075b"));
            client.send("05 00 00 01 00000000 0000");
            client.expect_type(0x10);
            client.send("20 (00 00)");
            client.expect_publish();
        });
        mq(&format!("pub -t a -m x -h {host} -p 1883 --proxy {scheme}://{}", peer.address())).run().succeed();
        peer.finish();
    }
}

#[test]
fn refusals_of_a_socks_proxy_are_reported_in_words() {
    for (code, words) in [
        (1, "general failure"),
        (2, "rules"),
        (3, "network unreachable"),
        (4, "host unreachable"),
        (5, "connection refused"),
        (6, "TTL expired"),
        (7, "command not supported"),
        (8, "address type not supported"),
    ] {
        let peer = ScriptedPeer::start(move |peer| {
            let mut client = peer.accept();
            client.expect("05 01 00");
            client.send("05 00");
            client.expect("05 01 00 03 06 'broker' 0007");
            client.send(&format!("05 {code:02x} 00 01 00000000 0000"));
        });
        let line = format!("pub -t a -m x -h broker -p 7 --proxy socks5h://{}", peer.address());
        assert_says(&mq(&line).run().fail(1), &["the proxy socks5h://", "broker port 7", words]);
        peer.finish();
    }
}

/// Plays an HTTP proxy that answers CONNECT with this, and then plays the broker behind it.
fn http_proxy(answer: &'static str, request: &'static str) -> ScriptedPeer {
    ScriptedPeer::start(move |peer| {
        let mut client = peer.accept();
        client.expect(&format!("'{}' 0d0a 0d0a", request.replace('\n', "' 0d0a '")));
        client.send_bytes(answer.replace('\n', "\r\n").as_bytes());
        if answer.contains(" 200 ") {
            client.expect_type(0x10);
            client.send("20 (00 00)");
            client.expect_publish();
        }
    })
}

#[test]
fn messages_go_through_an_http_proxy() {
    for (credentials, host, request) in [
        ("", "broker", "CONNECT broker:1883 HTTP/1.1\nHost: broker:1883"),
        ("", "::1", "CONNECT [::1]:1883 HTTP/1.1\nHost: [::1]:1883"),
        (
            "ann:p%40ss@",
            "broker",
            "CONNECT broker:1883 HTTP/1.1\nHost: broker:1883\nProxy-Authorization: Basic YW5uOnBAc3M=",
        ),
    ] {
        let peer = http_proxy("HTTP/1.0 200 Connection established\nVia: x\n\n", request);
        mq(&format!("pub -t a -m x -h {host} --proxy http://{credentials}{}", peer.address()))
            .run()
            .succeed();
        peer.finish();
    }
}

#[test]
fn refusals_of_an_http_proxy_are_reported() {
    let request = "CONNECT broker:1883 HTTP/1.1\nHost: broker:1883";
    for (answer, parts) in [
        (
            "HTTP/1.1 403 Forbidden\nContent-Length: 2\n\nno",
            ["refused to connect to broker port 1883", "403 Forbidden"],
        ),
        ("HTTP/1.1 407 Proxy Authentication Required\n\n", ["requires a user name", "--proxy"]),
        ("220 mail.example ESMTP\n", ["did not answer as a proxy of this kind", "220 mail"]),
        ("", ["did not answer as a proxy of this kind", "closed"]),
    ] {
        let peer = http_proxy(answer, request);
        let stderr = mq(&format!("pub -t a -m x -h broker --proxy http://{}", peer.address())).run().fail(1);
        assert_says(&stderr, &parts);
        peer.finish();
    }
}

#[test]
fn a_server_that_is_not_a_socks_proxy_is_reported() {
    let broker = EmbeddedBroker::start();
    let line = format!("pub -t a -m x --proxy socks5h://{}", broker.address());
    assert_says(&broker.mq(&line).run().fail(1), &["socks5h://", "did not answer as a proxy of this kind"]);
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept();
        client.expect("05 01 00");
        client.send("'HTTP/1.1 400 Bad Request' 0d0a 0d0a");
    });
    let line = format!("pub -t a -m x --proxy socks5h://{}", peer.address());
    assert_says(&mq(&line).run().fail(1), &["did not answer as a proxy of this kind", "not SOCKS5"]);
    peer.finish();
}

#[test]
fn a_proxy_that_is_not_there_is_named() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for scheme in ["socks5h", "socks5", "http"] {
        let stderr = mq(&format!("pub -h 127.0.0.1 -t a -m x --proxy {scheme}://{free}")).run().fail(1);
        assert_says(&stderr, &[&format!("cannot reach the proxy {scheme}://{free}"), "refused", "--proxy"]);
    }
}

#[test]
fn a_web_socket_goes_through_a_proxy() {
    let Some(proxy) = Microsocks::start("") else { return };
    let mut broker = mq("broker -p 0 --ws-port 0").spawn();
    let line = broker.wait_for_stdout("(WebSocket)");
    let address = line.split(' ').nth(2).unwrap();
    mq(&format!("pub -L ws://{address}/a -m x -q 2 --proxy socks5h://{}", proxy.address)).run().succeed();
}

#[test]
fn a_proxy_that_does_not_answer_is_named() {
    for scheme in ["socks5h", "http"] {
        let peer = ScriptedPeer::start(|peer| drop(peer.accept().expect_end()));
        let proxy = format!("{scheme}://{}", peer.address());
        let line = format!("pub -h broker -p 7 -t a -m x --connect-timeout 0.1 --proxy {proxy}");
        assert_says(&mq(&line).run().fail(1), &["broker port 7", &format!("the proxy {proxy} "), "0.1 s"]);
        peer.finish();
    }
}
