//! Webhooks through a file: the guide's example, and what is believed and what is not.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::{fs, path::Path};

use hmac::{Hmac, KeyInit, Mac};
use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};
use sha2::Sha256;
use sluice_codec::webhook::{SecretSource, Secrets, Unverified, Webhook, WebhookFile};
use sluice_model::{EventTime, Span};

fn guide() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/webhooks.md")).unwrap()
}

/// The guide's block of a kind, of which there is one.
fn block<'a>(guide: &'a str, kind: &str) -> &'a str {
    let fence = format!("```{kind}\n");
    assert_eq!(guide.matches(&fence).count(), 1, "{kind}");
    guide.split(&fence).nth(1).unwrap().split("```").next().unwrap().trim_end()
}

fn secrets(secrets: &[&str]) -> Secrets {
    Secrets::new(secrets.iter().map(|secret| (*secret).to_owned().into()).collect()).unwrap()
}

/// Headers as a lookup, by name in any case.
fn lookup<'h>(headers: &'h [(&'h str, &'h str)]) -> impl Fn(&str) -> Option<&'h str> {
    move |name| headers.iter().find(|(held, _)| held.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
}

fn at(seconds: i64) -> EventTime {
    EventTime::from_micros(seconds * 1_000_000)
}

#[test]
fn the_example_of_the_guide_is_verified_and_becomes_the_event_shown() {
    let guide = guide();
    assert_eq!(guide.matches("```").count(), 2 * 5, "a block that nothing executes");
    let WebhookFile { webhook, secrets: named } = WebhookFile::parse(block(&guide, "toml webhook")).unwrap();
    assert_eq!(
        named,
        [SecretSource::Env("EXAMPLE_PSP_SECRET".into()), SecretSource::File("example-psp.next".into())]
    );
    let headers: Vec<(&str, &str)> =
        block(&guide, "http headers").lines().map(|line| line.split_once(": ").unwrap()).collect();
    let body = block(&guide, "json body").as_bytes();
    let verify = |now, secret| webhook.verify(lookup(&headers), body, at(now), &secrets(&["next", secret]));
    assert_eq!(verify(1_795_163_402, "secret of the example"), Ok(()));
    assert_eq!(verify(1_795_163_402, "another"), Err(Unverified::Mismatch));
    for (now, is_near) in [(-301, false), (-300, true), (300, true), (301, false)] {
        let verified = verify(1_795_163_402 + now, "secret of the example");
        assert_eq!(verified.is_ok(), is_near, "{now}");
        assert!(is_near || verified == Err(Unverified::OutsideWindow(Span::minutes(5))));
    }
    let shown: Value = serde_json::from_str(block(&guide, "json becomes")).unwrap();
    assert_eq!(serde_json::to_value(webhook.read(body).unwrap().unwrap()).unwrap(), shown);
    WebhookFile::parse(block(&guide, "toml ecommpay")).unwrap();
}

const FIELDS: &str = r#"
[fields]
event_id = "/id"
occurred_at = { constant = "2026-11-20T08:30:00Z" }
"amount.value" = "/amount"
"amount.currency" = { constant = "HKD" }
[[only]]
column = "/kind"
in = ["paid"]
"#;

fn webhook(signature: &str) -> Webhook {
    WebhookFile::parse(&format!("secrets = [{{ env = \"S\" }}]\n[signature]\n{signature}\n{FIELDS}"))
        .unwrap()
        .webhook
}

fn signature(message: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(b"s3cret").unwrap();
    mac.update(message);
    hex::encode(mac.finalize().into_bytes())
}

const PLAIN: &str = "header = \"X-Sig\"\nalgorithm = \"hmac-sha256\"\nencoding = \"hex\"";
const PARTS: &str = "header = \"Psp-Signature\"\npart = \"v1\"\nalgorithm = \"hmac-sha256\"\nencoding = \"hex\"\n\
                     signs = \"{timestamp}.{body}\"\ntimestamp = { header = \"Psp-Signature\", part = \"t\", unit = \"1ms\" }";

proptest! {
    #[test]
    fn one_wrong_byte_is_never_believed(
        body in prop::collection::vec(any::<u8>(), 1..200),
        at_byte in any::<Index>(),
        other in 1..=255u8,
    ) {
        let webhook = webhook(PLAIN);
        let signature = signature(&body);
        let verify = |body: &[u8]| {
            webhook.verify(lookup(&[("x-sig", &signature)]), body, at(0), &secrets(&["s3cret"]))
        };
        prop_assert_eq!(verify(&body), Ok(()));
        let mut altered = body.clone();
        altered[at_byte.index(body.len())] ^= other;
        prop_assert_eq!(verify(&altered), Err(Unverified::Mismatch));
        prop_assert_eq!(verify(&body[1..]), Err(Unverified::Mismatch));
    }
}

#[test]
fn a_header_of_parts_holds_a_signature_for_each_secret() {
    let webhook = webhook(PARTS);
    let right = signature(b"1000.{}");
    let verify = |value: &str, now| {
        webhook.verify(lookup(&[("psp-signature", value)]), b"{}", at(now), &secrets(&["s3cret"]))
    };
    assert_eq!(verify(&format!("t=1000, v1={}, v1={right}, v0=x", "0".repeat(64)), 1), Ok(()));
    assert_eq!(verify(&format!("t=1000,v1={}", "0".repeat(64)), 1), Err(Unverified::Mismatch));
    // The time is what was signed, and stands there once.
    assert_eq!(verify(&format!("t=2000,v1={right}"), 1), Err(Unverified::Mismatch));
    assert_eq!(verify(&format!("t=1000,v1={right}"), 302), Err(Unverified::OutsideWindow(Span::minutes(5))));
    for (value, reason) in [
        (format!("t=1000,t=2000,v1={right}"), "Psp-Signature (t) is not one whole number"),
        (format!("t=soon,v1={right}"), "Psp-Signature (t) is not one whole number"),
        (format!("v1={right}"), "Psp-Signature (t) is missing, or given more than once"),
        ("t=1000".to_owned(), "Psp-Signature (v1) is missing, or given more than once"),
        ("t=1000,v1=?".to_owned(), "Psp-Signature (v1) is not a signature in hexadecimal digits"),
    ] {
        assert_eq!(verify(&value, 1).unwrap_err().to_string(), reason);
    }
}

#[test]
fn what_the_filters_leave_out_is_passed_over_and_what_cannot_be_read_refused() {
    let webhook = webhook(PLAIN);
    let read = |body: Value| webhook.read(body.to_string().as_bytes());
    assert_eq!(read(json!({"kind": "fee", "id": {"any": "thing"}})), Ok(None));
    let event = read(json!({"kind": "paid", "id": 7, "amount": "1.50"})).unwrap().unwrap();
    assert_eq!((event.event_id.as_str(), event.amount.unwrap().minor), ("7", 150));
    for (body, reason) in [
        (json!({"kind": "paid", "amount": "1"}), "event_id is missing"),
        (json!({"kind": "paid", "id": ["7"]}), "/id: is a list or an object; a mapping reads single values"),
        (
            json!({"kind": "paid", "id": "7", "amount": "1.505"}),
            "amount: more than 2 decimals, which HKD does not have",
        ),
    ] {
        assert_eq!(read(body).unwrap_err().to_string(), reason);
    }
}

#[test]
fn files_that_cannot_work_say_why() {
    let secret = "secrets = [{ env = \"S\" }]\n";
    let with = |signature: &str| format!("{secret}[signature]\n{signature}\n{FIELDS}");
    for (text, expected) in [
        (format!("[signature]\n{PLAIN}\n{FIELDS}"), "`secrets` names no secret"),
        (format!("secrets = []\n[signature]\n{PLAIN}\n{FIELDS}"), "`secrets` names no secret"),
        (
            format!("\nsecrets = [\"s3cret\"]\n[signature]\n{PLAIN}\n{FIELDS}"),
            "line 2: unknown variant, expected",
        ),
        (format!("{secret}{FIELDS}"), "give either `format` or [signature]"),
        (format!("{secret}format = \"ecommpay\"\n{FIELDS}"), "says nothing beside `format`"),
        (with("header = \"X\""), "missing field `algorithm`"),
        (with(&PLAIN.replace("sha256", "md5")), "unknown variant"),
        (with(&format!("{PLAIN}\nsigns = \"{{timestamp}}\"")), "has no {body}"),
        (with(&format!("{PLAIN}\nsigns = \"{{id}}.{{body}}\"")), "neither {body} nor {timestamp}"),
        (with(&format!("{PLAIN}\nsigns = \"{{timestamp}}{{body}}\"")), "counts only where it is signed"),
        (with(&format!("{PLAIN}\ntimestamp = {{ header = \"T\" }}")), "counts only where it is signed"),
        (with(&PARTS.replace("unit", "tolerance = \"4d\", unit")), "3d at most"),
        (with(PLAIN).replace("\"/id\"", "\"id\""), "no JSON pointer"),
        (with(PLAIN).replace("\"/id\"", "{ line = true }"), "`line` is for tables"),
        (
            with(PLAIN).replace("[signature]", "keep_unmapped = true\n[signature]"),
            "`keep_unmapped` is for tables",
        ),
        (with(PLAIN).replace("event_id", "evnt_id"), "does not fill `event_id`"),
    ] {
        let error = WebhookFile::parse(&text).unwrap_err().to_string();
        assert!(error.contains(expected) && !error.contains("s3cret"), "{text}\n{error}");
    }
    assert!(Secrets::new(vec![]).is_err() && Secrets::new(vec![" ".to_owned().into()]).is_err());
}
