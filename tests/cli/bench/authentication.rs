//! Clients that prove who they are with SCRAM, or show a token.

use super::*;
use crate::support::certificates::Files;
use std::fmt::Write;

const SCRAM: &str = "--auth-method SCRAM-SHA-256";
const TOKEN: &str = "--auth-method OAUTH2-JWT --auth-data-file";

/// A broker for `user0`, `user1` and so on, who all have the password "secret", but not all the same salt.
struct Guarded {
    files: Files,
    broker: EmbeddedBroker,
}

impl Guarded {
    fn start(method: &str, users: usize) -> Guarded {
        let files = Files::new(&[]);
        let model = files.path("model");
        for (option, user) in ["-c", "", "", ""].into_iter().zip(["a", "b", "c", "d"]) {
            let words = format!("passwd scram -I 4096 --mechanism {method} {option}");
            mq(&words).arg(&model).arg(user).stdin("secret\n").run().expect_status(0);
        }
        let keys = std::fs::read_to_string(&model).unwrap();
        let keys = keys.lines().map(|line| line.split_once(':').unwrap().1).cycle().take(users);
        let mut text = String::new();
        keys.enumerate().for_each(|(number, keys)| writeln!(text, "user{number}:{keys}").unwrap());
        std::fs::write(files.path("keys"), text).unwrap();
        let words = files.words("-p 0 --scram-file {}/keys");
        Guarded { files, broker: EmbeddedBroker::start_with(&words) }
    }

    /// A run of clients who log in with their own names.
    fn bench(&self, words: &str) -> Program {
        self.broker.mq(&format!("bench {words} -u user{{i}}"))
    }
}

/// A run of one client that stays for a moment.
fn conn(peer: &ScriptedPeer, words: &str) -> Program {
    peer.mq(&format!("bench conn -c 1 --hold 0.1 {words}"))
}

/// The report of a run in which no client was let in.
#[track_caller]
fn refused(finished: process::Finished) -> String {
    finished.expect_status(5);
    String::from_utf8(finished.stdout).unwrap()
}

/// The nonce of a first message, which is in a CONNECT.
fn nonce_in(connect: &[u8]) -> String {
    let start = connect.windows(3).position(|bytes| bytes == b",r=").expect("a first message") + 3;
    String::from_utf8(connect[start..start + 24].to_vec()).unwrap()
}

/// A server that asks for so many iterations, and then does this.
fn peer_that_asks(iterations: u32, script: impl FnOnce(&mut Wire) + Send + 'static) -> ScriptedPeer {
    ScriptedPeer::start(move |peer| {
        let mut client = peer.accept();
        client.speak_v5();
        let nonce = nonce_in(&client.expect_type(0x10));
        client.send(&format!("f0 (18 (15 `SCRAM-SHA-256` 16 `r={nonce}+,s=c2FsdA==,i={iterations}`))"));
        script(&mut client);
    })
}

#[test]
fn a_wrong_password_among_two_hundred_is_found() {
    let guarded = Guarded::start("SCRAM-SHA-256", 200);
    let mut rows = "username,password\n".to_owned();
    for number in 0..200 {
        writeln!(rows, "user{number},{}", if number == 77 { "guess" } else { "secret" }).unwrap();
    }
    let path = guarded.files.path("rows.csv");
    std::fs::write(&path, rows).unwrap();
    let words = format!("bench conn -c 200 --hold 0.1 {SCRAM} --credentials");
    let finished = guarded.broker.mq(&words).arg(&path).run();
    let report = String::from_utf8_lossy(&finished.stdout);
    let parts = ["199 of 200 clients", "1 x the broker refused the connection: not authorized (0x87)"];
    assert_says(&report, &parts);
    assert_says(&report, &["CONNECT to CONNACK", "computing proofs"]);
    for secret in ["secret", "guess"] {
        assert!(!report.contains(secret) && !finished.stderr.contains(secret), "{report}");
    }
    assert_says(&finished.fail(1), &["1 of 200 clients could not connect"]);
}

#[test]
fn a_wrong_password_is_refused() {
    let guarded = Guarded::start("SCRAM-SHA-512", 10);
    let report = refused(guarded.bench("conn -c 10 --auth-method SCRAM-SHA-512 -P guess").run());
    assert_says(&report, &["10 x the broker refused the connection: not authorized (0x87)"]);
    assert!(!report.contains("computing proofs"), "only who was accepted is measured: {report}");
}

#[test]
fn authenticated_clients_work_as_any_other() {
    for method in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let guarded = Guarded::start(method, 24);
        for options in ["", "--processes 2", "--keep-sessions"] {
            let scenario = if options == "--keep-sessions" { "reconnect" } else { "pubsub" };
            let volume = if scenario == "reconnect" { "--duration 0.5 --rate 400" } else { "--messages 400" };
            let words = format!("{scenario} -c 20 --subscribers 4 {volume} {options} --auth-method {method}");
            let report = guarded.bench(&words).arg("-P").arg("secret").run().succeed();
            assert_says(&report, &["24 of 24 clients", "computing proofs"]);
            assert!(!has_loss(&report), "{report}");
        }
    }
}

#[test]
fn passwords_reach_worker_processes_without_being_seen() {
    let guarded = Guarded::start("SCRAM-SHA-256", 8);
    let words = format!("conn -c 8 --hold 0.1 --processes 2 {SCRAM}");
    let from_stdin = guarded.bench(&words).words("--password-file -").stdin("secret\n");
    let from_environment = guarded.bench(&words).env("MQ_PASSWORD", "secret");
    for program in [from_stdin, from_environment] {
        assert_says(&program.run().succeed(), &["8 of 8 clients"]);
    }
    let line = format!(
        "{} bench {words} -u user{{i}} {} --ask-password && echo done",
        mq_path(),
        guarded.broker.options()
    );
    let Some(mut running) = on_a_terminal(&line) else { return };
    running.wait_for_part_of_stdout("Password");
    running.write("secret\n");
    running.wait_for_part_of_stdout("8 of 8 clients");
    running.wait_for_part_of_stdout("done");
}

#[test]
fn computing_time_is_distinguished_in_every_form() {
    let guarded = Guarded::start("SCRAM-SHA-256", 4);
    let words = format!("conn -c 4 --hold 0.1 {SCRAM} -P secret");
    let report = guarded.bench(&format!("{words} --output json")).run().succeed();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    for kind in ["connack", "authenticate", "authenticate_wait"] {
        assert_eq!(report["latency"][kind]["count"], 4, "{kind}");
    }
    assert!(report["latency"]["authenticate"]["max_ns"].as_u64().unwrap() > 0);
    let missed = guarded.bench(&words).words("--fail-if authenticate.max>=0ms,authenticate_wait.p50>=0ms");
    assert_says(&missed.run().fail(4), &["authenticate.max", "authenticate_wait.p50"]);
}

#[test]
fn neither_name_nor_password_is_in_CONNECT() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept();
        client.expect(
            "10 (`MQTT` 05 02 003c
                (15 `SCRAM-SHA-256`
                 16 0025 'n,,n=user0,r=' .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. ..)
                `me-0`)",
        );
        client.send("20 (00 87 (15 `SCRAM-SHA-256` 16 `e=unknown-user` 1f `go away`))");
    });
    let words = format!("-i me-{{i}} {SCRAM} -u user{{i}} -P pw{{i}}");
    let report = refused(conn(&peer, &words).run());
    assert_says(&report, &["not authorized (0x87) ('unknown-user'): go away"]);
    peer.finish();
}

#[test]
fn a_broker_that_does_not_prove_itself_is_left() {
    let wrong = "v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    for (last, says) in [
        (format!("20 (00 00 (15 `SCRAM-SHA-256` 16 `{wrong}`))"), "signature is wrong"),
        ("20 (00 00 ())".to_owned(), "did not prove that it knows the password"),
    ] {
        let peer = peer_that_asks(4096, move |client| {
            client.expect_type(0xf0);
            client.send(&last);
            client.expect("e0 (80)");
        });
        let report = refused(conn(&peer, &format!("{SCRAM} -u ann -P secret")).run());
        assert_says(&report, &["1 x authentication with SCRAM-SHA-256 failed", says]);
        peer.finish();
    }
}

#[test]
fn the_time_limit_is_the_brokers_alone() {
    // The proof takes longer than the limit, at least without optimisation.
    let peer = peer_that_asks(2_000_000, |client| {
        client.expect_type(0xf0);
        client.send("20 (00 87 ())");
    });
    let words = format!("{SCRAM} -u ann -P secret --connect-timeout 0.5");
    assert_says(&refused(conn(&peer, &words).run()), &["not authorized"]);
    peer.finish();
    let silent = peer_that_asks(4096, |client| {
        client.expect_type(0xf0);
        client.expect_end();
    });
    let finished = conn(&silent, &words).run();
    assert_says(&String::from_utf8_lossy(&finished.stdout), &["timed out after 0.5 s"]);
    finished.fail(1);
    silent.finish();
}

#[test]
fn a_proof_that_takes_for_ever_does_not_hold_up_the_end() {
    let peer = peer_that_asks(10_000_000, |client| drop(client.expect_end()));
    let mut bench = conn(&peer, &format!("-d {SCRAM} -u ann -P secret")).spawn();
    bench.wait_for_stderr("<- AUTH");
    bench.signal("INT");
    bench.finish().expect_status(130);
    peer.finish();
}

#[test]
fn a_token_is_read_once_and_shown_by_every_client() {
    let files = Files::new(&[("token", "header.claims.signature\n".to_owned())]);
    for (options, is_stdin) in [("", false), ("--processes 2", false), ("", true), ("--processes 2", true)] {
        let path = files.path("token");
        std::fs::write(&path, "header.claims.signature\n").unwrap();
        let peer = ScriptedPeer::start(move |peer| {
            let mut clients = Vec::new();
            for _ in 0..2 {
                let mut client = peer.accept();
                client.speak_v5();
                client.expect(
                    "10 (`MQTT` 05 c2 003c (15 `OAUTH2-JWT` 16 `header.claims.signature`) 0004 'me-' .. `ann` `secret`)",
                );
                // The second one does not look into the file.
                let _ = std::fs::remove_file(&path);
                client.send("20 (00 00 (15 `OAUTH2-JWT`))");
                clients.push(client);
            }
            clients.iter_mut().for_each(|client| client.expect("e0 00"));
        });
        // The second client begins when the file is gone.
        let words = format!(
            "bench conn -c 2 --hold 0.1 --connect-rate 4 -i me-{{i}} -u ann -P secret {options} {TOKEN}"
        );
        let program = peer.mq(&words);
        let program = if is_stdin {
            program.arg("-").stdin("header.claims.signature\n")
        } else {
            program.arg(files.path("token"))
        };
        let report = program.run().succeed();
        assert_says(&report, &["2 of 2 clients"]);
        assert!(!report.contains("computing proofs"), "{report}");
        peer.finish();
    }
}

#[test]
fn a_broker_that_wants_more_than_a_token_is_told_that_there_is_none() {
    let files = Files::new(&[("token", "token".to_owned())]);
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept();
        client.expect_type(0x10);
        client.send("f0 (18 (15 `OAUTH2-JWT` 16 `{}`))");
        client.expect("e0 (8c)");
        assert_eq!(client.expect_end(), b"");
    });
    let report = refused(conn(&peer, TOKEN).arg(files.path("token")).run());
    assert_says(&report, &["1 x authentication with OAUTH2-JWT failed: the broker sent a challenge"]);
    peer.finish();
}

#[test]
fn a_token_that_is_refused_is_reported() {
    let files = Files::new(&[("token", "token".to_owned())]);
    let peer = ScriptedPeer::start(|peer| {
        for answer in ["20 (00 87 (1f `expired`))", "e0 (87 (1f `expired`))"] {
            let mut client = peer.accept();
            client.expect_type(0x10);
            client.send(answer);
        }
    });
    let finished =
        peer.mq(&format!("bench conn -c 2 --connect-rate 20 {TOKEN}")).arg(files.path("token")).run();
    let parts = [
        "1 x the broker refused the connection: not authorized (0x87): expired",
        "1 x the broker ended the connection: not authorized (0x87): expired",
    ];
    assert_says(&String::from_utf8_lossy(&finished.stdout), &parts);
    finished.fail(1);
    peer.finish();
}

#[test]
fn AUTH_after_CONNACK_ends_the_client() {
    for (words, says) in
        [("-V 5", "AUTH, but CONNECT set no authentication method"), ("--auth-method X", "AUTH out of turn")]
    {
        let peer = ScriptedPeer::accepting_v5("", |client| {
            client.send("f0 (18 (15 `X`))");
            client.expect_end();
        });
        let finished = peer.mq(&format!("bench conn -c 1 --hold 60 {words}")).run();
        let report = String::from_utf8_lossy(&finished.stdout).into_owned();
        assert_says(&report, &["1 x the broker broke the protocol", says]);
        finished.fail(7);
        peer.finish();
    }
}

#[test]
fn options_that_conflict_with_a_method_are_refused() {
    let files = Files::new(&[
        ("token", "token".to_owned()),
        ("rows.csv", "client_id,username\na,ann\nb,bob\n".to_owned()),
        ("bad.csv", "username,password\nann,secret\nbob,\u{7}\n".to_owned()),
    ]);
    for (words, parts) in [
        (format!("{SCRAM} -u ann -P secret --reauthenticate 5"), &["--reauthenticate", "leave it out"][..]),
        ("--auth-method X --auth-data-file {}/token --reauthenticate 5".to_owned(), &["leave it out"]),
        (format!("--embedded {SCRAM} -u ann -P secret"), &["--embedded", "mq broker --scram-file"]),
        (format!("{SCRAM} -u ann -P secret -V 311"), &["--auth-method needs MQTT 5"]),
        (SCRAM.to_owned(), &["SCRAM-SHA-256 needs a user name and a password", "client 0", "--credentials"]),
        (format!("{SCRAM} -u ann"), &["a user name and a password"]),
        (format!("{SCRAM} --credentials {{}}/rows.csv"), &["a user name and a password"]),
        (
            format!("{SCRAM} --credentials {{}}/bad.csv"),
            &["client 1: the password cannot be used with SCRAM"],
        ),
        (format!("{SCRAM} -u ann -P secret --auth-data-file {{}}/token"), &["--auth-data-file", "SCRAM"]),
        ("--auth-method SCRAM-SHA-224 -u ann -P secret".to_owned(), &["SCRAM-SHA-256, SCRAM-SHA-512"]),
        ("--auth-method X -D connect authentication-data Y".to_owned(), &["set the same property"]),
        ("--auth-data-file {}/token".to_owned(), &["--auth-method"]),
    ] {
        let words = format!("bench conn -c 2 {}", files.words(&words));
        assert_says(&mq(&words).run().fail(2), parts);
    }
}
