//! Canonical events and their batches: read or refused, and what is read is written and read again the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_codec::{NdjsonEvents, decode_json, encode_json};

fuzz_target!(|data: &[u8]| {
    if let Ok(event) = decode_json(data) {
        let mut written = Vec::new();
        encode_json(&event, &mut written).expect("what was read can be written");
        assert_eq!(decode_json(&written).expect("and read again"), event);
    }
    NdjsonEvents::new(data).for_each(drop);
});
