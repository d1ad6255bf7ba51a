//! Names that a payload defines once and refers to later: the fields of records in CBOR and MessagePack, and the metrics of a
//! Sparkplug birth. A reference of a few bytes expands to a name of any length, so the expanded size is limited.

use super::Problem;
use std::collections::HashMap;

/// The maximum of bytes that references add to a payload's JSON.
const MAX_EXPANDED: usize = 4 << 20;

/// The length of the names that references have added.
#[derive(Debug, Default)]
pub(super) struct Expansion {
    length: usize,
}

impl Expansion {
    /// Counts the name that a reference expands to.
    pub(super) fn add(&mut self, name: &str, at: usize) -> Result<(), Problem> {
        self.length += name.len();
        if self.length > MAX_EXPANDED {
            return Err(Problem { reason: "the names that it refers to exceed 4 MiB", at });
        }
        Ok(())
    }
}

/// The records of a payload: the names of their fields by the record's number.
#[derive(Debug, Default)]
pub(super) struct Records {
    fields: HashMap<u64, Vec<String>>,
    expansion: Expansion,
}

impl Records {
    /// Remembers the names of a record's fields.
    pub(super) fn define(&mut self, number: u64, names: Vec<String>) {
        self.fields.insert(number, names);
    }

    /// Whether this is the number of a record.
    pub(super) fn contains(&self, number: u64) -> bool {
        self.fields.contains_key(&number)
    }

    /// The number of a record's fields.
    pub(super) fn count(&self, number: u64) -> Option<usize> {
        self.fields.get(&number).map(Vec::len)
    }

    /// The name of a record's field.
    pub(super) fn name(&mut self, number: u64, index: usize, at: usize) -> Result<String, Problem> {
        let name = self.fields.get(&number).and_then(|names| names.get(index));
        let name = name.ok_or(Problem { reason: "record with more values than names", at })?;
        self.expansion.add(name, at)?;
        Ok(name.clone())
    }
}
