//! Real input from `../shared`, where it is there: every sample of ISO 20022, and the labelled CSV set.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::{collections::BTreeMap, fs, path::Path};

use common::shared;
use sluice_codec::{Mapping, Zone, decode_iso20022, decode_mt, ecommpay, webhook::Secrets};
use sluice_model::PaymentEvent;

fn documents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut read: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "xml"))
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap()))
        .collect();
    read.sort();
    read
}

#[test]
fn every_pacs008_of_the_samples_becomes_a_whole_event() {
    let folders = ["samples/iso20022", "samples/synthetic-hk"];
    let documents: Vec<_> =
        folders.into_iter().filter_map(shared).flat_map(|folder| documents(&folder)).collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (file, bytes) in &documents {
        if !String::from_utf8_lossy(bytes).contains("<FIToFICstmrCdtTrf") {
            continue;
        }
        let decoded =
            decode_iso20022(bytes, &Zone::default()).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(decoded.refused.is_empty() && decoded.notes.is_empty(), "{file}: {decoded:?}");
        let events = decoded.events;
        let text = String::from_utf8_lossy(bytes);
        assert_eq!(events.len(), text.matches("<CdtTrfTxInf>").count(), "{file}");
        assert_eq!(
            events.iter().filter(|e| e.uetr.is_some()).count(),
            text.matches("<UETR>").count(),
            "{file}"
        );
        for event in events {
            let named =
                |party: &Option<sluice_model::Party>| party.as_ref().is_some_and(|p| p.name.is_some());
            assert!(named(&event.debtor) && named(&event.creditor), "{file}: both sides have names");
            for party in [&event.debtor, &event.creditor].into_iter().flatten() {
                assert!(
                    party.agent_bic.is_some() || party.agent_member_id.is_some(),
                    "{file}: both have agents"
                );
            }
            assert!(event.amount.is_some_and(|amount| amount.minor > 0), "{file}: an amount");
            *counts.entry("events").or_default() += 1;
            *counts.entry("with a UETR").or_default() += usize::from(event.uetr.is_some());
            *counts.entry("with intermediaries").or_default() +=
                usize::from(!event.intermediaries.is_empty());
            *counts.entry("with related parties").or_default() +=
                usize::from(!event.related_parties.is_empty());
            *counts.entry("with a name in two scripts").or_default() +=
                usize::from(event.debtor.is_some_and(|debtor| debtor.name_local.is_some()));
        }
    }
    println!("pacs.008: {counts:?}");
    if !documents.is_empty() {
        assert_eq!(counts["events"], 10);
    }
}

#[test]
fn every_message_of_the_samples_is_read() {
    let folders = ["samples/iso20022", "samples/synthetic-hk"];
    for (file, bytes) in folders.into_iter().filter_map(shared).flat_map(|folder| documents(&folder)) {
        let decoded =
            decode_iso20022(&bytes, &Zone::default()).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(decoded.refused.is_empty(), "{file}: {:?}", decoded.refused);
        let kinds: Vec<_> = decoded
            .events
            .iter()
            .map(|e| format!("{} {} {}", e.event_type.name(), e.status.name(), e.occurred_at))
            .collect();
        println!("{file}: {kinds:?} {:?}", decoded.notes);
    }
}

#[test]
fn a_status_finds_its_payment_and_a_return_its_original() {
    let Some(folder) = shared("samples") else { return };
    let read = |path: &str| -> PaymentEvent {
        decode_iso20022(&fs::read(folder.join(path)).unwrap(), &Zone::default()).unwrap().events.remove(0)
    };
    let transfer = read("synthetic-hk/hk_fps_like_pacs008_HKD_proxy.xml");
    let rejection = read("synthetic-hk/pacs002_RJCT.xml");
    let booking = read("synthetic-hk/camt054_credit.xml");
    assert_eq!(transfer.payment_id(), rejection.payment_id());
    assert_eq!(transfer.payment_id(), booking.payment_id());
    assert_eq!((transfer.status.name(), rejection.status.name()), ("authorized", "declined"));
    assert_eq!(booking.creditor.unwrap().account.as_deref(), Some("999000002001"));
    // A placeholder is not an account; the proxy is what is known.
    let creditor = transfer.creditor.unwrap();
    assert_eq!((creditor.account, creditor.proxy.unwrap().proxy_type), (None, "mobile".into()));
    let debtor = transfer.debtor.unwrap();
    assert_eq!(debtor.name.as_deref(), Some("CHAN TAI MAN"));
    assert_eq!(debtor.name_local.as_deref(), Some("陳大文"));
    assert_eq!(debtor.address.as_deref(), Some("1 Example Road, Hong Kong, HK"));

    let sent = read("iso20022/fedwire_PaymentReturn_Scenario1_Step1_pacs.008.xml");
    let back = read("iso20022/fedwire_PaymentReturn_Scenario1_Step4_pacs.004.xml");
    assert_eq!(back.original_payment_id.as_deref(), Some(sent.payment_id()));
    assert_ne!(back.payment_id(), sent.payment_id());
    assert_eq!(back.debtor.unwrap().name, sent.creditor.unwrap().name);
}

#[test]
fn every_mt_of_the_samples_becomes_a_whole_event() {
    let Some(folder) = shared("samples/mt") else { return };
    let mut amounts = Vec::new();
    for file in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let bytes = fs::read(&file).unwrap();
        let event = decode_mt(&bytes, &Zone::default())
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()))
            .remove(0);
        assert!(event.uetr.is_some() && event.remittance.is_some());
        for party in [event.debtor, event.creditor] {
            let party = party.unwrap();
            assert!(party.name.is_some() && party.address.is_some());
            assert!(party.agent_bic.is_some() || party.agent_name.is_some());
        }
        amounts.push(event.amount.unwrap().to_string());
    }
    amounts.sort();
    assert_eq!(amounts, ["USD 1500.00", "USD 1814.28"]);
}

#[test]
fn payments_that_went_wrong_are_read() {
    let Some(folder) = shared("faults/turn2") else { return };
    let read =
        |file: &str| decode_iso20022(&fs::read(folder.join(file)).unwrap(), &Zone::default()).unwrap().events;
    let wages = read("payroll-one-reference.pain001.xml");
    let ids: std::collections::BTreeSet<_> =
        wages.iter().map(|wage| (&wage.event_id, wage.payment_id())).collect();
    assert_eq!(ids.len(), 3);
    assert_eq!(read("payroll-one-reference.pain001.xml"), wages);
    let back = read("own-payment-returned.camt054.xml").remove(0);
    assert_eq!(back.event_type.name(), "refund");
    let sides = [back.debtor, back.creditor]
        .map(|side| (side.clone().unwrap().name.unwrap(), side.unwrap().account.unwrap()));
    assert_eq!(sides[0], ("Viktor Examplov".into(), "FOREIGN-5".into()));
    assert_eq!(sides[1], ("Brook Tools Ltd".into(), "012-OWN".into()));
}

#[test]
fn documents_cut_anywhere_are_refused_and_never_read_in_part() {
    let Some(folder) = shared("samples/iso20022") else { return };
    for (file, bytes) in documents(&folder) {
        let end = bytes.iter().rposition(|byte| *byte == b'>').unwrap();
        for cut in (0..=end).step_by(7) {
            let read = decode_iso20022(&bytes[..cut], &Zone::default());
            assert!(read.is_err(), "{file} cut at {cut}");
        }
    }
}

#[test]
fn the_labelled_set_is_read_through_the_shipped_mapping() {
    let Some(file) = shared("data/transactions/amlsim-10k/transactions.csv") else { return };
    let mapping = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules/mappings/amlsim.toml");
    let mapping = Mapping::parse(&fs::read_to_string(mapping).unwrap()).unwrap();
    let mut events = 0;
    let mut minor = 0;
    let mut days = std::collections::BTreeSet::new();
    for row in mapping.rows(fs::File::open(file).unwrap()).unwrap() {
        let event = row.unwrap().unwrap();
        events += 1;
        minor += event.amount.unwrap().minor;
        days.insert(event.occurred_at);
    }
    assert_eq!(events, 65_750);
    println!("amlsim-10k: {events} rows, {} days, USD {}.{:02} in all", days.len(), minor / 100, minor % 100);
}

/// The amounts of each row that is read, and the lines of those that are refused.
fn amounts(name: &str) -> Option<(Vec<String>, Vec<u64>)> {
    let table = shared(&format!("faults/turn2/{name}.csv"))?;
    let mapping = Mapping::parse(&fs::read_to_string(table.with_extension("toml")).unwrap()).unwrap();
    let (mut read, mut refused) = (Vec::new(), Vec::new());
    for row in mapping.rows(fs::File::open(&table).unwrap()).unwrap() {
        match row.unwrap() {
            Ok(event) => read.push(event.amount.unwrap().decimal()),
            Err(why) => refused.push(why.line),
        }
    }
    Some((read, refused))
}

#[test]
fn amounts_are_read_as_written_or_refused() {
    if let Some((read, refused)) = amounts("amounts-eu") {
        assert_eq!(read, ["4711.98", "3000.00", "1234.50", "12.00", "12.00"]);
        assert_eq!(refused, [4, 5, 6, 7, 8, 9, 13, 14]);
    }
    if let Some((read, refused)) = amounts("amounts-us") {
        assert_eq!((read, refused), (vec!["7800.00".to_owned()], vec![2, 3, 5]));
    }
}

#[test]
fn birth_dates_follow_the_pattern_of_their_mapping() {
    let Some(table) = shared("faults/turn2/birth-date.csv") else { return };
    let mapping = Mapping::parse(&fs::read_to_string(table.with_extension("toml")).unwrap()).unwrap();
    let rows = mapping.rows(fs::File::open(&table).unwrap()).unwrap();
    let born: Vec<_> = rows.map(|row| row.unwrap().unwrap().debtor.unwrap().birth_date).collect();
    assert_eq!(born, [Some("1962-03-05".to_owned()), None]);
}
#[test]
fn the_signature_vectors_of_ecommpay_are_reproduced() {
    let Some(file) = shared("samples/ecommpay/signature_vectors.json") else { return };
    let vectors: Vec<serde_json::Value> = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    assert_eq!(vectors.len(), 17);
    for vector in vectors {
        let name = vector["name"].as_str().unwrap();
        let secrets = |secret: &str| Secrets::new(vec![secret.to_owned().into()]).unwrap();
        let right = secrets(vector["secret"].as_str().unwrap());
        let signatures = ["signature", "signature_if_ascii_sort"].map(|field| &vector[field]);
        for signature in signatures.into_iter().filter(|signature| signature.is_string()) {
            let mut payload = vector["payload"].clone();
            payload["signature"] = signature.clone();
            let body = payload.to_string();
            assert_eq!(ecommpay::verify(body.as_bytes(), &right), Ok(()), "{name}");
            assert!(ecommpay::verify(body.as_bytes(), &secrets("another")).is_err(), "{name}");
        }
        if vector["payload"].get("signature").is_none()
            && vector["payload"].pointer("/general/signature").is_some()
        {
            let body = vector["payload"].to_string();
            assert_eq!(ecommpay::verify(body.as_bytes(), &right), Ok(()), "{name}");
        }
        // Only callbacks of payments that carry values, and not the names of fields in their places, are events.
        if name.starts_with("hk-qr") {
            let event = ecommpay::read(vector["payload"].to_string().as_bytes()).unwrap();
            assert_eq!(event.is_none(), name.contains("display_data"), "{name}");
            if let Some(event) = event {
                assert_eq!(event.amount.unwrap().to_string(), "HKD 100.00");
                assert_eq!(event.debtor.unwrap().customer_id.as_deref(), Some("customer1"));
            }
        }
    }
}

#[test]
fn the_callbacks_of_ecommpays_page_are_not_json_and_said_to_be_none() {
    for (file, reason) in [
        (
            "hk-qr_decline_callback.doc-verbatim.txt",
            "the body is not JSON: invalid number at line 2 column 24",
        ),
        (
            "hk-qr_success_callback.doc-verbatim.txt",
            "the body is not JSON: trailing characters at line 43 column 1",
        ),
    ] {
        let Some(path) = shared(&format!("samples/ecommpay/{file}")) else { return };
        let body = fs::read(path).unwrap();
        assert_eq!(ecommpay::read(&body).unwrap_err().to_string(), reason);
        let secrets = Secrets::new(vec!["secret".to_owned().into()]).unwrap();
        assert_eq!(ecommpay::verify(&body, &secrets).unwrap_err().to_string(), reason);
    }
}
