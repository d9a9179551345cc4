//! Events from a table. What stands before the first NUL is the mapping.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_codec::Mapping;

fuzz_target!(|data: &[u8]| {
    let at = data.iter().position(|byte| *byte == 0).unwrap_or(0);
    let (mapping, table) = data.split_at(at);
    let Ok(mapping) = Mapping::parse(&String::from_utf8_lossy(mapping)) else { return };
    if let Ok(rows) = mapping.rows(table.get(1..).unwrap_or_default()) {
        rows.for_each(drop);
    }
});
