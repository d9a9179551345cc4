//! Reading events: canonical JSON, ISO 20022, a CSV row. Budget: 3 µs for an event of 500 bytes.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sluice_codec::{Mapping, Zone, decode_iso20022, decode_json, encode_json};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// 500 bytes, as an FPS payment between two customers looks.
const EVENT: &str = r#"{"event_id":"01JD8W3Z5Q2M7K4N6P8R0T1V3X","payment_id":"P-000000077","type":"payment","status":"completed","occurred_at":"2026-11-20T08:30:00.123Z","method":"fps","channel":"mobile","direction":"outbound","amount":{"value":"7800.00","currency":"HKD"},"debtor":{"customer_id":"C-1001","name":"CHAN Tai Man","name_local":"陳大文","account":"012-345-678901","country":"HK"},"creditor":{"name":"WONG Mei Ling","account":"024-111-222333","country":"HK"},"purpose":"GDDS","device":{"id":"dev-00aa11bb"}}"#;

const TRANSFER: &str = r#"<?xml version="1.0" encoding="UTF-8"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.008.001.08"><FIToFICstmrCdtTrf><GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-08-01T10:15:30+08:00</CreDtTm><NbOfTxs>1</NbOfTxs><SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf></GrpHdr><CdtTrfTxInf><PmtId><InstrId>I1</InstrId><EndToEndId>E1</EndToEndId><TxId>T1</TxId><UETR>7f0c2f7e-6e6b-4c1d-9f50-0f3a4a1b2c3d</UETR></PmtId><IntrBkSttlmAmt Ccy="HKD">7990.00</IntrBkSttlmAmt><IntrBkSttlmDt>2026-08-01</IntrBkSttlmDt><ChrgBr>SLEV</ChrgBr><Dbtr><Nm>陳大文 CHAN TAI MAN</Nm><PstlAdr><StrtNm>Example Road</StrtNm><BldgNb>1</BldgNb><TwnNm>Hong Kong</TwnNm><Ctry>HK</Ctry></PstlAdr></Dbtr><DbtrAcct><Id><Othr><Id>999-000001-001</Id></Othr></Id></DbtrAcct><DbtrAgt><FinInstnId><BICFI>TESTHKH0XXX</BICFI></FinInstnId></DbtrAgt><CdtrAgt><FinInstnId><ClrSysMmbId><MmbId>998</MmbId></ClrSysMmbId></FinInstnId></CdtrAgt><Cdtr><Nm>DEMO MERCHANT LTD</Nm></Cdtr><CdtrAcct><Id><Othr><Id>999-000002-001</Id></Othr></Id></CdtrAcct><Purp><Cd>GDDS</Cd></Purp><RmtInf><Ustrd>INV 2026-0001</Ustrd></RmtInf></CdtTrfTxInf></FIToFICstmrCdtTrf></Document>"#;

const ROWS: usize = 1_000;

fn json(c: &mut Criterion) {
    let mut group = c.benchmark_group("decode/json");
    group.throughput(Throughput::Bytes(EVENT.len() as u64));
    group.bench_function("event", |b| b.iter(|| decode_json(black_box(EVENT.as_bytes()))));
    let unknown = EVENT.replace("\"purpose\"", "\"segment\":\"retail\",\"score\":7,\"purpose\"");
    group.bench_function("event_with_unknown_fields", |b| {
        b.iter(|| decode_json(black_box(unknown.as_bytes())))
    });
    let broken = EVENT.replace("7800.00", "7800,00");
    group.bench_function("refused_event", |b| b.iter(|| decode_json(black_box(broken.as_bytes()))));
    group.bench_function("untyped_value", |b| {
        b.iter(|| serde_json::from_slice::<serde_json::Value>(black_box(EVENT.as_bytes())));
    });
    group.finish();
    let Ok(event) = decode_json(EVENT.as_bytes()) else { return };
    let mut out = Vec::with_capacity(1024);
    c.bench_function("encode/json/event", |b| {
        b.iter(|| {
            out.clear();
            encode_json(black_box(&event), &mut out)
        });
    });
}

fn xml(c: &mut Criterion) {
    let mut group = c.benchmark_group("decode/iso20022");
    group.throughput(Throughput::Bytes(TRANSFER.len() as u64));
    let zone = Zone::default();
    group.bench_function("pacs008", |b| b.iter(|| decode_iso20022(black_box(TRANSFER.as_bytes()), &zone)));
    group.finish();
}

fn csv(c: &mut Criterion) {
    let Ok(mapping) = Mapping::parse(include_str!("../../rules/mappings/amlsim.toml")) else { return };
    let mut text = "tran_id,orig_acct,bene_acct,tx_type,base_amt,tran_timestamp,is_sar,alert_id\n".to_owned();
    for row in 0..ROWS {
        text.push_str(&format!("{row},347,16,TRANSFER,620.43,2017-01-01T00:00:00Z,False,-1\n"));
    }
    let mut group = c.benchmark_group("decode/csv");
    group.throughput(Throughput::Elements(ROWS as u64));
    group.bench_function("amlsim_rows", |b| {
        b.iter(|| {
            mapping
                .rows(black_box(text.as_bytes()))
                .map(|rows| rows.filter(|row| matches!(row, Ok(Ok(_)))).count())
        });
    });
    group.finish();
}

criterion_group!(benches, json, xml, csv);
criterion_main!(benches);
