//! Cells of a table: an amount, a time and a birth date, under every way to write them that the guide names.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_codec::{Mapping, decode_json, encode_json};

const AMOUNTS: [&str; 6] = [
    "",
    ", decimal = \",\", group = \".\", absolute = true",
    ", group = \",\", grouping = \"indian\"",
    ", group = \"'\", symbols = [\"CHF\", \"Fr.\"]",
    ", decimal = \",\", group = \" \"",
    ", shift = 2",
];
const TIMES: [&str; 4] = [
    "",
    ", format = \"%d/%m/%Y %H:%M\"",
    ", format = \"%m/%d/%y %I:%M %p\", zone = \"America/New_York\"",
    ", since = \"1899-12-30\", unit = \"1d\"",
];
const ENCODINGS: [&str; 4] = ["utf-8", "windows-1252", "big5", "gb18030"];

fuzz_target!(|data: &[u8]| {
    let Some((choice, table)) = data.split_first() else { return };
    let of = |ways: &[&'static str], divisor: usize| ways[usize::from(*choice) / divisor % ways.len()];
    let mapping = format!(
        "encoding = \"{}\"\nzone = \"Asia/Hong_Kong\"\n[fields]\nevent_id = {{ line = true }}\n\
         occurred_at = {{ column = \"t\"{} }}\n\"amount.value\" = {{ column = \"a\"{} }}\n\
         \"amount.currency\" = {{ constant = \"HKD\" }}\n\
         \"debtor.birth_date\" = {{ column = \"b\", format = \"%d/%m/%y\", years_from = 1927 }}\n\
         [sides]\nnegative = \"outbound\"",
        of(&ENCODINGS, 24),
        of(&TIMES, 6),
        of(&AMOUNTS, 1),
    );
    let mapping = Mapping::parse(&mapping).expect("the mapping is sound");
    let table = [b"t;a;b\n", table].concat();
    let Ok(rows) = mapping.rows(&table[..]) else { return };
    for event in rows.flatten().flatten() {
        let mut written = Vec::new();
        encode_json(&event, &mut written).expect("what was read can be written");
        assert_eq!(decode_json(&written).expect("and read again"), event);
    }
});
