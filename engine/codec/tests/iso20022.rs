//! ISO 20022 at the door: no payment is lost or doubled, whatever references, flavours, encodings and dates it comes
//! with. The messages are made here.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::{collections::HashSet, ops::ControlFlow};

use proptest::prelude::*;
use sluice_codec::{
    Zone, decode_iso20022,
    iso20022::{Decoded, Document},
};
use sluice_model::{EventType, PaymentEvent, PaymentStatus};

const UETR: &str = "7f0c2f7e-6e6b-4c1d-9f50-0f3a4a1b2c3d";
const CREATED: &str = "2026-11-27T03:00:00Z";

fn decode(text: &str) -> Decoded {
    decode_iso20022(text.as_bytes(), &Zone::default()).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

/// The only event of a document in which nothing is refused.
fn only(text: &str) -> PaymentEvent {
    let mut decoded = decode(text);
    assert!(decoded.refused.is_empty(), "{text}\n{:?}", decoded.refused);
    assert_eq!(decoded.events.len(), 1, "{text}");
    decoded.events.remove(0)
}

fn ids(decoded: &Decoded) -> Vec<(&str, &str)> {
    decoded.events.iter().map(|event| (event.event_id.as_str(), event.payment_id())).collect()
}

fn attribute<'a>(event: &'a PaymentEvent, name: &str) -> Option<&'a str> {
    event.attributes.get(name).and_then(|value| value.as_str())
}

/// A message of a version, made at a time.
fn message(version: &str, element: &str, created: &str, body: &str) -> String {
    format!(
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:{version}\"><{element}><GrpHdr><MsgId>M1</MsgId>\
         <CreDtTm>{created}</CreDtTm></GrpHdr>{body}</{element}></Document>"
    )
}

fn sides() -> String {
    side("Dbtr", "Lau Pui", "012-1") + &side("Cdtr", "Ngai Ho", "024-9")
}

fn side(role: &str, name: &str, account: &str) -> String {
    format!(
        "<{role}><Nm>{name}</Nm></{role}><{role}Acct><Id><Othr><Id>{account}</Id></Othr></Id></{role}Acct>"
    )
}

/// `PmtId` of a reference, which may be none.
fn pmt_id(reference: Option<&str>) -> String {
    let reference = reference.map(|text| format!("<EndToEndId>{text}</EndToEndId>"));
    format!("<PmtId>{}</PmtId>", reference.unwrap_or_default())
}

fn transfer(reference: Option<&str>, amount: &str) -> String {
    let amount = format!("<IntrBkSttlmAmt Ccy=\"HKD\">{amount}</IntrBkSttlmAmt>");
    format!("<CdtTrfTxInf>{}{amount}{}</CdtTrfTxInf>", pmt_id(reference), sides())
}

fn debit(reference: Option<&str>, amount: &str) -> String {
    let amount = format!("<IntrBkSttlmAmt Ccy=\"HKD\">{amount}</IntrBkSttlmAmt>");
    format!("<DrctDbtTxInf>{}{amount}{}</DrctDbtTxInf>", pmt_id(reference), sides())
}

fn wage(reference: Option<&str>, amount: &str) -> String {
    let amount = format!("<Amt><InstdAmt Ccy=\"HKD\">{amount}</InstdAmt></Amt>");
    format!("<CdtTrfTxInf>{}{amount}{}</CdtTrfTxInf>", pmt_id(reference), side("Cdtr", "Ngai Ho", "024-9"))
}

fn batch(body: &str) -> String {
    format!("<PmtInf><PmtInfId>B1</PmtInfId>{}{body}</PmtInf>", side("Dbtr", "Brook Tools Ltd", "012-1"))
}

const PACS_008: (&str, &str) = ("pacs.008.001.08", "FIToFICstmrCdtTrf");
const PAIN_001: (&str, &str) = ("pain.001.001.09", "CstmrCdtTrfInitn");
const CAMT_054: (&str, &str) = ("camt.054.001.08", "BkToCstmrDbtCdtNtfctn");

fn of((version, element): (&str, &str), body: &str) -> String {
    message(version, element, CREATED, body)
}

/// A notification for the account 012-OWN of Brook Tools Ltd.
fn notification(entries: &str) -> String {
    let account = "<Acct><Id><Othr><Id>012-OWN</Id></Othr></Id><Ownr><Nm>Brook Tools Ltd</Nm></Ownr></Acct>";
    of(CAMT_054, &format!("<Ntfctn><Id>N1</Id>{account}{entries}</Ntfctn>"))
}

fn entry(indicator: &str, more: &str, details: &str) -> String {
    format!(
        "<Ntry><Amt Ccy=\"HKD\">250.00</Amt><CdtDbtInd>{indicator}</CdtDbtInd>{more}<Sts><Cd>BOOK</Cd></Sts>\
         <NtryDtls>{details}</NtryDtls></Ntry>"
    )
}

fn receipt(reference: Option<&str>, amount: &str) -> String {
    let reference = reference.map(|text| format!("<Refs><EndToEndId>{text}</EndToEndId></Refs>"));
    let details = format!(
        "<TxDtls>{}<Amt Ccy=\"HKD\">{amount}</Amt><RltdPties>{}</RltdPties></TxDtls>",
        reference.unwrap_or_default(),
        side("Dbtr", "Ngai Ho", "024-9")
    );
    entry("CRDT", "", &details)
}

#[test]
fn one_reference_for_several_payments_is_as_many_payments() {
    let wages = ["21000.00", "19500.00", "23000.00"].map(|amount| wage(Some("SALARY NOV"), amount)).concat();
    let text = of(PAIN_001, &batch(&wages));
    let read = decode(&text);
    assert_eq!(
        ids(&read),
        [
            ("pain.001:M1:SALARY NOV#1", "M1:SALARY NOV#1"),
            ("pain.001:M1:SALARY NOV#2", "M1:SALARY NOV#2"),
            ("pain.001:M1:SALARY NOV#3", "M1:SALARY NOV#3"),
        ]
    );
    assert_eq!(decode(&text).events, read.events, "sent again");
    let receipts = vec![receipt(Some("RENT"), "7900.00"); 5].concat();
    let read = decode(&notification(&receipts));
    assert_eq!(read.events.iter().map(PaymentEvent::payment_id).collect::<HashSet<_>>().len(), 5);
    // Where references are unique, nothing is added to them.
    let text =
        of(PACS_008, &[transfer(Some("A"), "1"), transfer(None, "1"), transfer(Some("B"), "1")].concat());
    let unique = decode(&text);
    let names: Vec<_> = ids(&unique).into_iter().map(|(id, _)| id.to_owned()).collect();
    assert_eq!(names, ["pacs.008:M1:A", "pacs.008:M1:#2", "pacs.008:M1:B"]);
}

#[test]
fn one_bad_transaction_is_refused_alone_with_its_bytes() {
    let bad = transfer(Some("B"), "1.005");
    let text = of(PACS_008, &format!("\n{}\n{bad}\n{}", transfer(Some("A"), "1"), transfer(Some("C"), "1")));
    let read = decode(&text);
    assert_eq!(read.events.len(), 2);
    let [refused] = read.refused.as_slice() else { panic!("one is refused") };
    assert_eq!((refused.line, refused.code), (3, "malformed"));
    assert!(refused.reason.starts_with("pacs.008 transaction 2: IntrBkSttlmAmt: "), "{}", refused.reason);
    assert_eq!(refused.original, bad.as_bytes());
    // The only transaction is kept with its message, which may be mended and sent again.
    let alone = of(PACS_008, &bad);
    let read = decode(&alone);
    assert_eq!((read.events.len(), read.refused[0].original.as_slice()), (0, alone.as_bytes()));
    let long = transfer(Some(&"x".repeat(300)), "1") + &transfer(Some("A"), "1");
    let read = decode(&of(PACS_008, &long));
    assert_eq!((read.events.len(), read.refused[0].code), (1, "too_large"));
    assert!(read.refused[0].reason.starts_with("pacs.008 transaction 1: event_id "));
    let none = decode_iso20022(of(PACS_008, "").as_bytes(), &Zone::default()).unwrap_err();
    assert_eq!(none.to_string(), "pacs.008: the message has no transaction");
    assert_eq!(decode(&notification("")).events.len(), 0, "nothing was booked");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_transaction_is_an_event_of_its_own_or_refused(
        kind in 0..4_usize,
        transactions in prop::collection::vec(
            (prop::sample::select(vec![None, Some("A"), Some("A#1"), Some("A#2"), Some("#3"), Some("NOTPROVIDED"), Some("B")]),
             prop::sample::select(vec!["1.00", "1.00", "1.00", "1.005", "x"])),
            1..12),
        said in 0..12_usize,
    ) {
        let make = [transfer, debit, wage, receipt][kind];
        let body: String = transactions.iter().map(|(reference, amount)| make(*reference, amount)).collect();
        let text = match kind {
            0 => of(PACS_008, &body),
            1 => of(("pacs.003.001.08", "FIToFICstmrDrctDbt"), &body),
            2 => of(PAIN_001, &batch(&body)),
            _ => notification(&body),
        };
        let text = text.replace("</GrpHdr>", &format!("<NbOfTxs>{said}</NbOfTxs></GrpHdr>"));
        let read = decode(&text);
        prop_assert_eq!(read.events.len() + read.refused.len(), transactions.len());
        let good = transactions.iter().filter(|(_, amount)| *amount == "1.00").count();
        prop_assert_eq!(read.events.len(), good);
        for part in 0..2 {
            let ids = ids(&read).into_iter().map(|pair| [pair.0, pair.1][part]).collect::<HashSet<_>>();
            prop_assert_eq!(ids.len(), read.events.len());
        }
        prop_assert_eq!(read.notes.is_empty(), said == transactions.len());
        let again = decode(&text);
        prop_assert_eq!(again.events, read.events);
        prop_assert_eq!(again.refused, read.refused);
    }
}

#[test]
fn control_totals_that_contradict_the_message_are_told() {
    let with = |totals: &str, body: &str| {
        decode(&of(PACS_008, body).replace("</GrpHdr>", &format!("{totals}</GrpHdr>")))
    };
    let two = transfer(Some("A"), "1.50") + &transfer(Some("B"), "2.25");
    assert!(with("<NbOfTxs>2</NbOfTxs><CtrlSum>3.7500</CtrlSum>", &two).notes.is_empty());
    let read = with("<NbOfTxs>3</NbOfTxs><CtrlSum>4</CtrlSum>", &two);
    assert_eq!(
        read.notes,
        [
            "pacs.008: GrpHdr/NbOfTxs is not 2, as many as stand in the message",
            "pacs.008: GrpHdr/CtrlSum is not the sum of the amounts in the message",
        ]
    );
    assert!(read.events.iter().all(|event| attribute(event, "control_totals").is_some()));
    // A sum of which a part cannot be read is not compared.
    assert!(
        with("<CtrlSum>1.5</CtrlSum>", &(transfer(Some("A"), "1.50") + &transfer(None, "x")))
            .notes
            .is_empty()
    );
    let batch = batch(&wage(None, "1")).replace("</PmtInfId>", "</PmtInfId><NbOfTxs>2</NbOfTxs>");
    let read = decode(&of(PAIN_001, &batch));
    assert_eq!(read.notes, ["pain.001: PmtInf/NbOfTxs is not as many as stand there, in 1 of them"]);
}

#[test]
fn each_message_is_read_as_what_it_is() {
    let original = format!(
        "<OrgnlGrpInf><OrgnlMsgId>M0</OrgnlMsgId></OrgnlGrpInf><OrgnlEndToEndId>E1</OrgnlEndToEndId>\
         <OrgnlTxRef>{}</OrgnlTxRef>",
        sides()
    );
    let group = "<OrgnlGrpInfAndSts><OrgnlMsgId>M0</OrgnlMsgId></OrgnlGrpInfAndSts>";
    let status = |code: &str| format!("<TxInfAndSts>{original}<TxSts>{code}</TxSts></TxInfAndSts>");
    let collected = "<PmtInf><PmtInfId>B1</PmtInfId>".to_owned()
        + &side("Cdtr", "Club", "024-9")
        + "<DrctDbtTxInf><PmtId><EndToEndId>E1</EndToEndId></PmtId><InstdAmt Ccy=\"HKD\">9</InstdAmt>"
        + &side("Dbtr", "Lau Pui", "012-1")
        + "</DrctDbtTxInf></PmtInf>";
    let returned = format!(
        "<TxInf><RtrId>R1</RtrId>{original}<RtrdIntrBkSttlmAmt Ccy=\"HKD\">9</RtrdIntrBkSttlmAmt></TxInf>"
    );
    let e1 = Some("E1");
    for (version, element, body, kind, state, method, direction, payment) in [
        (
            "pacs.008.001.02",
            "FIToFICstmrCdtTrf",
            transfer(e1, "9"),
            "payment",
            "authorized",
            "wire",
            None,
            "M1:E1",
        ),
        ("pacs.009.001.08", "FICdtTrf", transfer(e1, "9"), "payment", "authorized", "wire", None, "M1:E1"),
        (
            "pacs.003.001.08",
            "FIToFICstmrDrctDbt",
            debit(e1, "9"),
            "payment",
            "authorized",
            "direct_debit",
            None,
            "M1:E1",
        ),
        ("pacs.004.001.09", "PmtRtr", returned, "refund", "authorized", "wire", None, "M1:R1"),
        (
            "pain.001.001.03",
            "CstmrCdtTrfInitn",
            batch(&wage(e1, "9")),
            "payment",
            "initiated",
            "wire",
            Some("outbound"),
            "M1:E1",
        ),
        (
            "pain.008.001.02",
            "CstmrDrctDbtInitn",
            collected,
            "payment",
            "initiated",
            "direct_debit",
            Some("inbound"),
            "M1:E1",
        ),
        ("pacs.002.001.10", "FIToFIPmtStsRpt", status("ACSC"), "payment", "completed", "wire", None, "M0:E1"),
        (
            "pain.002.001.03",
            "CstmrPmtStsRpt",
            format!("{group}<OrgnlPmtInfAndSts>{}</OrgnlPmtInfAndSts>", status("RJCT")),
            "payment",
            "declined",
            "wire",
            None,
            "M0:E1",
        ),
    ] {
        let event = only(&message(version, element, CREATED, &body));
        let read = (event.event_type.name(), event.status.name(), event.method.as_deref().unwrap());
        assert_eq!(read, (kind, state, method), "{version}");
        assert_eq!(event.direction.map(|direction| direction.name()), direction, "{version}");
        assert_eq!(event.payment_id(), payment, "{version}");
        assert!(event.debtor.unwrap().name.is_some() && event.creditor.unwrap().name.is_some(), "{version}");
        assert_eq!(attribute(&only(&message(version, element, CREATED, &body)), "message"), Some(version));
    }
    for (version, element, report) in [
        ("camt.052.001.08", "BkToCstmrAcctRpt", "Rpt"),
        ("camt.053.001.02", "BkToCstmrStmt", "Stmt"),
        ("camt.054.001.08", "BkToCstmrDbtCdtNtfctn", "Ntfctn"),
    ] {
        let body = format!("<{report}><Id>N1</Id>{}</{report}>", receipt(e1, "9"));
        let event = only(&message(version, element, CREATED, &body));
        assert_eq!(
            (event.status, event.event_id.as_str()),
            (PaymentStatus::Completed, &*format!("{}:M1:E1", &version[..8]))
        );
    }
}

#[test]
fn a_cancellation_is_asked_for_then_answered() {
    let assigned = |element: &str, body: &str| {
        format!(
            "<Document><{element}><Assgnmt><Id>A1</Id><CreDtTm>{CREATED}</CreDtTm></Assgnmt>{body}</{element}></Document>"
        )
    };
    let original = format!("<OrgnlUETR>{UETR}</OrgnlUETR>");
    let asked = only(&assigned(
        "FIToFIPmtCxlReq",
        &format!(
            "<Undrlyg><TxInf>{original}<OrgnlIntrBkSttlmAmt Ccy=\"HKD\">9</OrgnlIntrBkSttlmAmt>\
         <CxlRsnInf><Rsn><Cd>DUPL</Cd></Rsn></CxlRsnInf></TxInf></Undrlyg>"
        ),
    ));
    assert_eq!((asked.payment_id(), asked.status), (UETR, PaymentStatus::Processing));
    assert_eq!(
        (attribute(&asked, "cancellation"), attribute(&asked, "cancellation_reason")),
        (Some("requested"), Some("DUPL"))
    );
    for (of_all, own, status) in [
        ("CNCL", "", PaymentStatus::Cancelled),
        ("PDCR", "<TxCxlSts>ACCR</TxCxlSts>", PaymentStatus::Cancelled),
        ("RJCR", "", PaymentStatus::Processing),
        ("CNCL", "<TxCxlSts>RJCR</TxCxlSts>", PaymentStatus::Processing),
    ] {
        let body = format!(
            "<Sts><Conf>{of_all}</Conf></Sts><CxlDtls><TxInfAndSts>{original}{own}</TxInfAndSts></CxlDtls>"
        );
        let answer = only(&assigned("RsltnOfInvstgtn", &body));
        assert_eq!((answer.payment_id(), answer.status), (UETR, status), "{of_all} {own}");
    }
    let group =
        "<OrgnlGrpInfAndCxl><OrgnlMsgId>M0</OrgnlMsgId><OrgnlNbOfTxs>3</OrgnlNbOfTxs></OrgnlGrpInfAndCxl>";
    let whole = only(&assigned("FIToFIPmtCxlReq", &format!("<Undrlyg>{group}</Undrlyg>")));
    assert_eq!((whole.event_type, whole.payment_id()), (EventType::Account, "M0"));
    let batches = "<OrgnlPmtInfAndCxl><OrgnlPmtInfId>B1</OrgnlPmtInfId></OrgnlPmtInfAndCxl>\
                   <OrgnlPmtInfAndCxl><OrgnlPmtInfId>B2</OrgnlPmtInfId>\
                   <TxInf><OrgnlEndToEndId>E1</OrgnlEndToEndId></TxInf></OrgnlPmtInfAndCxl>";
    let read = decode(&assigned("CstmrPmtCxlReq", &format!("<Undrlyg>{group}{batches}</Undrlyg>")));
    assert_eq!(ids(&read), [("camt.055:A1:#1", "M0:B1"), ("camt.055:A1:E1", "M0:E1")]);
    let nameless = decode(&assigned("FIToFIPmtCxlReq", "<Undrlyg><TxInf><CxlId>1</CxlId></TxInf></Undrlyg>"));
    assert!(nameless.refused[0].reason.contains("which payment it is about"));
}

#[test]
fn a_status_of_a_whole_message_moves_no_money() {
    let group = "<OrgnlGrpInfAndSts><OrgnlMsgId>M0</OrgnlMsgId><OrgnlNbOfTxs>3</OrgnlNbOfTxs><GrpSts>RJCT</GrpSts></OrgnlGrpInfAndSts>";
    let event = only(&of(("pacs.002.001.10", "FIToFIPmtStsRpt"), group));
    assert_eq!((event.event_type, event.status), (EventType::Account, PaymentStatus::Declined));
    assert_eq!((event.event_id.as_str(), event.payment_id()), ("pacs.002:M1:#1", "M0"));
    assert_eq!(attribute(&event, "original_message_id"), Some("M0"));
    assert_eq!((event.amount, attribute(&event, "original_transactions")), (None, Some("3")));
    let batch =
        "<OrgnlPmtInfAndSts><OrgnlPmtInfId>B1</OrgnlPmtInfId><PmtInfSts>ACTC</PmtInfSts></OrgnlPmtInfAndSts>";
    let event = only(&of(("pain.002.001.10", "CstmrPmtStsRpt"), &format!("{group}{batch}")));
    assert_eq!((event.payment_id(), event.status), ("M0:B1", PaymentStatus::Authorized));
    // One that names no transaction of the message is about none, not about whichever stands there.
    let nameless =
        "<TxInfAndSts><OrgnlEndToEndId>NOTPROVIDED</OrgnlEndToEndId><TxSts>RJCT</TxSts></TxInfAndSts>";
    let read = decode(&of(("pacs.002.001.10", "FIToFIPmtStsRpt"), &format!("{group}{nameless}")));
    assert!(read.events.is_empty() && read.refused[0].reason.contains("which payment it is about"));
    // Two statuses of one payment are of one payment.
    let one = format!("<TxInfAndSts><OrgnlUETR>{UETR}</OrgnlUETR><TxSts>ACSP</TxSts></TxInfAndSts>");
    let read =
        decode(&of(("pacs.002.001.10", "FIToFIPmtStsRpt"), &format!("{one}{}", one.replace("ACSP", "ACSC"))));
    assert_eq!(
        ids(&read),
        [(&*format!("pacs.002:M1:{UETR}#1"), UETR), (&*format!("pacs.002:M1:{UETR}#2"), UETR),]
    );
}

#[test]
fn a_cover_payment_names_the_customers_it_covers() {
    let bank =
        |bic: &str, name: &str| format!("<FinInstnId><BICFI>{bic}</BICFI><Nm>{name}</Nm></FinInstnId>");
    let body = transfer(Some("E1"), "9")
        .replace("<Dbtr><Nm>Lau Pui</Nm>", &format!("<Dbtr>{}", bank("TESTHKH0", "Test Bank")))
        .replace("<Cdtr><Nm>Ngai Ho</Nm>", &format!("<Cdtr>{}", bank("TESTSGS0", "Other Bank")));
    let covered = format!(
        "<UndrlygCstmrCdtTrf>{}<RmtInf><Ustrd>INV 7</Ustrd></RmtInf></UndrlygCstmrCdtTrf></CdtTrfTxInf>",
        sides()
    );
    let event = only(&of(("pacs.009.001.08", "FICdtTrf"), &body.replace("</CdtTrfTxInf>", &covered)));
    let related: Vec<_> =
        event.related_parties.iter().map(|r| (r.role.as_str(), r.party.name.as_deref().unwrap())).collect();
    assert_eq!(related, [("underlying_debtor", "Lau Pui"), ("underlying_creditor", "Ngai Ho")]);
    assert_eq!(event.debtor.as_ref().unwrap().name.as_deref(), Some("Test Bank"));
    assert_eq!(attribute(&event, "underlying_remittance"), Some("INV 7"));
}

#[test]
fn envelopes_flavours_and_encodings_are_one_message() {
    let plain = of(PACS_008, &transfer(Some("E1"), "9").replace("Lau Pui", "Zoë Lau"));
    let expected = only(&plain);
    let header = "<AppHdr xmlns=\"urn:iso:std:iso:20022:tech:xsd:head.001.001.02\"><BizMsgIdr>B</BizMsgIdr>\
                  <MsgDefIdr>pacs.008.001.08</MsgDefIdr><CreDt>2026-11-27T03:00:00Z</CreDt></AppHdr>";
    let prefixed = plain
        .replace("</", "\0")
        .replace('<', "<p:")
        .replace('\0', "</p:")
        .replace("<p:Document xmlns=", "<p:Document xmlns:p=");
    for (flavour, text) in [
        ("a header before", format!("{header}{plain}")),
        (
            "declarations before both",
            format!("<?xml version='1.0'?>{header}\n<?xml version='1.0' encoding='UTF-8'?>\n{plain}"),
        ),
        ("a header beside", format!("<BizMsgEnvlp>{header}{plain}</BizMsgEnvlp>")),
        (
            "DataPDU",
            format!(
                "<Saa:DataPDU xmlns:Saa='urn:swift:saa:xsd:saa.2.0'><Saa:Header/><Saa:Body>{header}{plain}</Saa:Body></Saa:DataPDU>"
            ),
        ),
        (
            "without a namespace",
            header.to_owned()
                + &plain.replace(" xmlns=\"urn:iso:std:iso:20022:tech:xsd:pacs.008.001.08\"", ""),
        ),
        ("prefixes", prefixed),
        ("CDATA and characters by number", plain.replace("Zoë Lau", "<![CDATA[Zoë]]> &#76;au")),
        ("blanks", plain.replace("<Nm>", "\n\t<Nm>\n ").replace("</Nm>", "\n</Nm>")),
    ] {
        assert_eq!(only(&text), expected, "{flavour}");
    }
    let declared = |label: &str| format!("<?xml version=\"1.0\" encoding=\"{label}\"?>{plain}");
    for label in ["ISO-8859-1", "windows-1252"] {
        let bytes: Vec<u8> = declared(label).chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
        assert_eq!(
            decode_iso20022(&bytes, &Zone::default()).unwrap().events,
            std::slice::from_ref(&expected),
            "{label}"
        );
    }
    let wide: Vec<u8> =
        format!("\u{feff}{}", declared("UTF-16")).encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(decode_iso20022(&wide, &Zone::default()).unwrap().events, [expected]);
}

#[test]
fn a_version_that_is_not_known_is_read_with_a_note() {
    let body = transfer(Some("E1"), "9");
    let read = |namespace: &str| {
        let text = of(PACS_008, &body).replace("urn:iso:std:iso:20022:tech:xsd:pacs.008.001.08", namespace);
        let event = only(&text);
        (
            attribute(&event, "message").unwrap().to_owned(),
            attribute(&event, "message_version").map(str::to_owned),
        )
    };
    let unknown = Some("unknown".to_owned());
    assert_eq!(read("urn:iso:std:iso:20022:tech:xsd:pacs.008.001.12"), ("pacs.008.001.12".into(), None));
    assert_eq!(read("urn:iso:std:iso:20022:tech:xsd:pacs.008.001.77"), ("pacs.008.001.77".into(), unknown));
    // The Swiss and the German name their own.
    assert_eq!(
        read("http://www.six-interbank-clearing.com/de/pacs.008.001.02.ch.01.xsd"),
        ("pacs.008.001.02.ch.01".into(), None)
    );
    assert_eq!(read("urn:iso:std:iso:20022:tech:xsd:pacs.008.003.02"), ("pacs.008.003.02".into(), None));
    assert_eq!(read(""), ("pacs.008".into(), None));
}

/// Both parties of a booking with their accounts.
fn parties(event: &PaymentEvent) -> [(&str, &str); 2] {
    [&event.debtor, &event.creditor].map(|party| {
        let party = party.as_ref().unwrap();
        (party.name.as_deref().unwrap_or_default(), party.account.as_deref().unwrap_or_default())
    })
}

#[test]
fn the_side_of_the_notified_account_is_the_customers() {
    let own = ("Brook Tools Ltd", "012-OWN");
    let other = ("Viktor Examplov", "FOREIGN-5");
    let details = |debtor: (&str, &str), creditor: (&str, &str), more: &str| {
        let parties = side("Dbtr", debtor.0, debtor.1) + &side("Cdtr", creditor.0, creditor.1);
        format!(
            "<TxDtls><Refs><EndToEndId>E-77</EndToEndId></Refs><RltdPties>{parties}</RltdPties>{more}</TxDtls>"
        )
    };
    let returned = "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>";
    let returned_code = "<BkTxCd><Domn><Fmly><SubFmlyCd>RRTN</SubFmlyCd></Fmly></Domn></BkTxCd>";
    for (indicator, of_entry, details) in [
        ("DBIT", "", details(own, other, "")),
        ("CRDT", "", details(other, own, "")),
        ("CRDT", "<RvslInd>true</RvslInd>", details(own, other, returned)),
        ("CRDT", "<RvslInd>1</RvslInd>", details(own, other, "")),
        ("CRDT", "", details(own, other, returned)),
        ("CRDT", "", details(own, other, returned_code)),
        ("CRDT", returned_code, details(other, own, "")),
        ("DBIT", "<RvslInd>true</RvslInd>", details(other, own, "")),
        ("CRDT", "<RvslInd>false</RvslInd>", details(other, own, "")),
    ] {
        let event = only(&notification(&entry(indicator, of_entry, &details)));
        let name = format!("{indicator} {of_entry} {details}");
        let expected = if indicator == "DBIT" { [own, other] } else { [other, own] };
        assert_eq!(parties(&event), expected, "whom the money goes to is the creditor: {name}");
        let is_return = !of_entry.is_empty() && !of_entry.contains("false")
            || details.contains("RtrInf")
            || details.contains("RRTN");
        assert_eq!(event.event_type == EventType::Refund, is_return, "{name}");
    }
    // Without accounts a name tells, and without either the way the money goes.
    let nameless = "<TxDtls><RltdPties><Cdtr><Nm>Viktor Examplov</Nm></Cdtr></RltdPties></TxDtls>";
    let event = only(&notification(&entry("CRDT", "<RvslInd>true</RvslInd>", nameless)));
    assert_eq!(parties(&event), [("Viktor Examplov", ""), own]);
    let named = "<TxDtls><RltdPties><Dbtr><Nm>BROOK TOOLS LTD</Nm></Dbtr><Cdtr><Nm>Viktor Examplov</Nm></Cdtr></RltdPties></TxDtls>";
    let event = only(&notification(&entry("CRDT", "", named)));
    assert_eq!(parties(&event), [("Viktor Examplov", ""), ("BROOK TOOLS LTD", "012-OWN")]);
    // An account of the customer's own that is not the notified one is kept.
    let event = only(&notification(&entry("CRDT", "", &details(other, (own.0, "VIRTUAL-9"), ""))));
    assert_eq!(
        (parties(&event), attribute(&event, "creditor.account_given")),
        ([other, own], Some("VIRTUAL-9"))
    );
    // Nothing is said of the other: it is not the customer.
    let event = only(&notification(&entry("DBIT", "", "")));
    assert_eq!((event.debtor.unwrap().account.as_deref(), event.creditor), (Some("012-OWN"), None));
}

#[test]
fn a_return_names_its_original_where_the_message_does() {
    let read = |references: &str| {
        let details = format!("<TxDtls><Refs>{references}</Refs><RtrInf/></TxDtls>");
        let event = only(&notification(&entry("CRDT", "", &details)));
        (event.payment_id().to_owned(), event.original_payment_id)
    };
    let uetr = format!("<EndToEndId>E1</EndToEndId><UETR>{UETR}</UETR>");
    assert_eq!(read(&uetr), (format!("M1:{UETR}"), Some(UETR.to_owned())));
    assert_eq!(read("<MsgId>M0</MsgId><EndToEndId>E1</EndToEndId>"), ("M1:E1".into(), Some("M0:E1".into())));
    assert_eq!(read("<EndToEndId>E1</EndToEndId>"), ("M1:E1".into(), None));
}

#[test]
fn an_entry_is_as_many_events_as_it_has_transactions_and_else_one() {
    let details =
        |n: usize| (0..n).map(|i| format!("<TxDtls><Amt Ccy=\"HKD\">{i}</Amt></TxDtls>")).collect::<String>();
    for (count, body) in [
        (1, String::new()),
        (1, details(1)),
        (4, details(4)),
        (5, details(2) + "</NtryDtls><NtryDtls>" + &details(3)),
    ] {
        let read = decode(&notification(&entry("CRDT", "", &body)));
        assert_eq!((read.events.len(), read.refused.len()), (count, 0));
    }
    let missing = details(1) + "<TxDtls/>";
    let read = decode(&notification(&entry("CRDT", "", &missing)));
    assert_eq!(
        (read.events.len(), read.refused[0].reason.as_str()),
        (1, "camt.054 transaction 2: Amt is missing")
    );
}

#[test]
fn a_date_is_no_moment_and_nothing_lies_ahead_of_its_message() {
    let booked = |date: &str| {
        let date = format!("<BookgDt>{date}</BookgDt><ValDt><Dt>2026-11-30+08:00</Dt></ValDt>");
        let event = only(&notification(&entry("CRDT", &date, "")));
        assert_eq!(attribute(&event, "value_date"), Some("2026-11-30+08:00"));
        (event.occurred_at.to_string(), attribute(&event, "booking_date").unwrap().to_owned())
    };
    for date in ["2026-11-27", "2026-11-28", "2026-11-28+08:00", "2026-11-27Z"] {
        assert_eq!(booked(&format!("<Dt>{date}</Dt>")), (CREATED.to_owned(), date.to_owned()));
    }
    assert_eq!(booked("<DtTm>2026-11-27T10:59:00+08:00</DtTm>").0, "2026-11-27T02:59:00Z");
    assert_eq!(booked("<DtTm>2026-11-27T12:00:00+08:00</DtTm>").0, CREATED);
    assert_eq!(booked("<DtTm>2026-11-27T12:00:00</DtTm>").0, CREATED);
    let at = |created: &str, header: &str| {
        let text = message(PACS_008.0, PACS_008.1, created, &transfer(None, "1"));
        let event = only(&format!("{header}{text}"));
        (event.occurred_at.to_string(), attribute(&event, "created_local").map(str::to_owned))
    };
    let local = "2026-11-27T11:00:00";
    assert_eq!(at("2026-11-27T11:00:00+08:00", ""), (CREATED.to_owned(), None));
    assert_eq!(at(local, ""), (CREATED.to_owned(), Some(local.into())));
    assert_eq!(at(local, &format!("<AppHdr><CreDt>{CREATED}</CreDt></AppHdr>")), (CREATED.to_owned(), None));
    let wrong = message(PACS_008.0, PACS_008.1, "yesterday", &transfer(None, "1"));
    let error = decode_iso20022(wrong.as_bytes(), &Zone::default()).unwrap_err();
    assert_eq!(error.to_string(), "pacs.008: GrpHdr/CreDtTm is not a time");
}

#[test]
fn a_time_without_an_offset_belongs_to_the_zone_of_the_source() {
    let at = |text: &str, zone: &str| {
        let mut decoded = decode_iso20022(text.as_bytes(), &zone.parse().unwrap()).unwrap();
        decoded.events.remove(0).occurred_at.to_string()
    };
    let created = |time: &str| message(PACS_008.0, PACS_008.1, time, &transfer(None, "1"));
    let local = created("2026-11-27T11:00:00");
    assert_eq!(at(&local, "Asia/Hong_Kong"), CREATED);
    assert_eq!(at(&local, "Europe/Zurich"), "2026-11-27T10:00:00Z");
    // London skips 01:00 to 02:00 on 29 March and has it twice on 25 October.
    assert_eq!(at(&created("2026-03-29T01:30:00"), "Europe/London"), "2026-03-29T01:30:00Z");
    assert_eq!(at(&created("2026-10-25T01:30:00"), "Europe/London"), "2026-10-25T00:30:00Z");
    let booked = |date: &str| notification(&entry("CRDT", &format!("<BookgDt>{date}</BookgDt>"), ""));
    let (time, day) = (booked("<DtTm>2026-11-27T10:59:00</DtTm>"), booked("<Dt>2026-11-27</Dt>"));
    assert_eq!(at(&time, "Asia/Hong_Kong"), "2026-11-27T02:59:00Z");
    assert_eq!(at(&time, "Europe/Zurich"), CREATED, "no later than its message");
    for told in [created("2026-11-27T11:00:00+08:00"), day, booked("<DtTm>2026-11-27T10:59:00Z</DtTm>")] {
        assert_eq!(at(&told, "Asia/Hong_Kong"), CREATED, "{told}");
        assert_eq!(at(&told, "Europe/Zurich"), CREATED, "{told}");
    }
}

#[test]
fn fifty_thousand_transactions_of_one_reference_are_read() {
    const MANY: usize = 50_000;
    let wages = wage(Some("SALARY NOV"), "21000.00").repeat(MANY);
    let read = decode(&of(PAIN_001, &batch(&wages)));
    let ids: HashSet<_> = read.events.iter().map(|event| &event.event_id).collect();
    assert_eq!((ids.len(), read.refused.len()), (MANY, 0));
    let details = "<TxDtls><Amt Ccy=\"HKD\">1</Amt></TxDtls>".repeat(MANY);
    assert_eq!(decode(&notification(&entry("CRDT", "", &details))).events.len(), MANY);
    let entries = entry("CRDT", "", "").repeat(MANY);
    assert_eq!(decode(&notification(&entries)).events.len(), MANY);
}

/// More transactions than are read at once when a document is looked through.
const MANY: usize = 300;

/// The ids of a message as the guide has them: what repeats has its place behind it, until it is the only one.
fn told_apart(given: &[Option<String>]) -> Vec<Option<String>> {
    let mut taken: HashSet<&str> = HashSet::new();
    let repeated: HashSet<&str> =
        given.iter().flatten().map(String::as_str).filter(|id| !taken.insert(*id)).collect();
    let mut taken: HashSet<String> = taken.into_iter().map(str::to_owned).collect();
    let told = (1..).zip(given).map(|(place, id)| {
        let mut id = id.clone()?;
        if repeated.contains(id.as_str()) {
            while !taken.insert(id.clone()) {
                id.push_str(&format!("#{place}"));
            }
        }
        Some(id)
    });
    told.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// However many stand around it, a transaction is read as it is where it stands alone, with the ids that tell it from
    /// the others.
    #[test]
    fn each_of_many_is_read_as_it_is_alone(
        kind in 0..5_usize,
        references in prop::collection::vec(
            prop_oneof![
                2 => prop::sample::select(vec![None, Some("A".to_owned()), Some("A#7".into()), Some("#3".into()), Some("NOTPROVIDED".into())]),
                3 => "[A-D][0-9]{3}".prop_map(Some),
            ],
            MANY..MANY + 40),
        bad in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let after = "<SplmtryData><Envlp><Note>Presented by Hidden Friends Trading</Note></Envlp></SplmtryData>";
        let whole = |body: &str| match kind {
            0 => of(PACS_008, &format!("{body}{after}")),
            1 => of(("pacs.003.001.08", "FIToFICstmrDrctDbt"), &format!("{body}{after}")),
            2 => of(PAIN_001, &(batch(&format!("{body}{after}")) + after)),
            3 => notification(&format!("{body}{after}")),
            _ => of(PAIN_001, &(body.to_owned() + after)),
        };
        let bad: HashSet<usize> = bad.iter().map(|index| index.index(references.len())).collect();
        let made: Vec<String> = (0..).zip(&references).map(|(at, reference)| {
            let amount = if bad.contains(&at) { "x".to_owned() } else { format!("{at}.00") };
            let one = [transfer, debit, wage, receipt, wage][kind](reference.as_deref(), &amount);
            if kind == 4 { batch(&one) } else { one }
        }).collect();
        let read = decode(&whole(&made.concat()));
        prop_assert_eq!((read.events.len(), read.refused.len()), (made.len() - bad.len(), bad.len()));
        let alone: Vec<Option<PaymentEvent>> =
            made.iter().map(|one| decode(&whole(one)).events.pop()).collect();
        let given = |of: fn(&PaymentEvent) -> String| {
            let ids = (1..).zip(&alone).map(|(place, event)| {
                event.as_ref().map(|event| {
                    let id = of(event);
                    id.strip_suffix(":#1").map_or(id.clone(), |before| format!("{before}:#{place}"))
                })
            });
            told_apart(&ids.collect::<Vec<_>>())
        };
        let (ids, payments) = (given(|event| event.event_id.clone()), given(|event| event.payment_id().to_owned()));
        let expected = alone.into_iter().zip(ids).zip(payments).filter_map(|((event, id), payment)| {
            Some(PaymentEvent { event_id: id?, payment_id: payment, ..event? })
        });
        prop_assert_eq!(&read.events, &expected.collect::<Vec<_>>());
        let texts = |event: &PaymentEvent| event.attributes["texts"].to_string();
        prop_assert!(read.events.iter().all(|event| texts(event).contains("Hidden Friends Trading")));
        let mut places: Vec<usize> = bad.into_iter().collect();
        places.sort_unstable();
        let refused: Vec<&[u8]> = read.refused.iter().map(|refused| refused.original.as_slice()).collect();
        prop_assert_eq!(refused.len(), places.len());
        for (place, original) in places.into_iter().zip(refused) {
            prop_assert!(made[place].as_bytes().windows(original.len()).any(|part| part == original));
        }
    }
}

#[test]
fn a_sum_is_compared_over_all_of_many_and_told_with_each() {
    let body: String = (0..MANY).map(|n| transfer(Some(&format!("E{n}")), "1.50")).collect();
    let said = |sum: &str| {
        decode(&of(PACS_008, &body).replace("</GrpHdr>", &format!("<CtrlSum>{sum}</CtrlSum></GrpHdr>")))
    };
    assert!(said("450").notes.is_empty());
    let read = said("450.01");
    assert_eq!(read.notes.len(), 1);
    assert!(read.events.iter().all(|event| attribute(event, "control_totals").is_some()));
}

/// What holds transactions may itself stand there as often as they do.
#[test]
fn fifty_thousand_batches_are_read() {
    const BATCHES: usize = 50_000;
    let orders = batch(&wage(Some("SALARY NOV"), "21000.00")).repeat(BATCHES);
    assert_eq!(decode(&of(PAIN_001, &orders)).events.len(), BATCHES);
    let report = format!("<Ntfctn><Id>N</Id>{}</Ntfctn>", receipt(Some("E1"), "1"));
    assert_eq!(decode(&of(CAMT_054, &report.repeat(BATCHES))).events.len(), BATCHES);
    let status = "<OrgnlPmtInfAndSts><OrgnlPmtInfId>B</OrgnlPmtInfId><TxInfAndSts><OrgnlUETR>7f0c2f7e-6e6b-4c1d-9f50-0f3a4a1b2c3d\
                  </OrgnlUETR><TxSts>RJCT</TxSts></TxInfAndSts></OrgnlPmtInfAndSts>";
    assert_eq!(
        decode(&of(("pain.002.001.10", "CstmrPmtStsRpt"), &status.repeat(BATCHES))).events.len(),
        BATCHES
    );
    let asked = format!("<Undrlyg><TxInf><OrgnlUETR>{UETR}</OrgnlUETR></TxInf></Undrlyg>").repeat(BATCHES);
    let assigned = format!("<Assgnmt><Id>A1</Id><CreDtTm>{CREATED}</CreDtTm></Assgnmt>");
    let request = format!("<Document><FIToFIPmtCxlReq>{assigned}{asked}</FIToFIPmtCxlReq></Document>");
    assert_eq!(decode(&request).events.len(), BATCHES);
}

#[test]
fn many_are_read_until_no_more_are_wanted() {
    let text = of(PACS_008, &transfer(None, "1").repeat(MANY));
    for wanted in [1, MANY - 1, MANY + 1] {
        let document = Document::parse(text.as_bytes()).unwrap();
        let zone = Zone::default();
        let messages = document.messages(&zone).unwrap();
        assert_eq!(messages.transactions(), MANY);
        let mut taken = 0;
        messages.each(|_| {
            taken += 1;
            if taken == wanted { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!(taken, wanted.min(MANY));
    }
}
