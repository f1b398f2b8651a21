//! The JSON bodies of requests, and what is decided about them.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tests::fuzzing::bodies::check(input));
