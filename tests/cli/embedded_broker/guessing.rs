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
fn guesses_that_come_together_are_slowed_down_as_much_as_those_one_after_the_other() {
    let (_directory, broker) = broker();
    let guesses: Vec<Wire> = (0..30).map(|_| attempt(&broker, "ann", "guess")).collect();
    let codes: Vec<u8> = guesses.into_iter().rev().map(answer).collect();
    // Five without a delay, and then after 0.25, 0.5, 1, 2 and 4 s. The next one would wait for more than 10 s.
    let checked = codes.iter().filter(|code| **code == 0x87).count();
    assert!(
        (5..=10).contains(&checked) && codes.iter().all(|code| [0x87, 0x89].contains(code)),
        "{codes:02x?}"
    );
}

#[test]
fn right_passwords_that_come_together_are_all_accepted() {
    let (_directory, broker) = broker();
    let logins: Vec<Wire> = (0..100).map(|_| attempt(&broker, "ann", "secret")).collect();
    assert!(logins.into_iter().all(|login| answer(login) == 0));
}

#[test]
fn other_users_pass_by_the_guesses_that_wait() {
    let (_directory, broker) = broker();
    let guesses: Vec<Wire> = (0..100).map(|_| attempt(&broker, "ann", "guess")).collect();
    assert_eq!(answer(attempt(&broker, "bob", "secret")), 0);
    drop(guesses);
}

#[cfg(target_os = "linux")]
fn attempt_from(last: u8, broker: &EmbeddedBroker, user: &str, password: &str) -> Wire {
    let mut wire = Wire::new(connect_from(last, broker.address()));
    wire.send(&format!("10 (`MQTT` 05 c2 003c () `{user}` `{user}` `{password}`)"));
    wire
}

#[cfg(target_os = "linux")]
#[test]
fn one_address_does_not_keep_a_user_from_logging_in_at_others() {
    let (_directory, broker) = broker();
    for _ in 0..6 {
        assert_eq!(answer(attempt_from(2, &broker, "ann", "guess")), 0x87);
    }
    let guesses: Vec<Wire> = (0..100).map(|_| attempt_from(2, &broker, "ann", "guess")).collect();
    let rightful: Vec<Wire> = (3..9).map(|last| attempt_from(last, &broker, "ann", "secret")).collect();
    assert!(rightful.into_iter().all(|login| answer(login) == 0));
    drop(guesses);
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
