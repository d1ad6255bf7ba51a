//! Containers for the state of many connections, each of a few hundred bytes: values lie side by side, without the header of an
//! allocation and without the empty places of a hash table.

use foldhash::HashMap;

/// Values by a small number that is used again after they are removed.
#[derive(Debug)]
pub(crate) struct Slots<T> {
    slots: Vec<Slot<T>>,
    /// The first free slot, or [`NONE`].
    first_free: u32,
}

#[derive(Debug)]
enum Slot<T> {
    Used(T),
    /// The next free slot, or [`NONE`].
    Free(u32),
}

const NONE: u32 = u32::MAX;

/// Values by the number of their connection.
#[derive(Debug)]
pub(crate) struct ConnectionTable<T> {
    slots: Slots<T>,
    by_number: HashMap<u32, u32>,
}

impl<T> Default for Slots<T> {
    fn default() -> Slots<T> {
        Slots { slots: Vec::new(), first_free: NONE }
    }
}

impl<T> Slot<T> {
    fn value(&self) -> Option<&T> {
        match self {
            Slot::Used(value) => Some(value),
            Slot::Free(_) => None,
        }
    }

    fn into_value(self) -> Option<T> {
        match self {
            Slot::Used(value) => Some(value),
            Slot::Free(_) => None,
        }
    }
}

impl<T> Slots<T> {
    /// Adds a value, and returns its slot.
    pub(crate) fn insert(&mut self, value: T) -> u32 {
        let number = self.first_free;
        match self.slots.get_mut(number as usize) {
            Some(slot) => {
                if let Slot::Free(next) = *slot {
                    self.first_free = next;
                }
                *slot = Slot::Used(value);
                number
            }
            None => {
                self.slots.push(Slot::Used(value));
                self.slots.len() as u32 - 1
            }
        }
    }

    pub(crate) fn get(&self, slot: u32) -> Option<&T> {
        self.slots.get(slot as usize)?.value()
    }

    pub(crate) fn get_mut(&mut self, slot: u32) -> Option<&mut T> {
        match self.slots.get_mut(slot as usize)? {
            Slot::Used(value) => Some(value),
            Slot::Free(_) => None,
        }
    }

    pub(crate) fn remove(&mut self, slot: u32) -> Option<T> {
        let place = self.slots.get_mut(slot as usize)?;
        place.value()?;
        let removed = std::mem::replace(place, Slot::Free(self.first_free));
        self.first_free = slot;
        removed.into_value()
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().filter_map(Slot::value)
    }

    /// The values in the order of a key, without a copy of them.
    pub(crate) fn into_sorted<K: Ord>(self, key: impl Fn(&T) -> K) -> impl Iterator<Item = T> {
        let mut slots = self.slots;
        slots.sort_unstable_by_key(|slot| slot.value().map(&key));
        slots.into_iter().filter_map(Slot::into_value)
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
    fn a_slot_is_not_larger_than_its_value() {
        assert_eq!(size_of::<Slot<(u64, u32, bool)>>(), size_of::<(u64, u32, bool)>());
    }

    #[test]
    fn slots_are_used_again() {
        let mut table = ConnectionTable::default();
        for number in 0..1000_u32 {
            table.insert(number, number);
            if let Some(old) = number.checked_sub(3) {
                assert_eq!(table.remove(old), Some(old));
            }
        }
        assert_eq!((table.len(), table.slots.slots.len()), (3, 4));
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
