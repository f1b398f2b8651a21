//! Texts in the syntax of wg(8), and what is decided about them.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tests::fuzzing::wgconf::check(input));
