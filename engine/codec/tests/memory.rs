//! What reading a large document takes beside its text.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, ops::ControlFlow};

use sluice_codec::{Zone, iso20022::Document};

const TRANSACTIONS: usize = 50_000;
/// What may be taken beside the text, however many transactions there are.
const BESIDE_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// The most memory that this process had resident, in bytes, where the system says so.
fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

fn side(side: &str, n: usize) -> String {
    format!(
        "<{side}><Nm>CONSOLIDATED HARBOUR TRADING {n}</Nm><PstlAdr><StrtNm>QUEENS ROAD CENTRAL</StrtNm><BldgNb>{n}</BldgNb>\
         <TwnNm>HONG KONG</TwnNm><Ctry>HK</Ctry></PstlAdr></{side}><{side}Acct><Id><Othr><Id>012-{n}</Id></Othr></Id></{side}Acct>\
         <{side}Agt><FinInstnId><BICFI>TESTHKH0XXX</BICFI></FinInstnId></{side}Agt>"
    )
}

#[test]
fn a_document_takes_little_beside_its_text_however_many_transactions_it_has() {
    let mut text = "<Document><FIToFICstmrCdtTrf><GrpHdr><MsgId>M</MsgId><CreDtTm>2026-11-27T03:00:00Z</CreDtTm></GrpHdr>".to_owned();
    // No more is taken for it than it fills.
    text.reserve_exact(TRANSACTIONS * 1_200);
    for n in 0..TRANSACTIONS {
        text.push_str(&format!(
            "<CdtTrfTxInf><PmtId><EndToEndId>E2E-{n}</EndToEndId><TxId>T{n}</TxId></PmtId><IntrBkSttlmAmt Ccy=\"HKD\">1.00\
             </IntrBkSttlmAmt>{}{}<RmtInf><Ustrd>{}</Ustrd></RmtInf></CdtTrfTxInf>",
            side("Dbtr", n),
            side("Cdtr", n),
            "x".repeat(140),
        ));
    }
    text.push_str("</FIToFICstmrCdtTrf></Document>");
    let Some(before) = peak() else { return println!("left out: memory (no /proc/self/status)") };
    let (document, zone) = (Document::parse(text.as_bytes()).unwrap(), Zone::default());
    let mut events = 0;
    document.messages(&zone).unwrap().each(|read| {
        events += usize::from(read.is_ok());
        ControlFlow::Continue(())
    });
    let beside = peak().unwrap() - before;
    println!("{} MB of text, {} MB beside it", text.len() / 1_000_000, beside / 1_000_000);
    assert_eq!(events, TRANSACTIONS);
    assert!(beside < BESIDE_BYTES_MAX, "{beside}");
}
