//! See `mqkit::inspect::capture::fuzzing`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mqkit::inspect::capture::fuzzing::tls(bytes));
