//! A disk that is full, a writer that fails, a feed that stands still: what is answered, and that it passes without a
//! restart.

use std::{
    fs,
    sync::{Arc, atomic::Ordering},
};

use crate::support::{Side, World, alert, place::Place, record, small_disk::SmallDisk};
use serde_json::{Value, json};
use sluice_case_api::limits::{FEED_STALLED_AFTER, PROBE_EVERY};
use sluice_model::Span;

const CASE: &str = "CASE-000001";

fn comment(text: &str) -> Value {
    json!({"action": "comment", "text": text})
}

/// What `/readyz` says, asked anew.
async fn ready(side: &Side) -> (u16, String) {
    side.world.pass(PROBE_EVERY);
    let answer = side.get("/readyz").await;
    (answer.status.as_u16(), answer.json()["status"].as_str().unwrap().to_owned())
}

/// The comments and the alerts of the case, as its evidence has them: each is what the log committed to.
async fn evidence(side: &Side) -> (usize, usize) {
    let bundle = side.get(&format!("/v1/cases/{CASE}/evidence")).await;
    assert!(sluice_evidence::verify(&bundle.bytes, None).holds(), "the evidence holds");
    let bundle = sluice_evidence::Bundle::open(&bundle.bytes, None).unwrap();
    let count = |act| bundle.records().iter().filter(|record| record.leaf.id.starts_with(act)).count();
    (count("comment:"), count("alert:"))
}

/// Have the database refuse what is written into a table, and have it take it again.
async fn refuse(place: &Place, table: &str) {
    let broken = match table {
        "leaves" => {
            "CREATE TRIGGER broken BEFORE INSERT ON leaves BEGIN SELECT RAISE(ROLLBACK, 'broken'); END"
        }
        _ => "CREATE TRIGGER broken BEFORE INSERT ON probes BEGIN SELECT RAISE(ROLLBACK, 'broken'); END",
    };
    let raise = "CREATE OR REPLACE FUNCTION broken() RETURNS trigger AS $$ BEGIN RAISE 'broken'; END $$ LANGUAGE plpgsql";
    let trigger = format!("CREATE TRIGGER broken BEFORE INSERT ON {table} EXECUTE FUNCTION broken()");
    place.execute(broken, &format!("{raise}; {trigger}")).await;
}

async fn take_again(place: &Place, table: &str) {
    place.execute("DROP TRIGGER broken", &format!("DROP TRIGGER broken ON {table}")).await;
}

/// SQLite ends a transaction by itself on a full disk and on other errors: the connection then believes it is inside
/// one, and refuses every write from then on.
#[tokio::test]
async fn a_write_that_the_database_ended_by_itself_leaves_the_next_one_working() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cases.sqlite");
    let side = Side::on_file(Arc::new(World::default()), &path).await;
    side.say([record(alert(1, "C-1"))]).await;
    assert_eq!(side.act(&side.key, CASE, comment("before")).await.status, 200);
    assert_eq!(ready(&side).await, (200, "ok".to_owned()));

    let place = Place::of(&path);
    refuse(&place, "leaves").await;
    for _ in 0..3 {
        side.act(&side.key, CASE, comment("refused")).await.is_problem(500);
    }
    side.world.say(record(alert(2, "C-1")));
    assert!(side.api.consume().await.is_err());
    let (status, why) = ready(&side).await;
    assert_eq!(status, 503);
    assert!(why.contains("the feed of alerts does not advance"), "{why}");

    take_again(&place, "leaves").await;
    assert_eq!(side.act(&side.key, CASE, comment("after")).await.status, 200);
    side.drain().await;
    assert_eq!(ready(&side).await, (200, "ok".to_owned()));
    assert_eq!(evidence(&side).await, (2, 2));
}

#[tokio::test]
async fn a_writer_that_does_not_write_is_not_ready() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cases.sqlite");
    let side = Side::on_file(Arc::new(World::default()), &path).await;
    let place = Place::of(&path);
    refuse(&place, "probes").await;
    let (status, why) = ready(&side).await;
    assert_eq!(status, 503);
    assert!(why.contains("the case database cannot be written"), "{why}");
    take_again(&place, "probes").await;
    assert_eq!(ready(&side).await.0, 200);
}

#[tokio::test]
async fn a_feed_that_fails_or_stands_still_is_not_ready() {
    let side = Side::new().await;
    side.say([record(alert(1, "C-1"))]).await;
    assert_eq!(ready(&side).await.0, 200);

    side.world.feeds_broken.store(true, Ordering::SeqCst);
    assert!(side.api.consume().await.is_err());
    let (status, why) = ready(&side).await;
    assert_eq!(status, 503);
    assert!(why.contains("the feed of alerts does not advance: record 7"), "{why}");
    side.world.feeds_broken.store(false, Ordering::SeqCst);
    side.drain().await;
    assert_eq!(ready(&side).await.0, 200);

    // No failure, and nothing read either.
    side.world.feeds_silent.store(true, Ordering::SeqCst);
    side.world.say(record(alert(2, "C-1")));
    side.drain().await;
    assert_eq!(ready(&side).await.0, 200, "a moment behind is no trouble");
    side.world.pass(FEED_STALLED_AFTER);
    side.drain().await;
    let (status, why) = ready(&side).await;
    assert_eq!(status, 503);
    assert!(why.contains("the feed of alerts is at 1 of 2"), "{why}");
    side.world.feeds_silent.store(false, Ordering::SeqCst);
    side.drain().await;
    assert_eq!(ready(&side).await.0, 200);

    side.world.sink_broken.store(true, Ordering::SeqCst);
    side.act(&side.key, CASE, json!({"action": "freeze", "reason": "because"})).await;
    let (status, why) = ready(&side).await;
    assert_eq!(status, 503);
    assert!(why.contains("the outbox does not advance"), "{why}");
    side.world.sink_broken.store(false, Ordering::SeqCst);
    side.api.deliver().await.unwrap();
    assert_eq!(ready(&side).await.0, 200);
}

#[tokio::test]
async fn a_full_disk_is_507_and_passes_without_a_restart() {
    // The server's disks are not this process's: what it says of a full one is tried in `store.rs`.
    if Place::fresh().is_postgres() {
        return;
    }
    let Some(disk) = SmallDisk::mount(8) else { return };
    let path = disk.path().join("cases.sqlite");
    let world = Arc::new(World::default());
    let side = Side::on_file(Arc::clone(&world), &path).await;
    side.say([record(alert(1, "C-1"))]).await;
    assert_eq!(side.act(&side.key, CASE, comment("before")).await.status, 200);

    let ballast = disk.fill();
    // What fits in the pages that SQLite has already is kept.
    let mut kept = 1;
    let refused = loop {
        let answer = side.act(&side.key, CASE, comment(&"long ".repeat(700))).await;
        match answer.status.as_u16() {
            200 => kept += 1,
            _ => break answer,
        }
    };
    refused.is_problem(507);
    assert!(refused.text().contains("no space is left"), "{}", refused.text());
    assert!(!refused.header("retry-after").is_empty());
    // Whatever is asked next is answered the same, not with another failure.
    for key in [None, Some("once")] {
        let mut request = side.request("POST", &format!("/v1/cases/{CASE}/actions"), &side.key);
        request = request.header("content-type", "application/json");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let body = comment(&"long ".repeat(700)).to_string();
        side.send(request.body(axum::body::Body::from(body)).unwrap()).await.is_problem(507);
    }
    world.say(record(alert(2, "C-1")));
    assert!(side.api.consume().await.is_err());
    let (status, why) = ready(&side).await;
    assert_eq!(status, 503, "{why}");
    assert_eq!(side.get("/v1/alerts").await.status, 200, "reading goes on");

    fs::remove_file(ballast).unwrap();
    assert_eq!(side.act(&side.key, CASE, comment("after")).await.status, 200);
    side.drain().await;
    assert_eq!(ready(&side).await, (200, "ok".to_owned()));
    // A claim that met the full disk is nobody's: the same key runs now.
    let request = side
        .request("POST", &format!("/v1/cases/{CASE}/actions"), &side.key)
        .header("content-type", "application/json")
        .header("idempotency-key", "once");
    let body = comment(&"long ".repeat(700)).to_string();
    assert_eq!(side.send(request.body(axum::body::Body::from(body)).unwrap()).await.status, 200);

    assert_eq!(evidence(&side).await, (kept + 2, 2));
    drop(side);
    world.pass(Span::seconds(1));
    let again = Side::on_file(world, &path).await;
    assert_eq!(evidence(&again).await, (kept + 2, 2), "and so it stands on the disk");
}
