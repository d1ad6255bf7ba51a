//! See `mqkit::fuzzing`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mqkit::fuzzing::access_rules(bytes));
