//! Rejects objects with two members of one name: readers of JSON disagree about the one that counts.

use super::{EncodeError, Step, shown};
use serde_core::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::collections::HashSet;
use std::fmt;

/// Checks a text that is JSON.
///
/// # Errors
/// The path of the object, and the name.
pub(super) fn check(text: &[u8]) -> Result<(), EncodeError> {
    let mut search = Search { path: Vec::new(), duplicate: None };
    // Only a duplicate ends it early.
    let _ = search.deserialize(&mut serde_json::Deserializer::from_slice(text));
    match search.duplicate {
        Some(name) => {
            Err(EncodeError { path: shown(&search.path), problem: format!("duplicate key \"{name}\"") })
        }
        None => Ok(()),
    }
}

struct Search {
    /// The path of the current value; after an error, that of the object.
    path: Vec<Step>,
    duplicate: Option<String>,
}

impl<'de> DeserializeSeed<'de> for &mut Search {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Search {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        for index in 0.. {
            self.path.push(Step::Index(index));
            if elements.next_element_seed(&mut *self)?.is_none() {
                self.path.pop();
                break;
            }
            self.path.pop();
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            if names.contains(&name) {
                self.duplicate = Some(name);
                return Err(A::Error::custom("duplicate key"));
            }
            self.path.push(Step::Name(name.clone()));
            names.insert(name);
            members.next_value_seed(&mut *self)?;
            self.path.pop();
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}
