//! What comes in over HTTP, and what is answered.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::HashMap;

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use common::{Answered, Mood, Running, no_time_passes, payment, records, start, start_with};
use proptest::prelude::*;
use serde_json::{Value, json};
use sluice_log::{EmbeddedOptions, Log, Topic};
use sluice_model::limits::BODY_BYTES_MAX;
use sluice_runtime::{
    Caller,
    limits::{BULK_CHUNK_RECORDS_MAX, DOCUMENT_BODY_BYTES_MAX},
};

#[tokio::test(start_paused = true)]
async fn one_event_is_accepted_once_durable() {
    let _kept = no_time_passes();
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path());
    let before = running.log.end(Topic::Payments.partition(0)).unwrap();
    let answer = running.post_json("/v1/events", &payment("1", "C-1", "10.00")).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let receipt =
        json!({"accepted": 1, "duplicates": 0, "conflicts": 0, "pending": 0, "refused": 0, "refusals": []});
    assert_eq!(answer.json, receipt);
    assert_eq!(running.log.end(Topic::Payments.partition(0)).unwrap(), before + 1);
}

#[tokio::test(start_paused = true)]
async fn a_batch_keeps_what_can_be_read_and_names_what_cannot() {
    let _kept = no_time_passes();
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path());
    let (good, other) = (payment("1", "C-1", "1.00"), payment("2", "C-1", "2.00"));
    let body = format!("{good}\n\nnot json\n{other}\n{{\"event_id\":\"3\"}}\n");
    let answer = running.post("/v1/events", "application/x-ndjson", body).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!((&answer.json["accepted"], &answer.json["refused"]), (&json!(2), &json!(2)));
    assert_eq!(answer.json["refusals"][0]["line"], 3);
    assert_eq!(answer.json["refusals"][0]["code"], "malformed");
    assert_eq!(answer.json["refusals"][1]["line"], 5);

    let letters = running.get("/v1/dead-letters?limit=1").await;
    assert_eq!(letters.json["items"][0]["original"], "not json");
    assert_eq!(letters.json["items"][0]["source"], "http");
    let next = letters.json["next_cursor"].as_str().unwrap();
    let rest = running.get(&format!("/v1/dead-letters?cursor={next}")).await;
    assert_eq!(rest.json["items"][0]["original"], "{\"event_id\":\"3\"}");
    assert_eq!(rest.json["next_cursor"], json!(null));
}

#[tokio::test]
async fn one_thing_that_cannot_be_read_is_a_problem_and_a_dead_letter() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path());
    for path in ["/v1/events", "/v1/decisions"] {
        let answer = running.post(path, "application/json", "{\"event_id\":").await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert_eq!(answer.json["code"], "malformed");
    }
    let answer = running.post("/v1/events", "application/xml", "<Document/>").await;
    assert!(answer.status.is_client_error(), "{}", answer.status);
    assert_eq!(records(&*running.stop(), Topic::DeadLetters).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_message_is_taken_in_transaction_by_transaction() {
    let _kept = no_time_passes();
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path());
    let transfer = |amount: &str| {
        format!("<CdtTrfTxInf><IntrBkSttlmAmt Ccy=\"HKD\">{amount}</IntrBkSttlmAmt></CdtTrfTxInf>")
    };
    let body = format!(
        "<Document><FIToFICstmrCdtTrf><GrpHdr><MsgId>M</MsgId><CreDtTm>2026-11-20T09:59:00Z</CreDtTm><NbOfTxs>3</NbOfTxs>\
         </GrpHdr>{}{}</FIToFICstmrCdtTrf></Document>",
        transfer("1.00"),
        transfer("1.005")
    );
    let answer = running.post("/v1/events", "application/xml", body).await;
    assert_eq!(
        (&answer.json["accepted"], &answer.json["refused"]),
        (&json!(1), &json!(1)),
        "{:?}",
        answer.json
    );
    assert!(answer.json["refusals"][0]["reason"].as_str().unwrap().starts_with("pacs.008 transaction 2: "));
    assert!(answer.json["notes"][0].as_str().unwrap().contains("NbOfTxs"));
    let letters = running.get("/v1/dead-letters?limit=1").await;
    assert_eq!(letters.json["items"][0]["original"], transfer("1.005"));
}

/// One side of a transfer as institutions write it: a name, an address, an account and its agent.
fn side(side: &str, name: &str, n: usize) -> String {
    format!(
        "<{side}><Nm>{name} {n}</Nm><PstlAdr><StrtNm>QUEENS ROAD CENTRAL</StrtNm><BldgNb>{n}</BldgNb>\
         <PstCd>999077</PstCd><TwnNm>HONG KONG</TwnNm><Ctry>HK</Ctry></PstlAdr></{side}>\
         <{side}Acct><Id><Othr><Id>012-345678-{n}</Id></Othr></Id></{side}Acct>\
         <{side}Agt><FinInstnId><BICFI>TESTHKH0XXX</BICFI></FinInstnId></{side}Agt>"
    )
}

/// A document cannot be sent in parts: it may be larger than a batch of events.
#[tokio::test(start_paused = true)]
async fn a_document_larger_than_a_batch_is_taken_in_whole() {
    let _kept = no_time_passes();
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path());
    let transfer = |n: usize| {
        format!(
            "<CdtTrfTxInf><PmtId><InstrId>{n:016}</InstrId><EndToEndId>E2E-{n:016}</EndToEndId><TxId>T{n}</TxId>\
             <UETR>7f0c2f7e-6e6b-4c1d-9f50-0f3a4a1b2c3d</UETR></PmtId><IntrBkSttlmDt>2026-11-20</IntrBkSttlmDt>\
             <IntrBkSttlmAmt Ccy=\"HKD\">1.00</IntrBkSttlmAmt><ChrgBr>SHAR</ChrgBr>{}{}\
             <RmtInf><Ustrd>{}</Ustrd></RmtInf></CdtTrfTxInf>",
            side("Dbtr", "PAYER COMPANY LIMITED", n),
            side("Cdtr", "PAYEE TRADING COMPANY", n),
            "x".repeat(140)
        )
    };
    let all: String = (0..50_000).map(transfer).collect();
    let body = format!(
        "<Document><FIToFICstmrCdtTrf><GrpHdr><MsgId>M</MsgId><CreDtTm>2026-11-20T09:59:00Z</CreDtTm></GrpHdr>\
         {all}</FIToFICstmrCdtTrf></Document>"
    );
    assert!(body.len() > 50_000 * 1_100, "{}", body.len());
    let answer = running.post("/v1/events", "application/xml", body).await;
    assert_eq!(counts(&answer), [50_000, 0, 0, 0, 0]);
}

/// So many that they are read while the first are taken in.
const MANY: usize = 1_200;

/// A message of that many transfers under one reference, of which every hundredth has an amount that cannot be read.
fn many_transfers(end: &str) -> String {
    let transfer = |n: usize| {
        let amount = if n.is_multiple_of(100) { "x" } else { "1.00" };
        format!(
            "<CdtTrfTxInf><PmtId><EndToEndId>WAGE</EndToEndId></PmtId><IntrBkSttlmAmt Ccy=\"HKD\">{amount}</IntrBkSttlmAmt>\
             <Nb>{n}</Nb>{}{}</CdtTrfTxInf>",
            side("Dbtr", "PAYER COMPANY LIMITED", n),
            side("Cdtr", "PAYEE TRADING COMPANY", n)
        )
    };
    let all: String = (1..=MANY).map(transfer).collect();
    format!(
        "<Document><FIToFICstmrCdtTrf><GrpHdr><MsgId>M</MsgId><CreDtTm>2026-11-20T09:59:00Z</CreDtTm></GrpHdr>{all}{end}"
    )
}

const END: &str = "</FIToFICstmrCdtTrf></Document>";

fn keyed(body: &str) -> Request<Body> {
    let request = Request::post("/v1/events").header("content-type", "application/xml");
    request.header("idempotency-key", "k-1").body(Body::from(body.to_owned())).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_document_that_is_read_while_it_is_taken_in_has_one_answer() {
    let _kept = no_time_passes();
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path());
    let body = many_transfers(END);
    let first = running.send(keyed(&body)).await;
    let (bad, good) = (MANY as u64 / 100, MANY as u64 - MANY as u64 / 100);
    assert_eq!(counts(&first), [good, 0, 0, 0, bad]);
    assert_eq!(first.json["refusals"].as_array().unwrap().len() as u64, bad);
    let again = running.send(keyed(&body)).await;
    assert_eq!(again.json, first.json);
    assert_eq!(
        records(&*running.log, Topic::DeadLetters).len() as u64,
        bad,
        "nothing is done again under one key"
    );
    let again = running.post("/v1/events", "application/xml", body).await;
    assert_eq!(counts(&again), [0, good, 0, 0, bad], "sent again it has the same ids");
    let log = running.stop();
    let events = records(&*log, Topic::Payments);
    let ids: Vec<&str> = events.iter().filter_map(|one| one["event"]["event"]["event_id"].as_str()).collect();
    let expected = (1..=MANY).filter(|n| n % 100 != 0).map(|n| format!("pacs.008:M:WAGE#{n}"));
    assert_eq!(ids[..ids.len() / 2], expected.collect::<Vec<_>>());
    for (n, letter) in (1..).zip(records(&*log, Topic::DeadLetters).iter().take(bad.try_into().unwrap())) {
        assert!(letter["original"].as_str().unwrap().contains(&format!("<Nb>{n}00</Nb>")), "{letter}");
    }
}

#[tokio::test]
async fn of_a_document_that_is_broken_at_its_end_nothing_is_taken_in() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path());
    for end in ["", "</FIToFICstmrCdtTrf>", "</FIToFICstmrCdtTrf></Other>"] {
        let body = many_transfers(end);
        let answer = running.post("/v1/events", "application/xml", body.clone()).await;
        assert_eq!(
            (answer.status, &answer.json["code"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!("malformed"))
        );
        let letters = records(&*running.log, Topic::DeadLetters);
        assert_eq!(letters.last().unwrap()["original"], body);
    }
    let log = running.stop();
    assert!(records(&*log, Topic::Payments).iter().all(|record| record.get("event").is_none()));
}

#[tokio::test(start_paused = true)]
async fn of_a_document_that_is_not_taken_in_whole_the_rest_comes_with_the_next_attempt() {
    let _kept = no_time_passes();
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path());
    *running.mood.lock().unwrap() = Mood::FillsUp(3);
    let body = many_transfers(END);
    let refused = running.send(keyed(&body)).await;
    assert_eq!(
        (refused.status, &refused.json["code"]),
        (StatusCode::INSUFFICIENT_STORAGE, &json!("disk_full"))
    );
    let accepted = refused.json["accepted"].as_u64().unwrap();
    assert!(accepted > 0, "{:?}", refused.json);
    assert_eq!(records(&*running.log, Topic::DeadLetters).len(), 0);
    drop(running);
    let running = start(folder.path());
    let (bad, good) = (MANY as u64 / 100, MANY as u64 - MANY as u64 / 100);
    assert_eq!(counts(&running.send(keyed(&body)).await), [good - accepted, accepted, 0, 0, bad]);
}

/// The largest body there may be is kept whole where it cannot be read, and given back as it came.
#[tokio::test]
async fn a_refused_document_of_the_largest_size_is_a_dead_letter() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path());
    let blank = " ".repeat(DOCUMENT_BODY_BYTES_MAX - "<Document>".len());
    let body = format!("<Document>{blank}");
    let answer = running.post("/v1/events", "application/xml", body.clone() + " ").await;
    assert_eq!((answer.status, &answer.json["code"]), (StatusCode::PAYLOAD_TOO_LARGE, &json!("too_large")));
    assert_eq!(running.get("/v1/dead-letters").await.json["items"], json!([]));
    let answer = running.post("/v1/events", "application/xml", body.clone()).await;
    assert_eq!(
        (answer.status, &answer.json["code"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("malformed"))
    );
    let letters = running.get("/v1/dead-letters").await;
    let letter = &letters.json["items"][0];
    assert!(letter["original"] == body, "it is kept as it came");
    let mended = json!({"reason": "mended", "event": many_transfers(END).replace("\">x<", "\">2.00<")});
    let path = format!("/v1/dead-letters/{}/resubmit", letter["id"].as_str().unwrap());
    let answer = running.post_json(&path, &mended).await;
    assert_eq!((answer.status, &answer.json["accepted"]), (StatusCode::ACCEPTED, &json!(MANY)));
}

/// What a receipt says: accepted, duplicates, conflicts, pending, refused.
fn counts(answer: &Answered) -> [u64; 5] {
    ["accepted", "duplicates", "conflicts", "pending", "refused"]
        .map(|count| answer.json[count].as_u64().unwrap_or_else(|| panic!("{count}: {:?}", answer.json)))
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_sent_again_is_as_many_duplicates() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path());
    let _kept = no_time_passes();
    let message = |amounts: [&str; 3]| {
        let transfers = amounts.map(|amount| {
            format!("<CdtTrfTxInf><IntrBkSttlmAmt Ccy=\"HKD\">{amount}</IntrBkSttlmAmt></CdtTrfTxInf>")
        });
        format!(
            "<Document><FIToFICstmrCdtTrf><GrpHdr><MsgId>M</MsgId><CreDtTm>2026-11-20T09:59:00Z</CreDtTm></GrpHdr>\
             {}</FIToFICstmrCdtTrf></Document>",
            transfers.concat()
        )
    };
    let post = async |amounts| counts(&running.post("/v1/events", "application/xml", message(amounts)).await);
    assert_eq!(post(["1.00", "2.00", "3.00"]).await, [3, 0, 0, 0, 0]);
    assert_eq!(post(["1.00", "2.00", "3.00"]).await, [0, 3, 0, 0, 0]);
    assert_eq!(post(["1.00", "2.50", "3.005"]).await, [0, 1, 1, 0, 1]);
    // What was refused and what conflicts.
    assert_eq!(records(&*running.stop(), Topic::DeadLetters).len(), 2);
}

/// One line of a batch.
#[derive(Clone, Copy, Debug)]
enum Line {
    /// An event of this id, with this content.
    Event(u8, u8),
    TooOld,
    Broken,
}

impl Line {
    fn text(self) -> String {
        match self {
            Self::Event(id, content) => payment(&id.to_string(), "C-1", &format!("1.0{content}")).to_string(),
            Self::TooOld => {
                let mut event = payment("old", "C-1", "1.00");
                event["occurred_at"] = json!("2026-11-10T00:00:00Z");
                event.to_string()
            }
            Self::Broken => "broken".to_owned(),
        }
    }
}

fn batches() -> impl Strategy<Value = Vec<Vec<Line>>> {
    let line = prop_oneof![
        8 => (0_u8..12, 0_u8..2).prop_map(|(id, content)| Line::Event(id, content)),
        1 => Just(Line::TooOld),
        1 => Just(Line::Broken),
    ];
    prop::collection::vec(prop::collection::vec(line, 0..300), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_receipt_says_what_came_of_every_line(batches in batches()) {
        let folder = tempfile::tempdir().unwrap();
        let tokio = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let receipts = tokio.block_on(async {
            let running = start(folder.path());
            let _kept = no_time_passes();
            // Nothing is too old before it.
            running.post_json("/v1/events", &payment("first", "C-1", "1.00")).await;
            let mut receipts = Vec::new();
            for batch in &batches {
                let body: String = batch.iter().map(|line| line.text() + "\n").collect();
                receipts.push(counts(&running.post("/v1/events", "application/x-ndjson", body).await));
            }
            receipts
        });
        let mut seen = HashMap::new();
        for (batch, receipt) in batches.iter().zip(receipts) {
            let mut expected = [0; 5];
            for line in batch {
                let count = match *line {
                    Line::TooOld | Line::Broken => 4,
                    Line::Event(id, content) => match seen.insert(id, content) {
                        None => 0,
                        Some(before) => {
                            seen.insert(id, before);
                            if before == content { 1 } else { 2 }
                        }
                    },
                };
                expected[count] += 1;
            }
            prop_assert_eq!(receipt, expected);
            prop_assert_eq!(receipt.iter().sum::<u64>(), batch.len() as u64);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_receipt_does_not_wait_for_an_engine_that_stands_still() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path());
    *running.mood.lock().unwrap() = Mood::FailsCommits;
    let request = || {
        let body =
            format!("{}\n{}\nbroken\n", payment("1", "C-1", "1000.00"), payment("1", "C-1", "1000.00"));
        Request::post("/v1/events")
            .header("content-type", "application/x-ndjson")
            .header("idempotency-key", "k-1")
            .body(Body::from(body))
            .unwrap()
    };
    let answer = running.send(request()).await;
    assert_eq!((answer.status, counts(&answer)), (StatusCode::ACCEPTED, [0, 0, 0, 2, 1]));
    assert_eq!(running.send(request()).await.json, answer.json, "what was answered");
    *running.mood.lock().unwrap() = Mood::Good;
    let log = running.stop();
    assert_eq!(records(&*log, Topic::Alerts).len(), 1, "it is judged all the same, once");
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_for_it_does_not_wait() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path());
    let _kept = no_time_passes();
    let request = |prefer: &str| {
        Request::post("/v1/events")
            .header("content-type", "application/json")
            .header("prefer", prefer)
            .body(Body::from(payment("1", "C-1", "1.00").to_string()))
            .unwrap()
    };
    let at_once = running.send(request("handling=strict, Respond-Async;x=y")).await;
    assert_eq!((at_once.status, counts(&at_once)), (StatusCode::ACCEPTED, [0, 0, 0, 1, 0]));
    assert_eq!(at_once.headers["preference-applied"], "respond-async");
    let after = running.send(request("wait=10")).await;
    assert_eq!((after.status, counts(&after)), (StatusCode::ACCEPTED, [0, 1, 0, 0, 0]));
    assert!(!after.headers.contains_key("preference-applied"));
}

#[tokio::test(start_paused = true)]
async fn a_repeated_request_gets_the_receipt_that_was_given_and_after_a_start_the_one_on_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let request = || {
        Request::post("/v1/events")
            .header("content-type", "application/json")
            .header("idempotency-key", "k-1")
            .body(Body::from(payment("1", "C-1", "1.00").to_string()))
            .unwrap()
    };
    let running = start(folder.path());
    let _kept = no_time_passes();
    assert_eq!(counts(&running.send(request()).await), [1, 0, 0, 0, 0]);
    assert_eq!(counts(&running.send(request()).await), [1, 0, 0, 0, 0]);
    drop(running.stop());
    let running = start(folder.path());
    assert_eq!(
        counts(&running.send(request()).await),
        [0, 0, 0, 1, 0],
        "as it was known when it was durable"
    );
}

#[tokio::test]
async fn a_request_names_the_zone_of_its_times() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path());
    let message = |id: &str| {
        format!(
            "<FIToFICstmrCdtTrf><GrpHdr><MsgId>{id}</MsgId><CreDtTm>2026-11-20T09:59:00</CreDtTm></GrpHdr>\
             <CdtTrfTxInf><IntrBkSttlmAmt Ccy=\"HKD\">1.00</IntrBkSttlmAmt></CdtTrfTxInf></FIToFICstmrCdtTrf>"
        )
    };
    let unknown = running.post("/v1/events?zone=Chan+Tai+Man", "application/xml", message("0")).await;
    assert_eq!((unknown.status, &unknown.json["code"]), (StatusCode::BAD_REQUEST, &json!("unknown_value")));
    let detail = unknown.json["detail"].as_str().unwrap();
    assert!(detail.starts_with("`zone` is no zone") && !detail.contains("Chan"), "{detail}");
    for (query, id) in [("", "1"), ("?zone=Europe/London", "2")] {
        let answer = running.post(&format!("/v1/events{query}"), "application/xml", message(id)).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{:?}", answer.json);
    }
    let times: Vec<Value> = records(&*running.stop(), Topic::Payments)
        .into_iter()
        .filter_map(|record| record.pointer("/event/event/occurred_at").cloned())
        .collect();
    assert_eq!(times, ["2026-11-20T01:59:00Z", "2026-11-20T09:59:00Z"]);
}

#[tokio::test]
async fn bodies_have_a_type_and_a_limit() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path());
    let answer = running.post("/v1/events", "text/csv", "a,b").await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let answer = running.post("/v1/decisions", "application/x-ndjson", "{}").await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let answer = running.post("/v1/events", "application/x-ndjson", vec![b' '; BODY_BYTES_MAX + 1]).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer.json["code"], "too_large");
    let answer = running.post("/v1/events", "application/x-ndjson", vec![b' '; BODY_BYTES_MAX]).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_decision_includes_its_own_event_and_is_given_again() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path());
    let small = running.post_json("/v1/decisions", &payment("1", "C-1", "999.99")).await;
    assert_eq!(small.status, StatusCode::OK);
    assert_eq!(small.json["decision"], "allow");
    let large = running.post_json("/v1/decisions", &payment("2", "C-1", "1000.00")).await;
    assert_eq!(large.json["decision"], "hold");
    assert_eq!(large.json["payment_id"], "P-2");
    assert!(large.json["reasons"][0].as_str().unwrap().contains("or more"));
    let again = running.post_json("/v1/decisions", &payment("2", "C-1", "1000.00")).await;
    assert_eq!(again.json, large.json);

    // Asked for the first time after it was taken in for nobody.
    running.post_json("/v1/events", &payment("3", "C-2", "5000.00")).await;
    let late = running.post_json("/v1/decisions", &payment("3", "C-2", "5000.00")).await;
    assert_eq!(late.json["decision"], "hold");

    let conflict = running.post_json("/v1/decisions", &payment("2", "C-1", "3.00")).await;
    assert_eq!(conflict.status, StatusCode::CONFLICT);
    assert_eq!(conflict.json["code"], "conflict");
    let mut future = payment("4", "C-1", "3.00");
    future["occurred_at"] = json!("2026-11-20T10:05:01Z");
    let refused = running.post_json("/v1/decisions", &future).await;
    assert_eq!(
        (refused.status, &refused.json["code"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("far_future"))
    );

    let log = running.stop();
    assert_eq!(records(&*log, Topic::Alerts).len(), 2);
    assert_eq!(records(&*log, Topic::DeadLetters).len(), 2);
}

#[tokio::test]
async fn an_answer_by_policy_is_a_record_and_stands_when_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path());
    let answer = running.post_json("/v1/decisions?deadline_ms=0", &payment("1", "C-1", "1.00")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!((&answer.json["decision"], &answer.json["deadline_passed"]), (&json!("hold"), &json!(true)));
    let again = running.post_json("/v1/decisions", &payment("1", "C-1", "1.00")).await;
    assert_eq!((&again.json["decision"], &again.json["deadline_passed"]), (&json!("hold"), &json!(true)));
    let log = running.stop();
    let payments = records(&*log, Topic::Payments);
    let deadlines = payments.iter().filter(|record| record["control"]["control"] == "deadline").count();
    assert_eq!(deadlines, 1);
}

#[tokio::test]
async fn an_answer_by_policy_names_its_alert_and_is_recorded_however_long_the_log_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path());
    *running.mood.lock().unwrap() = Mood::RefusesOrders;
    let answer = running.post_json("/v1/decisions?deadline_ms=0", &payment("1", "C-1", "1.00")).await;
    assert_eq!((answer.status, &answer.json["decision"]), (StatusCode::OK, &json!("hold")));
    let waits = |running: &Running| running.runtime.not_ready().join("; ").contains("answers by policy");
    assert!(waits(&running), "not ready while it is not on the log");
    assert_eq!(records(&*running.log, Topic::Alerts).len(), 0);
    // Nobody asks again and the process goes on: once the log takes orders, the record is there.
    *running.mood.lock().unwrap() = Mood::Good;
    std::iter::repeat_with(|| waits(&running)).find(|waits| !waits).unwrap();
    let alerts = records(&*running.stop(), Topic::Alerts);
    assert_eq!((alerts.len(), &alerts[0]["rule_id"]), (1, &json!("ENGINE-DEADLINE")));
    assert_eq!(answer.json["alerts"], json!([alerts[0]["alert_id"]]), "the alert that the answer names");
}

#[tokio::test]
async fn what_waits_for_the_log_at_the_end_is_written_then() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path());
    *running.mood.lock().unwrap() = Mood::RefusesOrders;
    running.post_json("/v1/decisions?deadline_ms=0", &payment("1", "C-1", "1.00")).await;
    *running.mood.lock().unwrap() = Mood::Good;
    assert_eq!(records(&*running.stop(), Topic::Alerts).len(), 1);
}

#[tokio::test]
async fn many_decisions_at_once_each_get_their_own_answer() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path());
    let ask = async |n: u32| {
        let value = if n.is_multiple_of(3) { "2000.00" } else { "1.00" };
        let answer =
            running.post_json("/v1/decisions", &payment(&n.to_string(), &format!("C-{n}"), value)).await;
        assert_eq!(answer.json["event_id"], n.to_string());
        assert_eq!(answer.json["decision"], if n.is_multiple_of(3) { "hold" } else { "allow" });
    };
    futures_util::future::join_all((0..200).map(ask)).await;
}

#[tokio::test]
async fn a_key_makes_a_request_once() {
    let folder = tempfile::tempdir().unwrap();
    let body = "broken\n";
    let request = |body: &str| {
        Request::post("/v1/events")
            .header("content-type", "application/x-ndjson")
            .header("idempotency-key", "k-1")
            .body(Body::from(body.to_owned()))
            .unwrap()
    };
    let running = start(folder.path());
    let first = running.send(request(body)).await;
    assert_eq!(first.status, StatusCode::ACCEPTED);
    let again = running.send(request(body)).await;
    assert_eq!((again.status, &again.json), (first.status, &first.json));
    let other = running.send(request("other\n")).await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
    drop(running.stop());

    // The key is remembered by the log, not by the process.
    let running = start(folder.path());
    let again = running.send(request(body)).await;
    assert_eq!((again.status, &again.json), (first.status, &first.json));
    assert_eq!(records(&*running.stop(), Topic::DeadLetters).len(), 1, "nothing was done again");
}

#[tokio::test]
async fn a_key_is_its_callers_own_and_the_log_remembers_whose() {
    let folder = tempfile::tempdir().unwrap();
    let request = |caller: &str, body: &str| {
        let mut request = Request::post("/v1/events")
            .header("content-type", "application/x-ndjson")
            .header("idempotency-key", "k-1")
            .body(Body::from(body.to_owned()))
            .unwrap();
        request.extensions_mut().insert(Caller(caller.to_owned()));
        request
    };
    let running = start(folder.path());
    assert_eq!(running.send(request("key:a", "broken\n")).await.status, StatusCode::ACCEPTED);
    // The same key for something else by somebody else: no conflict, and not the other's answer.
    let other = running.send(request("key:b", "broken\nbroken too\n")).await;
    assert_eq!((other.status, &other.json["refused"]), (StatusCode::ACCEPTED, &json!(2)));
    drop(running.stop());
    let running = start(folder.path());
    let again = running.send(request("key:a", "broken\n")).await;
    assert_eq!(again.json["refused"], json!(1), "the answer that was given to it");
    let third = running.send(request("key:c", "broken\n")).await;
    assert_eq!(third.json["refused"], json!(1));
    assert_eq!(records(&*running.stop(), Topic::DeadLetters).len(), 4, "done for each, once for each");
}

#[tokio::test(start_paused = true)]
async fn a_body_is_taken_in_whole_and_in_order_however_many_pieces_it_makes() {
    let _kept = no_time_passes();
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path());
    let ids = |from: usize| (from..from + 1_000).map(|n| n.to_string()).collect::<Vec<_>>();
    let body = |ids: &[String]| -> String {
        ids.iter().map(|id| format!("{}\n", payment(id, "C-1", "1.00"))).collect::<String>() + "broken\n"
    };
    let (one, other) = (ids(0), ids(1_000));
    let (first, second) = tokio::join!(
        running.post("/v1/events", "application/x-ndjson", body(&one)),
        running.post("/v1/events", "application/x-ndjson", body(&other)),
    );
    for answer in [first, second] {
        assert_eq!((&answer.json["accepted"], &answer.json["refused"]), (&json!(1_000), &json!(1)));
    }
    let log = running.stop();
    let on_log = records(&*log, Topic::Payments);
    let stored = |ids: &[String]| -> Vec<String> {
        let all = on_log.iter().filter_map(|record| record["event"]["event"]["event_id"].as_str());
        all.filter(|id| ids.iter().any(|known| known == id)).map(str::to_owned).collect()
    };
    assert_eq!((stored(&one), stored(&other)), (one, other), "each in its own order");
    assert_eq!(records(&*log, Topic::DeadLetters).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_not_taken_in_whole_says_how_much_was() {
    let _kept = no_time_passes();
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path());
    *running.mood.lock().unwrap() = Mood::FillsUp(3);
    let event = |n: usize| format!("{}\n", payment(&n.to_string(), "C-1", "1.00"));
    let body: String = (0..1_000).map(event).collect::<String>() + "broken\n";
    let request = Request::post("/v1/events")
        .header("content-type", "application/x-ndjson")
        .header("idempotency-key", "k-1")
        .body(Body::from(body.clone()))
        .unwrap();
    let refused = running.send(request).await;
    assert_eq!(
        (refused.status, &refused.json["code"]),
        (StatusCode::INSUFFICIENT_STORAGE, &json!("disk_full"))
    );
    let accepted = usize::try_from(refused.json["accepted"].as_u64().unwrap()).unwrap();
    let events = |log: &dyn Log| {
        records(log, Topic::Payments).into_iter().filter(|record| record.get("event").is_some()).count()
    };
    assert_eq!(accepted, 3 * BULK_CHUNK_RECORDS_MAX);
    assert_eq!(events(&*running.log), accepted);
    assert_eq!(
        records(&*running.log, Topic::DeadLetters).len(),
        0,
        "what could not be read comes with the last"
    );
    drop(running);
    // Sent again whole, each event counts once, and the key was not used up.
    let running = start(folder.path());
    let request = Request::post("/v1/events")
        .header("content-type", "application/x-ndjson")
        .header("idempotency-key", "k-1")
        .body(Body::from(body))
        .unwrap();
    let answer = running.send(request).await;
    let taken_in = accepted as u64;
    assert_eq!(counts(&answer), [1_000 - taken_in, taken_in, 0, 0, 1]);
    let log = running.stop();
    assert_eq!(records(&*log, Topic::DeadLetters).len(), 1);
    assert_eq!(records(&*log, Topic::Alerts).len(), 998, "from the customer's third payment on, each once");
}

#[tokio::test]
async fn a_dead_letter_is_sent_again_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path());
    running.post_json("/v1/decisions", &payment("1", "C-1", "1.00")).await;
    let mut old = payment("2", "C-1", "5000.00");
    old["occurred_at"] = json!("2026-11-10T00:00:00Z");
    let refused = running.post_json("/v1/decisions", &old).await;
    assert_eq!(refused.json["code"], "too_old");
    let letters = running.get("/v1/dead-letters").await;
    let id = letters.json["items"][0]["id"].as_str().unwrap();
    let path = format!("/v1/dead-letters/{id}/resubmit");

    let without = running.post_json(&path, &json!({"reason": " "})).await;
    assert_eq!(without.status, StatusCode::BAD_REQUEST);
    let unknown = running.post_json("/v1/dead-letters/99/resubmit", &json!({"reason": "late file"})).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    let sent = running.post_json(&path, &json!({"reason": "late file"})).await;
    assert_eq!((sent.status, &sent.json), (StatusCode::ACCEPTED, &json!({"accepted": 1})));
    let log = running.stop();
    assert_eq!(records(&*log, Topic::Alerts).len(), 1, "it was judged at its own time");
    assert_eq!(records(&*log, Topic::DeadLetters).len(), 1);
}

#[tokio::test]
async fn a_dead_letter_is_mended_and_the_original_stays() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path());
    let mut broken = payment("1", "C-1", "5000.00");
    broken["amount"] = json!("much");
    assert_eq!(running.post_json("/v1/events", &broken).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let path = "/v1/dead-letters/0/resubmit";
    let as_it_came = running.post_json(path, &json!({"reason": "again"})).await;
    assert_eq!(as_it_came.status, StatusCode::UNPROCESSABLE_ENTITY);
    let mended = payment("1", "C-1", "5000.00");
    for event in [mended.clone(), json!(mended.to_string())] {
        let sent = running.post_json(path, &json!({"reason": "the amount was a word", "event": event})).await;
        assert_eq!((sent.status, &sent.json), (StatusCode::ACCEPTED, &json!({"accepted": 1})));
    }
    let log = running.stop();
    assert_eq!(records(&*log, Topic::Alerts).len(), 1, "as an object or as a text, it is one event");
    assert_eq!(records(&*log, Topic::DeadLetters).len(), 1, "what came stands as it came");
}

#[tokio::test]
async fn a_full_disk_is_said_and_nothing_is_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let small = EmbeddedOptions { space_bytes_max: Some(512 * 1024), ..EmbeddedOptions::default() };
    let running = start_with(folder.path(), small);
    let mut acknowledged = 0;
    let refused = loop {
        let mut event = payment(&acknowledged.to_string(), "C-1", "1.00");
        event["remittance"] = json!("x".repeat(15_000));
        let answer = running.post_json("/v1/events", &event).await;
        if answer.status != StatusCode::ACCEPTED {
            break answer;
        }
        acknowledged += 1;
    };
    assert_eq!(refused.status, StatusCode::INSUFFICIENT_STORAGE);
    assert_eq!(refused.json["code"], "disk_full");
    assert!(refused.headers.contains_key("retry-after"));
    assert!(acknowledged > 5);

    // With space again, everything acknowledged is judged.
    drop(running);
    let running = start(folder.path());
    let events =
        records(&*running.stop(), Topic::Payments).into_iter().filter(|r| r.get("event").is_some()).count();
    assert_eq!(events, acknowledged);
}

#[tokio::test]
async fn a_parameter_that_is_not_known_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path());
    let body = payment("1", "C-1", "1.00");
    for path in ["/v1/events?dryrun=1", "/v1/decisions?deadline=5"] {
        let answer = running.post_json(path, &body).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json["code"]),
            (400, &"unknown_parameter".into()),
            "{path}"
        );
    }
    assert_eq!(running.get("/v1/dead-letters?limits=5").await.status, 400);
    assert_eq!(running.get("/v1/dead-letters?limit=5").await.status, 200);
}
