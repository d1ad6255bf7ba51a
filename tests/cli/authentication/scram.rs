//! SCRAM end to end: `mq` against its own broker.

use super::*;

const BOTH: [&str; 2] = ["SCRAM-SHA-256", "SCRAM-SHA-512"];

#[test]
fn the_right_password_is_let_in_and_no_other() {
    for method in BOTH {
        let broker = Keys::of_ann(method).broker("");
        let publish =
            |who: &str| broker.mq(&format!("pub -t a -m x -q 1 --auth-method {method} {who}")).run();
        publish("-u ann -P secret").succeed();
        let wrong = publish("-u ann -P Secret").fail(5);
        assert_says(&wrong, &["refused the connection: not authorized (0x87)", "-P PASSWORD"]);
        // Who asks does not learn whether there is such a user.
        assert_eq!(publish("-u bob -P secret").fail(5), wrong);
        publish("-u ANN -P secret").fail(5);
    }
}

#[test]
fn all_clients_can_prove_a_password() {
    let broker = Keys::of_ann("SCRAM-SHA-256").broker("--allow-anonymous");
    let who = "--auth-method SCRAM-SHA-256 -u ann -P secret";
    let mut subscriber = broker.subscriber(&format!("-t a -C 1 {who}"));
    let mut watcher = broker.mq(&format!("inspect -t a -C 1 {who}")).spawn();
    watcher.wait_for_stdout("SUBACK");
    broker.mq(&format!("pub -t a -m hello -q 1 {who}")).run().succeed();
    subscriber.wait_for_stdout("hello");
    watcher.wait_for_stdout("hello");

    let mut responder = Wire::v5(&broker, "responder", "");
    responder.subscribe("`ask` 00");
    let requester = broker.mq(&format!("rr -t ask -e answer -m question -W 30 {who}")).spawn();
    let question = responder.expect_publish();
    // The response topic and the correlation data, as they came.
    let mut answer = vec![question.properties.len() as u8];
    answer.extend(question.properties);
    let topic = bytes::hex("`answer`");
    let length = (topic.len() + answer.len() + 3) as u8;
    responder.send_bytes(&[&[0x30, length], &topic[..], &answer, b"yes"].concat());
    assert_eq!(requester.finish().succeed(), "yes\n");
}

#[test]
fn names_and_passwords_can_have_any_characters() {
    let keys = Keys::none();
    for (options, user, password) in
        [("-c", "a,b=c", "p,w=d"), ("", "Jürgen Groß", "geheim ½"), ("", "=2C", "=3D")]
    {
        keys.make(options, user, password).succeed();
    }
    let broker = keys.broker("");
    for (user, password, status) in [
        ("a,b=c", "p,w=d", 0),
        ("a", "p,w=d", 5),
        ("Jürgen Groß", "geheim ½", 0),
        // The same after SASLprep: another space, and the fraction in three characters.
        ("Jürgen\u{a0}Groß", "geheim 1\u{2044}2", 0),
        ("=2C", "=3D", 0),
        (",", "=3D", 5),
    ] {
        let program = broker.mq("pub -t a -m x -q 1 --auth-method SCRAM-SHA-256 -u").arg(user);
        program.arg("-P").arg(password).run().expect_status(status);
    }
}

#[test]
fn passwords_come_from_everywhere_and_are_shown_nowhere() {
    let keys = Keys::of_ann("SCRAM-SHA-256");
    let broker = keys.broker("");
    let (_directory, path) = private_file("secret\n");
    let publish = |words: &str| broker.mq(&format!("pub -d -m x -q 1 --auth-method SCRAM-SHA-256 {words}"));
    for finished in [
        publish("-t a -u ann").env("MQ_PASSWORD", "secret").run(),
        publish("-t a").env("MQ_USERNAME", "ann").env("MQ_PASSWORD", "secret").run(),
        publish("-t a -u ann --password-file -").stdin("secret\n").run(),
        publish("-t a -u ann --password-file").arg(&path).run(),
        publish(&format!("-L mqtt://ann:secret@{}/a", broker.address())).run(),
    ] {
        assert_says(&finished.stderr, &["-> CONNECT", "<- AUTH", "-> AUTH", "<- CONNACK", "SCRAM-SHA-256"]);
        // Neither the password nor data that would verify a guess.
        for secret in ["secret", "n=ann", "p=", "v="] {
            assert!(!finished.stderr.contains(secret), "{secret} in {}", finished.stderr);
        }
        finished.expect_status(0);
    }
}

#[test]
fn a_password_is_asked_for_at_the_terminal() {
    let keys = Keys::of_ann("SCRAM-SHA-256");
    let broker = keys.broker("");
    let words = format!("{} -t a -m x -q 1 -u ann --auth-method SCRAM-SHA-256", broker.options());
    let line = format!("{} pub {words} --ask-password && echo done", mq_path());
    let Some(mut running) = on_a_terminal(&line) else { return };
    running.wait_for_part_of_stdout("Password for ann: ");
    running.write("secret\n");
    running.wait_for_part_of_stdout("done");
}

#[test]
fn connect_carries_neither_name_nor_password() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept();
        // No flags but clean start; only the data contains the name.
        client.expect(
            "10 (`MQTT` 05 02 003c
                (15 `SCRAM-SHA-256`
                 16 0025 'n,,n=a=2Cn,r=' .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. ..)
                `me`)"
        );
        client.send("20 (00 87 ())");
    });
    peer.mq("pub -i me -t a -n --auth-method SCRAM-SHA-256 -P secret -u a,n").run().fail(5);
    peer.finish();
}

#[test]
fn a_client_authenticates_itself_again_on_the_open_connection() {
    let keys = Keys::of_ann("SCRAM-SHA-512");
    let mut broker = keys.broker("");
    let who = "--auth-method SCRAM-SHA-512 -u ann -P secret";
    let mut subscriber = broker.subscriber(&format!("-t a {who} --reauthenticate 0.05"));
    for _ in 0..3 {
        let line = subscriber.wait_for_stderr("-> AUTH");
        assert_says(&line, &["re-authenticate"]);
        assert_says(&subscriber.wait_for_stderr("<- AUTH"), &["continue"]);
        assert_says(&subscriber.wait_for_stderr("-> AUTH"), &["continue"]);
        assert_says(&subscriber.wait_for_stderr("<- AUTH"), &["success"]);
    }
    broker.mq(&format!("pub -t a -m hello -q 1 {who}")).run().succeed();
    subscriber.wait_for_stdout("hello");

    // The password was changed: the next proof is none any more.
    keys.make("--mechanism SCRAM-SHA-512", "ann", "other").succeed();
    broker.process().signal("HUP");
    broker.process().wait_for_stderr("again: 1 user");
    let stderr = subscriber.finish().fail(5);
    assert_says(&stderr, &["refused the re-authentication: not authorized (0x87)"]);
}
