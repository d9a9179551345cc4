//! Rules and events that nobody should write: each is refused with its place, or fails alone by its policy.

use std::path::Path;

use sluice_model::{KeyKind, PaymentEvent, PaymentPast, Role, RuleBundle, RuleFile, WindowValue};
use sluice_rules::{Facts, Judgement, Measure, NO_WINDOWS, RuleSet, limits};

fn rule(body: &str) -> RuleBundle {
    let text = format!(
        "rule R #{{ title: \"R\", key: \"payment\", severity: \"low\", typology: \"t\", speaks: \"every event\",\n\
         regulation: #{{ text: \"t\", source: \"s\", date: \"2026-01-01\" }}, action: \"alert\", on_error: \"hold\" }};\n\
         {body}\nreason `seen`;"
    );
    RuleBundle::new(vec![RuleFile { path: "r.rhai".into(), text }])
}

fn facts<'a>(event: &'a PaymentEvent, past: &'a PaymentPast) -> Facts<'a> {
    Facts {
        event,
        amount: event.amount,
        role: Role::NONE,
        past,
        matches: &[],
        screening_failed: false,
        profile: None,
    }
}

/// What becomes of a rule: refused with a place, or the reason with which it fails on a large payment.
fn fate(body: &str) -> String {
    let set = match RuleSet::compile(&rule(body)) {
        Ok(set) => set,
        Err(found) => {
            assert!(found.0.iter().all(|d| d.file == "r.rhai" && !d.message.is_empty()), "{found}");
            return format!("refused: {found}");
        }
    };
    let event: PaymentEvent = serde_json::from_value(serde_json::json!({
        "event_id": "1", "type": "payment", "status": "completed", "occurred_at": "2026-03-02T00:00:00Z",
        "amount": { "value": "92233720368547758.07", "currency": "HKD" }, "remittance": "x".repeat(1_000),
    }))
    .unwrap();
    let mut out: Vec<Judgement> = Vec::new();
    set.plan(KeyKind::Payment).judge(&facts(&event, &PaymentPast::default()), &NO_WINDOWS, &[], &mut out);
    let finding = &out[0].finding;
    assert!(finding.error.is_some(), "{body}: {}", finding.reason);
    finding.reason.clone()
}

#[test]
fn arithmetic_fails_alone_and_says_so() {
    assert!(fate("condition amount / (amount - amount) > 1.0;").contains("division by zero"));
    assert!(fate("condition amount * 1000 > hkd(1);").contains("arithmetic overflow"));
    assert!(fate("condition amount + amount > hkd(1);").contains("arithmetic overflow"));
}

#[test]
fn recursion_of_any_depth_is_refused_or_limited() {
    assert!(fate("fn f(x) { f(x) }\ncondition f(1) > 0;").starts_with("refused"));
    // A chain of different functions, deeper than calls may be.
    let link = |n: usize| format!("fn f{n}(x) {{ f{}(x) + 1 }}\n", n + 1);
    let links: String = (0..=limits::CALLS_MAX).map(link).collect();
    let fate = fate(&format!("{links}fn f{}(x) {{ x }}\ncondition f0(1) > 0;", limits::CALLS_MAX + 1));
    assert!(fate.starts_with("refused") || fate.contains("exceeded its limit"), "{fate}");
}

#[test]
fn texts_and_lists_that_grow_without_end_fail_alone() {
    let twenty = "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]";
    let grows = format!(
        "fn f(t) {{ let s = t; for i in {twenty} {{ s = `${{s}}${{s}}`; }} len(s) }}\ncondition f(remittance ?? \"\") > 0;"
    );
    let fate_of_text = fate(&grows);
    assert!(
        fate_of_text.starts_with("refused") || fate_of_text.contains("exceeded its limit"),
        "{fate_of_text}"
    );
    let million = format!("condition 1 in [{}1];", "1,".repeat(1_000_000));
    assert!(fate(&million).starts_with("refused"));
}

#[test]
fn an_event_that_lacks_every_optional_field_is_judged_by_every_shipped_rule() {
    let set = RuleSet::compile(&packs()).unwrap_or_else(|found| panic!("{found}"));
    let event = PaymentEvent::new("E".into(), "2026-03-02T08:00:00Z".parse().unwrap());
    for kind in KeyKind::ALL {
        let plan = set.plan(kind);
        let (mut samples, mut failures, mut out) = (Vec::new(), Vec::new(), Vec::new());
        plan.admit(&facts(&event, &PaymentPast::default()), &mut samples, &mut failures);
        let empty = |measure| match measure {
            Measure::Count
            | Measure::Sum
            | Measure::Distinct
            | Measure::DistinctNew
            | Measure::Occurrences
            | Measure::Similar { .. } => WindowValue::Int(0),
            _ => WindowValue::Nothing(()),
        };
        let windows: Vec<_> = plan.windows.iter().map(|window| empty(window.measure)).collect();
        plan.judge(&facts(&event, &PaymentPast::default()), &windows.as_slice(), &failures, &mut out);
        // What could not be judged says why; a typology names the members that spoke.
        let own = |j: &&Judgement| j.finding.error.is_some() && !plan.rules[j.rule].is_typology();
        for judgement in out.iter().filter(own) {
            assert!(judgement.finding.reason.contains("could not be judged"), "{}", judgement.finding.reason);
        }
        println!("{}: {} rules, {} spoke", kind.name(), plan.rules.len(), out.len());
    }
}

fn packs() -> RuleBundle {
    fn collect(root: &Path, folder: &Path, files: &mut Vec<RuleFile>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(root, &path, files);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                files.push(RuleFile { path: name, text: std::fs::read_to_string(&path).unwrap() });
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("packs");
    let mut files = Vec::new();
    collect(&root, &root, &mut files);
    RuleBundle::new(files)
}
