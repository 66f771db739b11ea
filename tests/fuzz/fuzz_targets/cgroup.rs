#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dd_traced::foreign::run("cgroup", bytes));
