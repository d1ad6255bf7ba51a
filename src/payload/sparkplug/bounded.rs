//! A map with a limit on its entries and their size: the entries that were inserted first make room for new ones.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct Bounded<V> {
    entries: HashMap<Arc<str>, Entry<V>>,
    /// The keys, in the order of insertion.
    order: BTreeMap<u64, Arc<str>>,
    size: usize,
    inserted: u64,
    max_entries: usize,
    max_size: usize,
    /// The number of entries that made room for others.
    pub(super) evicted: u64,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    size: usize,
    number: u64,
}

impl<V> Bounded<V> {
    pub(super) fn new(max_entries: usize, max_size: usize) -> Bounded<V> {
        Bounded {
            entries: HashMap::new(),
            order: BTreeMap::new(),
            size: 0,
            inserted: 0,
            max_entries,
            max_size,
            evicted: 0,
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&V> {
        self.entries.get(key).map(|entry| &entry.value)
    }

    /// Takes an entry out, to be changed and inserted again.
    pub(super) fn take(&mut self, key: &str) -> Option<V> {
        let entry = self.entries.remove(key)?;
        self.order.remove(&entry.number);
        self.size -= entry.size;
        Some(entry.value)
    }

    /// Adds or replaces an entry, as the newest one. One that alone exceeds the limit is not stored.
    pub(super) fn insert(&mut self, key: &str, value: V, size: usize) {
        self.take(key);
        if size > self.max_size {
            self.evicted += 1;
            return;
        }
        while self.size + size > self.max_size || self.entries.len() >= self.max_entries {
            let Some((_, oldest)) = self.order.first_key_value() else { return };
            let oldest = Arc::clone(oldest);
            self.take(&oldest);
            self.evicted += 1;
        }
        self.inserted += 1;
        self.size += size;
        let key: Arc<str> = Arc::from(key);
        self.order.insert(self.inserted, Arc::clone(&key));
        self.entries.insert(key, Entry { value, size, number: self.inserted });
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        assert_eq!(self.size, self.entries.values().map(|entry| entry.size).sum::<usize>());
        assert_eq!(self.order.len(), self.entries.len());
        self.size
    }
}
