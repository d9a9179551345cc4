//! SWIFT MT messages: read or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_codec::{Zone, decode_mt};

fuzz_target!(|data: &[u8]| {
    drop(decode_mt(data, &Zone::default()));
});
