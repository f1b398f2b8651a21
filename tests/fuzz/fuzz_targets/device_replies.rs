//! What a kernel or a daemon may answer about its device.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tests::fuzzing::device_replies::check(input));
