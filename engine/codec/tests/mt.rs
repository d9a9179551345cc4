//! SWIFT MT messages: what each field becomes, what is refused and in which words, and ids that stay.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use proptest::prelude::*;
use sluice_codec::{Zone, decode_mt, mt::is_mt};
use sluice_model::{Direction, EventType, PaymentEvent, PaymentStatus};

/// A message that a bank in the Emirates sent to one in Hong Kong, at 10:15 of its day.
fn message(number: &str, user: &str, fields: &str) -> String {
    format!(
        "{{1:F01TESTHKH0AXXX0000000000}}{{2:O{number}1015260801TESTAEA0AXXX00000000002608011016N}}{{3:{user}}}\
         {{4:\r\n{}\r\n-}}{{5:{{CHK:000000000000}}}}",
        fields.trim().replace('\n', "\r\n")
    )
}

fn read(text: &str) -> Vec<PaymentEvent> {
    decode_mt(text.as_bytes(), &Zone::default()).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn one(text: &str) -> PaymentEvent {
    let mut events = read(text);
    assert_eq!(events.len(), 1);
    events.remove(0)
}

fn refusal(text: &str) -> String {
    decode_mt(text.as_bytes(), &Zone::default()).unwrap_err().to_string()
}

const UETR: &str = "{121:9D0F6C1A-1b2c-4d3e-8f40-a1b2c3d4e5f6}";

const TRANSFER: &str = "
:20:REF-1
:13C:/SNDTIME/1015+0400
:23B:CRED
:23E:PHOB/20.527.19.60
:32A:260801USD1500,5
:33B:HKD11700,00
:36:0,12825
:50F:CCPT/AE/K1234567
1/MONA
1/EXAMPLE
2/EXAMPLE STREET 1
3/AE/DUBAI
4/19800131
5/GB/LONDON
:52A:/C/1234
TESTAEA1
:53A:TESTUS30
:54D:TEST BANK OF TOWN
1 MAIN ROAD
:56A:TESTSGS0XXX
:57D://HK004
TEST BANK KOWLOON
:59F:/999-000002-001
1/DEMO TRADING LTD
2/1 EXAMPLE ROAD
3/HK/KOWLOON
:70:INV 2026-0002
AND 0003
:71A:SHA
:71F:USD5,
:71F:USD2,5
:71G:USD1,
:72:/INS/TESTGB20
:77B:/ORDERRES/AE//DUBAI";

#[test]
fn a_transfer_of_a_customer_is_read_whole() {
    let event = one(&message("103", UETR, TRANSFER));
    assert_eq!(event.event_id, "MT103:TESTAEA0:REF-1");
    assert_eq!(event.uetr.as_deref(), Some("9d0f6c1a-1b2c-4d3e-8f40-a1b2c3d4e5f6"));
    assert_eq!(event.payment_id, event.uetr);
    assert_eq!((event.status, event.method.as_deref()), (PaymentStatus::Authorized, Some("wire")));
    assert_eq!(event.occurred_at.to_string(), "2026-08-01T02:15:00Z", "early rather than ahead");
    assert_eq!(event.amount.unwrap().to_string(), "USD 1500.50");
    let debtor = event.debtor.unwrap();
    assert_eq!(debtor.name.as_deref(), Some("MONA EXAMPLE"));
    assert_eq!(debtor.address.as_deref(), Some("EXAMPLE STREET 1, AE/DUBAI"));
    assert_eq!((debtor.country.as_deref(), debtor.birth_date.as_deref()), (Some("AE"), Some("1980-01-31")));
    assert_eq!((debtor.id_number.as_deref(), debtor.kind.unwrap().name()), (Some("K1234567"), "person"));
    assert_eq!(
        (debtor.agent_bic.as_deref(), debtor.agent_country.as_deref()),
        (Some("TESTAEA1"), Some("AE"))
    );
    let creditor = event.creditor.unwrap();
    assert_eq!(creditor.account.as_deref(), Some("999000002001"));
    assert_eq!(creditor.name.as_deref(), Some("DEMO TRADING LTD"));
    assert_eq!(creditor.agent_name.as_deref(), Some("TEST BANK KOWLOON"));
    assert_eq!(creditor.agent_member_id.as_deref(), Some("HK004"));
    let between: Vec<_> = event.intermediaries.iter().map(|p| p.agent_bic.as_deref().unwrap()).collect();
    assert_eq!(between, ["TESTAEA0", "TESTSGS0", "TESTHKH0"], "the sender and the receiver are no side's");
    let related: Vec<_> = event
        .related_parties
        .iter()
        .map(|r| (r.role.as_str(), r.party.agent_bic.as_deref().or(r.party.name.as_deref()).unwrap()))
        .collect();
    assert_eq!(
        related,
        [
            ("instructing_reimbursement_agent", "TESTUS30"),
            ("instructed_reimbursement_agent", "TEST BANK OF TOWN")
        ]
    );
    assert_eq!(event.remittance.as_deref(), Some("INV 2026-0002 AND 0003"));
    let kept = serde_json::to_value(&event.attributes).unwrap();
    assert_eq!(
        kept,
        serde_json::json!({
            "message": "MT103", "instruction_id": "REF-1", "settlement_date": "2026-08-01",
            "instructed_amount": {"value": "11700.00", "currency": "HKD"}, "exchange_rate": "0.12825",
            "charge_bearer": "SHAR", "bank_operation_code": "CRED", "instruction_codes": "PHOB/20.527.19.60",
            "sender_charges": [
                {"value": "5.00", "currency": "USD"}, {"value": "2.50", "currency": "USD"}
            ],
            "receiver_charges": {"value": "1.00", "currency": "USD"},
            "instructions": "/INS/TESTGB20", "regulatory_reporting": "/ORDERRES/AE//DUBAI",
            "debtor.id_scheme": "CCPT", "debtor.birth_country": "GB", "debtor.birth_city": "LONDON",
            "debtor.agent_account": "1234", "field_13C": "/SNDTIME/1015+0400"
        }),
        "what has no field of its own is kept"
    );
}

#[test]
fn customers_are_read_in_every_option() {
    let with = |ordering: &str, beneficiary: &str| {
        one(&message("103", "", &format!(":20:R\n:32A:260801JPY5,\n{ordering}\n{beneficiary}\n:71A:OUR")))
    };
    let event = with(":50K:/AE01\nDEMO SENDER LLC\nSTREET 1\nAE/DUBAI", ":59:DEMO TRADING\nHK/HONG KONG");
    let debtor = event.debtor.unwrap();
    assert_eq!((debtor.account.as_deref(), debtor.country.as_deref()), (Some("AE01"), Some("AE")));
    assert_eq!(debtor.agent_bic.as_deref(), Some("TESTAEA0"), "without 52 the sender serves the debtor");
    assert_eq!(event.creditor.unwrap().agent_bic.as_deref(), Some("TESTHKH0"));
    assert!(event.intermediaries.is_empty());
    assert_eq!(event.amount.unwrap().to_string(), "JPY 5");
    assert_eq!(event.payment_id.as_deref(), Some("TESTAEA0:R"));

    let event = with(":50C:TESTGB2L\n:50A:/12345678\nTESTDEF0XXX", ":59A:/98765432\nTESTFRP0");
    let debtor = event.debtor.unwrap();
    assert_eq!((debtor.id_number.as_deref(), debtor.country.as_deref()), (Some("TESTDEF0XXX"), Some("DE")));
    assert_eq!(event.related_parties[0].role, "initiating_party");

    let event = with(":50K:A\n:52D:TEST BANK 試驗銀行", ":59:B");
    assert_eq!(event.debtor.unwrap().agent_name.as_deref(), Some("TEST BANK 試驗銀行"), "in both scripts");

    let event = with(":50F:/12345678\n1/ANN EXAMPLE\n6/DE/BANK/12-34\n2/ROAD 1", ":59F:1/CHAN TAI MAN");
    assert_eq!(event.debtor.unwrap().id_number.as_deref(), Some("12-34"));
}

#[test]
fn remittance_of_an_envelope_is_read() {
    let text = message(
        "103",
        "{119:REMIT}",
        ":20:R\n:32A:260801USD1,\n:50K:A\n:59:B\n:71A:SHA\n:77T:/UEDI/UNH+123A5+FINPAY\nINV 12",
    );
    let event = one(&text);
    assert_eq!(event.remittance.as_deref(), Some("/UEDI/UNH+123A5+FINPAY INV 12"));
    assert_eq!(event.attributes["message"], "MT103 REMIT");
}

const COVER: &str = "
:20:COV-1
:21:REF-1
:32A:260801USD1500,
:52A:TESTAEA1
:56A:TESTUS30
:57A:TESTSGS0
:58A:/1234
TESTHKH1
:72:/ACC/ONE
:50K:/AE01
DEMO SENDER LLC
AE/DUBAI
:59:/999000002001
DEMO TRADING HK LTD
:70:INV 1
:72:/INS/TWO
:33B:USD1500,";

#[test]
fn a_cover_is_of_the_customers_that_it_covers() {
    let event = one(&message("202", &format!("{{119:COV}}{UETR}"), COVER));
    assert_eq!(event.attributes["message"], "MT202 COV");
    assert_eq!(
        event.payment_id.as_deref(),
        Some("9d0f6c1a-1b2c-4d3e-8f40-a1b2c3d4e5f6"),
        "the transfer's own"
    );
    assert_eq!(event.end_to_end_id.as_deref(), Some("REF-1"));
    assert_eq!(event.debtor.unwrap().name.as_deref(), Some("DEMO SENDER LLC"));
    let creditor = event.creditor.unwrap();
    assert_eq!(creditor.name.as_deref(), Some("DEMO TRADING HK LTD"));
    assert_eq!(creditor.agent_bic.as_deref(), Some("TESTHKH1"));
    let between: Vec<_> = event.intermediaries.iter().map(|p| p.agent_bic.as_deref().unwrap()).collect();
    assert_eq!(between, ["TESTAEA0", "TESTUS30", "TESTSGS0", "TESTHKH0"]);
    assert_eq!(event.remittance.as_deref(), Some("INV 1"));
    assert_eq!(event.attributes["instructions"], "/ACC/ONE /INS/TWO");
}

#[test]
fn a_transfer_between_institutions_is_theirs() {
    let plain = COVER.split(":50K:").next().unwrap();
    let refused = refusal(&message("202", "{119:COV}", plain));
    assert_eq!(refused, "message 1, MT202: field 50a is missing", "a cover says whom it covers");
    let event = one(&message("202", "", plain));
    assert_eq!(event.debtor.unwrap().agent_bic.as_deref(), Some("TESTAEA1"));
    let creditor = event.creditor.unwrap();
    assert_eq!(
        (creditor.agent_bic.as_deref(), creditor.account.as_deref()),
        (Some("TESTHKH1"), Some("1234"))
    );
    assert_eq!(event.intermediaries.len(), 4);
}

const STATEMENT: &str = "
:20:STARTUMSE
:25:012-345-678901
:28C:123/1
:60F:C260731HKD1000,00
:61:2608010801C1500,50NTRFREF-1//B-1
DETAILS OF IT
:86:166?00TRANSFER?20INV 1?31888000777?32CHAN TAI?33MAN
:61:2608010801D20,NCHKREF-1//B-2
:86:/BENM//NAME/WONG MEI/LING/REMI/RENT/EREF/X1
:61:260801RC1500,50NTRFREF-1//B-3
:61:260803RD20,NCHKNONREF
:61:260801CD5,NTRFREF-2//B-4
:61:260801C5,NTRFREF-2//B-4
:62F:C260801HKD1005,00
:86:OF THE WHOLE ACCOUNT";

#[test]
fn each_line_of_a_statement_is_an_event() {
    let events = read(&message("940", "", STATEMENT));
    assert_eq!(events.len(), 6);
    let ids: BTreeSet<_> = events.iter().map(|event| event.event_id.as_str()).collect();
    assert_eq!(ids.len(), 6, "told apart by their places");
    let payments: BTreeSet<_> = events.iter().map(PaymentEvent::payment_id).collect();
    assert_eq!(payments.len(), 6, "a reference that repeats is none");
    assert_eq!(events[0].payment_id(), "TESTAEA0:2026-08-01:B-1");
    let side = |event: &PaymentEvent| (event.direction.unwrap(), event.event_type, event.status);
    let (paid, refund) = (EventType::Payment, EventType::Refund);
    let done = PaymentStatus::Completed;
    assert_eq!(side(&events[0]), (Direction::Inbound, paid, done));
    assert_eq!(side(&events[1]), (Direction::Outbound, paid, done));
    assert_eq!(side(&events[2]), (Direction::Outbound, refund, done), "a credit taken back");
    assert_eq!(side(&events[3]), (Direction::Inbound, refund, done), "a debit taken back");
    for event in &events {
        let own = if event.direction == Some(Direction::Inbound) { &event.creditor } else { &event.debtor };
        let own = own.as_ref().unwrap();
        assert_eq!(
            (own.account.as_deref(), own.agent_bic.as_deref()),
            (Some("012345678901"), Some("TESTAEA0"))
        );
        assert!(event.occurred_at.to_string().as_str() <= "2026-08-01T00", "a value date may lie ahead");
    }
    let payer = events[0].debtor.as_ref().unwrap();
    assert_eq!((payer.name.as_deref(), payer.account.as_deref()), (Some("CHAN TAI MAN"), Some("888000777")));
    assert_eq!(events[1].creditor.as_ref().unwrap().name.as_deref(), Some("WONG MEI/LING"));
    assert!(events[1].remittance.as_ref().unwrap().contains("RENT"));
    assert_eq!(events[0].attributes["supplementary_details"], "DETAILS OF IT");
    assert_eq!(
        events[4].amount.unwrap().to_string(),
        "HKD 5.00",
        "the currency's letter may stand before it"
    );
    assert!(events.iter().all(|e| !format!("{e:?}").contains("WHOLE ACCOUNT")), "of no line");
    let other = STATEMENT.replace("012-345-678901", "012-345-678902");
    let others = read(&message("940", "", &other));
    assert!(others.iter().all(|event| !ids.contains(event.event_id.as_str())), "another account's lines");
}

#[test]
fn an_interim_statement_shares_its_payments_with_the_final_one() {
    let interim = ":20:INT\n:25:012-345-678901\n:28C:9/1\n:34F:HKD0,\n:13D:2608011400+0800\n\
                   :61:2608010801C1500,50NTRFREF-1//B-1\n:61:260801ED7,NTRFREF-9\n:90D:1HKD7,\n:90C:1HKD1500,50";
    let events = read(&message("942", "", interim));
    assert_eq!(events.len(), 2);
    assert_eq!(events[1].status, PaymentStatus::Processing, "expected, not booked");
    let statement = read(&message("940", "", STATEMENT));
    assert_eq!(events[0].payment_id(), statement[0].payment_id());
    assert_ne!(events[0].event_id, statement[0].event_id);
}

#[test]
fn confirmations_say_which_way_the_money_went() {
    let debit = ":20:D1\n:21:REF-1\n:25:012345678901\n:13D:2608011015+0800\n:32A:260801USD5,\n:52A:TESTGB20";
    let event = one(&message("900", "", debit));
    assert_eq!((event.direction, event.status), (Some(Direction::Outbound), PaymentStatus::Completed));
    assert_eq!(event.debtor.unwrap().account.as_deref(), Some("012345678901"));
    assert_eq!(event.related_parties[0].role, "ordering_institution");
    assert_eq!(event.occurred_at.to_string(), "2026-08-01T02:15:00Z");
    let credit =
        ":20:C1\n:21:REF-1\n:25:012345678901\n:32A:260801USD5,\n:50K:/1\nMONA\n:52A:TESTGB20\n:56A:TESTSGS0";
    let event = one(&message("910", "", credit));
    assert_eq!(event.direction, Some(Direction::Inbound));
    assert_eq!(event.creditor.unwrap().account.as_deref(), Some("012345678901"));
    let debtor = event.debtor.unwrap();
    assert_eq!((debtor.name.as_deref(), debtor.agent_bic.as_deref()), (Some("MONA"), Some("TESTGB20")));
    assert_eq!(event.intermediaries.len(), 1);
}

#[test]
fn a_file_holds_several_messages_and_acknowledgements_between_them() {
    let transfer = message("103", UETR, TRANSFER);
    let acknowledged = "{1:F21TESTHKH0AXXX0000000000}{4:{177:2608011015}{451:0}}";
    let file = format!(
        "\u{1}{acknowledged}{transfer}\u{3}\r\n${}\n{}",
        message("202", UETR, COVER),
        message("940", "", STATEMENT)
    );
    assert!(is_mt(file.as_bytes()));
    let events = read(&file);
    assert_eq!(events.len(), 8);
    assert_eq!(events, read(&file), "the same bytes, the same events");
    assert_eq!(events[0], one(&transfer));
}

#[test]
fn other_formats_are_no_messages() {
    for other in ["{\"event_id\":\"1\"}", "<a/>", "", "{", "{1", " {\"1:\":2}", "a,b"] {
        assert!(!is_mt(other.as_bytes()), "{other}");
    }
}

#[test]
fn the_sender_s_copy_has_the_time_of_its_value_date() {
    let text = message("103", "", TRANSFER);
    let (_, rest) = text.split_once("{3:").unwrap();
    let text = format!("{{1:F01TESTAEA0AXXX0000000000}}{{2:I103TESTHKH0XXXXN}}{{3:{rest}");
    let event = one(&text);
    assert_eq!(event.event_id, "MT103:TESTAEA0:REF-1", "the same message on either side");
    assert_eq!(event.occurred_at.to_string(), "2026-07-31T16:00:00Z", "midnight in Hong Kong");
}

#[test]
fn a_time_without_an_offset_belongs_to_the_zone_of_the_source() {
    let at = |text: &str, zone: &str| {
        decode_mt(text.as_bytes(), &zone.parse().unwrap()).unwrap().remove(0).occurred_at.to_string()
    };
    let sent = message("103", "", TRANSFER);
    let copy = sent.replace("{2:O1031015260801TESTAEA0AXXX00000000002608011016N}", "{2:I103TESTAEA0XXXXN}");
    assert_ne!(sent, copy);
    let days = [("Asia/Hong_Kong", "02:15", "2026-07-31T16"), ("Europe/Zurich", "08:15", "2026-07-31T22")];
    for (zone, time, midnight) in days {
        assert_eq!(at(&sent, zone), format!("2026-08-01T{time}:00Z"));
        assert_eq!(at(&copy, zone), format!("{midnight}:00:00Z"));
        let japan = sent.replace("TESTAEA0", "TESTJPA0");
        assert_eq!(at(&japan, zone), "2026-08-01T01:15:00Z", "it cannot be later there");
    }
}

#[test]
fn a_sender_s_time_is_never_ahead() {
    let at = |country: &str| {
        let text = message("103", "", TRANSFER).replace("TESTAEA0", &format!("TEST{country}A0"));
        one(&text).occurred_at.to_string()
    };
    assert_eq!(at("HK"), "2026-08-01T02:15:00Z");
    assert_eq!(at("JP"), "2026-08-01T01:15:00Z");
    assert_eq!(at("GB"), at("HK"), "west of Hong Kong: early");
}

#[test]
fn refusals_name_the_field_and_not_the_value() {
    for (from, to, why) in [
        (":20:REF-1", ":20:", "message 1, MT103: field 20 is empty"),
        (":20:REF-1\n", "", "message 1, MT103: field 20 is missing"),
        (
            "260801USD1500,5",
            "261301USD1500,5",
            "message 1, MT103: field 32A does not begin with a date (YYMMDD)",
        ),
        ("USD1500,5", "USD1500.5", "message 1, MT103: field 32A: not a decimal amount"),
        ("USD1500,5", "USD1,555", "message 1, MT103: field 32A: more than 2 decimals"),
        ("USD1500,5", "ABC1,55", "message 1, MT103: field 32A: unknown currency code"),
        (":50F:CCPT/AE/K1234567", ":51F:CCPT", "message 1, MT103: field 50a is missing"),
        ("4/19800131", "4/19801331", "message 1, MT103: field 50F has a date of birth that is none"),
        ("TESTSGS0XXX", "Test Bank", "message 1, MT103: field 56A has no BIC"),
        (":71A:SHA", ":71A:SHA\n:71A:OUR", "message 1, MT103: field 71A is given twice"),
        (":33B:HKD11700,00", ":33B:HKD1e9", "message 1, MT103: field 33B: not a decimal amount"),
    ] {
        let changed = TRANSFER.replacen(from, to, 1);
        assert_ne!(changed, TRANSFER);
        let refused = refusal(&message("103", UETR, &changed));
        assert!(refused.starts_with(why), "{refused}");
        assert!(!refused.contains("REF-1") && !refused.contains("MONA"), "{refused}");
    }
    let line = STATEMENT.replacen("2608010801D20,", "2608010801X20,", 1);
    let refused = refusal(&message("940", "", &line));
    assert_eq!(
        refused,
        "message 1, MT940: field 61, line 2 of the statement: has no mark such as C, D, RC or RD"
    );
    assert_eq!(
        decode_mt(message("199", "", ":20:R").as_bytes(), &Zone::default()).unwrap_err().code(),
        "unsupported"
    );
    for broken in
        ["{1:F01TESTHKH0AXXX0000000000}", "{1:F01}{2:I103}", "{1:F01TESTHKH0AXXX0000000000}{4:\n:20:X"]
    {
        assert!(refusal(broken).starts_with("message 1: "), "{broken}");
    }
}

#[test]
fn one_broken_message_refuses_the_file() {
    let good = message("103", UETR, TRANSFER);
    let bad = good.replace(":32A:", ":32B:");
    assert!(refusal(&format!("{good}\n{bad}")).starts_with("message 2, MT103: field 32A is missing"));
}

proptest! {
    /// Whole minor units of every number of decimals come out as they went in.
    #[test]
    fn amounts_are_exact(minor in 0..1_000_000_000_000_i64, code in prop::sample::select(vec!["JPY", "HKD", "KWD"])) {
        let money = sluice_model::Money::new(minor, code.parse().unwrap());
        let written = money.decimal().replace('.', ",");
        let comma = if written.contains(',') { "" } else { "," };
        let changed = TRANSFER.replace("USD1500,5", &format!("{code}{written}{comma}"));
        prop_assert_eq!(one(&message("103", UETR, &changed)).amount, Some(money));
    }

    /// A message cut anywhere is refused or, where only what follows its end is gone, read whole.
    #[test]
    fn a_message_cut_short_is_never_read_in_part(cut in 0..900_usize) {
        let whole = message("103", UETR, TRANSFER);
        let Some(part) = whole.get(..cut) else { return Ok(()) };
        let ends = whole.find("-}").unwrap() + 2;
        match decode_mt(part.as_bytes(), &Zone::default()) {
            Ok(events) => prop_assert!(cut >= ends && events == read(&whole)),
            Err(_) => prop_assert!(cut < whole.len()),
        }
    }

    /// Lines in any number and order keep distinct ids, and the same ones when they come again.
    #[test]
    fn ids_of_lines_are_distinct_and_stay(references in prop::collection::vec(0..3_u8, 1..20)) {
        let lines: String = references.iter().map(|r| format!(":61:260801C1,NTRFREF-{r}//B-{r}\n")).collect();
        let text = message("940", "", &format!(":20:S\n:25:1234567\n:28C:1\n:60F:C260731HKD0,\n{lines}:62F:C260801HKD9,"));
        let events = read(&text);
        let ids: BTreeSet<_> = events.iter().map(|event| event.event_id.clone()).collect();
        let payments: BTreeSet<_> = events.iter().map(|event| event.payment_id().to_owned()).collect();
        prop_assert_eq!((ids.len(), payments.len()), (references.len(), references.len()));
        prop_assert_eq!(events, read(&text));
    }
}
