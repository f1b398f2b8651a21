//! Journals: any bytes, and honest ones that were damaged.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tests::fuzzing::journal::check(input));
