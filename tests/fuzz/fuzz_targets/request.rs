//! Request lines and signed headers, as anybody may send them.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tests::fuzzing::request::check(input));
