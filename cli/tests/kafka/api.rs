//! `sluice api`: several processes over engines of other processes and one PostgreSQL database.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::{Command, Stdio},
    sync::LazyLock,
    thread,
};

use serde_json::{Value, json};
use sluice_log::kafka::testing::Brokers;
use sluice_model::EventTime;
use sluice_runtime::{Clock as _, SystemClock};

use crate::{
    cluster,
    deployment::Deployment,
    effort,
    oracle::Oracle,
    process::{Client, Up, write_rules},
};

/// Who ask at once.
const CLIENTS: usize = 4;
/// Who pay.
const CUSTOMERS: usize = 40;
const DECISIONS: &str = "/v1/decisions?deadline_ms=20000";
const JSON: &str = "application/json";

/// When all payments occur.
static TODAY: LazyLock<EventTime> = LazyLock::new(|| SystemClock.now());

/// What API processes share.
struct Nodes<'a> {
    deployment: &'a Deployment,
    database: String,
    folder: &'a Path,
}

impl Nodes<'_> {
    /// Start one; it serves when this returns.
    fn start(&self, instance: &str) -> Up {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sluice"));
        let brokers = self.deployment.arguments();
        command
            .args(["api", "--json", "--listen", "127.0.0.1:0", "--instance", instance])
            .args(brokers)
            .arg("--data")
            .arg(self.folder.join(instance))
            .arg("--evidence-key")
            .arg(self.folder.join("evidence.key"))
            .arg("--rules")
            .arg(self.folder.join("rules"))
            .env("SLUICE_DATABASE", &self.database)
            .env("SLUICE_LOG", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        Up::start(command).unwrap()
    }
}

/// A payment of today.
fn payment(number: usize, value: &str) -> Value {
    json!({
        "event_id": format!("E-{number}"), "payment_id": format!("P-{number}"), "occurred_at": *TODAY,
        "amount": { "value": value, "currency": "HKD" },
        "debtor": { "customer_id": format!("C-{}", number % CUSTOMERS), "name": "Payer" },
        "creditor": { "name": "Payee", "account": format!("B-{}", number % 7) },
    })
}

/// One in ten is held.
fn value(number: usize) -> &'static str {
    if number % 10 == 3 { "2000.00" } else { "10.00" }
}

/// Decisions through two processes while engines and a process are killed: each answered, the same whoever is asked again, each
/// alert in one case, one tree of evidence; an officer's order at one applies to what the other is asked.
pub fn processes_serve_over_engines(brokers: &Brokers) {
    let Some(database) = cluster::database("api") else { return };
    let folder = tempfile::tempdir().unwrap();
    write_rules(&folder.path().join("rules"));
    let deployment = Deployment::new(brokers, "api", 4);
    let mut engines = [deployment.engine("engine-1"), deployment.engine("engine-2")];
    let nodes = Nodes { deployment: &deployment, database, folder: folder.path() };
    let first = nodes.start("one");
    let (operator, one) = (first.operator(), first.client());
    let second = nodes.start("two");
    assert!(second.ready["user"].is_null(), "people are there already: {}", second.ready);
    let two = second.client();

    let asked = effort(400, 20_000);
    let (mut answers, mut by_policy) = (BTreeMap::new(), 0);
    for (kill, round) in (0..asked).collect::<Vec<_>>().chunks(asked / 4).enumerate() {
        let each = round.chunks(round.len().div_ceil(CLIENTS));
        let told: Vec<(usize, Value)> = thread::scope(|scope| {
            let clients: Vec<_> = each
                .zip([&one, &two].into_iter().cycle())
                .map(|(numbers, client)| scope.spawn(move || decide(client, numbers)))
                .collect();
            if kill % 2 == 1 {
                engines[kill / 2].kill();
                engines[kill / 2] = deployment.engine(&format!("engine-{}", kill / 2 + 1));
            }
            clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
        });
        by_policy += told.iter().filter(|(_, answer)| answer["deadline_passed"] == true).count();
        answers.extend(told);
    }
    assert_eq!(answers.len(), asked, "each was answered");
    deployment.wait_until_all_is_judged();
    for (number, answer) in answers.iter().step_by(7) {
        for client in [&one, &two] {
            let again = decision(client, *number, value(*number));
            assert_eq!(again["decision"], answer["decision"], "of {number}: {again} is not {answer}");
        }
    }
    deployment.wait_until_all_is_judged();
    let oracle = Oracle::of(&deployment);
    let differences = oracle.compare(&deployment);
    assert!(differences.is_empty(), "{differences:#?}");

    // An officer orders a freeze at one process; it applies to what the other is asked.
    let alerts = taken_in(&deployment, &one);
    let third =
        alerts.iter().find(|alert| alert["rule_id"] == "T02" && alert["key"]["value"] == "C-1").unwrap();
    let case = third["case_id"].as_str().unwrap();
    let freeze = json!({ "action": "freeze", "reason": "a test" }).to_string();
    let (status, said) = operator.post(&format!("/v1/cases/{case}/actions"), JSON, &freeze).unwrap();
    assert_eq!((status, said["control"].as_str()), (200, Some("delivered")), "{said}");
    deployment.wait_until_all_is_judged();
    let of_frozen = asked.div_ceil(CUSTOMERS) * CUSTOMERS + 1;
    assert_eq!(decision(&two, of_frozen, "1.00")["decision"], "reject");

    // The process that did the work behind the pages for both is killed: the other goes on.
    first.kill();
    assert_eq!(decision(&two, of_frozen + 1, "5000.00")["decision"], "hold");
    deployment.wait_until_all_is_judged();
    let alerts = taken_in(&deployment, &two);
    let known: BTreeSet<_> = alerts.iter().map(|alert| alert["alert_id"].to_string()).collect();
    assert_eq!(known.len(), alerts.len(), "each once");
    let of_log = deployment.alerts().len();
    assert_eq!(alerts.len(), of_log, "each is in a case");

    // Of two processes of one name the older ends, once it finds out.
    let newer = nodes.start("two");
    decision(&newer.client(), of_frozen + 2, "1.00");
    let refused = two.post(DECISIONS, JSON, &payment(of_frozen + 3, "1.00").to_string());
    assert!(refused.is_none_or(|(status, _)| status != 200), "it was replaced");
    while two.get("/readyz").is_some() {}
    println!(
        "api: {asked} decisions by 2 processes, {by_policy} of them by policy, 2 engines and 1 process killed; {of_log} alerts in cases, 0 lost, 0 doubled"
    );
}

/// Decide on each.
fn decide(client: &Client, numbers: &[usize]) -> Vec<(usize, Value)> {
    numbers.iter().map(|number| (*number, decision(client, *number, value(*number)))).collect()
}

/// The answer, however often it has to be asked for.
fn decision(client: &Client, number: usize, value: &str) -> Value {
    let event = payment(number, value).to_string();
    loop {
        match client.post(DECISIONS, JSON, &event) {
            Some((200, answer)) => return answer,
            Some((503, _)) => {}
            other => panic!("{number}: {other:?}"),
        }
    }
}

/// All alerts, once the case side has taken in what is on the log.
fn taken_in(deployment: &Deployment, client: &Client) -> Vec<Value> {
    let expected = deployment.alerts().len();
    loop {
        let alerts = client.list("/v1/alerts");
        if alerts.len() >= expected {
            return alerts;
        }
    }
}
