//! Decodes a datagram in the version of its client.

use super::cursor::Cursor;
use super::{Dissected, Outcome, dissect, dissect_v2};
use crate::inspect::{Name, Rule};
use crate::protocol::sn::Version;
use crate::words::counted;

/// Decodes a datagram of `length` bytes, of which `bytes` were captured. A protected packet in it may be decrypted.
pub(super) fn decode(bytes: &[u8], length: usize, version: Version, is_decrypted: bool) -> Dissected<'_> {
    let mut cursor = Cursor::new(bytes, length, version);
    let mut outcome = Outcome { is_decrypted, ..Outcome::default() };
    let result = match version {
        Version::V12 => dissect::message(&mut cursor, &mut outcome),
        Version::V20 => dissect_v2::message(&mut cursor, &mut outcome),
    };
    if result.is_ok() && !cursor.is_at_end() {
        let (here, left) = (cursor.position(), cursor.left());
        let verb = if left == 1 { "follows" } else { "follow" };
        let detail = format!("{} {verb} the last field", counted(left, "byte"));
        cursor.find(Rule::SnTrailingBytes, here..here + left, detail);
    }
    cursor.back_to_last_leaf();
    if !cursor.is_at_end() {
        cursor.rest(Name::Undecoded);
    }
    if bytes.len() < length {
        let missing = length - bytes.len();
        let verb = if missing == 1 { "was" } else { "were" };
        let detail = format!("{} {verb} not captured", counted(missing, "byte"));
        cursor.find(Rule::MissingBytes, bytes.len()..length, detail);
    }
    let Outcome { kind, envelope, .. } = outcome;
    Dissected { tree: cursor.tree, kind, envelope }
}
