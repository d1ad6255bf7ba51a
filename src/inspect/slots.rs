//! Containers for the state of many connections, each of a few hundred bytes: values lie side by side, without the header of an
//! allocation and without the empty places of a hash table.

use foldhash::HashMap;

/// Values by a small number that is used again after they are removed.
#[derive(Debug)]
pub(crate) struct Slots<T> {
    values: Vec<Option<T>>,
    free: Vec<u32>,
}

/// Values by the number of their connection.
#[derive(Debug)]
pub(crate) struct ConnectionTable<T> {
    slots: Slots<T>,
    by_number: HashMap<u32, u32>,
}

impl<T> Default for Slots<T> {
    fn default() -> Slots<T> {
        Slots { values: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slots<T> {
    /// Adds a value, and returns its slot.
    pub(crate) fn insert(&mut self, value: T) -> u32 {
        let free = self.free.pop();
        match free.and_then(|slot| self.values.get_mut(slot as usize)) {
            Some(place) => *place = Some(value),
            None => self.values.push(Some(value)),
        }
        free.unwrap_or(self.values.len() as u32 - 1)
    }

    pub(crate) fn get(&self, slot: u32) -> Option<&T> {
        self.values.get(slot as usize)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, slot: u32) -> Option<&mut T> {
        self.values.get_mut(slot as usize)?.as_mut()
    }

    pub(crate) fn remove(&mut self, slot: u32) -> Option<T> {
        let value = self.values.get_mut(slot as usize)?.take()?;
        self.free.push(slot);
        Some(value)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &T> {
        self.values.iter().flatten()
    }

    /// The values in the order of a key, without a copy of them.
    pub(crate) fn into_sorted<K: Ord>(self, key: impl Fn(&T) -> K) -> impl Iterator<Item = T> {
        let mut values = self.values;
        values.sort_unstable_by_key(|value| value.as_ref().map(&key));
        values.into_iter().flatten()
    }
}

impl<T> Default for ConnectionTable<T> {
    fn default() -> ConnectionTable<T> {
        ConnectionTable { slots: Slots::default(), by_number: HashMap::default() }
    }
}

impl<T> ConnectionTable<T> {
    /// Adds a connection; one with the same number is replaced.
    pub(crate) fn insert(&mut self, number: u32, value: T) {
        self.remove(number);
        self.by_number.insert(number, self.slots.insert(value));
    }

    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        self.slots.get(*self.by_number.get(&number)?)
    }

    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        self.slots.get_mut(*self.by_number.get(&number)?)
    }

    pub(crate) fn contains(&self, number: u32) -> bool {
        self.by_number.contains_key(&number)
    }

    pub(crate) fn remove(&mut self, number: u32) -> Option<T> {
        self.slots.remove(self.by_number.remove(&number)?)
    }

    pub(crate) fn len(&self) -> usize {
        self.by_number.len()
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &T> {
        self.slots.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_used_again() {
        let mut table = ConnectionTable::default();
        for number in 0..1000_u32 {
            table.insert(number, number);
            if let Some(old) = number.checked_sub(3) {
                assert_eq!(table.remove(old), Some(old));
            }
        }
        assert_eq!((table.len(), table.slots.values.len()), (3, 4));
        assert_eq!(table.get_mut(999), Some(&mut 999));
        assert_eq!((table.get(3), table.contains(3)), (None, false));
        table.insert(999, 7);
        let mut values: Vec<_> = table.values().copied().collect();
        values.sort_unstable();
        assert_eq!(values, [7, 997, 998]);
        assert_eq!(
            table.slots.into_sorted(|value| std::cmp::Reverse(*value)).collect::<Vec<_>>(),
            [998, 997, 7]
        );
    }
}
