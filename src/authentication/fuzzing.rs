//! The entry point for fuzzers. Compiled for tests and with `--cfg fuzzing` only.

use super::scram::{Algorithm, Client, Keys, Memory, Server, Stranger, error_in};

/// PBKDF2 takes seconds for the most iterations, so only small numbers of them are tried.
const MAX_DIGITS: usize = 4;

/// PBKDF2 takes milliseconds also for the fewest iterations that are accepted, so it is computed for inputs whose length is a multiple of this.
const COMPUTED_LENGTH: usize = 64;

/// Reads lines: a user name, a password, a challenge, an outcome, a client's first and last message, and keys. The first byte selects
/// the algorithm. Name and password also take part in a valid exchange.
pub fn scram(bytes: &[u8]) {
    let is_computed = bytes.len().is_multiple_of(COMPUTED_LENGTH);
    let Some((how, bytes)) = bytes.split_first() else { return };
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let algorithm = if how & 1 == 0 { Algorithm::Sha256 } else { Algorithm::Sha512 };
    let (name, password) = (String::from_utf8_lossy(line()), line());
    let (challenge, outcome, first, last, keys) = (line(), line(), line(), line(), line());
    if let Ok(keys) = Keys::parse(keys) {
        let again = Keys::parse(keys.to_string().as_bytes()).expect("keys are written as they are read");
        assert!(again == keys);
    }
    drop(error_in(outcome));
    let stranger = Stranger::new().expect("random bytes");
    if let Ok(server) = Server::new(algorithm, first, &stranger, |_| (None, None)) {
        assert!(server.finish(last).is_err(), "an unknown user has no proof");
    }
    if let Ok(mut client) = Client::new(algorithm, &name, password) {
        // Fewer digits than the most mean fewer iterations than a client accepts.
        if digits(challenge) < MAX_DIGITS || is_computed && digits(challenge) == MAX_DIGITS {
            assert!(client.respond(challenge).is_err(), "the nonce is not in it");
        }
        assert!(client.finish(Some(outcome)).is_err(), "nothing was challenged yet");
    }
    if is_computed {
        exchange(algorithm, &name, password, &stranger);
    }
}

fn exchange(algorithm: Algorithm, name: &str, password: &[u8], stranger: &Stranger) {
    let Ok(client) = Client::new(algorithm, name, password) else { return };
    let mut client = client.remembering(Memory::with_room_for(1));
    let keys = Keys::derive(algorithm, password, b"salt".to_vec(), 4096).expect("the client accepts it, too");
    let server = Server::new(algorithm, client.first(), stranger, |_| (Some(&keys), None));
    let server = server.expect("the client's first message is valid");
    let last = client.respond(server.challenge()).expect("the challenge is valid");
    let outcome = server.finish(&last).expect("the proof is right");
    assert!(client.finish(Some(&outcome)).is_ok());
}

/// The most digits in a row after an equals sign.
fn digits(challenge: &[u8]) -> usize {
    let count = |part: &[u8]| part.iter().take_while(|byte| byte.is_ascii_digit()).count();
    challenge.split(|byte| *byte == b'=').map(count).max().unwrap_or_default()
}
