//! A map that mostly has no entry or few: it occupies memory only while it has entries, and only for those.

use foldhash::HashMap;
use std::hash::Hash;

/// The most entries that are searched one by one.
const MAX_FEW: usize = 16;

/// Entries in no particular order.
#[derive(Debug)]
pub(crate) struct SmallMap<K, V>(Entries<K, V>);

#[derive(Debug)]
enum Entries<K, V> {
    Few(Vec<(K, V)>),
    Many(Box<HashMap<K, V>>),
}

impl<K, V> Default for SmallMap<K, V> {
    fn default() -> SmallMap<K, V> {
        SmallMap(Entries::Few(Vec::new()))
    }
}

impl<K: Copy + Eq + Hash, V> SmallMap<K, V> {
    pub(crate) fn len(&self) -> usize {
        match &self.0 {
            Entries::Few(entries) => entries.len(),
            Entries::Many(entries) => entries.len(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        match &self.0 {
            Entries::Few(entries) => entries.iter().find(|(known, _)| known == key).map(|(_, value)| value),
            Entries::Many(entries) => entries.get(key),
        }
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        match &mut self.0 {
            Entries::Few(entries) => {
                entries.iter_mut().find(|(known, _)| known == key).map(|(_, value)| value)
            }
            Entries::Many(entries) => entries.get_mut(key),
        }
    }

    /// Sets the value of a key; returns the one before.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        if let Some(known) = self.get_mut(&key) {
            return Some(std::mem::replace(known, value));
        }
        match &mut self.0 {
            Entries::Few(entries) if entries.len() < MAX_FEW => {
                if entries.is_empty() {
                    entries.reserve_exact(1);
                }
                entries.push((key, value));
            }
            Entries::Few(entries) => {
                let many = std::mem::take(entries).into_iter().chain([(key, value)]).collect();
                self.0 = Entries::Many(Box::new(many));
            }
            Entries::Many(entries) => {
                entries.insert(key, value);
            }
        }
        None
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let removed = match &mut self.0 {
            Entries::Few(entries) => {
                let index = entries.iter().position(|(known, _)| known == key)?;
                entries.swap_remove(index).1
            }
            Entries::Many(entries) => entries.remove(key)?,
        };
        if self.is_empty() {
            *self = SmallMap::default();
        }
        Some(removed)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let (few, many) = match &self.0 {
            Entries::Few(entries) => (entries.as_slice(), None),
            Entries::Many(entries) => ([].as_slice(), Some(entries)),
        };
        few.iter().map(|(key, value)| (key, value)).chain(many.into_iter().flat_map(|many| many.iter()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_a_map(steps in proptest::collection::vec((0..40_u16, any::<Option<u32>>()), 0..300)) {
            let (mut map, mut expected) = (SmallMap::default(), std::collections::HashMap::new());
            for (key, value) in steps {
                match value {
                    Some(value) => prop_assert_eq!(map.insert(key, value), expected.insert(key, value)),
                    None => prop_assert_eq!(map.remove(&key), expected.remove(&key)),
                }
                prop_assert_eq!(map.get(&key), expected.get(&key));
                prop_assert_eq!(map.get_mut(&key), expected.get_mut(&key));
                prop_assert_eq!((map.len(), map.is_empty()), (expected.len(), expected.is_empty()));
            }
            let entries: std::collections::HashMap<_, _> = map.iter().map(|(key, value)| (*key, *value)).collect();
            prop_assert_eq!(entries, expected);
        }
    }

    #[test]
    fn an_empty_map_has_no_allocation() {
        let mut map = SmallMap::default();
        for key in 0..100_u16 {
            map.insert(key, key);
        }
        for key in 0..100_u16 {
            map.remove(&key);
        }
        assert!(matches!(map.0, Entries::Few(ref entries) if entries.capacity() == 0));
    }
}
