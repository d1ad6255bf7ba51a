//! State that most sessions never need: allocated at its first use, so that a session which only stays connected is small.

/// A value that is at its default until the first use.
#[derive(Debug)]
pub(super) struct Rare<T>(Option<Box<T>>);

impl<T> Default for Rare<T> {
    fn default() -> Rare<T> {
        Rare(None)
    }
}

impl<T: Default> Rare<T> {
    /// The value, if it was used.
    pub(super) fn get(&self) -> Option<&T> {
        self.0.as_deref()
    }

    /// The value to change, if it was used.
    pub(super) fn get_mut(&mut self) -> Option<&mut T> {
        self.0.as_deref_mut()
    }

    /// The value to change.
    pub(super) fn used(&mut self) -> &mut T {
        self.0.get_or_insert_default()
    }
}
