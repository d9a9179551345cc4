//! No event reader panics, whatever it is given: the examples of `docs/events.md` with pieces taken out, put in,
//! doubled and altered.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::{fs, path::Path, sync::LazyLock};

use proptest::{prelude::*, sample::Index};
use sluice_codec::{Mapping, NdjsonEvents, Zone, decode_iso20022, decode_json, decode_mt, encode_json};

/// The fenced examples of the guide.
static EXAMPLES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/events.md");
    let guide = fs::read_to_string(guide).unwrap();
    let fenced = guide.split("```").skip(1).step_by(2).filter_map(|block| block.split_once('\n'));
    fenced.map(|(_, text)| text.as_bytes().to_vec()).collect()
});

/// One alteration: where, how much, and what stands there afterwards.
type Edit = (Index, u8, Vec<u8>);

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let telling = prop::sample::select(vec![
        &b"<"[..],
        b">",
        b"&",
        b"&x;",
        b"<!DOCTYPE a [",
        b"]]>",
        b"\"",
        b"{",
        b"}",
        b"[",
        b",",
        b"\n",
        b"\0",
        b"\xff",
        b"\xed\xa0\x80",
        b"-",
        b"1e999",
        b"99999999999999999999",
        b"null",
        b"\\u0000",
        b"\\ud800",
        b";",
        b"=",
        b"\n:20:",
        b"\n-}",
        b"{4:",
        b",",
    ]);
    let put = prop_oneof![telling.prop_map(<[u8]>::to_vec), prop::collection::vec(any::<u8>(), 0..6)];
    prop::collection::vec((any::<Index>(), 0..40u8, put), 1..8)
}

fn altered(example: &[u8], edits: &[Edit]) -> Vec<u8> {
    let mut bytes = example.to_vec();
    for (at, gone, put) in edits {
        let from = at.index(bytes.len() + 1);
        let to = (from + usize::from(*gone)).min(bytes.len());
        // Every third edit doubles what stands there.
        let kept = if gone % 3 == 0 { bytes[from..to].to_vec() } else { Vec::new() };
        bytes.splice(from..to, kept.iter().chain(put).chain(&kept).copied());
    }
    bytes
}

fn read(bytes: &[u8]) {
    if let Ok(event) = decode_json(bytes) {
        let mut written = Vec::new();
        encode_json(&event, &mut written).expect("what was read can be written");
        assert_eq!(decode_json(&written).expect("and read again"), event);
    }
    NdjsonEvents::new(bytes).for_each(drop);
    drop(decode_iso20022(bytes, &Zone::default()));
    drop(decode_mt(bytes, &Zone::default()));
    let text = String::from_utf8_lossy(bytes);
    if let Ok(mapping) = Mapping::parse(&text) {
        for table in EXAMPLES.iter() {
            mapping.rows(&table[..]).into_iter().flatten().for_each(drop);
        }
    }
    for mapping in
        EXAMPLES.iter().filter_map(|example| Mapping::parse(std::str::from_utf8(example).ok()?).ok())
    {
        mapping.rows(bytes).into_iter().flatten().for_each(drop);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn altered_examples_are_read_or_refused(which in any::<Index>(), edits in edits()) {
        let example: &Vec<u8> = which.get(EXAMPLES.as_slice());
        read(&altered(example, &edits));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        read(&bytes);
    }
}
