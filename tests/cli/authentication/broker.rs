//! `mq broker --scram-file`: what clients are told that do not do as `mq` does.

use super::*;

/// CONNECT with SCRAM-SHA-256 and this first message, as sent by hand.
fn connect(broker: &EmbeddedBroker, first: &str) -> Wire {
    let mut client = broker.connect();
    client.speak_v5();
    client.send(&format!("10 (`MQTT` 05 02 003c (15 `SCRAM-SHA-256` 16 `{first}`) `me`)"));
    client
}

/// The challenge that comes for this first message.
fn challenge(broker: &EmbeddedBroker, first: &str) -> String {
    let packet = connect(broker, first).expect_type(0xf0);
    assert_eq!(packet[2], 0x18, "{packet:02x?}");
    let text = String::from_utf8_lossy(&packet).into_owned();
    text[text.find("r=").unwrap()..].to_owned()
}

/// Salt and iterations of a challenge.
fn costs(challenge: &str) -> &str {
    &challenge[challenge.find(",s=").unwrap()..]
}

#[test]
fn methods_that_are_not_offered_are_refused() {
    let keys = Keys::of_ann("SCRAM-SHA-256");
    for broker in [keys.broker(""), keys.broker("--allow-anonymous"), EmbeddedBroker::start()] {
        let mut client = broker.connect();
        client.send("10 (`MQTT` 05 02 003c (15 `SCRAM-SHA-1` 16 `n,,n=ann,r=abc`) `me`)");
        client.expect("20 (00 8c ())");
        assert_eq!(client.expect_end(), b"");
    }
    let stderr = EmbeddedBroker::start().mq("pub -t a -n --auth-method X").run().fail(5);
    assert_says(&stderr, &["bad authentication method (0x8c)", "hint: --auth-method"]);
}

#[test]
fn a_stranger_cannot_be_told_from_a_user() {
    let broker = Keys::of_ann("SCRAM-SHA-256").broker("");
    let known = challenge(&broker, "n,,n=ann,r=abc");
    let unknown = challenge(&broker, "n,,n=bob,r=abc");
    assert_eq!(known.len(), unknown.len(), "{known} {unknown}");
    assert_eq!(costs(&known), costs(&challenge(&broker, "n,,n=ann,r=abc")));
    assert_eq!(costs(&unknown), costs(&challenge(&broker, "n,,n=bob,r=abc")), "stable for the same name");
    assert_ne!(costs(&unknown), costs(&challenge(&broker, "n,,n=carol,r=abc")));
    for user in ["ann", "bob"] {
        let mut client = connect(&broker, &format!("n,,n={user},r=abc"));
        let packet = client.expect_type(0xf0);
        let text = String::from_utf8_lossy(&packet);
        let nonce = &text[text.find("r=").unwrap()..text.find(",s=").unwrap()];
        let proof = format!("c=biws,{nonce},p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
        client.send(&format!("f0 (18 (15 `SCRAM-SHA-256` 16 `{proof}`))"));
        client.expect("20 (00 87 ())");
        assert_eq!(client.expect_end(), b"");
    }
}

#[test]
fn the_broker_names_refused_users_and_nothing_secret() {
    let keys = Keys::of_ann("SCRAM-SHA-256");
    let mut broker = keys.broker("");
    broker.mq("pub -t a -n --auth-method SCRAM-SHA-256 -u ann -P guess").run().fail(5);
    let line = broker.process().wait_for_stderr("refused");
    assert_says(&line, &["not authorized", "\"ann\"", "the proof is wrong"]);
    assert!(!line.contains("guess") && !line.contains("p="), "{line}");
}

#[test]
fn bad_first_messages_are_refused() {
    let broker = Keys::of_ann("SCRAM-SHA-256").broker("");
    for first in
        ["", "x", "n,,", "n,,n=ann", "n,,r=abc", "n,a=root,n=ann,r=abc", "p=x,,n=ann,r=abc", "n,,n=a=n,r=abc"]
    {
        let mut client = connect(&broker, first);
        client.expect("20 (00 87 ())");
        assert_eq!(client.expect_end(), b"");
    }
    let mut client = broker.connect();
    client.send("10 (`MQTT` 05 02 003c (15 `SCRAM-SHA-256`) `me`)");
    client.expect("20 (00 87 ())");
}

#[test]
fn steps_out_of_turn_end_the_connection() {
    let broker = Keys::of_ann("SCRAM-SHA-256").broker("");
    for (step, answer) in [
        ("f0 (18 (15 `SCRAM-SHA-512` 16 `x`))", "20 (00 82 ())"),
        ("f0 (19 (15 `SCRAM-SHA-256` 16 `n,,n=ann,r=abc`))", "20 (00 82 ())"),
        ("f0 (00 (15 `SCRAM-SHA-256` 16 `x`))", "20 (00 82 ())"),
        ("f0 00", "20 (00 82 ())"),
        ("f0 (18 (15 `SCRAM-SHA-256` 16 `x`))", "20 (00 87 ())"),
        ("f0 (18 (15 `SCRAM-SHA-256`))", "20 (00 87 ())"),
        // Malformed, and not AUTH at all.
        ("f0 (18 (16 `x`))", ""),
        ("30 (`a` () 'x')", ""),
        ("e0 00", ""),
    ] {
        let mut client = connect(&broker, "n,,n=ann,r=abc");
        client.expect_type(0xf0);
        client.send(step);
        client.expect(answer);
        assert_eq!(client.expect_end(), b"", "{step}");
    }
}

#[test]
fn AUTH_without_a_method_in_CONNECT_is_a_protocol_error() {
    let broker = EmbeddedBroker::start();
    let mut client = Wire::v5(&broker, "me", "");
    client.send("f0 (19 (15 `SCRAM-SHA-256` 16 `n,,n=ann,r=abc`))");
    client.expect("e0 (82)");
}

#[test]
fn clients_without_a_method_are_let_in_by_the_rules_of_passwords() {
    let keys = Keys::of_ann("SCRAM-SHA-256");
    let passwords = keys.directory.path().join("pw");
    mq("passwd -c -b -I 1").arg(&passwords).words("bob other").run().expect_status(0);
    let with_passwords = format!("--password-file {}", passwords.display());
    let scram = "--auth-method SCRAM-SHA-256 -u ann -P secret";
    for (options, who, status) in [
        ("", scram, 0),
        ("", "", 5),
        ("", "-u ann -P secret", 5),
        ("--allow-anonymous", scram, 0),
        ("--allow-anonymous", "", 0),
        ("--allow-anonymous", "-u ann -P secret", 5),
        (&with_passwords, scram, 0),
        (&with_passwords, "-u bob -P other", 0),
        (&with_passwords, "-u ann -P secret", 5),
        (&with_passwords, "--auth-method SCRAM-SHA-256 -u bob -P other", 5),
        (&with_passwords, "", 5),
    ] {
        let finished = keys.broker(options).mq(&format!("pub -t a -m x -q 1 {who}")).run();
        assert_eq!(finished.status, status, "{options} with {who}: {}", finished.stderr);
    }
}

#[test]
fn a_file_with_a_bad_line_is_refused_with_the_line() {
    let keys = Keys::of_ann("SCRAM-SHA-256");
    let right = keys.text();
    let line = right.trim_end();
    for (text, parts) in [
        (format!("{right}bob:secret\n"), &["line 2", "bob", "not SCRAM keys"][..]),
        (format!("{right}\n{right}"), &["line 3", "ann", "duplicate user, also on line 1"]),
        (right.replace("$4096:", "$4095:"), &["line 1", "iterations"]),
        (right.replace("SHA-256", "SHA-512"), &["line 1", "stored key has 32 bytes"]),
        (format!("{line}=\n"), &["line 1", "server key"]),
    ] {
        std::fs::write(keys.path(), text).unwrap();
        let stderr = mq("broker -p 0 --scram-file").arg(keys.path()).run().fail(1);
        assert_says(&stderr, &[&format!("mq broker: --scram-file {}: ", keys.path().display())]);
        assert_says(&stderr, parts);
        assert!(!stderr.contains("secret"), "{stderr}");
    }
    assert_says(&mq("broker -p 0 --scram-file /nonexistent").run().fail(1), &["/nonexistent", "No such"]);
}

#[test]
fn a_user_can_have_keys_for_both_mechanisms() {
    let keys = Keys::of_ann("SCRAM-SHA-256");
    let other = Keys::of_ann("SCRAM-SHA-512");
    std::fs::write(keys.path(), format!("# both\n{}{}", keys.text(), other.text())).unwrap();
    let broker = keys.broker("");
    for method in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
        broker.mq(&format!("pub -t a -m x -q 1 --auth-method {method} -u ann -P secret")).run().succeed();
    }
}

#[test]
fn a_client_that_stops_in_the_middle_does_no_harm() {
    let broker = Keys::of_ann("SCRAM-SHA-256").broker("");
    let waiting: Vec<Wire> = (0..20)
        .map(|_| {
            let mut client = connect(&broker, "n,,n=ann,r=abc");
            client.expect_type(0xf0);
            client
        })
        .collect();
    broker.mq("pub -t a -m x -q 1 --auth-method SCRAM-SHA-256 -u ann -P secret").run().succeed();
    drop(waiting);
    let process = broker.into_process();
    process.signal("TERM");
    process.finish().expect_status(143);
}
