#![no_main]

#[path = "../drive.rs"]
#[expect(dead_code, reason = "each target calls one function of the file they share")]
mod drive;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| drive::link(bytes));
