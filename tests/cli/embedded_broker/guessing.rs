//! Guessing passwords: after some failures, attempts wait; users who know their password do not.

use super::users::{PBKDF2, broker_for, file};
use crate::support::*;
use std::time::{Duration, Instant};
use tempfile::TempDir;

fn broker() -> (TempDir, EmbeddedBroker) {
    let (directory, path) = file(&format!("ann:{PBKDF2}\nbob:{PBKDF2}\n"));
    (directory, broker_for(&path, ""))
}

/// Sends CONNECT.
fn attempt(broker: &EmbeddedBroker, user: &str, password: &str) -> Wire {
    let mut wire = broker.connect();
    wire.send(&format!("10 (`MQTT` 05 c2 003c () `{user}` `{user}` `{password}`)"));
    wire
}

/// The reason code of CONNACK.
fn answer(mut wire: Wire) -> u8 {
    wire.packet()[3]
}

#[test]
fn many_guesses_at_a_time_wait_for_each_other_and_the_rest_is_refused_unchecked() {
    let (_directory, broker) = broker();
    for _ in 0..6 {
        assert_eq!(answer(attempt(&broker, "ann", "guess")), 0x87);
    }
    // The right one among many others gets no answer before its turn: 0.5 s for each attempt before it, up to 10 s.
    let guesses: Vec<Wire> = (0..40).map(|_| attempt(&broker, "ann", "guess")).collect();
    let mut right = attempt(&broker, "ann", "secret");
    let mut codes: Vec<Option<u8>> = Vec::new();
    for mut guess in guesses.into_iter().rev().take(15) {
        codes.push(Some(guess.packet()[3]));
    }
    assert!(codes.iter().all(|code| *code == Some(0x89)), "{codes:02x?}");
    assert_eq!(right.packet()[3], 0x89);
}

#[test]
fn a_user_who_logged_in_before_is_not_delayed_by_the_failures_of_others() {
    let (_directory, broker) = broker();
    assert_eq!(answer(attempt(&broker, "bob", "secret")), 0);
    for number in 0..22 {
        assert_eq!(answer(attempt(&broker, &format!("user{number}"), "guess")), 0x87);
    }
    // The next attempt of a user who is new at this address waits for a second.
    let mut newcomer = attempt(&broker, "ann", "secret");
    assert_eq!(answer(attempt(&broker, "bob", "secret")), 0);
    newcomer.expect_quiet();
    for _ in 0..100 {
        assert_eq!(answer(attempt(&broker, "bob", "secret")), 0);
    }
}

#[test]
fn honest_clients_wait_for_nothing() {
    let (_directory, broker) = broker();
    let started = Instant::now();
    for _ in 0..200 {
        assert_eq!(answer(attempt(&broker, "ann", "secret")), 0);
    }
    // Not a measurement: with a delay after each login, this would take 50 s.
    assert!(started.elapsed() < Duration::from_secs(40));
}
