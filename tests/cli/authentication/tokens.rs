//! Methods with a single step, such as OAUTH2-JWT: the data sent, and the servers' possible answers.

use super::*;

/// Starts `mq pub` with the method OAUTH2-JWT and this data file.
fn publish(peer: &ScriptedPeer, path: &std::path::Path, words: &str) -> Program {
    peer.mq(&format!("pub -i me -t a -n {words} --auth-method OAUTH2-JWT --auth-data-file")).arg(path)
}

/// A server that sees this data in CONNECT, and accepts it.
fn peer_for(data: &'static str) -> ScriptedPeer {
    ScriptedPeer::start(move |peer| {
        let mut client = peer.accept();
        client.speak_v5();
        client.expect(&format!("10 (`MQTT` 05 02 003c (15 `OAUTH2-JWT` 16 {data}) `me`)"));
        client.send("20 (00 00 (15 `OAUTH2-JWT`))");
        client.expect_type(0x30);
        client.expect("e0 00");
    })
}

#[test]
fn the_file_is_sent_but_for_the_line_end_behind_a_line_of_text() {
    for (content, data) in [
        (&b"header.claims.signature"[..], "`header.claims.signature`"),
        (b"token\n", "`token`"),
        (b"token\r\n", "`token`"),
        (b"token\n\n", "0007 'token' 0a0a"),
        (b"two\nlines\n", "000a 'two' 0a 'lines' 0a"),
        (b"\0\xff\n", "0003 00ff0a"),
    ] {
        let (_directory, path) = private_file(content);
        let peer = peer_for(data);
        let finished = publish(&peer, &path, "-d").run();
        peer.finish();
        for secret in ["header.claims", "token"] {
            assert!(!finished.stderr.contains(secret), "{}", finished.stderr);
        }
        finished.expect_status(0);
    }
    let peer = peer_for("`token`");
    publish(&peer, "-".as_ref(), "").stdin("token\n").run().succeed();
    peer.finish();
}

#[test]
fn a_method_needs_no_data_and_goes_with_a_password() {
    let peer = ScriptedPeer::start(move |peer| {
        let mut client = peer.accept();
        client.speak_v5();
        client.expect("10 (`MQTT` 05 c2 003c (15 `X`) `me` `ann` `secret`)");
        client.send("20 (00 00 ())");
        client.expect_type(0x30);
        client.expect("e0 00");
    });
    peer.mq("pub -i me -t a -n --auth-method X -u ann -P secret").run().succeed();
    peer.finish();
}

#[test]
fn a_server_that_wants_more_is_told_that_there_is_none() {
    let (_directory, path) = private_file("token");
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept();
        client.expect_type(0x10);
        client.send("f0 (18 (15 `OAUTH2-JWT` 16 `{}`))");
        client.expect("e0 (8c)");
        assert_eq!(client.expect_end(), b"");
    });
    let stderr = publish(&peer, &path, "").run().fail(5);
    assert_says(
        &stderr,
        &["OAUTH2-JWT failed: the broker sent a challenge, which the method cannot answer", "SCRAM-SHA-256"],
    );
    peer.finish();
}

#[test]
fn a_method_that_was_typed_as_a_property_has_nothing_more_to_say_either() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept();
        client.expect_type(0x10);
        client.send("f0 (18 (15 `M` 16 `x`))");
        client.expect("e0 (8c)");
    });
    let stderr = peer.mq("pub -t a -n -D connect authentication-method M").run().fail(5);
    assert_says(&stderr, &["M failed: the broker sent a challenge"]);
    peer.finish();
}

#[test]
fn a_refusal_is_reported() {
    let (_directory, path) = private_file("token");
    for (code, says) in [("87", "not authorized (0x87)"), ("8c", "bad authentication method (0x8c)")] {
        let answer = format!("20 (00 {code} (1f `expired`))");
        let peer = ScriptedPeer::start(move |peer| {
            let mut client = peer.accept();
            client.expect_type(0x10);
            client.send(&answer);
        });
        assert_says(&publish(&peer, &path, "").run().fail(5), &[says, "expired"]);
        peer.finish();
    }
}

#[test]
fn AUTH_that_nobody_asked_for_is_the_brokers_fault() {
    let before = ScriptedPeer::start(|peer| {
        let mut client = peer.accept();
        client.expect_type(0x10);
        client.send("f0 (18 (15 `X`))");
        client.expect("e0 (82)");
    });
    let says = &["the broker broke the protocol: AUTH, but CONNECT set no authentication method"];
    assert_says(&before.mq("pub -V 5 -t a -n").run().fail(7), says);
    before.finish();
    let after = ScriptedPeer::accepting_v5("", |client| {
        client.expect_type(0x82);
        client.send("90 (0001 () 00) f0 (18 (15 `X`))");
        client.expect("e0 (82)");
    });
    assert_says(&after.mq("sub -V 5 -t a").run().fail(7), says);
    after.finish();
}

#[test]
fn AUTH_after_CONNACK_is_out_of_turn() {
    for (auth, says) in [
        ("f0 (18 (15 `X`))", "AUTH out of turn"),
        ("f0 (00 (15 `X`))", "AUTH out of turn"),
        ("f0 (19 (15 `X`))", "re-authenticate (0x19), which is not allowed there"),
        ("f0 (18 (15 `Y`))", "method X, but found Y"),
    ] {
        let peer = ScriptedPeer::accepting_v5("", move |client| {
            client.expect_type(0x82);
            client.send(auth);
            client.expect("e0 (82)");
        });
        let stderr = peer.mq("sub -t a --auth-method X").run().fail(7);
        assert_says(&stderr, &["the broker broke the protocol", says]);
        peer.finish();
    }
}

#[test]
fn a_renewed_token_is_sent_again_on_the_open_connection() {
    let (_directory, path) = private_file("one\n");
    let renewed = path.clone();
    let peer = ScriptedPeer::start(move |peer| {
        let mut client = peer.accept();
        client.speak_v5();
        client.expect("10 (`MQTT` 05 02 003c (15 `OAUTH2-JWT` 16 `one`) `me`)");
        std::fs::write(&renewed, "two\n").unwrap();
        client.send("20 (00 00 (15 `OAUTH2-JWT`))");
        client.expect_type(0x82);
        client.send("90 (0001 () 00)");
        client.expect("f0 (19 (15 `OAUTH2-JWT` 16 `two`))");
        client.send("f0 (00 (15 `OAUTH2-JWT`)) 30 (`a` () 'x')");
        client.expect("f0 (19 (15 `OAUTH2-JWT` 16 `two`))");
        client.send("e0 (87 (1f `revoked`))");
    });
    let words = "sub -i me -t a --reauthenticate 0.05 --auth-method OAUTH2-JWT --auth-data-file";
    let finished = peer.mq(words).arg(&path).run();
    peer.finish();
    assert_eq!(finished.stdout, b"x\n");
    assert_says(&finished.fail(5), &["refused the re-authentication: not authorized (0x87): revoked"]);
}

#[test]
fn a_server_that_does_not_answer_is_given_up() {
    let peer = ScriptedPeer::accepting_v5("", |client| {
        client.expect_type(0x82);
        client.send("90 (0001 () 00)");
        client.expect("f0 (19 (15 `X`))");
        client.expect("e0 (80)");
    });
    let words = "sub -t a --auth-method X --reauthenticate 0.05 --connect-timeout 0.2 --retries 0";
    assert_says(&peer.mq(words).run().fail(7), &["did not answer the re-authentication for 0.2 s"]);
    peer.finish();
}

#[test]
fn a_token_that_is_gone_ends_the_client() {
    let (_directory, path) = private_file("one\n");
    let renewed = path.clone();
    let peer = ScriptedPeer::accepting_v5("", move |client| {
        client.expect_type(0x82);
        std::fs::remove_file(&renewed).unwrap();
        client.send("90 (0001 () 00)");
        client.expect_type(0xe0);
    });
    let words = "sub -t a --reauthenticate 0.05 --auth-method X --auth-data-file";
    assert_says(&peer.mq(words).arg(&path).run().fail(1), &["token", "No such file"]);
    peer.finish();
}

#[test]
fn a_server_may_take_only_small_packets() {
    let (_directory, path) = private_file("x".repeat(200));
    let peer = ScriptedPeer::accepting_v5("27 00000064", |client| {
        client.expect_type(0x82);
        client.send("90 (0001 () 00)");
        client.expect("e0 (80)");
    });
    let words = "sub -t a --reauthenticate 0.05 --auth-method X --auth-data-file";
    assert_says(&peer.mq(words).arg(&path).run().fail(5), &["AUTH of 21", "maximum packet size of 100"]);
    peer.finish();
}
