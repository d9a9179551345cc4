//! Evidence bundles: one encoding, so that what opens is what was written, byte for byte.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_evidence::Bundle;

fuzz_target!(|data: &[u8]| {
    drop(Bundle::open(data, None));
});
