//! The inspector: what is on the wire, from bytes to words.

pub mod capture;
