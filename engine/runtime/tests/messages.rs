//! No message repeats what was sent: not an answer, not a reason, not a log line, not a metric.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    io,
    sync::{Arc, Mutex},
};

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use common::{Running, records, start};
use prometheus::TextEncoder;
use serde_json::{Value, json};
use sluice_log::Topic;

/// What no message may hold, as a text and as a number.
const SENT: &str = "Zq9Sentinel";
const NUMBER: u64 = 7_352_914_068;

/// Everything that was logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn repeats(text: &str) -> bool {
    text.contains(SENT) || text.contains(&NUMBER.to_string())
}

/// An event with something in every place.
fn whole() -> Value {
    let party = json!({
        "customer_id": "C-1", "account": "HK1234567", "name": "Payer", "name_local": "付款人", "birth_date": "1980-01-01",
        "country": "HK", "address": "1 Road", "gender": "f", "id_number": "A1", "agent_bic": "HSBCHKHH", "agent_lei": "5493001KJTIIGC8Y1R12",
        "other_ids": ["B2"],
        "agent_name": "Bank", "agent_member_id": "004", "proxy": {"type": "phone", "id": "+85212345678"},
    });
    let mut related = party.clone();
    related["role"] = json!("ubo");
    json!({
        "event_id": "E-1", "payment_id": "P-1", "original_payment_id": "P-0", "occurred_at": "2026-11-20T09:59:00Z",
        "type": "payment", "status": "initiated", "direction": "out", "method": "fps", "channel": "app",
        "amount": {"value": "1.00", "currency": "HKD"}, "debtor": party, "creditor": party,
        "intermediaries": [party], "related_parties": [related], "device": {"id": "D", "ip": "10.0.0.1"},
        "card": {"token": "T", "bin": "123456"}, "merchant": {"id": "M", "mcc": "5999", "domain": "a.example"},
        "purpose": "SALA", "remittance": "rent", "uetr": "u", "end_to_end_id": "e",
    })
}

/// The event with another value in each place, one place at a time, and with a field that is not known in each object.
fn spoilt(value: &Value, spoil: &Value) -> Vec<Value> {
    let mut all = vec![spoil.clone()];
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                for spoilt in spoilt(field, spoil) {
                    let mut fields = fields.clone();
                    fields.insert(name.clone(), spoilt);
                    all.push(Value::Object(fields));
                }
            }
            let mut more = fields.clone();
            more.insert(SENT.to_owned(), spoil.clone());
            all.push(Value::Object(more));
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                for spoilt in spoilt(item, spoil) {
                    let mut items = items.clone();
                    items[index] = spoilt;
                    all.push(Value::Array(items));
                }
            }
        }
        _ => {}
    }
    all
}

async fn refused(running: &Running, request: Request<Body>, leaks: &mut Vec<String>) -> usize {
    let what = format!("{} {}", request.method(), request.uri());
    let answer = running.send(request).await;
    // An answer to what was taken in names its payment: that is what was asked for.
    let told = if answer.status == StatusCode::OK { Value::Null } else { answer.json };
    if repeats(&told.to_string()) {
        leaks.push(format!("{what}: {told}"));
    }
    usize::from(answer.status.as_u16() >= 400)
}

fn post(path: &str, kind: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path).header("content-type", kind).body(body.into()).unwrap()
}

#[tokio::test]
async fn no_message_repeats_what_was_sent() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG);
    subscriber.with_writer(move || writer.clone()).init();
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path());
    let (mut leaks, mut count) = (Vec::new(), 0);

    for spoil in [json!(SENT), json!(NUMBER), json!([SENT]), json!({ SENT: SENT }), json!(SENT.repeat(2_000))]
    {
        let events = spoilt(&whole(), &spoil);
        for event in &events {
            for path in ["/v1/events", "/v1/decisions?deadline_ms=10"] {
                // Each is another event, unless its id is what is spoilt.
                let mut event = event.clone();
                if event["event_id"] == "E-1" {
                    event["event_id"] = json!(format!("E-{count}"));
                }
                count +=
                    refused(&running, post(path, "application/json", event.to_string()), &mut leaks).await;
            }
        }
        let lines: String = events.iter().map(|event| format!("{event}\n")).collect();
        refused(&running, post("/v1/events", "application/x-ndjson", lines), &mut leaks).await;
    }
    for body in [
        "{\"Zq9Sentinel\":1,\"Zq9Sentinel\":2}",
        "Zq9Sentinel",
        "{\"Zq9Sentinel",
        "{\"event_id\":Zq9Sentinel}",
    ] {
        count += refused(&running, post("/v1/events", "application/json", body), &mut leaks).await;
    }
    const PACS: &str = "urn:iso:std:iso:20022:tech:xsd:pacs.008.001.08";
    for body in [
        "<Zq9Sentinel/>".to_owned(),
        "<Zq9Sentinel>".to_owned(),
        "<a></Zq9Sentinel>".to_owned(),
        "<a b=\"Zq9Sentinel\" b=\"Zq9Sentinel\"/>".to_owned(),
        "<a>&Zq9Sentinel;</a>".to_owned(),
        "<!DOCTYPE Zq9Sentinel><a/>".to_owned(),
        "<?xml version=\"1.0\" encoding=\"Zq9Sentinel\"?><a/>".to_owned(),
        "<Document xmlns=\"urn:Zq9Sentinel\"/>".to_owned(),
        format!("<Document xmlns=\"{PACS}\"><Zq9Sentinel/></Document>"),
        format!(
            "<Document xmlns=\"{PACS}\"><FIToFICstmrCdtTrf><GrpHdr><MsgId>{SENT}</MsgId><CreDtTm>{SENT}</CreDtTm></GrpHdr>\
             <CdtTrfTxInf><PmtId><EndToEndId>{SENT}</EndToEndId></PmtId>\
             <IntrBkSttlmAmt Ccy=\"{SENT}\">{SENT}</IntrBkSttlmAmt></CdtTrfTxInf></FIToFICstmrCdtTrf></Document>"
        ),
        format!(
            "<Document xmlns=\"{PACS}\"><FIToFICstmrCdtTrf><GrpHdr><MsgId>{SENT}</MsgId>\
             <CreDtTm>2026-11-20T09:59:00Z</CreDtTm></GrpHdr><CdtTrfTxInf><PmtId><EndToEndId>{SENT}</EndToEndId></PmtId>\
             <IntrBkSttlmAmt Ccy=\"HKD\">{SENT}</IntrBkSttlmAmt></CdtTrfTxInf></FIToFICstmrCdtTrf></Document>"
        ),
    ] {
        count += refused(&running, post("/v1/events", "application/xml", body), &mut leaks).await;
    }
    for request in [
        Request::get("/v1/dead-letters?limit=Zq9Sentinel").body(Body::empty()).unwrap(),
        Request::get("/v1/dead-letters?limit=-7352914068").body(Body::empty()).unwrap(),
        post("/v1/dead-letters/Zq9Sentinel/resubmit", "application/json", r#"{"reason":"a"}"#),
        post("/v1/dead-letters/0/resubmit", "application/json", r#"{"Zq9Sentinel":"a"}"#),
        post("/v1/dead-letters/0/resubmit", "application/json", r#"{"reason":["Zq9Sentinel"]}"#),
        post("/v1/dead-letters/0/resubmit", "Zq9Sentinel/json", r#"{"reason":"a"}"#),
        post("/v1/decisions?deadline_ms=Zq9Sentinel", "application/json", "{}"),
        post("/v1/events", "Zq9Sentinel/json", "{}"),
    ] {
        count += refused(&running, request, &mut leaks).await;
    }
    let mut keyed = post("/v1/events", "application/json", "{}");
    keyed.headers_mut().insert("idempotency-key", SENT.repeat(30).parse().unwrap());
    count += refused(&running, keyed, &mut leaks).await;

    assert!(count > 500, "{count}");
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks[..leaks.len().min(20)].join("\n"));
    let metrics = TextEncoder::new().encode_to_string(&running.registry.gather()).unwrap();
    let log = running.stop();
    let letters = records(&*log, Topic::DeadLetters);
    let told: Vec<String> =
        letters.iter().map(|letter| format!("{} {}", letter["reason"], letter["code"])).collect();
    assert_eq!(told.iter().filter(|reason| repeats(reason)).collect::<Vec<_>>(), Vec::<&String>::new());
    assert!(!repeats(&metrics));
    let lines = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(!repeats(&lines), "{lines}");
}
