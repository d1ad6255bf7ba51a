//! The values of fields that more than one file compares with.

/// The QoS bits of QoS -1: a message without a connection.
pub(in crate::inspect) const MINUS_ONE: u32 = 3;

/// The topic types of version 2.0. Predefined topics have the same number in version 1.2.
pub(super) const SESSION: u32 = 0;
pub(super) const PREDEFINED: u32 = 1;
