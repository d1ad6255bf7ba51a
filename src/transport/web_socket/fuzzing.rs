//! The entry point for fuzzers. Compiled for tests and with `--cfg fuzzing` only.

use super::frame::{ControlFrame, Decoder, Role};

/// Decodes frames at once and in pieces; both results must be equal. The first byte selects the side and the size of the pieces.
pub fn web_socket_frames(bytes: &[u8]) {
    let Some((how, bytes)) = bytes.split_first() else { return };
    let role = if how & 1 == 0 { Role::Client } else { Role::Server };
    let whole = decoded(role, bytes, bytes.len().max(1));
    let pieces = decoded(role, bytes, usize::from(how >> 1 & 15) + 1);
    // Before an error, pieces deliver all complete frames.
    match (&whole.2, &pieces.2) {
        (false, false) => assert_eq!(whole, pieces),
        (true, true) => assert!(pieces.0.starts_with(&whole.0)),
        _ => panic!("only one of both fails"),
    }
}

/// The payload, the control frames, and whether decoding failed.
fn decoded(role: Role, bytes: &[u8], size: usize) -> (Vec<u8>, Vec<ControlFrame>, bool) {
    let (mut decoder, mut payload, mut signals) = (Decoder::new(role), Vec::new(), Vec::new());
    for piece in bytes.chunks(size) {
        let mut piece = piece.to_vec();
        match decoder.decode(&mut piece, &mut signals) {
            Ok(length) => payload.extend_from_slice(piece.get(..length).expect("a part of the piece")),
            Err(error) => {
                assert!(!error.to_string().is_empty());
                return (payload, signals, true);
            }
        }
    }
    (payload, signals, false)
}
