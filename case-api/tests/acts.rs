//! Whatever officers do, in whatever order, the engine's view, the store's and the evidence agree.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod support;

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};
use sluice_case_api::{domain::Role, ports::Record};
use sluice_model::{Control, Disposition};
use support::{Side, held_alert, record};

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
    let other = Disposition { because: second.alert_id.to_string(), ..hold.clone() };
    side.say([record(first), record(second), Record::Disposition(hold), Record::Disposition(other)]).await;
    side
}

async fn run(acts: Vec<(usize, usize, Value)>) -> Result<(), TestCaseError> {
    let side = two_cases().await;
    let keys: Vec<String> = ROLES.iter().map(|role| side.key(&format!("{role:?}"), &[*role])).collect();
    let mut done = 0;
    for (role, case, act) in acts {
        let answer = side.act(&keys[role], CASES[case], act).await;
        prop_assert!(answer.status.is_success() || answer.status.is_client_error(), "{}", answer.text());
        prop_assert!(!answer.status.is_success() || ROLES[role] != Role::Auditor, "an auditor acted");
        done += usize::from(answer.status.is_success());
    }

    // The engine, which knows control records only.
    let (mut frozen, mut released) = (BTreeSet::new(), 0);
    for control in side.world.controls() {
        match control {
            Control::Freeze(freeze) => drop(frozen.insert(freeze.key.value)),
            Control::Unfreeze(freeze) => {
                prop_assert!(frozen.remove(&freeze.key.value), "nothing to unfreeze")
            }
            Control::Release(_) => released += 1,
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
    prop_assert_eq!(released, usize::from(!stands_held), "the payment moves once, when nothing holds it");
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
