//! See `mqkit::inspect::fuzzing`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mqkit::inspect::fuzzing::datagrams_v2(bytes));
