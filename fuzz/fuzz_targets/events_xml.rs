//! ISO 20022 messages: read or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_codec::{Zone, decode_iso20022};

fuzz_target!(|data: &[u8]| {
    drop(decode_iso20022(data, &Zone::default()));
});
