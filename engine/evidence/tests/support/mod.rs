//! A log with something of everything in it, and a case's bundle from it.

use serde_json::json;
use sluice_evidence::{
    Body, Bundle, Expanded, Kind, Leaf, LoggedRecord, Plan, Salt, Signer, Tree, Zeroizing,
};
use sluice_model::{EventTime, Hash256};

pub fn signer(seed: u8) -> Signer {
    Signer::from_seed("evidence.example", Zeroizing::new([seed; 32])).unwrap()
}

/// A log of records, all in memory.
#[derive(Default)]
pub struct Log {
    pub tree: Tree,
    pub nodes: Vec<Hash256>,
    pub records: Vec<(Leaf, Body)>,
}

impl Log {
    pub fn append(&mut self, kind: Kind, id: &str, body: Body) -> u64 {
        let at = EventTime::from_micros(1_763_600_000_000_000 + self.records.len() as i64);
        self.append_leaf(Leaf::new(kind, id, at, &body), body)
    }

    pub fn append_leaf(&mut self, leaf: Leaf, body: Body) -> u64 {
        let index = self.tree.append(leaf.hash(), |position, hash| {
            assert_eq!(position, self.nodes.len() as u64, "positions are written in order");
            self.nodes.push(hash);
        });
        self.records.push((leaf, body));
        index
    }

    /// Add a record to a bundle, with its proof at the log's present size.
    pub fn prove(&self, bundle: &mut Bundle, index: u64) {
        let (leaf, body) = self.records[index as usize].clone();
        let path = Plan::inclusion(index, self.tree.size()).unwrap().path(&self.nodes[..]).unwrap();
        bundle.record(index, leaf, Some(body), path);
    }
}

pub fn salt(n: u64) -> Salt {
    let mut salt = [0; 16];
    salt.copy_from_slice(&Hash256::of(&n.to_be_bytes()).0[..16]);
    Salt(salt)
}

/// An alert's body, of the size that alerts have.
pub fn alert(n: u64) -> Body {
    let alert = json!({
        "alert_id": Hash256::of(&n.to_le_bytes()), "rule_id": "R01", "rule_version": "a1b2c3d4e5f6",
        "typology": "structuring", "key": {"kind": "customer", "value": format!("C-{n}")},
        "subjects": [format!("C-{n}")], "event_id": format!("E-{n}"), "payment_id": format!("P-{n}"),
        "occurred_at": "2026-11-20T08:30:00.123Z", "severity": "high", "action": "hold",
        "reason": "5 payments of HKD 7,500.00 to HKD 7,999.99 within 24h, against a limit of 3",
        "windows": {"near": 5, "share": 0.8333}, "matches": [],
        "cause": {"kind": "event", "event_id": format!("E-{n}")},
        "versions": {"rule": "00", "parameters": "11", "lists": {"un": "22"}, "engine": "0.1.0"},
    });
    Body::new(&alert, salt(n)).unwrap()
}

pub fn events(n: u64) -> Expanded {
    let record = |offset: u64| {
        let event = json!({"event": {"event": {"event_id": format!("E-{n}-{offset}"), "amount": "7800.00"}}});
        LoggedRecord::new(offset, &event.to_string()).unwrap()
    };
    let mut records: Vec<LoggedRecord> = (0..3).map(|i| record(10 + i * i)).collect();
    records.push(LoggedRecord::withheld(99, Hash256::of(b"another")));
    Expanded::new("sluice.payments", 0, records)
}

/// A log of 200 records, and the bundle of a case with four of them: an alert with its events, a hold, an act
/// with an erased field, and a record whose body is withheld.
pub fn case() -> (Log, Bundle) {
    let signer = signer(7);
    let mut log = Log::default();
    for n in 0..196 {
        log.append(Kind::Alert, &format!("alert-{n}"), alert(n));
    }
    let events = events(5);
    let with_events = alert(500).with("events", &events.stretch().unwrap()).unwrap();
    let held = json!({"payment_id": "P-500", "state": "held", "case_id": "case-5"});
    let act = json!({"act": "comment", "officer": "mlo", "text": "spoke to Mr \"X\"\n", "case_id": "case-5"});
    let mut indices = vec![log.append(Kind::Alert, "alert-500", with_events)];
    indices.push(log.append(Kind::Hold, "hold-1", Body::new(&held, salt(501)).unwrap()));
    indices.push(log.append(Kind::Act, "act-é-1", Body::new(&act, salt(502)).unwrap()));
    log.append(Kind::Configuration, "rules-1", Body::new(&json!({"rules": "R01"}), salt(503)).unwrap());
    assert!(log.records[indices[2] as usize].1.erase("text").unwrap());

    let mut bundle = Bundle::new("case-5", signer.checkpoint(&log.tree), &signer);
    for index in indices {
        log.prove(&mut bundle, index);
    }
    let path = Plan::inclusion(3, log.tree.size()).unwrap().path(&log.nodes[..]).unwrap();
    bundle.record(3, log.records[3].0.clone(), None, path);
    bundle.stretch(events);
    (log, bundle)
}
