//! Nothing of an event is clear that was not looked at whole: every text of every party, and what cannot be read.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;
use sluice_lists::{
    Entry, EventScreened, Identifier, IdentifierKind, ListVersion, Query, Screener, Settings,
    why_not_screened,
};
use sluice_model::{
    EntryKind, EventTime, EventType, Merchant, NotScreened, Party, PaymentEvent, Proxy, RelatedParty,
    WhyNotScreened,
};

const PERSONS: [&str; 5] =
    ["ZORKIN, Vasil", "Pia Marit HALVORSEN", "CHAN Tai Man", "OKONJO, Tariq Bello", "Сидоренко Олексий"];
const ORGANISATIONS: [&str; 3] = ["SILVER HERON MARITIME", "Camellia Dredging Co., Ltd.", "山茶海運有限公司"];

fn listed() -> Screener {
    let persons = PERSONS.iter().map(|name| Entry::new(*name, EntryKind::Person, *name));
    let others = ORGANISATIONS.iter().map(|name| Entry::new(*name, EntryKind::Organisation, *name));
    let version = ListVersion::new("own", persons.chain(others).collect()).unwrap();
    Screener::build(&[Arc::new(version)], Settings::default())
}

fn named(name: &str) -> Party {
    Party { name: Some(name.into()), ..Party::default() }
}

/// A payment between two ordinary people.
fn payment() -> PaymentEvent {
    PaymentEvent {
        debtor: Some(named("Ingeborg Abrahamsen")),
        creditor: Some(named("Kathryn Barr")),
        ..PaymentEvent::new("E-1".into(), EventTime::from_micros(0))
    }
}

/// Every text of an event that a source writes as it likes, with the role that answers for it.
type Place = (&'static str, fn(&mut PaymentEvent, String));
const PLACES: &[Place] = &[
    ("debtor", |e, text| e.debtor.as_mut().unwrap().name = Some(text)),
    ("debtor", |e, text| e.debtor.as_mut().unwrap().name_local = Some(text)),
    ("debtor", |e, text| e.debtor.as_mut().unwrap().address = Some(text)),
    ("debtor", |e, text| e.debtor.as_mut().unwrap().account = Some(text)),
    ("debtor", |e, text| e.debtor.as_mut().unwrap().id_number = Some(text)),
    ("debtor", |e, text| e.debtor.as_mut().unwrap().other_ids.push(text)),
    ("debtor_agent", |e, text| e.debtor.as_mut().unwrap().agent_name = Some(text)),
    ("creditor", |e, text| e.creditor.as_mut().unwrap().name = Some(text)),
    ("creditor", |e, text| e.creditor.as_mut().unwrap().address = Some(text)),
    ("creditor", |e, text| e.creditor.as_mut().unwrap().customer_id = Some(text)),
    ("creditor", |e, text| {
        e.creditor.as_mut().unwrap().proxy = Some(Proxy { proxy_type: "email".into(), id: text });
    }),
    ("creditor_agent", |e, text| e.creditor.as_mut().unwrap().agent_name = Some(text)),
    ("intermediary", |e, text| e.intermediaries.push(named(&text))),
    ("intermediary", |e, text| e.intermediaries.push(Party { agent_name: Some(text), ..Party::default() })),
    ("intermediary", |e, text| e.intermediaries.push(Party { address: Some(text), ..named("Heron Bank") })),
    ("ubo", |e, text| e.related_parties.push(RelatedParty { role: "ubo".into(), party: named(&text) })),
    ("ubo", |e, text| {
        let party = Party { agent_name: Some(text), ..named("Kathryn Barr") };
        e.related_parties.push(RelatedParty { role: "ubo".into(), party });
    }),
    ("merchant", |e, text| e.merchant = Some(Merchant { id: Some(text), ..Merchant::default() })),
    ("merchant", |e, text| e.merchant = Some(Merchant { domain: Some(text), ..Merchant::default() })),
    ("remittance", |e, text| e.remittance = Some(text)),
    ("purpose", |e, text| e.purpose = Some(text)),
    ("end_to_end_id", |e, text| e.end_to_end_id = Some(text)),
    ("attributes", |e, text| drop(e.attributes.insert("note".into(), text.into()))),
    ("attributes", |e, text| {
        drop(e.attributes.insert("deep".into(), json!([{"a": [7, {"b": text}]}, null])))
    }),
];

fn place_of(role: &str) -> &'static Place {
    PLACES.iter().find(|place| place.0 == role).unwrap()
}

/// The role and entry of every match.
fn met(screened: &EventScreened) -> Vec<(&str, &str)> {
    screened
        .matches
        .iter()
        .flat_map(|m| m.matches.iter().map(|hit| (m.role.as_str(), hit.entry_id.as_str())))
        .collect()
}

fn not(role: &str, why: WhyNotScreened) -> NotScreened {
    NotScreened { role: role.into(), why }
}

#[test]
fn a_listed_name_is_found_in_every_text_with_its_role_and_a_reason() {
    let screener = listed();
    for (at, (role, put)) in PLACES.iter().enumerate() {
        for (text, entry) in [
            ("Vasil Zorkin, Flat 7, 12 Nathan Road, Kowloon", "ZORKIN, Vasil"),
            ("attn Pia Marit Halvorsen / payroll of the month of May", "Pia Marit HALVORSEN"),
            ("for the account of CHAN Tai Man of 8 Queen's Road Central", "CHAN Tai Man"),
            ("Camellia Dredging Co Ltd, Harbour Building, Pier 4, Limassol", "Camellia Dredging Co., Ltd."),
            ("代付山茶海運有限公司深圳分部第三期貨款", "山茶海運有限公司"),
        ] {
            let mut event = payment();
            put(&mut event, text.into());
            let screened = screener.screen_event(&event);
            assert!(met(&screened).contains(&(*role, entry)), "{at} {role}: {text}: {:?}", met(&screened));
            let found = screened.matches.iter().find(|m| m.role == *role).unwrap();
            assert!(found.matches[0].reasons.iter().any(|reason| !reason.text.is_empty()), "{role}");
            assert_eq!(screened.not_screened, [], "{role}: {text}");
        }
    }
}

#[test]
fn ordinary_texts_meet_nobody() {
    let screener = listed();
    for (role, put) in PLACES {
        for text in [
            "12 Nathan Road, Kowloon, Hong Kong",
            "Heron Road, Maritime Square, Tsing Yi",
            "香港九龍彌敦道12號山茶花苑",
        ] {
            let mut event = payment();
            put(&mut event, text.into());
            assert_eq!(met(&screener.screen_event(&event)), [], "{role}: {text}");
        }
    }
}

#[test]
fn a_name_split_over_the_lines_of_a_party_is_found() {
    let screener = listed();
    for (name, local, address) in [
        ("Vasil", Some("Zorkin"), None),
        ("Zorkin", Some("Vasil"), None),
        ("Mr Vasil", None, Some("Zorkin, 12 Nathan Road")),
        ("Vasil\nZorkin 12 Nathan Road Kowloon", None, None),
    ] {
        let mut event = payment();
        let text = |text: Option<&str>| text.map(str::to_owned);
        event.creditor = Some(Party { name_local: text(local), address: text(address), ..named(name) });
        assert!(met(&screener.screen_event(&event)).contains(&("creditor", "ZORKIN, Vasil")), "{name:?}");
    }
    let mut event = payment();
    event.creditor = Some(Party { address: Some("Zorkin Road 12".into()), ..named("Kathryn Vasil") });
    assert_eq!(met(&screener.screen_event(&event)), [], "two names side by side");
    let mut event = payment();
    event.attributes.insert("first".into(), "Vasil".into());
    event.attributes.insert("last".into(), "Zorkin".into());
    assert_eq!(met(&screener.screen_event(&event)), [("attributes", "ZORKIN, Vasil")]);
}

/// What a name is followed by, or hidden behind, in the ways that were tried.
#[test]
fn a_listed_name_hides_behind_no_other_words() {
    let screener = listed();
    let filler = |n: usize| {
        (0..n).map(|i| format!("w{}x", (b'a' + (i % 26) as u8) as char)).collect::<Vec<_>>().join(" ")
    };
    for text in [
        format!("Vasil Zorkin {}", filler(8)),
        format!("{} Vasil Zorkin", filler(27)),
        format!("{} Zorkin Vasil", filler(200)),
        format!("{} Vasil Zorkin", "x".repeat(600)),
        format!("{}Vasil Zorkin", "\u{200B}".repeat(600)),
        format!("{}Vasil Zorkin", "\u{FDFA}".repeat(60)),
        "Vasil Zorkin 7".to_owned(),
        "12 Nathan Road Vasil Zorkin".to_owned(),
        "TOVASILZORKINKOWLOON".to_owned(),
    ] {
        let mut event = payment();
        event.debtor = Some(named(&text));
        let screened = screener.screen_event(&event);
        assert!(met(&screened).contains(&("debtor", "ZORKIN, Vasil")), "{}", text.len());
    }
}

#[test]
fn a_name_that_is_too_long_is_an_error_of_that_party_and_of_no_other() {
    let screener = listed();
    for long in ["x".repeat(513), "é".repeat(600), "bxi ".repeat(29), "陳".repeat(29), "\u{FDFA}".repeat(40)]
    {
        for role in ["debtor", "creditor", "debtor_agent", "creditor_agent", "intermediary", "ubo"] {
            let mut event = payment();
            event.related_parties.push(RelatedParty { role: "vessel".into(), party: named("Vasil Zorkin") });
            place_of(role).1(&mut event, long.clone());
            let screened = screener.screen_event(&event);
            assert_eq!(screened.not_screened, [not(role, WhyNotScreened::TooLong)], "{role}");
            assert_eq!(met(&screened), [("vessel", "ZORKIN, Vasil")], "the others are screened");
        }
    }
    let mut event = payment();
    let many: Vec<_> = (0..5_000).map(|_| json!("x")).collect();
    event.attributes.insert("many".into(), many.into());
    assert_eq!(screener.screen_event(&event).not_screened, [not("attributes", WhyNotScreened::TooLong)]);
    event.attributes.insert("many".into(), vec!["x"; 4_000].into());
    assert_eq!(screener.screen_event(&event).not_screened, []);
}

#[test]
fn a_name_that_cannot_be_screened_says_so() {
    let screener = listed();
    for (name, why) in [
        ("Vasil Zorkin".to_owned(), None),
        (String::new(), None),
        ("...".to_owned(), Some(WhyNotScreened::Unreadable)),
        ("bxi dro ".repeat(15), Some(WhyNotScreened::TooLong)),
        ("x".repeat(513), Some(WhyNotScreened::TooLong)),
    ] {
        let query = Query::name(name);
        assert_eq!(
            (screener.answer(&query).why, why_not_screened(&query.name)),
            (why, why),
            "{}",
            query.name
        );
    }
}

#[test]
fn related_parties_are_screened() {
    let screener = listed();
    let mut event = payment();
    for role in ["ultimate_debtor", "director"] {
        event.related_parties.push(RelatedParty { role: role.into(), party: named("Vasil Zorkin") });
    }
    let found = screener.screen_event(&event);
    assert_eq!(met(&found), [("ultimate_debtor", "ZORKIN, Vasil"), ("director", "ZORKIN, Vasil")]);
}

#[test]
fn intermediaries_are_screened() {
    let screener = listed();
    let mut event = payment();
    event.intermediaries = vec![named("Heron Bank"), named("Silver Heron Maritime")];
    assert_eq!(met(&screener.screen_event(&event)), [("intermediary", "SILVER HERON MARITIME")]);
}

#[test]
fn who_is_there_and_is_nobody_cannot_be_read() {
    let screener = listed();
    let nobody = || Party { country: Some("HK".into()), ..Party::default() };
    let mut event = payment();
    event.related_parties.push(RelatedParty { role: "ubo".into(), party: nobody() });
    event.intermediaries.push(nobody());
    event.intermediaries.push(named("NOTPROVIDED"));
    let screened = screener.screen_event(&event);
    let unreadable = WhyNotScreened::Unreadable;
    assert_eq!(screened.not_screened, [not("intermediary", unreadable), not("ubo", unreadable)]);
    event.related_parties[0].party.account = Some("012-345".into());
    event.intermediaries = vec![Party { agent_bic: Some("TESTHKH0XXX".into()), ..Party::default() }];
    assert_eq!(screener.screen_event(&event).not_screened, []);
}

#[test]
fn a_side_without_a_name_is_unnamed_and_one_that_cannot_be_read_unreadable() {
    let screener = listed();
    let mut event = payment();
    event.creditor = Some(Party { account: Some("012-345".into()), ..Party::default() });
    assert_eq!(screener.screen_event(&event).not_screened, [not("creditor", WhyNotScreened::Unnamed)]);
    event.event_type = EventType::Withdrawal;
    assert_eq!(screener.screen_event(&event).not_screened, []);
    event.creditor = Some(named("..."));
    assert_eq!(screener.screen_event(&event).not_screened, [not("creditor", WhyNotScreened::Unreadable)]);
    event.event_type = EventType::Customer;
    event.debtor = None;
    event.creditor = None;
    assert_eq!(screener.screen_event(&event).not_screened, []);
}

#[test]
fn names_of_numbers_and_letters_can_be_read() {
    let screener = listed();
    for name in [
        "7-Eleven",
        "3M",
        "O Na",
        "7115 1129 2429",
        "7115.1129.2429",
        "Union",
        "Seven",
        "ณรงค์",
        "陳",
        "Dr Bin",
    ] {
        let mut event = payment();
        event.creditor = Some(named(name));
        assert_eq!(screener.screen_event(&event).not_screened, [], "{name}");
    }
}

/// Words that no name above has.
fn filler() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        6 => "[b-df-hj-np-tv-xz]{2,7}",
        2 => prop::sample::select(vec!["Road", "Nathan", "12", "7/F", "Ltd", "Bank", "of", "大廈", "улица", "شارع", "😀", ".", "\n"])
            .prop_map(str::to_owned),
        1 => Just("\u{200B}".to_owned()),
    ];
    prop::collection::vec(word, 0..45).prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn a_listed_name_in_any_text_is_found_or_its_role_was_not_screened(
        (before, after) in (filler(), filler()),
        place in prop::sample::select(PLACES),
        listed_at in 0..PERSONS.len() + ORGANISATIONS.len(),
        turned in any::<bool>(),
    ) {
        let screener = listed();
        let entry = PERSONS.iter().chain(&ORGANISATIONS).nth(listed_at).unwrap();
        // As it is listed, or with what stands before the comma last.
        let name = match entry.split_once(", ") {
            Some((family, given)) if turned && listed_at < PERSONS.len() => format!("{given} {family}"),
            _ => (*entry).to_owned(),
        };
        let mut event = payment();
        let (role, put) = place;
        put(&mut event, format!("{before} {name} {after}"));
        let screened = screener.screen_event(&event);
        let found = met(&screened).contains(&(role, *entry));
        let told = screened.not_screened.iter().any(|n| n.role == role);
        prop_assert!(found || told, "{role}: {before} {name} {after}");
    }

    #[test]
    fn what_cannot_be_read_is_never_clear(
        signs in prop::collection::vec(
            prop::sample::select(vec![
                " ", ".", "-", "_", "*", "?", "/", "😀", "🚀", "\u{200B}", "\u{2060}", "\u{FEFF}", "\u{3164}", "\u{2800}",
                "7", "42", "٣", "\u{FFFD}", "\u{E000}", "\u{301}", "'", "\t", "\n", "・", "©",
            ]),
            1..40,
        ),
        place in prop::sample::select(vec!["debtor", "creditor", "debtor_agent", "intermediary", "ubo"]),
    ) {
        // Eight digits may be telegraph codes, which are read as the characters that they stand for.
        let text = signs.concat();
        prop_assume!(text.chars().filter(|c| c.is_numeric()).count() < 8);
        let mut event = payment();
        place_of(place).1(&mut event, text);
        let screened = listed().screen_event(&event);
        prop_assert_eq!(screened.not_screened, [not(place, WhyNotScreened::Unreadable)]);
    }
}

#[test]
fn a_match_at_exactly_the_threshold_is_one() {
    let entries: Vec<&str> =
        vec!["ZORKIN, Vasil Petrovich", "Heron Shipping Lines", "陳大文", "Mohammed Qaddumi"];
    let queries = [
        "Vasil Zorkin",
        "Vasil Petrovich Zorkin",
        "Heron Lines",
        "Heron Shiping Lines",
        "CHAN Tai Man",
        "Muhammad Kaddoumi",
    ];
    let lowest = screener_at(&entries, 0.3);
    let mut seen = 0;
    for query in queries {
        let query = Query::name(query);
        for hit in lowest.exhaustive(&query) {
            let screener = screener_at(&entries, hit.score);
            let found = screener.screen_cold(&query);
            assert!(found.iter().any(|h| h.entry_id == hit.entry_id), "{} at {}", hit.name, hit.score);
            seen += 1;
        }
    }
    assert!(seen >= 6, "{seen}");
}

fn screener_at(names: &[&str], threshold: f64) -> Screener {
    let entries = names.iter().map(|name| Entry::new(*name, EntryKind::Person, *name)).collect();
    let version = ListVersion::new("own", entries).unwrap();
    Screener::build(&[Arc::new(version)], Settings { threshold: Some(threshold), ..Settings::default() })
}

/// A list of one institution, known by these identifiers.
fn with_identifiers(identifiers: &[(IdentifierKind, &str)]) -> Screener {
    let mut entry = Entry::new("O1", EntryKind::Organisation, "Camellia Dredging Bank");
    entry.identifiers = identifiers
        .iter()
        .map(|(kind, value)| Identifier {
            kind: *kind,
            value: (*value).to_owned(),
            country: None,
            label: None,
            note: None,
        })
        .collect();
    Screener::build(&[Arc::new(ListVersion::new("own", vec![entry]).unwrap())], Settings::default())
}

/// The reason for which an institution's BIC alone meets the list.
fn why_bic(screener: &Screener, bic: &str) -> Option<String> {
    let mut event = payment();
    event.creditor.as_mut().unwrap().agent_bic = Some(bic.to_owned());
    let matches = screener.screen_event(&event).matches;
    matches.first().map(|party| {
        assert_eq!(party.role, "creditor_agent");
        assert_eq!(party.matches[0].score.to_bits(), 1.0_f64.to_bits());
        party.matches[0].reasons[0].text.clone()
    })
}

#[test]
fn an_institution_is_met_by_its_bic_and_by_that_of_its_branches() {
    for (listed, bic, reason) in [
        ("CMLDHKHH", "CMLDHKHH", Some("the BIC CMLDHKHH of the entry")),
        ("CMLDHKHH", "CMLDHKHHXXX", Some("the BIC CMLDHKHH of the entry")),
        ("CMLDHKHHXXX", "cmldhkhh", Some("the BIC CMLDHKHHXXX of the entry")),
        ("CMLDHKHH", "CMLDHKHH001", Some("the BIC CMLDHKHH001: another branch of the entry's CMLDHKHH")),
        ("CMLDHKHH001", "CMLDHKHH", Some("the BIC CMLDHKHH: another branch of the entry's CMLDHKHH001")),
        (
            "CMLDHKHH001",
            "CMLDHKHH002",
            Some("the BIC CMLDHKHH002: another branch of the entry's CMLDHKHH001"),
        ),
        ("CMLDHKHH", "CMLDHKH1", None),
        ("CMLDHKHH", "CMLDSGSG", None),
        ("CMLDHKHH", "CMLDHKHH0", None),
    ] {
        let screener = with_identifiers(&[(IdentifierKind::Bic, listed)]);
        assert_eq!(why_bic(&screener, bic).as_deref(), reason, "{listed} {bic}");
    }
    let other = with_identifiers(&[(IdentifierKind::Other, "CMLDHKHH001")]);
    assert_eq!(why_bic(&other, "CMLDHKHH002"), None, "what is no BIC has no branches");
}

#[test]
fn parties_and_institutions_are_met_by_every_number_of_theirs() {
    const LEI: &str = "5493001KJTIIGC8Y1R12";
    let screener = with_identifiers(&[(IdentifierKind::Lei, LEI), (IdentifierKind::Bic, "CMLDHKHH")]);
    let meets = |change: fn(&mut Party)| {
        let mut event = payment();
        change(event.debtor.as_mut().unwrap());
        let matches = screener.screen_event(&event).matches;
        matches.first().map(|party| (party.role.clone(), party.matches[0].reasons[0].text.clone()))
    };
    let told = |role: &str, text: String| Some((role.to_owned(), text));
    let of_lei = format!("the LEI {LEI} of the entry");
    assert_eq!(meets(|p| p.other_ids = vec!["A1".into(), LEI.into()]), told("debtor", of_lei.clone()));
    assert_eq!(meets(|p| p.agent_lei = Some(LEI.into())), told("debtor_agent", of_lei));
    let of_bic = "the BIC CMLDHKHH of the entry".to_owned();
    assert_eq!(meets(|p| p.other_ids = vec!["CMLDHKHHXXX".into()]), told("debtor", of_bic));
    assert_eq!(meets(|p| p.other_ids = vec!["A1".into()]), None);
}
