//! See `mqkit::fuzzing`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mqkit::fuzzing::predefined_topics(bytes));
