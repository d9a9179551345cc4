//! EMV QR payloads, as they came and with the checksum that belongs to them: what is read has a right checksum, of what is
//! damaged nothing is taken, and what was read is the same when it is written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_codec::{decode_json, encode_json};
use sluice_model::{EventTime, PaymentEvent};

fuzz_target!(|payload: &str| {
    read(payload);
    let covered = format!("000201{payload}6304");
    read(&format!("{covered}{:04X}", checksum(covered.as_bytes())));
});

fn read(payload: &str) {
    let mut sent = PaymentEvent::new("E".to_owned(), EventTime::from_micros(1_785_550_530_000_000));
    sent.attributes.insert("qr_payload".to_owned(), payload.into());
    // Longer than any text may be.
    let Ok(read) = decode_json(&written(&sent)) else { return };
    assert_eq!(decode_json(&written(&read)).as_ref(), Ok(&read));
    if read.attributes.contains_key("qr_error") {
        let mut kept = read.clone();
        kept.attributes.remove("qr_error");
        assert_eq!(kept, sent, "something is taken of a damaged payload");
        return;
    }
    let payload = payload.trim();
    let (covered, said) = payload.split_at(payload.len() - 4);
    let expected = format!("{:04X}", checksum(covered.as_bytes()));
    assert!(said.eq_ignore_ascii_case(&expected), "a payload with a wrong checksum is read");
}

fn written(event: &PaymentEvent) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_json(event, &mut bytes).expect("an event is written");
    bytes
}

/// CRC-16/CCITT-FALSE, bit by bit.
fn checksum(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xffff, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
        })
    })
}
