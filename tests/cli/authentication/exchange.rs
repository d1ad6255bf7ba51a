//! SCRAM with servers that violate the protocol.

use super::*;

/// The nonce of the client's first message, which is in its CONNECT.
fn nonce_in(connect: &[u8]) -> String {
    let start = connect.windows(3).position(|bytes| bytes == b",r=").expect("a first message") + 3;
    let nonce = connect[start..].iter().take(24).copied().collect();
    String::from_utf8(nonce).unwrap()
}

/// The output and exit status of `mq pub` with this server's answers to CONNECT and to the proof. `NONCE` is replaced by the client's.
fn publish_to(answer: &'static str, last: &'static str, disconnect: &'static str) -> process::Finished {
    let peer = ScriptedPeer::start(move |peer| {
        let mut client = peer.accept();
        client.speak_v5();
        let nonce = nonce_in(&client.expect_type(0x10));
        client.send(&answer.replace("NONCE", &nonce));
        if !last.is_empty() {
            client.expect_type(0xf0);
            client.send(last);
        }
        client.expect(disconnect);
        assert_eq!(client.expect_end(), b"");
    });
    let finished = peer.mq("pub -t a -n --auth-method SCRAM-SHA-256 -u ann -P secret").run();
    peer.finish();
    finished
}

#[test]
fn the_weak_scram_is_spoken_with_a_warning() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept();
        client.speak_v5();
        let connect = client.expect_type(0x10);
        assert!(connect.windows(11).any(|bytes| bytes == b"SCRAM-SHA-1"), "{}", connect.escape_ascii());
        let nonce = nonce_in(&connect);
        client.send(&format!("f0 (18 (15 `SCRAM-SHA-1` 16 `r={nonce}+,s=c2FsdA==,i=4096`))"));
        let proof = client.expect_type(0xf0);
        // 20 bytes in Base64.
        let start = proof.windows(3).position(|bytes| bytes == b",p=").expect("a proof") + 3;
        assert_eq!(proof.len() - start, 28, "{}", proof.escape_ascii());
        client.send("20 (00 87 ())");
        client.expect_end();
    });
    let stderr = peer.mq("pub -t a -n --auth-method SCRAM-SHA-1 -u ann -P secret").run().fail(5);
    peer.finish();
    assert_says(&stderr, &["SCRAM-SHA-1 is weak", "SCRAM-SHA-256", "refused"]);
}

#[test]
fn a_bad_challenge_is_refused() {
    for (challenge, says) in [
        ("r=NONCE+,s=c2FsdA==,i=4095", "4095 iterations of PBKDF2"),
        ("r=NONCE+,s=c2FsdA==,i=10000001", "10000001 iterations of PBKDF2"),
        ("r=NONCE+,s=c2FsdA==,i=0", "0 iterations"),
        ("r=NONCE,s=c2FsdA==,i=4096", "nonce in the answer does not match"),
        ("r=other,s=c2FsdA==,i=4096", "nonce in the answer does not match"),
        ("m=ext,r=NONCE+,s=c2FsdA==,i=4096", "extension"),
        ("r=NONCE+,s=?,i=4096", "salt is not Base64"),
        ("r=NONCE+,i=4096,s=c2FsdA==", "missing salt (s=)"),
        ("e=other-error", "the broker reported 'other-error'"),
        ("", "missing nonce (r=)"),
    ] {
        let answer: &'static str = format!("f0 (18 (15 `SCRAM-SHA-256` 16 `{challenge}`))").leak();
        let stderr = publish_to(answer, "", "e0 (80)").fail(5);
        assert_says(&stderr, &["authentication with SCRAM-SHA-256 failed", says]);
    }
}

#[test]
fn a_server_that_does_not_prove_itself_is_left() {
    let challenge = "f0 (18 (15 `SCRAM-SHA-256` 16 `r=NONCE+,s=c2FsdA==,i=4096`))";
    let wrong = "20 (00 00 (15 `SCRAM-SHA-256` 16 `v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=`))";
    for (last, says) in [
        (wrong, "signature is wrong"),
        ("20 (00 00 (15 `SCRAM-SHA-256` 16 `v=AAAA`))", "signature is wrong"),
        ("20 (00 00 (15 `SCRAM-SHA-256`))", "did not prove that it knows the password"),
        ("20 (00 00 ())", "did not prove that it knows the password"),
        ("20 (00 00 (15 `SCRAM-SHA-256` 16 `e=invalid-proof`))", "the broker reported 'invalid-proof'"),
        ("20 (00 00 (15 `SCRAM-SHA-256` 16 `x`))", "missing signature (v=)"),
        ("f0 (18 (15 `SCRAM-SHA-256` 16 `v=AAAA`))", "signature is wrong"),
    ] {
        assert_says(&publish_to(challenge, last, "e0 (80)").fail(5), &[says]);
    }
}

#[test]
fn success_without_an_exchange_is_none() {
    for answer in ["20 (00 00 ())", "20 (00 00 (15 `SCRAM-SHA-256` 16 `v=AAAA`))"] {
        assert_says(
            &publish_to(answer, "", "e0 (80)").fail(5),
            &["did not prove that it knows the password"],
        );
    }
}

#[test]
fn the_words_of_a_refusal_are_reported() {
    let challenge = "f0 (18 (15 `SCRAM-SHA-256` 16 `r=NONCE+,s=c2FsdA==,i=4096`))";
    let refused = "20 (00 87 (15 `SCRAM-SHA-256` 16 `e=unknown-user` 1f `go away`))";
    let stderr = publish_to(challenge, refused, "").fail(5);
    assert_says(&stderr, &["refused the connection: not authorized (0x87) ('unknown-user'): go away"]);
}

#[test]
fn packets_out_of_turn_are_the_brokers_fault() {
    for (answer, says) in [
        ("f0 (18 (15 `SCRAM-SHA-1` 16 `x`))", "SCRAM-SHA-256, but found SCRAM-SHA-1"),
        ("20 (00 00 (15 `X`))", "SCRAM-SHA-256, but found X"),
        ("f0 (18 ())", "SCRAM-SHA-256, but found none"),
        ("f0 00", "SCRAM-SHA-256, but found none"),
        ("f0 (00 (15 `SCRAM-SHA-256`))", "AUTH with success (0x00)"),
        ("f0 (19 (15 `SCRAM-SHA-256`))", "AUTH with re-authenticate (0x19)"),
    ] {
        let stderr = publish_to(answer, "", "e0 (82)").fail(7);
        assert_says(&stderr, &["the broker broke the protocol", says]);
    }
    // Two at once: the second comes before the answer to the first.
    let one = "f0 (18 (15 `SCRAM-SHA-256` 16 `r=NONCE+,s=c2FsdA==,i=4096`))";
    let two: &'static str = format!("{one} {one}").leak();
    assert_says(&publish_to(two, "", "e0 (82)").fail(7), &["AUTH out of turn"]);
}

#[test]
fn a_server_may_leave_in_the_middle() {
    let challenge = "f0 (18 (15 `SCRAM-SHA-256` 16 `r=NONCE+,s=c2FsdA==,i=4096`))";
    let stderr = publish_to(challenge, "e0 (89)", "").fail(7);
    assert_says(&stderr, &["the broker ended the connection: server busy (0x89)"]);
    let peer = ScriptedPeer::start(|peer| drop(peer.accept().expect_type(0x10)));
    let stderr = peer.mq("pub -t a -n --auth-method SCRAM-SHA-256 -u ann -P secret").run().fail(7);
    assert_says(&stderr, &["closed the connection before accepting it"]);
    peer.finish();
}

#[test]
fn many_iterations_hold_up_neither_the_time_limit_nor_a_signal() {
    let peer = ScriptedPeer::start(|peer| {
        for _ in 0..2 {
            let mut client = peer.accept();
            let nonce = nonce_in(&client.expect_type(0x10));
            client.send(&format!("f0 (18 (15 `SCRAM-SHA-512` 16 `r={nonce}+,s=c2FsdA==,i=10000000`))"));
            client.expect_end();
        }
    });
    let words = "pub -d -t a -n --auth-method SCRAM-SHA-512 -u ann -P secret";
    let finished = peer.mq(&format!("{words} --connect-timeout 0.2")).run();
    assert_says(&finished.fail(27), &["timed out after 0.2 s"]);
    let mut running = peer.mq(words).spawn();
    running.wait_for_stderr("<- AUTH");
    running.signal("INT");
    running.finish().expect_status(130);
    peer.finish();
}
