//! Bundles: a real one verifies, and nothing else does.
#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use proptest::prelude::*;
use sluice_evidence::{Body, Bundle, Expanded, Leaf, LoggedRecord, Report, Trust, verify};
use sluice_model::Hash256;

use support::{alert, case, events, salt, signer};

/// The checks that failed.
fn failed(report: &Report) -> Vec<&'static str> {
    report.checks.iter().filter(|c| !c.ok).map(|c| c.check).collect()
}

fn sealed() -> Vec<u8> {
    case().1.seal(&signer(7)).unwrap()
}

#[test]
fn a_bundle_verifies_against_the_logs_key_and_says_so_when_it_has_only_its_own() {
    let report = verify(&sealed(), Some(&signer(7).verifier()));
    assert!(report.holds(), "{report:?}");
    assert_eq!(report.trust, Trust::GivenKey);
    assert_eq!((report.records, report.tree_size, &*report.case_id), (4, 200, "case-5"));
    assert_eq!((report.bodies_absent, report.fields_erased, report.stretches_absent), (1, 1, 0));
    let looked_at: Vec<_> = report.checks.iter().map(|c| (c.check, c.looked_at)).collect();
    assert_eq!(
        looked_at,
        [
            ("encoding", 1),
            ("key", 1),
            ("seal", 1),
            ("checkpoint", 1),
            ("inclusion", 4),
            ("bodies", 3),
            ("case", 2),
            ("events", 1)
        ]
    );

    let (_, bundle) = case();
    assert_eq!((bundle.case_id(), bundle.records().len(), bundle.stretches().len()), ("case-5", 4, 1));
    let alone = verify(&sealed(), None);
    assert!(alone.holds());
    assert_eq!(alone.trust, Trust::SelfSigned);
}

#[test]
fn another_logs_key_is_refused_even_when_it_sealed_the_bundle() {
    assert_eq!(failed(&verify(&sealed(), Some(&signer(8).verifier()))), ["key"]);
    let forged = case().1.seal(&signer(8)).unwrap();
    assert_eq!(failed(&verify(&forged, None)), ["seal"]);
}

/// By where it is, never by what is there: a bundle holds personal data.
#[test]
fn what_fails_is_named() {
    let failures = |bytes: &[u8]| -> Vec<String> {
        let failed = verify(bytes, None).checks.into_iter().filter(|check| !check.ok);
        failed.flat_map(|check| check.failures).collect()
    };
    let torn = failures(&sealed()[..100]);
    assert!(torn[0].contains("it ends too early (line 1, column 100)"), "{torn:?}");
    let moved = serde_json::to_string(&case().1).unwrap().replacen(r#""index":"#, r#""index":1"#, 1);
    let moved: Bundle = serde_json::from_str(&moved).unwrap();
    let (leaf, index) = (&moved.records()[0].leaf, moved.records()[0].index);
    let expected = format!("the log does not hold {} {} (leaf {index})", leaf.kind.name(), leaf.id);
    assert_eq!(failures(&moved.seal(&signer(7)).unwrap()), [expected]);
}

#[test]
fn records_of_a_stretch_are_in_the_order_of_their_offsets_each_once() {
    let of = |offsets: &[u64]| {
        let records = offsets.iter().map(|offset| LoggedRecord::withheld(*offset, Hash256::of(b"a record")));
        Expanded::new("sluice.payments", 0, records.collect())
    };
    for (offsets, ends) in
        [(&[3, 4][..], Some((3, 4))), (&[3, 9], Some((3, 9))), (&[3, 3], None), (&[4, 3], None), (&[], None)]
    {
        let expanded = of(offsets);
        assert_eq!(expanded.stretch().map(|stretch| (stretch.first, stretch.last)), ends, "{offsets:?}");
        assert!(expanded.records().iter().map(LoggedRecord::offset).eq(offsets.iter().copied()));
    }
}

/// Every single byte, each changed in three ways: its lowest bit, its case, and to a space.
#[test]
fn no_byte_can_be_changed() {
    let bytes = sealed();
    let mut changed = bytes.clone();
    for at in 0..bytes.len() {
        for other in [bytes[at] ^ 1, bytes[at] ^ 0x20, b' '] {
            if other == bytes[at] {
                continue;
            }
            changed[at] = other;
            assert!(
                !verify(&changed, None).holds(),
                "byte {at}: {:?} to {:?}",
                bytes[at] as char,
                other as char
            );
        }
        changed[at] = bytes[at];
    }
    assert!(verify(&changed, None).holds());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_bytes_can_be_put_in_or_taken_out(at in any::<prop::sample::Index>(), length in 0..40usize, put in prop::collection::vec(any::<u8>(), 0..40)) {
        let mut bytes = sealed();
        let before = bytes.clone();
        let start = at.index(bytes.len() + 1);
        let end = (start + length).min(bytes.len());
        bytes.splice(start..end, put);
        prop_assume!(bytes != before);
        prop_assert!(!verify(&bytes, None).holds());
    }

    #[test]
    fn any_bytes_are_read_without_a_crash(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(!verify(&bytes, None).holds());
    }
}

/// What follows is what not even the holder of the log's key can do without its showing.
#[test]
fn a_record_that_was_not_logged_is_found() {
    let (log, _) = case();
    let mut bundle = Bundle::new("case-5", signer(7).checkpoint(&log.tree), &signer(7));
    log.prove(&mut bundle, 7);
    let (leaf, body) = log.records[8].clone();
    let path = bundle.records()[0].path.clone();
    bundle.record(7, leaf, Some(body), path);
    assert_eq!(failed(&verify(&bundle.seal(&signer(7)).unwrap(), None)), ["inclusion"]);
}

#[test]
fn a_body_that_was_not_logged_is_found() {
    let (log, _) = case();
    let path = |i| sluice_evidence::Plan::inclusion(i, 200).unwrap().path(&log.nodes[..]).unwrap();
    let value: serde_json::Value = serde_json::from_str(alert(7).json()).unwrap();
    for body in [alert(9), alert(7).with("severity", "low").unwrap(), Body::new(&value, salt(9)).unwrap()] {
        let mut bundle = Bundle::new("case-5", signer(7).checkpoint(&log.tree), &signer(7));
        bundle.record(7, log.records[7].0.clone(), Some(body), path(7));
        assert_eq!(failed(&verify(&bundle.seal(&signer(7)).unwrap(), None)), ["bodies"]);
    }
}

#[test]
fn a_record_of_another_case_is_found() {
    let (log, _) = case();
    let mut bundle = Bundle::new("case-6", signer(7).checkpoint(&log.tree), &signer(7));
    log.prove(&mut bundle, 197);
    assert_eq!(failed(&verify(&bundle.seal(&signer(7)).unwrap(), None)), ["case"]);
}

#[test]
fn events_that_no_record_names_are_found_and_those_left_out_are_counted() {
    let (log, _) = case();
    let with = |stretches: Vec<Expanded>| {
        let mut bundle = Bundle::new("case-5", signer(7).checkpoint(&log.tree), &signer(7));
        log.prove(&mut bundle, 196);
        stretches.into_iter().for_each(|s| bundle.stretch(s));
        verify(&bundle.seal(&signer(7)).unwrap(), None)
    };
    assert!(with(vec![events(5)]).holds());
    let absent = with(Vec::new());
    assert!(absent.holds());
    assert_eq!(absent.stretches_absent, 1);
    assert_eq!(failed(&with(vec![events(6)])), ["events"]);
    let fewer = Expanded::new("sluice.payments", 0, events(5).records()[1..].to_vec());
    assert_eq!(failed(&with(vec![fewer])), ["events"]);
    let mut swapped = events(5).records().to_vec();
    swapped.swap(0, 1);
    assert_eq!(failed(&with(vec![Expanded::new("sluice.payments", 0, swapped)])), ["events"]);
    let empty = Vec::new();
    assert_eq!(failed(&with(vec![Expanded::new("sluice.payments", 0, empty)])), ["events"]);
}

#[test]
fn a_checkpoint_of_another_size_or_log_is_found() {
    let (log, whole) = case();
    let mut shorter = support::Log::default();
    for (leaf, body) in &log.records[..100] {
        shorter.append(leaf.kind, &leaf.id, body.clone());
    }
    let mut bundle = Bundle::new("case-5", signer(7).checkpoint(&shorter.tree), &signer(7));
    log.prove(&mut bundle, 7);
    assert_eq!(failed(&verify(&bundle.seal(&signer(7)).unwrap(), None)), ["inclusion"]);
    let mut bundle = Bundle::new("case-5", signer(8).checkpoint(&log.tree), &signer(7));
    log.prove(&mut bundle, 7);
    assert_eq!(failed(&verify(&bundle.seal(&signer(7)).unwrap(), None)), ["checkpoint"]);
    assert!(verify(&whole.seal(&signer(7)).unwrap(), None).holds());
}

#[test]
fn a_second_signature_under_a_seal_is_found() {
    let text = String::from_utf8(sealed()).unwrap();
    let more = text.strip_suffix(r#"\n"}"#).unwrap().to_owned() + r#"\n— someone AAAAAAAA\n"}"#;
    let report = verify(more.as_bytes(), None);
    assert_eq!(failed(&report), ["seal"]);
    let seal = report.checks.iter().find(|check| check.check == "seal").unwrap();
    assert_eq!(seal.failures, ["2 signatures where one is expected"]);
}

#[test]
fn a_leaf_of_a_kind_or_version_that_is_not_known_is_found() {
    let (known, _) = case();
    let (leaf, body) = known.records[7].clone();
    let other = |from: &str, to: &str| serde_json::from_str::<Leaf>(&leaf.encode().replace(from, to));
    assert!(other(r#""kind":"alert""#, r#""kind":"rumour""#).is_err());
    // A leaf of a later version, truly logged: what it says is not known, so it proves nothing.
    let later = other(r#""v":1"#, r#""v":2"#).unwrap();
    let mut log = support::Log::default();
    let index = log.append_leaf(later, body);
    let mut bundle = Bundle::new("case-5", signer(7).checkpoint(&log.tree), &signer(7));
    log.prove(&mut bundle, index);
    assert_eq!(failed(&verify(&bundle.seal(&signer(7)).unwrap(), None)), ["inclusion"]);
}

#[test]
fn a_body_with_a_salt_that_would_open_an_erased_field_is_found() {
    let (log, _) = case();
    let (leaf, body) = log.records[198].clone();
    assert_eq!(body.erased().collect::<Vec<_>>(), ["text"]);
    let text = serde_json::to_string(&body).unwrap();
    let salt = r#","text":"00000000000000000000000000000000"}}"#;
    let more: Body = serde_json::from_str(&(text.strip_suffix("}}").unwrap().to_owned() + salt)).unwrap();
    assert_eq!(more.commitment(), leaf.commitment, "the commitment alone does not tell");
    let path = sluice_evidence::Plan::inclusion(198, 200).unwrap().path(&log.nodes[..]).unwrap();
    let mut bundle = Bundle::new("case-5", signer(7).checkpoint(&log.tree), &signer(7));
    bundle.record(198, leaf, Some(more), path);
    assert_eq!(failed(&verify(&bundle.seal(&signer(7)).unwrap(), None)), ["bodies"]);
}

#[test]
fn a_stretch_whose_record_is_not_what_its_hash_says_is_found() {
    let (log, _) = case();
    let text = serde_json::to_string(&events(5)).unwrap();
    let changed: Expanded = serde_json::from_str(&text.replacen("7800.00", "7900.00", 1)).unwrap();
    assert_eq!(changed.stretch(), None);
    let mut bundle = Bundle::new("case-5", signer(7).checkpoint(&log.tree), &signer(7));
    log.prove(&mut bundle, 196);
    bundle.stretch(changed);
    assert_eq!(failed(&verify(&bundle.seal(&signer(7)).unwrap(), None)), ["events"]);
}

#[test]
fn messages_carry_no_values() {
    let mut text = String::from_utf8(sealed()).unwrap();
    text = text.replace("\"index\":3", "\"index\":\"CHAN Tai Man\"");
    let report = verify(text.as_bytes(), None);
    assert_eq!(failed(&report), ["encoding"]);
    assert!(!format!("{report:?}").contains("CHAN"));
}
