//! The published schema and the decoder know the same fields, and agree on what is an event.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Value, json};
use sluice_codec::decode_json;
use sluice_model::{Card, Device, Merchant, Money, Party, PaymentEvent, Proxy};

fn schema() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schemas/payment-event.schema.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn names(properties: &Value) -> BTreeSet<&str> {
    properties.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn the_schema_has_the_fields_that_are_read_and_describes_each() {
    let schema = schema();
    let defs = &schema["$defs"];
    for (properties, fields) in [
        (&schema["properties"], PaymentEvent::FIELDS),
        (&defs["party"]["properties"], Party::FIELDS),
        (&defs["money"]["properties"], Money::FIELDS),
        (&defs["proxy"]["properties"], Proxy::FIELDS),
        (&defs["device"]["properties"], Device::FIELDS),
        (&defs["card"]["properties"], Card::FIELDS),
        (&defs["merchant"]["properties"], Merchant::FIELDS),
    ] {
        assert_eq!(names(properties), fields.iter().copied().collect());
        for (name, property) in properties.as_object().unwrap() {
            assert!(property["description"].as_str().is_some_and(|text| text.len() > 5), "{name}");
        }
    }
    let related = names(&defs["related_party"]["properties"]);
    assert_eq!(related, Party::FIELDS.iter().copied().chain(["role"]).collect());
}

fn full() -> Value {
    let party = json!({
        "customer_id": "C-1", "name": "CHAN Tai Man", "name_local": "陳大文", "kind": "person", "account": "012345",
        "country": "HK", "birth_date": "1980-01-31", "gender": "male", "id_number": "A123456(3)",
        "other_ids": ["5493001KJTIIGC8Y1R12", "TESTHKH0"],
        "address": "1 Example Road, Hong Kong", "agent_bic": "TESTHKH0", "agent_lei": "5493001KJTIIGC8Y1R12", "agent_name": "Test Bank",
        "agent_member_id": "998", "agent_country": "HK", "balance_after": {"value": "120.00", "currency": "HKD"},
        "proxy": {"type": "mobile", "id": "85291234567"}, "verified": ["birth_date", "country"]
    });
    let mut related = party.clone();
    related["role"] = "ubo".into();
    json!({
        "event_id": "E-1", "payment_id": "P-1", "original_payment_id": "P-0", "type": "refund", "status": "captured",
        "occurred_at": "2026-11-20T08:30:00.123Z", "method": "fps", "channel": "mobile", "direction": "outbound",
        "amount": {"value": "7800.00", "currency": "HKD"}, "debtor": party, "creditor": party,
        "intermediaries": [party], "related_parties": [related], "purpose": "GDDS", "remittance": "INV 1",
        "uetr": "8a562c67-ca16-48ba-b074-65581be6f011", "end_to_end_id": "E2E",
        "device": {"id": "D", "ip": "203.0.113.7", "country": "HK"},
        "card": {"token": "T", "bin": "400000", "country": "HK", "network": "visa"},
        "merchant": {"id": "M", "mcc": "5411", "domain": "shop.example"},
        "attributes": {"risk": {"score": 3}},
        "as_given": {"debtor.account": "012-345"}
    })
}

#[test]
fn an_event_with_every_field_is_valid_and_is_written_as_it_was_read() {
    let event = full();
    let top = names(&event);
    assert_eq!(top, PaymentEvent::FIELDS.iter().copied().collect(), "the sample leaves nothing out");
    let read = decode_json(event.to_string().as_bytes()).unwrap();
    let written = serde_json::to_value(&read).unwrap();
    assert_eq!(written, event);
    let validator = jsonschema::validator_for(&schema()).unwrap();
    assert!(
        validator.is_valid(&event),
        "{:?}",
        validator.iter_errors(&event).map(|e| e.to_string()).collect::<Vec<_>>()
    );
}

#[test]
fn schema_and_decoder_agree_on_what_is_an_event() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let with = |path: &str, value: Value| {
        let mut event = full();
        *event.pointer_mut(path).unwrap() = value;
        event
    };
    for (event, is_one) in [
        (with("/event_id", json!(7)), false),
        (with("/event_id", json!("")), false),
        (with("/event_id", json!("x".repeat(257))), false),
        (with("/method", json!(null)), true),
        (with("/method", json!("")), true),
        (with("/method", json!(["fps"])), false),
        (with("/type", json!("transfer")), false),
        (with("/status", json!("COMPLETED")), false),
        (with("/status", json!(null)), true),
        (with("/direction", json!("sideways")), false),
        (with("/amount/value", json!(7800)), false),
        (with("/amount/value", json!("-1")), false),
        (with("/amount/value", json!("1e3")), false),
        (with("/amount/value", json!("7800")), true),
        (with("/amount/currency", json!("hkd")), false),
        (with("/amount", json!(null)), true),
        (with("/amount", json!("7800.00 HKD")), false),
        (with("/debtor/country", json!("HKG")), false),
        (with("/debtor/country", json!("hk")), true),
        (with("/debtor/birth_date", json!("31.01.1980")), false),
        (with("/debtor/birth_date", json!("1980")), true),
        (with("/debtor/kind", json!("robot")), false),
        (with("/debtor/proxy", json!({"type": "mobile"})), false),
        (with("/related_parties/0/role", json!(null)), false),
        (with("/intermediaries", json!({})), false),
        (with("/intermediaries", json!(vec![json!({"name": "B"}); 65])), false),
        (with("/device", json!({"unknown": {"kept": true}})), true),
        (with("/attributes", json!([])), false),
        (with("/creditor/name", json!("x".repeat(16_385))), false),
        (with("/creditor/verified", json!(null)), true),
        (with("/creditor/other_ids", json!(null)), true),
        (with("/creditor/other_ids", json!(["X1", ""])), false),
        (with("/creditor/other_ids", json!(["X1", 7])), false),
        (with("/creditor/other_ids", json!("X1")), false),
        (with("/creditor/verified", json!("birth_date")), false),
        (with("/creditor/verified", json!(["birthday"])), false),
    ] {
        assert_eq!(validator.is_valid(&event), is_one, "the schema: {event}");
        assert_eq!(decode_json(event.to_string().as_bytes()).is_ok(), is_one, "the decoder: {event}");
    }
}
