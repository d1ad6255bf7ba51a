//! The exchanges in RFC 7677, messages that each side rejects, and arbitrary bytes.

use super::*;
use proptest::prelude::*;

const SERVER_NONCE: &str = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";

/// Password "pencil"; the messages of RFC 7677, section 3.
const SHA256: [&str; 4] = [
    "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
];

/// The same names, nonces and salt with SHA-512, as Python's hashlib and hmac compute them.
const SHA512: [&str; 4] = [
    SHA256[0],
    SHA256[1],
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=gMGXRcevScNtxZ6/8lQYpGtnsNAc3mGcmNomv+xnoOMw+3R2xNJdMNnzMlTN8PPC6wdp6dybEmDYXYTxwnYPJQ==",
    "v=ZQnYEgWQMFmmsM8aQMF0nDDCy/AgCzkwk8CmMZYcMg0vSVlKDanekLtifDSeVGT4+5ZxXnJq199RVG2rR7N7Zw==",
];

const BOTH: [(Algorithm, [&str; 4]); 2] = [(Algorithm::Sha256, SHA256), (Algorithm::Sha512, SHA512)];

/// Password "pencil"; the messages of RFC 5802, section 5.
const SHA1: [&str; 4] = [
    "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
    "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
    "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
    "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
];

fn client(algorithm: Algorithm) -> Client {
    Client::with_nonce(algorithm, "user", b"pencil", "rOprNGfwEbeRWgbNEkqO".to_owned()).unwrap()
}

fn keys(algorithm: Algorithm) -> Keys {
    let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
    Keys::derive(algorithm, b"pencil", salt, 4096).unwrap()
}

fn server(algorithm: Algorithm, first: &[u8]) -> Result<Server, Failure> {
    let keys = keys(algorithm);
    let stranger = Stranger::new().unwrap();
    let find = |name: &str| (Some(&keys).filter(|_| name == "user"), Some(&keys));
    Server::with_nonce(algorithm, first, &stranger, find, SERVER_NONCE)
}

#[test]
fn a_client_sends_the_messages_of_the_rfc() {
    for (algorithm, [first, challenge, last, outcome]) in BOTH {
        let mut client = client(algorithm);
        assert_eq!(client.first(), first.as_bytes());
        assert_eq!(String::from_utf8(client.respond(challenge.as_bytes()).unwrap()).unwrap(), last);
        assert_eq!(client.finish(Some(outcome.as_bytes())), Ok(()));
    }
}

#[test]
fn a_client_has_the_weak_algorithm_and_a_broker_has_not() {
    let nonce = "fyko+d2lbbFgONRv9qkxdawL".to_owned();
    let mut client = Client::with_nonce(Algorithm::Sha1, "user", b"pencil", nonce).unwrap();
    let [first, challenge, last, outcome] = SHA1;
    assert_eq!(client.first(), first.as_bytes());
    assert_eq!(String::from_utf8(client.respond(challenge.as_bytes()).unwrap()).unwrap(), last);
    assert_eq!(client.finish(Some(outcome.as_bytes())), Ok(()));
    assert_eq!(Algorithm::of_client("SCRAM-SHA-1"), Some(Algorithm::Sha1));
    assert_eq!(Algorithm::of_method("SCRAM-SHA-1"), None);
}

#[test]
fn a_server_sends_the_messages_of_the_rfc() {
    for (algorithm, [first, challenge, last, outcome]) in BOTH {
        let server = server(algorithm, first.as_bytes()).unwrap();
        assert_eq!(server.challenge(), challenge.as_bytes());
        assert_eq!(server.name(), "user");
        assert_eq!(String::from_utf8(server.finish(last.as_bytes()).unwrap()).unwrap(), outcome);
    }
}

#[test]
fn keys_are_read_as_they_are_written() {
    for algorithm in Algorithm::ALL {
        let keys = keys(algorithm);
        assert_eq!(Keys::parse(keys.to_string().as_bytes()), Ok(keys));
    }
}

/// As Python's hashlib and hmac compute them for the password "pencil" and this salt.
#[test]
fn keys_have_the_form_of_rfc_5803() {
    let expected = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
    assert_eq!(keys(Algorithm::Sha256).to_string(), expected);
}

#[test]
fn keys_that_are_none_are_refused() {
    let right = keys(Algorithm::Sha256).to_string();
    for (text, says) in [
        ("secret".to_owned(), "not SCRAM keys"),
        ("$7$101$AAAA$AAAA".to_owned(), "not SCRAM keys"),
        ("SCRAM-SHA-256$4096".to_owned(), "form"),
        (right.replace("4096", "4095"), "iterations"),
        (right.replace("4096", "10000001"), "iterations"),
        (right.replace("4096", "+4096"), "iterations"),
        (right.replace("SHA-256", "SHA-512"), "stored key has 32 bytes, expected 64"),
        (right.replace("W22Z", "W22!"), "salt is not Base64"),
        (right.replace("W22ZaJ0SNY7soEsUEjb6gQ==", ""), "salt has 0 bytes"),
        (format!("{right}="), "server key is not Base64"),
    ] {
        let error = Keys::parse(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
}

#[test]
fn a_client_refuses_invalid_server_messages() {
    let right = SHA256[1];
    for (challenge, failure) in [
        (right.replace("rOpr", "ropr"), "does not match"),
        ("r=rOprNGfwEbeRWgbNEkqO,s=AAAA,i=4096".to_owned(), "does not match"),
        (right.replace("4096", "4095"), "4095 iterations"),
        (right.replace("4096", "10000001"), "10000001 iterations"),
        (right.replace("4096", "99999999999999999999999"), "not a number"),
        (right.replace("4096", "-4096"), "not a number"),
        (right.replace(",s=", ",m=x,s="), "extension"),
        (format!("m=x,{right}"), "extension"),
        (right.replace("s=W22Z", "s=!"), "salt is not Base64"),
        (right.replace("s=W22ZaJ0SNY7soEsUEjb6gQ==", "s="), "salt is empty"),
        ("e=other-error".to_owned(), "'other-error'"),
        ("e=\u{1b}[31m".to_owned(), "\\u{1b}"),
        (String::new(), "missing nonce"),
    ] {
        let error = client(Algorithm::Sha256).respond(challenge.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(failure), "{challenge}: {error}");
    }
    assert!(client(Algorithm::Sha256).respond(b"r=\xff").is_err());
}

#[test]
fn a_client_wants_the_proof_and_in_its_time() {
    let [_, challenge, _, outcome] = SHA256;
    let mut client = client(Algorithm::Sha256);
    assert_eq!(client.finish(Some(outcome.as_bytes())), Err(Failure::NoProof));
    client.respond(challenge.as_bytes()).unwrap();
    assert_eq!(client.finish(Some(outcome.replace("6rri", "7rri").as_bytes())), Err(Failure::WrongProof));
    assert_eq!(client.finish(Some(b"v=AAAA")), Err(Failure::WrongProof));
    assert_eq!(client.finish(Some(b"e=invalid-proof")), Err(Failure::Reported("invalid-proof".to_owned())));
    assert!(client.finish(Some(b"")).is_err());
    assert_eq!(client.finish(None), Err(Failure::NoProof));
}

#[test]
fn a_server_may_end_before_its_success() {
    let [_, challenge, _, outcome] = SHA256;
    let mut client = client(Algorithm::Sha256);
    client.respond(challenge.as_bytes()).unwrap();
    assert_eq!(client.respond(outcome.replace("6rri", "7rri").as_bytes()), Err(Failure::WrongProof));
    assert_eq!(client.respond(outcome.as_bytes()), Ok(Vec::new()));
    assert_eq!(client.finish(None), Ok(()));
    assert_eq!(client.respond(challenge.as_bytes()), Err(Failure::NothingMoreToSay));
}

#[test]
fn a_server_lets_nobody_in_without_the_proof() {
    let [first, _, last, _] = SHA256;
    let server = server(Algorithm::Sha256, first.as_bytes()).unwrap();
    assert_eq!(server.finish(last.replace("p=dHzb", "p=eHzb").as_bytes()), Err(Failure::Denied));
    assert_eq!(server.finish(last.replace("r=rOpr", "r=ropr").as_bytes()), Err(Failure::ForeignNonce));
    for wrong in [last.replace("biws", "eSws"), last.replace(",p=", ",q="), last.replace("p=dHzb", "p=")] {
        assert!(matches!(server.finish(wrong.as_bytes()), Err(Failure::Message(_))), "{wrong}");
    }
}

#[test]
fn a_server_refuses_bindings_and_other_identities() {
    for first in [
        "p=tls-unique,,n=user,r=abc",
        "n,a=admin,n=user,r=abc",
        "n,,n=us=er,r=abc",
        "n,,n=,r=abc",
        "n,,n=user",
        "",
    ] {
        assert!(matches!(server(Algorithm::Sha256, first.as_bytes()), Err(Failure::Message(_))), "{first}");
    }
}

#[test]
fn a_stranger_looks_like_a_user_and_is_never_let_in() {
    let known = keys(Algorithm::Sha256);
    let stranger = Stranger::new().unwrap();
    let begin = |name: &str| {
        let first = format!("n,,n={name},r=abc");
        let find = |_: &str| (None, Some(&known));
        Server::with_nonce(Algorithm::Sha256, first.as_bytes(), &stranger, find, "def").unwrap()
    };
    let challenge = |name: &str| begin(name).challenge().to_vec();
    assert_eq!(challenge("bob"), challenge("bob"));
    assert_eq!(challenge("bob"), challenge("b\u{ad}ob"), "the same after SASLprep");
    assert_ne!(challenge("bob"), challenge("carol"));
    assert_eq!(challenge("bob").len(), "r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096".len());
    let mut client = Client::with_nonce(Algorithm::Sha256, "bob", b"pencil", "abc".to_owned()).unwrap();
    let server = begin("bob");
    let last = client.respond(server.challenge()).unwrap();
    assert_eq!(server.finish(&last), Err(Failure::Denied));
}

#[test]
fn names_and_passwords_are_prepared() {
    // RFC 4013, section 3.
    assert_eq!(prepared_name("I\u{ad}X").unwrap(), "IX");
    assert_eq!(prepared_name("\u{aa}").unwrap(), "a");
    assert_eq!(prepared_name("\u{2168}").unwrap(), "IX");
    for wrong in ["\u{7}", "\u{627}\u{31}", "", "\u{ad}"] {
        assert!(Client::new(Algorithm::Sha256, wrong, b"pencil").is_err(), "{wrong:?}");
        assert!(Client::new(Algorithm::Sha256, "user", wrong.as_bytes()).is_err(), "{wrong:?}");
    }
    assert!(Client::new(Algorithm::Sha256, "user", b"\xff").is_err());
}

#[test]
fn a_name_with_the_separators_is_escaped() {
    let client = Client::with_nonce(Algorithm::Sha256, "a,b=c", b"x", "abc".to_owned()).unwrap();
    assert_eq!(client.first(), b"n,,n=a=2Cb=3Dc,r=abc");
    assert_eq!(server(Algorithm::Sha256, client.first()).unwrap().name(), "a,b=c");
}

#[test]
fn secrets_are_not_shown() {
    let mut client = client(Algorithm::Sha256);
    client.respond(SHA256[1].as_bytes()).unwrap();
    let shown = format!("{client:?} {:?}", keys(Algorithm::Sha256));
    assert_eq!(shown, "Client { algorithm: Sha256, .. } Keys(..)");
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        look_at(&bytes);
    }

    #[test]
    fn anything_like_a_message_is_read_or_refused(
        text in "(([nrsicpvem]=|n,,|y,,|biws|rOprNGfwEbeRWgbNEkqO|4096|AAAA|=2C|=|,|é|[ -~]){0,3},){0,6}"
    ) {
        look_at(text.as_bytes());
    }

    #[test]
    fn every_name_comes_through(name in "[a-z,=é]{1,12}") {
        let client = Client::with_nonce(Algorithm::Sha256, &name, b"x", "abc".to_owned()).unwrap();
        let server = server(Algorithm::Sha256, client.first()).unwrap();
        prop_assert_eq!(server.name(), prepared_name(&name).unwrap());
    }
}

/// Passes the bytes to every parser.
fn look_at(bytes: &[u8]) {
    let [first, challenge, ..] = SHA256;
    let mut begun = client(Algorithm::Sha256);
    let _ = begun.respond(bytes);
    let _ = begun.finish(Some(bytes));
    let mut challenged = client(Algorithm::Sha256);
    challenged.respond(challenge.as_bytes()).unwrap();
    assert!(challenged.finish(Some(bytes)).is_err());
    assert!(server(Algorithm::Sha256, first.as_bytes()).unwrap().finish(bytes).is_err());
    let _ = server(Algorithm::Sha256, bytes);
    let _ = Keys::parse(bytes);
    let _ = error_in(bytes);
}
