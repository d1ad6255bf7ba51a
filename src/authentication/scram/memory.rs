//! A cache of PBKDF2 results, for servers that repeat salt and iterations. RFC 5802 allows clients to cache them.

use super::Algorithm;
use super::keys::Salted;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

/// Salted passwords that were computed before. Clones share the cache.
#[derive(Clone)]
pub(crate) struct Memory {
    room: usize,
    /// By a hash of algorithm, iterations, salt and password, since the server may choose a long salt.
    known: Arc<Mutex<HashMap<Vec<u8>, Salted>>>,
}

impl Memory {
    /// A cache for this many passwords. If it overflows, all entries are dropped.
    pub(crate) fn with_room_for(passwords: usize) -> Memory {
        Memory { room: passwords, known: Arc::default() }
    }

    /// The salted password. If it is not cached, the time grows with the iterations. Two threads may compute the same result at once
    /// instead of waiting for each other.
    pub(super) fn salted(
        &self,
        algorithm: Algorithm,
        password: &str,
        salt: &[u8],
        iterations: u32,
    ) -> Salted {
        let question = question(algorithm, password, salt, iterations);
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&question).cloned();
        known.unwrap_or_else(|| {
            let salted = Salted::new(algorithm, password, salt, iterations);
            self.keep(question, salted.clone());
            salted
        })
    }

    fn keep(&self, question: Vec<u8>, salted: Salted) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= self.room {
            known.clear();
        }
        if self.room > 0 {
            known.insert(question, salted);
        }
    }
}

/// An unambiguous cache key: the part without a length prefix is last.
fn question(algorithm: Algorithm, password: &str, salt: &[u8], iterations: u32) -> Vec<u8> {
    let mut text = Zeroizing::new(Vec::with_capacity(64 + salt.len() + password.len()));
    text.extend_from_slice(algorithm.method().as_bytes());
    text.extend_from_slice(&iterations.to_be_bytes());
    text.extend_from_slice(&(salt.len() as u64).to_be_bytes());
    text.extend_from_slice(salt);
    text.extend_from_slice(password.as_bytes());
    Algorithm::Sha256.hash(&text).to_vec()
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("room", &self.room).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(memory: &Memory) -> usize {
        memory.known.lock().unwrap().len()
    }

    fn key(memory: &Memory, algorithm: Algorithm, password: &str, salt: &[u8], iterations: u32) -> Vec<u8> {
        memory.salted(algorithm, password, salt, iterations).client_key().to_vec()
    }

    #[test]
    fn remembered_keys_equal_computed_ones() {
        let memory = Memory::with_room_for(100);
        let questions = [
            (Algorithm::Sha256, "pw", &b"salt"[..], 2),
            (Algorithm::Sha512, "pw", b"salt", 2),
            (Algorithm::Sha256, "pw", b"salt", 3),
            (Algorithm::Sha256, "tpw", b"sal", 2),
            (Algorithm::Sha256, "", b"saltpw", 2),
        ];
        for _ in 0..2 {
            for (algorithm, password, salt, iterations) in questions {
                let fresh = Salted::new(algorithm, password, salt, iterations).client_key().to_vec();
                assert_eq!(key(&memory, algorithm, password, salt, iterations), fresh, "{password}");
            }
            assert_eq!(count(&memory), questions.len());
        }
    }

    #[test]
    fn the_same_is_not_computed_twice() {
        let memory = Memory::with_room_for(1);
        let other = Salted::new(Algorithm::Sha256, "other", b"salt", 1);
        memory.keep(question(Algorithm::Sha256, "pw", b"salt", 1), other.clone());
        let answer = key(&memory.clone(), Algorithm::Sha256, "pw", b"salt", 1);
        assert_eq!(answer, other.client_key().to_vec(), "it was not looked up");
    }

    #[test]
    fn there_is_room_for_so_many_and_no_more() {
        for (room, most) in [(0, 0), (1, 1), (3, 3)] {
            let memory = Memory::with_room_for(room);
            for number in 0..20u8 {
                key(&memory, Algorithm::Sha256, "pw", &[number], 1);
                assert!(count(&memory) <= most, "{} with room for {room}", count(&memory));
            }
        }
    }
}
