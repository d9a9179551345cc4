//! Whoever and whatever a message of ISO 20022 names is screened: for each place in the published schemas where a
//! name, a BIC, an LEI or a text may stand, a message that has one there, and where it went.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;
mod xsd;

use std::{collections::BTreeMap, fs, path::PathBuf};

use common::shared;
use serde_json::Value;
use sluice_codec::{Refused, Zone, decode_iso20022, iso20022::Decoded};
use sluice_model::PaymentEvent;
use xsd::{Sought, Xsd};

#[test]
fn whatever_a_schema_lets_a_message_name_is_screened() {
    let Some(folder) = shared("schemas/iso20022") else { return };
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut lost = Vec::new();
    for file in files {
        let kind = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let xsd = Xsd::read(&fs::read_to_string(&file).unwrap());
        let of = |path: &[&str], text: &str| match kind.starts_with("head.") {
            true => beside(&xsd.message(path, text)),
            false => xsd.message(path, text),
        };
        if let Err(error) = decode_iso20022(of(&[], "").as_bytes(), &Zone::default()) {
            assert_eq!(error.code(), "unsupported", "{kind}: {error}");
            println!("{kind}: not read");
            continue;
        }
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (path, sought) in xsd.places() {
            let message = of(&path, sought.sentinel());
            let path = path.join("/");
            *counts.entry(sought.name()).or_default() += 1;
            let Decoded { events, refused, .. } = decode_iso20022(message.as_bytes(), &Zone::default())
                .unwrap_or_else(|error| panic!("{kind} {path}: {error}\n{message}"));
            assert!(refused.is_empty() && !events.is_empty(), "{kind} {path}: {refused:?}\n{message}");
            // What a batch says is of its own transactions alone.
            let is_of_a_batch = path.contains("OrgnlPmtInfAnd");
            let mut screened = events.iter().map(|event| is_screened(event, sought));
            let is_found = if is_of_a_batch { screened.any(|is| is) } else { screened.all(|is| is) };
            if !is_found {
                lost.push(format!("{kind} {path}"));
            }
        }
        println!("{kind}: {counts:?}");
    }
    assert!(lost.is_empty(), "{} places are not screened:\n{}", lost.len(), lost.join("\n"));
}

/// A business header beside a message of two transactions.
fn beside(header: &str) -> String {
    let transaction = |id: &str| {
        format!(
            "<CdtTrfTxInf><PmtId><TxId>{id}</TxId></PmtId><IntrBkSttlmAmt Ccy=\"HKD\">1.00</IntrBkSttlmAmt>\
             <Dbtr><Nm>Lau Pui</Nm></Dbtr><DbtrAgt><FinInstnId><BICFI>TESTHKH0XXX</BICFI></FinInstnId></DbtrAgt>\
             <Cdtr><Nm>Ngai Ho</Nm></Cdtr></CdtTrfTxInf>"
        )
    };
    format!(
        "<DataPDU><Body>{header}<Document><FIToFICstmrCdtTrf><GrpHdr><MsgId>M</MsgId>\
         <CreDtTm>2026-11-27T03:00:00Z</CreDtTm></GrpHdr>{}{}</FIToFICstmrCdtTrf></Document></Body></DataPDU>",
        transaction("1"),
        transaction("2"),
    )
}

/// Whether a screener looks for what was sought where it went: names as names, numbers as identifiers, texts for names
/// in them.
fn is_screened(event: &PaymentEvent, sought: Sought) -> bool {
    let event = serde_json::to_value(event).unwrap();
    let mut fields = Vec::new();
    fields_with(&event, sought.sentinel(), "", &mut fields);
    fields.iter().any(|field| {
        let last = field.rsplit('.').find(|step| step.parse::<usize>().is_err()).unwrap();
        match sought {
            Sought::Name => ["name", "name_local", "agent_name"].contains(&last),
            Sought::Bic | Sought::Lei => ["agent_bic", "agent_lei", "id_number", "other_ids"].contains(&last),
            Sought::Text => {
                let own = ["uetr", "event_id", "payment_id", "original_payment_id", "method", "channel"];
                !own.contains(&field.as_str())
            }
        }
    })
}

/// The paths of the fields in which a text stands.
fn fields_with(value: &Value, text: &str, path: &str, found: &mut Vec<String>) {
    let within = |step: &str| if path.is_empty() { step.to_owned() } else { format!("{path}.{step}") };
    match value {
        Value::String(there) if there.contains(text) => found.push(path.to_owned()),
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                fields_with(item, text, &within(&at.to_string()), found);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                fields_with(field, text, &within(name), found);
            }
        }
        _ => {}
    }
}

fn event(transaction: &str, group: &str) -> Result<PaymentEvent, Refused> {
    let message = format!(
        "<FIToFICstmrCdtTrf><GrpHdr><MsgId>M</MsgId><CreDtTm>2026-11-27T03:00:00Z</CreDtTm>{group}</GrpHdr>\
         <CdtTrfTxInf><PmtId><TxId>T</TxId></PmtId><IntrBkSttlmAmt Ccy=\"HKD\">1.00</IntrBkSttlmAmt>\
         <Dbtr><Nm>Lau Pui</Nm></Dbtr><DbtrAgt><FinInstnId><BICFI>TESTHKH0XXX</BICFI></FinInstnId></DbtrAgt>\
         <Cdtr><Nm>Ngai Ho</Nm></Cdtr>{transaction}</CdtTrfTxInf></FIToFICstmrCdtTrf>"
    );
    let mut decoded = decode_iso20022(message.as_bytes(), &Zone::default()).unwrap();
    match decoded.refused.pop() {
        Some(refused) => Err(refused),
        None => Ok(decoded.events.remove(0)),
    }
}

fn roles(event: &PaymentEvent) -> Vec<&str> {
    event.related_parties.iter().map(|related| related.role.as_str()).collect()
}

#[test]
fn everybody_is_told_by_the_part_they_play() {
    let agent = |bic: &str| format!("<FinInstnId><BICFI>{bic}</BICFI></FinInstnId>");
    let transaction = format!(
        "<ChrgsInf><Amt Ccy=\"HKD\">1</Amt><Agt>{}</Agt></ChrgsInf><IntrmyAgt1>{}</IntrmyAgt1>\
         <IntrmyAgt1Acct><Id><Othr><Id>777</Id></Othr></Id><Nm>Nostro One</Nm></IntrmyAgt1Acct>\
         <DbtrAcct><Id><Othr><Id>012-1</Id></Othr></Id><Nm>Lau Pui</Nm></DbtrAcct>\
         <CdtrAcct><Id><Othr><Id>024-9</Id></Othr></Id><Nm>Somebody Else</Nm></CdtrAcct>\
         <UltmtCdtr><Nm>Ngai Ho</Nm><CtctDtls><Nm>Ms Contact</Nm></CtctDtls></UltmtCdtr>\
         <RltdRmtInf><RmtLctnDtls><PstlAdr><Nm>Post Room</Nm><Adr><TwnNm>Harbour</TwnNm></Adr></PstlAdr>\
         </RmtLctnDtls></RltdRmtInf>",
        agent("CHRGSGSG"),
        agent("INTRMYSG")
    );
    let group = format!(
        "<SttlmInf><SttlmMtd>COVE</SttlmMtd><InstgRmbrsmntAgt>{}</InstgRmbrsmntAgt></SttlmInf>\
         <InstgAgt>{}</InstgAgt><InstdAgt>{}</InstdAgt>",
        agent("RMBRUS33"),
        agent("TESTHKH0"),
        agent("BNKAIRTHXXX")
    );
    let event = event(&transaction, &group).unwrap();
    assert_eq!(
        roles(&event),
        [
            "instructing_reimbursement_agent",
            "instructed_agent",
            "charges_agent",
            "intermediary_agent_1_account",
            "creditor_account",
            "ultimate_creditor",
            "ultimate_creditor_contact",
            "remittance_location",
        ],
        "the instructing agent is the debtor's own, the account's name the debtor's"
    );
    let related = |role: &str| &event.related_parties.iter().find(|r| r.role == role).unwrap().party;
    assert_eq!(related("instructed_agent").country.as_deref(), Some("IR"));
    assert_eq!(related("remittance_location").address.as_deref(), Some("Harbour"));
    assert_eq!(event.intermediaries.len(), 1);
    assert!(!event.attributes.contains_key("texts"), "{:?}", event.attributes);
}

#[test]
fn whoever_sends_and_receives_the_message_is_told_wherever_its_header_stands() {
    let header = "<AppHdr><Fr><FIId><FinInstnId><BICFI>BNKAIRTHXXX</BICFI></FinInstnId></FIId></Fr>\
        <To><OrgId><Nm>Receiving Works</Nm><Id><OrgId><LEI>5493001KJTIIGC8Y1R12</LEI></OrgId></Id></OrgId></To>\
        <BizMsgIdr>of a header</BizMsgIdr><MsgDefIdr>pacs.008.001.08</MsgDefIdr><CreDt>2026-11-27T03:00:00Z</CreDt>\
        <Sgntr><Signature>c2lnbmVk</Signature></Sgntr><Rltd><Fr><FIId><FinInstnId><BICFI>TESTHKH0</BICFI></FinInstnId></FIId></Fr>\
        <To><FIId><FinInstnId><BICFI>RLTDSGSG</BICFI></FinInstnId></FIId></To></Rltd></AppHdr>";
    let message = beside("");
    let document = message.replace("<DataPDU><Body>", "").replace("</Body></DataPDU>", "");
    let within = header.replace("</AppHdr>", &format!("{document}</AppHdr>"));
    for text in [
        beside(header),
        format!("{header}{document}"),
        format!("<Envelope>{document}<Hdr>{header}</Hdr></Envelope>"),
        within,
    ] {
        let events = decode_iso20022(text.as_bytes(), &Zone::default()).unwrap().events;
        assert_eq!(events.len(), 2);
        for event in events {
            let roles = roles(&event);
            assert_eq!(roles, ["message_sender", "message_receiver", "related_message_receiver"], "{text}");
            let party = |at: usize| &event.related_parties[at].party;
            assert_eq!(party(0).agent_bic.as_deref(), Some("BNKAIRTH"));
            assert_eq!(party(0).country.as_deref(), Some("IR"));
            assert_eq!(party(1).name.as_deref(), Some("Receiving Works"));
            assert_eq!(party(1).other_ids, ["5493001KJTIIGC8Y1R12"]);
            assert_eq!(event.attributes["texts"].as_array().unwrap(), &["of a header"]);
        }
    }
}

#[test]
fn a_header_that_names_only_whom_the_message_names_changes_nothing() {
    let agent = |bic: &str| format!("<FinInstnId><BICFI>{bic}</BICFI></FinInstnId>");
    let header = format!(
        "<AppHdr><Fr><FIId>{}</FIId></Fr><To><FIId>{}</FIId></To></AppHdr>",
        agent("TESTHKH0"),
        agent("INTRMYSG")
    );
    let told = format!("<InstdAgt>{}</InstdAgt></CdtTrfTxInf>", agent("INTRMYSG"));
    let events = |header: &str| {
        let text = beside(header).replace("</CdtTrfTxInf>", &told);
        decode_iso20022(text.as_bytes(), &Zone::default()).unwrap().events
    };
    assert_eq!(events(&header)[0].intermediaries.len(), 1, "it stays the intermediary that it was");
    assert_eq!(events(&header), events(""));
}

#[test]
fn an_institution_is_collected_once_but_never_at_the_cost_of_a_name() {
    let agent = |name: &str| {
        format!(
            "<ChrgsInf><Amt Ccy=\"HKD\">1</Amt><Agt><FinInstnId><BICFI>CHRGSGSG</BICFI>{name}</FinInstnId></Agt></ChrgsInf>"
        )
    };
    let event = event(&[agent("<Nm>One</Nm>"), agent(""), agent("<Nm>Two</Nm>")].concat(), "").unwrap();
    let names: Vec<_> = event.related_parties.iter().map(|r| r.party.name.as_deref()).collect();
    assert_eq!(names, [Some("One"), Some("Two")]);
}

#[test]
fn more_parties_than_an_event_may_carry_are_refused_and_never_cut() {
    let many =
        |n: usize| (0..n).map(|at| format!("<UltmtDbtr><Nm>Party {at}</Nm></UltmtDbtr>")).collect::<String>();
    assert_eq!(event(&many(64), "").unwrap().related_parties.len(), 64);
    for n in [65, 5_000] {
        let refused = event(&many(n), "").unwrap_err();
        assert_eq!((refused.code, refused.reason.contains("64")), ("too_large", true), "{refused:?}");
    }
}

#[test]
fn what_no_schema_allows_hides_nobody() {
    let hidden = [
        "<UltmtDbtr><Nm>Kathryn Barr</Nm><Nm>Vasil Zorkin</Nm></UltmtDbtr>",
        "<UltmtDbtr><Nm>Kathryn Barr</Nm><X><Agt><FinInstnId><Nm>Vasil Zorkin</Nm></FinInstnId></Agt></X></UltmtDbtr>",
        "<UltmtDbtr><Nm>Kathryn Barr</Nm><PstlAdr><TwnNm>Kowloon</TwnNm><TwnNm>Vasil Zorkin</TwnNm></PstlAdr></UltmtDbtr>",
        "<IntrmyAgt1><FinInstnId><BICFI>INTRMYSG</BICFI><BICFI>Vasil Zorkin</BICFI></FinInstnId></IntrmyAgt1>",
        "<New><Deep><Nm>Vasil Zorkin</Nm></Deep></New>",
        "<UETR>Vasil Zorkin</UETR>",
    ];
    for transaction in hidden {
        let event = serde_json::to_value(event(transaction, "").unwrap()).unwrap();
        let mut fields = Vec::new();
        fields_with(&event, "Vasil Zorkin", "", &mut fields);
        assert!(!fields.is_empty(), "{transaction}");
    }
}

#[test]
fn every_number_of_a_party_is_kept() {
    let party = "<UltmtDbtr><Nm>A</Nm><Id><OrgId><AnyBIC>OWNBHKHH</AnyBIC><LEI>5493001KJTIIGC8Y1R12</LEI>\
                 <Othr><Id>R-1</Id></Othr><Othr><Id>R-2</Id></Othr></OrgId></Id></UltmtDbtr>";
    let event = event(party, "").unwrap();
    let party = &event.related_parties[0].party;
    assert_eq!(party.id_number.as_deref(), Some("R-1"));
    assert_eq!(party.other_ids, ["5493001KJTIIGC8Y1R12", "OWNBHKHH", "R-2"]);
}

#[test]
fn texts_without_a_field_are_kept_once() {
    let transaction = "<InstrForCdtrAgt><Cd>PHOB</Cd><InstrInf>call first</InstrInf></InstrForCdtrAgt>\
        <InstrForNxtAgt><InstrInf>pay through Lumenika</InstrInf></InstrForNxtAgt>\
        <Purp><Prtry>Harbour works</Prtry></Purp><RmtInf><Ustrd>Invoice seven</Ustrd><Strd><Invcr><Nm>Biller</Nm></Invcr>\
        <AddtlRmtInf>Invoice seven</AddtlRmtInf></Strd></RmtInf><SplmtryData><Envlp><X>of the clearing</X></Envlp></SplmtryData>";
    let event = event(transaction, "").unwrap();
    assert_eq!(event.attributes["instructions"], "PHOB call first pay through Lumenika");
    let texts = event.attributes["texts"].as_array().unwrap();
    assert_eq!(texts, &["call first", "pay through Lumenika", "of the clearing"]);
}

#[test]
fn an_order_is_walked_too() {
    let message = "<CstmrCdtTrfInitn><GrpHdr><MsgId>M</MsgId><CreDtTm>2026-11-27T03:00:00Z</CreDtTm>\
        <InitgPty><Nm>Group Treasury</Nm></InitgPty><FwdgAgt><FinInstnId><Nm>Forwarder</Nm></FinInstnId></FwdgAgt></GrpHdr>\
        <PmtInf><PmtInfId>B</PmtInfId><Dbtr><Nm>Lau Pui</Nm></Dbtr><ChrgsAcctAgt><FinInstnId><Nm>Charges Bank</Nm></FinInstnId></ChrgsAcctAgt>\
        <CdtTrfTxInf><PmtId><EndToEndId>1</EndToEndId></PmtId><Amt><InstdAmt Ccy=\"HKD\">1.00</InstdAmt></Amt>\
        <Cdtr><Nm>Ngai Ho</Nm></Cdtr><ChqInstr><DlvrTo><Nm>Carrier</Nm></DlvrTo></ChqInstr></CdtTrfTxInf>\
        <CdtTrfTxInf><PmtId><EndToEndId>2</EndToEndId></PmtId><Amt><InstdAmt Ccy=\"HKD\">1.00</InstdAmt></Amt>\
        <Cdtr><Nm>Second</Nm></Cdtr></CdtTrfTxInf></PmtInf></CstmrCdtTrfInitn>";
    let events = decode_iso20022(message.as_bytes(), &Zone::default()).unwrap().events;
    let shared = ["initiating_party", "forwarding_agent", "charges_account_agent"];
    assert_eq!(roles(&events[0]), [&shared[..], &["delivered_to"]].concat());
    assert_eq!(roles(&events[1]), shared, "what one transaction names is not the other's");
}

#[test]
fn inputs_that_went_unlooked_at_name_their_agents() {
    for (file, role) in [
        ("reimbursement-agent-listed.pacs008.xml", "instructing_reimbursement_agent"),
        ("group-agent-iran.pacs008.xml", "instructing_agent"),
    ] {
        let Some(path) = shared(&format!("faults/turn2/{file}")) else { continue };
        let events = decode_iso20022(&fs::read(path).unwrap(), &Zone::default()).unwrap().events;
        assert_eq!(roles(&events[0]), [role]);
    }
}
