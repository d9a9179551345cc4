//! Callbacks of ecommpay: what is signed, what is not, and what they become.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};
use sha2::Sha512;
use sluice_codec::{
    ecommpay::{read, verify},
    webhook::{Secrets, Unverified},
};
use sluice_model::PaymentEvent;

const SECRET: &str = "a secret of the test";

fn secrets(secrets: &[&str]) -> Secrets {
    Secrets::new(secrets.iter().map(|secret| (*secret).to_owned().into()).collect()).unwrap()
}

/// What is signed, for callbacks whose names sort alike in every order.
fn lines(path: &str, value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            let inner = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}:{name}") };
            fields.iter().for_each(|(name, value)| lines(&inner(name), value, into));
        }
        Value::String(text) => into.push(format!("{path}:{text}")),
        other => into.push(format!("{path}:{other}")),
    }
}

/// The body of a callback, signed.
fn signed(callback: &Value) -> Vec<u8> {
    let mut stamp = Vec::new();
    lines("", callback, &mut stamp);
    stamp.sort();
    let mut mac = Hmac::<Sha512>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(stamp.join(";").as_bytes());
    let mut callback = callback.clone();
    callback["signature"] = BASE64_STANDARD.encode(mac.finalize().into_bytes()).into();
    serde_json::to_vec_pretty(&callback).unwrap()
}

fn sale() -> Value {
    json!({
        "project_id": 42,
        "payment": {
            "id": "order:7", "type": "purchase", "status": "success", "date": "2026-11-20T08:30:05+0000",
            "method": "card", "sum": {"amount": 1234567, "currency": "HKD"}, "description": "INV 7"
        },
        "account": {"number": "424242******4242", "token": "tok-1", "type": "visa", "card_holder": "CHAN TAI MAN"},
        "customer": {"id": "C-9", "ip_address": "203.0.113.7", "country": "HK"},
        "operation": {
            "id": 5205000010711u64, "type": "sale", "status": "success", "date": "2026-11-20T08:30:05+0000",
            "sum_initial": {"amount": 1234567, "currency": "HKD"}, "code": "0", "message": "Success"
        }
    })
}

fn event(callback: &Value) -> PaymentEvent {
    read(callback.to_string().as_bytes()).unwrap().expect("an event")
}

fn refused(callback: &Value) -> String {
    read(callback.to_string().as_bytes()).unwrap_err().to_string()
}

#[test]
fn a_signed_callback_is_believed_under_each_of_its_secrets_and_no_other() {
    let body = signed(&sale());
    assert_eq!(verify(&body, &secrets(&[SECRET])), Ok(()));
    assert_eq!(verify(&body, &secrets(&["the next one", SECRET])), Ok(()));
    assert_eq!(verify(&body, &secrets(&["another"])), Err(Unverified::Mismatch));
    let unsigned = sale().to_string();
    assert_eq!(
        verify(unsigned.as_bytes(), &secrets(&[SECRET])),
        Err(Unverified::Missing("signature".into()))
    );
    for odd in [json!("?"), json!(1), json!(""), json!(null)] {
        let mut callback = sale();
        callback["signature"] = odd;
        assert!(verify(callback.to_string().as_bytes(), &secrets(&[SECRET])).is_err());
    }
}

proptest! {
    #[test]
    fn a_wrong_byte_in_a_signed_callback_is_never_believed(at in any::<Index>(), byte in any::<u8>()) {
        let body = signed(&sale());
        let mut altered = body.clone();
        let at = at.index(body.len());
        altered[at] = byte;
        // Whatever came of it, it is read or refused.
        let _ = read(&altered);
        // Blanks between the values are no part of what is said.
        let same = serde_json::from_slice::<Value>(&altered).ok() == serde_json::from_slice(&body).ok();
        prop_assert_eq!(verify(&altered, &secrets(&[SECRET])).is_ok(), same, "byte {}", at);
    }
}

#[test]
fn a_sale_becomes_a_payment_of_the_customer_by_card_to_the_merchant() {
    let shown = json!({
        "event_id": "ecommpay:42:order:7:5205000010711:success:success",
        "payment_id": "ecommpay:42:order:7",
        "type": "payment", "status": "completed", "occurred_at": "2026-11-20T08:30:05Z", "method": "card",
        "amount": {"value": "12345.67", "currency": "HKD"},
        "debtor": {"customer_id": "C-9", "name": "CHAN TAI MAN", "country": "HK"},
        "remittance": "INV 7",
        "device": {"ip": "203.0.113.7"},
        "card": {"token": "tok-1", "bin": "424242"},
        "merchant": {"id": "42"},
        "attributes": {
            "payment_type": "purchase", "payment_status": "success", "operation_id": "5205000010711",
            "operation_type": "sale", "operation_status": "success", "operation_code": "0"
        }
    });
    assert_eq!(serde_json::to_value(event(&sale())).unwrap(), shown);
}

#[test]
fn a_callback_sent_again_is_a_duplicate_and_a_later_one_another_event_of_its_payment() {
    let first = event(&sale());
    let again = signed(&sale());
    let again = read(&again).unwrap().unwrap();
    assert_eq!((&again.event_id, again.content_hash()), (&first.event_id, first.content_hash()));
    for (pointer, word) in [("/payment/status", "partially refunded"), ("/operation/status", "processing")] {
        let mut later = sale();
        *later.pointer_mut(pointer).unwrap() = word.into();
        let later = event(&later);
        assert_eq!(later.payment_id(), first.payment_id());
        assert_ne!(later.event_id, first.event_id);
    }
}

#[test]
fn a_refund_is_a_movement_of_its_own_to_the_customer() {
    for (operation, event_type) in
        [("refund", "refund"), ("reversal", "refund"), ("chargeback", "chargeback")]
    {
        let mut callback = sale();
        callback["payment"]["status"] = "partially refunded".into();
        callback["operation"]["id"] = 9.into();
        callback["operation"]["type"] = operation.into();
        callback["operation"]["sum_initial"]["amount"] = 500.into();
        let event = event(&callback);
        assert_eq!((event.event_type.name(), event.status.name()), (event_type, "completed"));
        assert_eq!(event.amount.unwrap().to_string(), "HKD 5.00");
        assert_eq!(event.payment_id(), "ecommpay:42:order:7:9");
        assert_eq!(event.original_payment_id.as_deref(), Some("ecommpay:42:order:7"));
        assert_eq!(event.creditor.unwrap().customer_id.as_deref(), Some("C-9"));
        assert_eq!(event.debtor, None);
        callback["operation"]["status"] = "decline".into();
        assert_eq!(read(callback.to_string().as_bytes()).unwrap().unwrap().status.name(), "declined");
    }
}

#[test]
fn statuses_are_those_of_the_payment() {
    for (word, name) in [
        ("awaiting capture", "authorized"),
        ("partially captured", "captured"),
        ("awaiting 3ds result", "processing"),
        ("canceled", "cancelled"),
        ("cancelled", "cancelled"),
        ("error", "failed"),
        ("partially reversed", "refunded"),
        ("expired", "expired"),
    ] {
        let mut callback = sale();
        callback["payment"]["status"] = word.into();
        assert_eq!(event(&callback).status.name(), name, "{word}");
    }
}

#[test]
fn what_tells_of_nothing_that_happened_is_passed_over() {
    let waiting = json!({
        "project_id": 1, "payment": {"id": "2", "status": "awaiting customer", "sum": {"amount": 1, "currency": "HKD"}},
        "display_data": [{"type": "qr_data", "data": "123"}]
    });
    let stored = json!({"customer": {"id": "1"}, "token": "t", "token_status": "active"});
    let mut fee = sale();
    fee["operation"]["type"] = "commission".into();
    for callback in [waiting, stored, fee] {
        assert_eq!(read(callback.to_string().as_bytes()), Ok(None));
    }
}

#[test]
fn a_card_is_never_kept_whole() {
    let mut callback = sale();
    callback["account"] = json!({"number": "4242 4242 4242 4242"});
    let event = event(&callback);
    let card = event.card.as_ref().unwrap();
    assert_eq!((card.token.as_deref(), card.bin.as_deref()), (Some("424242******4242"), Some("424242")));
    let kept = serde_json::to_string(&event).unwrap();
    assert!(!kept.replace(' ', "").contains("4242424242"), "{kept}");
    callback["account"] = json!({"token": "4242424242424242"});
    let kept = serde_json::to_string(&read(callback.to_string().as_bytes()).unwrap().unwrap()).unwrap();
    assert!(!kept.contains("4242424242"), "{kept}");
    callback["payment"]["method"] = "hk-qr".into();
    callback["account"] = json!({"number": "HK-WALLET-1"});
    let event = read(callback.to_string().as_bytes()).unwrap().unwrap();
    assert_eq!((event.card, event.debtor.unwrap().account.as_deref()), (None, Some("HK-WALLET-1")));
}

#[test]
fn refusals_name_the_field_and_not_what_stood_there() {
    for (pointer, value, reason) in [
        ("/payment/id", json!(" "), "payment.id is missing"),
        ("/payment/status", json!("gone"), "payment.status: is none that Sluice knows of ecommpay"),
        ("/operation/type", json!("gone"), "operation.type: is none that Sluice knows of ecommpay"),
        ("/payment/sum/amount", json!(1.5), "payment.sum.amount: must be a whole number of minor units"),
        ("/payment/sum/amount", json!(-1), "payment.sum.amount: must be a whole number of minor units"),
        (
            "/payment/sum/amount",
            json!("99999999999999999999"),
            "payment.sum.amount: must be a whole number of minor units",
        ),
        (
            "/payment/sum/currency",
            json!("XXX"),
            "payment.sum.currency: must be a currency code of ISO 4217, such as HKD",
        ),
        ("/operation/date", json!("soon"), "a date of the callback is not such as 2026-11-20T08:30:00+0000"),
        ("/payment", json!({"status": "success"}), "payment.date is missing"),
    ] {
        let mut callback = sale();
        *callback.pointer_mut(pointer).unwrap() = value;
        if pointer == "/payment" {
            callback.as_object_mut().unwrap().remove("operation");
        }
        assert_eq!(refused(&callback), reason);
    }
    assert_eq!(refused(&json!({"id": 1})), "the callback tells of no payment");
}
