//! Decodes a datagram in the version of its client.

use super::cursor::Cursor;
use super::{Dissected, Outcome, dissect, dissect_v2};
use crate::inspect::{Name, Rule};
use crate::protocol::sn::Version;
use crate::words::counted_verb;

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
        let detail = format!("{} the last field", counted_verb(left, "byte", "follows"));
        cursor.find(Rule::SnTrailingBytes, here..here + left, detail);
    }
    cursor.back_to_last_leaf();
    if !cursor.is_at_end() {
        cursor.rest(Name::Undecoded);
    }
    if bytes.len() < length {
        let missing = length - bytes.len();
        let detail = format!("{} not captured", counted_verb(missing, "byte", "was"));
        cursor.find(Rule::MissingBytes, bytes.len()..length, detail);
    }
    let Outcome { kind, envelope, .. } = outcome;
    Dissected { tree: cursor.tree, kind, envelope }
}
