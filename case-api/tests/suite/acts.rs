//! Whatever officers do, in whatever order, the engine's view, the store's and the evidence agree.

use std::collections::BTreeSet;

use crate::support::{Side, held_alert, record};
use proptest::prelude::*;
use serde_json::{Value, json};
use sluice_case_api::{domain::Role, ports::Record};
use sluice_model::{Control, HoldOutcome, HoldRecord, Outcome};

const CASES: [&str; 2] = ["CASE-000001", "CASE-000002"];
const ROLES: [Role; 4] = [Role::Analyst, Role::Investigator, Role::Mlro, Role::Auditor];

fn act() -> impl Strategy<Value = Value> {
    let reason = |action: &'static str| Just(json!({"action": action, "reason": "because"}));
    let code = prop::sample::select(vec!["FP-NAME", "EXP-BUSINESS", "MON", "EXIT", "STR", "TFS-MATCH"]);
    let close = code.prop_map(
        |code| json!({"action": "close", "disposition": code, "discriminator": "older", "reason": "because"}),
    );
    prop_oneof![
        1 => Just(json!({"action": "comment", "text": "seen"})),
        1 => Just(json!({"action": "assign"})),
        3 => reason("freeze"),
        2 => reason("unfreeze"),
        3 => reason("release"),
        2 => reason("escalate"),
        1 => reason("return"),
        1 => reason("reopen"),
        3 => close,
    ]
}

/// Two cases of one customer that both hold the same payment.
async fn two_cases() -> Side {
    let side = Side::new().await;
    let (first, hold) = held_alert(1, "C-1");
    let (mut second, _) = held_alert(2, "C-1");
    second.payment_id.clone_from(&first.payment_id);
    second.typology = "corridor".into();
    let other = HoldRecord { because: second.alert_id.to_string(), ..hold.clone() };
    side.say([record(first), record(second), Record::Hold(hold), Record::Hold(other)]).await;
    side
}

async fn run(acts: Vec<(usize, usize, Value)>) -> Result<(), TestCaseError> {
    let side = two_cases().await;
    let keys: Vec<String> = ROLES.iter().map(|role| side.key(&format!("{role:?}"), &[*role])).collect();
    let mut done = 0;
    for (role, case, mut act) in acts {
        if act["action"] == "unfreeze" {
            let case = side.get(&format!("/v1/cases/{}", CASES[case])).await.json();
            act["frozen_at"] =
                case["freezes"].as_array().unwrap().last().map_or(Value::Null, |f| f["frozen_at"].clone());
        }
        side.world.pass(sluice_model::Span::seconds(1));
        let answer = side.act(&keys[role], CASES[case], act).await;
        prop_assert!(answer.status.is_success() || answer.status.is_client_error(), "{}", answer.text());
        prop_assert!(!answer.status.is_success() || ROLES[role] != Role::Auditor, "an auditor acted");
        done += usize::from(answer.status.is_success());
    }

    // The engine, which knows control records only.
    let (mut frozen, mut released) = (BTreeSet::new(), BTreeSet::new());
    for control in side.world.controls() {
        match control {
            Control::Freeze(freeze) => drop(frozen.insert((freeze.key.value, freeze.case_id, freeze.at))),
            Control::Unfreeze(end) => {
                let frozen_at = end.frozen_at.expect("an end names its freeze");
                prop_assert!(frozen.remove(&(end.key.value, end.case_id, frozen_at)), "nothing to unfreeze")
            }
            Control::Release(order) => {
                let named = order.alerts.unwrap_or_default();
                prop_assert_eq!(named.len(), 1, "each case lets go its own alert, by name");
                prop_assert!(released.insert(named), "an alert is let go once");
            }
            other => prop_assert!(false, "{other:?}"),
        }
    }

    let (mut told, mut stands_frozen, mut stands_held) = (0, false, false);
    for id in CASES {
        let case = side.get(&format!("/v1/cases/{id}")).await.json();
        let count = |list: &str, pick: &dyn Fn(&Value) -> bool| {
            case[list].as_array().unwrap().iter().filter(|item| pick(item)).count()
        };
        told += count("timeline", &|entry| entry["actor"] != "engine");
        let held = count("holds", &|hold| hold["state"] == "held" || hold["state"] == "proposed") > 0;
        let freezes = count("freezes", &|freeze| freeze["lifted_at"].is_null()) > 0;
        let may_leave = ["EXIT", "STR", "TFS-MATCH"].map(Value::from).contains(&case["disposition"]);
        prop_assert!(case["state"] != "CLOSED" || may_leave || !(held || freezes), "money was left behind");
        prop_assert_eq!(case["state"] == "CLOSED", !case["disposition"].is_null());
        stands_frozen |= freezes;
        stands_held |= held;
        let bundle = side.get(&format!("/v1/cases/{id}/evidence")).await;
        prop_assert!(sluice_evidence::verify(&bundle.bytes, None).holds());
    }
    prop_assert_eq!(told, done, "each act that was done is told once");
    prop_assert_eq!(stands_frozen, !frozen.is_empty(), "the engine rejects what a case has frozen");
    prop_assert_eq!(released.len() == CASES.len(), !stands_held, "the payment moves when nothing holds it");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn acts_in_any_order_keep_engine_store_and_evidence_in_step(
        acts in prop::collection::vec((0..ROLES.len(), 0..CASES.len(), act()), 1..40)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(acts))?;
    }
}

/// What the engine may say of a few payments, in any order, again and again.
fn said() -> impl Strategy<Value = Vec<Record>> {
    let one = (0u32..6, 0u32..3, 0u8..6).prop_map(|(n, payment, what)| {
        let (mut alert, mut hold) = held_alert(n, &format!("C-{}", n % 2));
        alert.payment_id = format!("P-{payment}");
        hold.payment_id.clone_from(&alert.payment_id);
        let decision = |outcome, alerts| {
            Record::Decision(sluice_model::Decision {
                payment_id: format!("P-{payment}"),
                event_id: format!("E-{n}"),
                decision: outcome,
                alerts,
                reasons: Vec::new(),
                deadline_passed: true,
                offset: None,
            })
        };
        match what {
            0 => record(alert),
            1 => Record::Hold(hold),
            2 => Record::Hold(HoldRecord { state: HoldOutcome::Rejected, ..hold }),
            3 => Record::Hold(HoldRecord { alerts: vec![alert.alert_id], event_id: String::new(), ..hold }),
            4 => decision(Outcome::Hold, vec![]),
            _ => decision(Outcome::Reject, vec![alert.alert_id]),
        }
    });
    prop::collection::vec(one, 1..40)
}

async fn every_hold_has_a_case(records: Vec<Record>) -> Result<(), TestCaseError> {
    let side = Side::new().await;
    let answered: BTreeSet<_> = records
        .iter()
        .filter_map(|r| if let Record::Decision(d) = r { Some(d.event_id.clone()) } else { None })
        .collect();
    for record in records {
        side.world.say(record);
        prop_assert!(side.api.consume().await.is_ok());
        let holds = side.get("/v1/holds?limit=1000").await.json();
        for hold in holds["items"].as_array().unwrap() {
            let id = hold["case_id"].as_str().expect("a hold has a case");
            prop_assert_eq!(side.get(&format!("/v1/cases/{id}")).await.status, 200);
        }
    }
    side.drain().await;
    let audit = side.get("/v1/audit?limit=1000&all=true").await.json();
    let leaves: BTreeSet<_> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|e| e["about"].as_str().map(str::to_owned))
        .collect();
    prop_assert!(answered.is_subset(&leaves), "every answer is a leaf");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn no_hold_is_ever_without_a_case(records in said()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(every_hold_has_a_case(records))?;
    }
}
