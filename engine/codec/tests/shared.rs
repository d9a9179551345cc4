//! Real input from `../shared`, where it is there: every sample of ISO 20022, and the labelled CSV set.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use sluice_codec::{Mapping, decode_iso20022};
use sluice_model::PaymentEvent;

/// A path under `$SLUICE_SHARED`, or `../shared` beside the workspace; `None`, said plainly, where it is absent.
fn shared(path: &str) -> Option<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let root = std::env::var_os("SLUICE_SHARED").map_or_else(|| workspace.join("../shared"), PathBuf::from);
    let found = Some(root.join(path)).filter(|path| path.exists());
    if found.is_none() {
        println!("left out: {path} (no ../shared)");
    }
    found
}

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
        let decoded = decode_iso20022(bytes).unwrap_or_else(|error| panic!("{file}: {error}"));
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
        let decoded = decode_iso20022(&bytes).unwrap_or_else(|error| panic!("{file}: {error}"));
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
        decode_iso20022(&fs::read(folder.join(path)).unwrap()).unwrap().events.remove(0)
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
fn payments_that_went_wrong_are_read() {
    let Some(folder) = shared("faults/turn2") else { return };
    let read = |file: &str| decode_iso20022(&fs::read(folder.join(file)).unwrap()).unwrap().events;
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
            let read = decode_iso20022(&bytes[..cut]);
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
