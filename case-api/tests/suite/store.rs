//! The store over its database: two processes over one, what a database may refuse, and a layout taken forward.

use std::{sync::Arc, time::Duration};

use crate::support::{Side, World, alert, place::Place, record};
use serde_json::json;
use sluice_case_api::{
    Signer, Zeroizing,
    store::{Difference, Entry, OwnLog, Page, Store, StoreError},
};
use sluice_evidence::{Bundle, Kind, verify};
use sluice_log::{EmbeddedLog, Log as _, Topic, Transaction};
use sluice_model::{Control, EventTime};

const CASE: &str = "CASE-000001";

fn signer() -> Signer {
    Signer::from_seed("test.example/evidence", Zeroizing::new([7; 32])).unwrap()
}

async fn open(place: &Place) -> Store {
    Store::open(place.database(), signer()).await.unwrap()
}

fn of_case(text: &str) -> Entry<'_> {
    Entry { kind: Kind::Act, act: "note", actor: "test", about: text, case_id: Some(CASE) }
}

/// One write: a leaf and a control record.
async fn write(store: &Store, text: &str) -> Result<(i64, i64), StoreError> {
    let mut tx = store.begin(EventTime::from_micros(1)).await?;
    let leaf = tx.leaf(of_case(text), &json!({ "text": text })).await?;
    let seq = tx.control(&Control::LiftQuarantine(serde_json::from_value(json!({
        "rule_id": text, "rule": sluice_model::Hash256::of(b"rule"), "by": "test", "reason": "", "at": crate::support::start(),
    })).unwrap())).await?;
    tx.commit().await?;
    Ok((leaf, seq))
}

/// The texts of the case's leaves, by index, as the store's own bundle proves them.
async fn proved(store: &Store) -> Vec<(u64, String)> {
    let bundle = store.bundle(CASE).await.unwrap();
    assert!(verify(&bundle, Some(&signer().verifier())).holds());
    let bundle = Bundle::open(&bundle, None).unwrap();
    bundle.records().iter().map(|record| (record.index, record.leaf.id.clone())).collect()
}

/// Two API processes over one database append to one tree.
#[tokio::test]
async fn two_stores_over_one_database_do_not_fork_the_tree() {
    const EACH: usize = 40;
    let folder = tempfile::tempdir().unwrap();
    let place = Place::of(&folder.path().join("cases.sqlite"));
    let stores = [Arc::new(open(&place).await), Arc::new(open(&place).await)];
    let mut writers = tokio::task::JoinSet::new();
    for (name, store) in ["a", "b"].into_iter().zip(&stores) {
        let store = Arc::clone(store);
        writers.spawn(async move {
            let mut written = Vec::new();
            for n in 0..EACH {
                written.push(write(&store, &format!("{name}{n}")).await.unwrap());
            }
            written
        });
    }
    let mut written: Vec<(i64, i64)> = writers.join_all().await.into_iter().flatten().collect();
    written.sort_unstable();
    let leaves: Vec<i64> = written.iter().map(|(leaf, _)| *leaf).collect();
    assert_eq!(leaves, (0..2 * EACH as i64).collect::<Vec<_>>(), "leaves are dense");
    assert!(
        written.is_sorted_by_key(|(_, seq)| *seq),
        "control records are numbered in the order of commits"
    );
    let chains = [stores[0].chain().await.unwrap(), stores[1].chain().await.unwrap()];
    assert_eq!((chains[0].size, &chains[0].root), (2 * EACH as u64, &chains[1].root));
    for store in stores {
        let proved = proved(&store).await;
        assert_eq!(proved.len(), 2 * EACH);
        assert!(proved.iter().zip(0..).all(|((index, _), n)| *index == n));
    }
    assert_eq!(
        open(&place).await.chain().await.unwrap().root,
        chains[0].root,
        "and so it stands in the database"
    );
}

/// What another process wrote is read, and written after, without a restart.
#[tokio::test]
async fn a_store_goes_on_from_what_another_one_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::of(&folder.path().join("cases.sqlite"));
    let (one, other) = (open(&place).await, open(&place).await);
    for n in 0..3 {
        assert_eq!(write(&one, &format!("one{n}")).await.unwrap().0, 2 * n);
        assert_eq!(other.leaves().await.unwrap(), 2 * n as u64 + 1);
        assert_eq!(other.chain().await.unwrap().root, one.chain().await.unwrap().root);
        assert_eq!(write(&other, &format!("other{n}")).await.unwrap().0, 2 * n + 1);
    }
    assert_eq!(proved(&one).await, proved(&other).await);
}

#[tokio::test]
async fn a_tree_that_is_not_the_committed_one_is_damage() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::of(&folder.path().join("cases.sqlite"));
    let store = open(&place).await;
    write(&store, "one").await.unwrap();
    store.close().await;
    let other_root = "UPDATE head SET root = (SELECT hash FROM nodes WHERE position = 0), size = 0";
    place.execute(other_root, other_root).await;
    let refused = Store::open(place.database(), signer()).await.err().unwrap();
    assert!(refused.is_damaged(), "{refused}");
}

/// Every leaf is looked at, and what was changed beside the store is named.
#[tokio::test]
async fn evidence_that_was_changed_is_named_leaf_by_leaf() {
    const LEAVES: i64 = 1_203;
    let folder = tempfile::tempdir().unwrap();
    let place = Place::of(&folder.path().join("cases.sqlite"));
    let store = open(&place).await;
    let mut tx = store.begin(EventTime::from_micros(1)).await.unwrap();
    for n in 0..LEAVES {
        tx.leaf(of_case("text"), &json!({ "n": n })).await.unwrap();
    }
    tx.commit().await.unwrap();
    let root = store.chain().await.unwrap().root;
    store.close().await;
    let recount = async || Store::recount(place.database(), signer()).await.unwrap();
    let whole = recount().await;
    assert_eq!((whole.leaves, whole.root.to_string(), whole.findings), (LEAVES as u64, root, vec![]));
    assert_eq!(whole.verifier, signer().verifier().to_string());

    let cases = [
        (
            "UPDATE leaves SET body = replace(body, '1200', '9999') WHERE idx = 1200",
            "leaf 1200 does not commit to its body",
        ),
        ("UPDATE leaves SET body = '{' WHERE idx = 7", "leaf 7 has a body that cannot be read"),
        ("UPDATE leaves SET act = 'other' WHERE idx = 8", "leaf 8 is filed as something that it is not"),
        (
            "UPDATE leaves SET case_id = 'CASE-000002' WHERE idx = 9",
            "leaf 9 is filed as something that it is not",
        ),
        ("DELETE FROM leaves WHERE idx = 10", "leaf 10 is missing"),
    ];
    for (change, _) in cases {
        place.execute(change, change).await;
    }
    let mut named: Vec<&str> = cases.map(|(_, finding)| finding).to_vec();
    named.rotate_left(1);
    assert_eq!(recount().await.findings, named);
}

/// A hash of the tree that no root is made of is looked at too: proofs are.
#[tokio::test]
async fn a_hash_of_the_tree_that_was_changed_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::of(&folder.path().join("cases.sqlite"));
    let store = open(&place).await;
    for n in 0..4 {
        write(&store, &format!("{n}")).await.unwrap();
    }
    store.close().await;
    let swapped = "UPDATE nodes SET hash = (SELECT hash FROM nodes WHERE position = 1) WHERE position = 0";
    place.execute(swapped, swapped).await;
    let found = Store::recount(place.database(), signer()).await.unwrap().findings;
    assert_eq!(found, ["hash 0 of the tree is not the one that its leaves make"]);
}

/// A transaction in which something failed cannot commit: SQLite has ended it, and PostgreSQL answers COMMIT with ROLLBACK,
/// without an error. Nothing of it is acknowledged, whether it wrote a leaf or none, and even where nobody minded the error.
#[tokio::test]
async fn a_commit_that_the_database_rolls_back_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::of(&folder.path().join("cases.sqlite"));
    let store = open(&place).await;
    write(&store, "before").await.unwrap();
    let raise =
        "CREATE FUNCTION broken() RETURNS trigger AS $$ BEGIN RAISE 'broken'; END $$ LANGUAGE plpgsql";
    let trigger = "CREATE TRIGGER broken BEFORE INSERT ON outbox EXECUTE FUNCTION broken()";
    place
        .execute(
            "CREATE TRIGGER broken BEFORE INSERT ON outbox BEGIN SELECT RAISE(ROLLBACK, 'broken'); END",
            &format!("{raise}; {trigger}"),
        )
        .await;
    for leaf in [true, false] {
        let mut tx = store.begin(EventTime::from_micros(2)).await.unwrap();
        if leaf {
            tx.leaf(of_case("lost"), &json!({})).await.unwrap();
        }
        tx.control(&Control::Activate { rules: sluice_model::Hash256::of(b"rules") }).await.unwrap_err();
        assert!(tx.commit().await.is_err(), "with a leaf: {leaf}");
        assert_eq!((store.leaves().await.unwrap(), store.chain().await.unwrap().size), (1, 1));
    }
    place.execute("DROP TRIGGER broken", "DROP TRIGGER broken ON outbox").await;
    assert_eq!(write(&store, "after").await.unwrap().0, 1);
    assert_eq!(proved(&store).await.len(), 2);
}

fn of_log(log: &EmbeddedLog) -> OwnLog<'_> {
    OwnLog { log, id: log.id(), orders: Topic::Payments.partition(0) }
}

/// What a start says of a database and a log.
async fn compared(place: &Place, log: &EmbeddedLog) -> Vec<Difference> {
    Store::compare(place.database(), signer(), of_log(log)).await.unwrap()
}

/// A database belongs to the log of its first start. Any other is refused by name and changes nothing, until somebody accepts
/// it, on record.
#[tokio::test]
async fn a_database_belongs_to_one_log() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::of(&folder.path().join("cases.sqlite"));
    let [own, other] = ["own", "other"].map(|name| EmbeddedLog::open(&folder.path().join(name)).unwrap());
    for _ in 0..2 {
        assert_eq!(compared(&place, &own).await, []);
        let found = compared(&place, &other).await;
        let said: Vec<String> = found.iter().map(ToString::to_string).collect();
        let [said] = said.as_slice() else { panic!("{said:?}") };
        assert!(said.contains("this database belongs to another data folder"), "{said}");
        assert!(said.contains(own.id()) && said.contains(other.id()), "{said}");
    }
    let (found, now) = (compared(&place, &other).await, EventTime::from_micros(1));
    Store::accept(place.database(), signer(), of_log(&other), &found, "test", now).await.unwrap();
    assert_eq!(compared(&place, &other).await, []);
    assert_eq!(compared(&place, &own).await.len(), 1);
    let (leaves, _) = open(&place).await.audit(true, None, Page::first(1)).await.unwrap();
    assert_eq!((leaves[0].act.as_str(), leaves[0].actor.as_str()), ("accept_loss", "test"));
}

/// A start with the wrong folder does not make a database of before its own.
#[tokio::test]
async fn a_database_that_differs_from_a_log_is_not_given_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::of(&folder.path().join("cases.sqlite"));
    let [own, other] = ["own", "other"].map(|name| EmbeddedLog::open(&folder.path().join(name)).unwrap());
    let marks = Topic::Control.partition(0);
    other.transact(Transaction::default().commit("cases.outbox", marks, 5)).unwrap();
    let found = compared(&place, &other).await;
    assert!(found.len() == 1 && found[0].to_string().contains("an older copy"), "{found:?}");
    assert_eq!(compared(&place, &own).await, []);
    assert_eq!(compared(&place, &other).await.len(), 2);
}

/// A name may be longer than an index takes, and hold what TEXT does not.
#[tokio::test]
async fn no_name_keeps_an_alert_from_being_recorded() {
    let side = Side::new().await;
    // Nothing in it repeats, so that it does not become short.
    let long: String = (0..5_000u32).filter_map(|n| char::from_u32(0x4e00 + n * 7919 % 20_000)).collect();
    for (n, name) in [(1, long.as_str()), (2, "nul\0 inside"), (3, long.as_str()), (4, "nul\0 inside")] {
        side.say([record(alert(n, name))]).await;
    }
    assert_eq!(side.get("/v1/alerts").await.json()["items"].as_array().unwrap().len(), 4);
    let cases = side.get("/v1/cases").await.json();
    let alerts: Vec<_> = cases["items"].as_array().unwrap().iter().map(|case| &case["alerts"]).collect();
    assert_eq!(alerts, [2, 2], "each name is one subject");
}

/// A database that goes away is an error of whoever asked; the next one has it again.
#[cfg(feature = "postgres")]
#[tokio::test]
async fn a_lost_connection_is_replaced() {
    let place = Place::fresh();
    if !place.is_postgres() {
        return;
    }
    let store = open(&place).await;
    write(&store, "before").await.unwrap();
    let end_all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let mut tx = store.begin(EventTime::from_micros(2)).await.unwrap();
    tx.leaf(of_case("lost"), &json!({})).await.unwrap();
    place.execute("", end_all).await;
    assert!(tx.leaf(of_case("lost too"), &json!({})).await.is_err());
    drop(tx);
    assert_eq!(store.leaves().await.unwrap(), 1, "nothing of it happened");
    assert_eq!(write(&store, "after").await.unwrap().0, 1);
    place.execute("", end_all).await;
    assert_eq!(write(&store, "after all were idle").await.unwrap().0, 2);
    assert_eq!(proved(&store).await.len(), 3);
}

/// A leaf of a text that does not become short.
#[cfg(feature = "postgres")]
async fn write_much(store: &Store, seed: u64) -> Result<(), StoreError> {
    let part = |n: u64| sluice_model::Hash256::of(format!("{seed} {n}").as_bytes()).to_string();
    let mut tx = store.begin(EventTime::from_micros(1)).await?;
    tx.leaf(of_case("much"), &json!({ "text": (0..1_000).map(part).collect::<String>() })).await?;
    tx.commit().await
}

/// The server's disk is full: nothing of the write is kept, and the next one works once there is room.
#[cfg(feature = "postgres")]
#[tokio::test]
async fn a_full_disk_of_the_server_is_told_apart() {
    let place = Place::fresh();
    let Place::Postgres(url) = &place else { return };
    let Some(disk) = crate::support::small_disk::SmallDisk::mount(24) else { return };
    let moved = crate::support::cluster::Moved::to(url, disk.path());
    let store = open(&place).await;
    let mut kept = 0;
    let ballast = disk.fill();
    let refused = loop {
        match write_much(&store, kept).await {
            Ok(()) => kept += 1,
            Err(error) => break error,
        }
    };
    assert!(refused.is_full(), "{refused}");
    std::fs::remove_file(ballast).unwrap();
    write_much(&store, kept).await.unwrap();
    assert_eq!(store.leaves().await.unwrap(), kept + 1);
    store.close().await;
    drop(moved);
}

/// Both databases have the same tables and columns.
#[cfg(feature = "postgres")]
#[tokio::test]
async fn the_two_layouts_are_one() {
    let place = Place::fresh();
    let Place::Postgres(url) = &place else { return };
    drop(open(&place).await);
    let theirs = crate::support::cluster::execute(
        url,
        "SELECT c.table_name || '.' || c.column_name || ' ' ||
                CASE c.data_type WHEN 'bytea' THEN 'BLOB' ELSE UPPER(c.data_type) END ||
                CASE c.is_nullable WHEN 'NO' THEN ' NOT NULL' ELSE '' END
         FROM information_schema.columns c WHERE c.table_schema = 'public' AND c.table_name <> '_sqlx_migrations'",
    );
    let folder = tempfile::tempdir().unwrap();
    let file = Place::File(folder.path().join("cases.sqlite"));
    open(&file).await.close().await;
    let mut theirs: Vec<&str> = theirs.lines().collect();
    let mut ours = file
        .rows(
            "SELECT t.name || '.' || c.name || ' ' || CASE c.type WHEN 'INTEGER' THEN 'BIGINT' ELSE c.type END ||
                    CASE WHEN c.\"notnull\" OR c.pk THEN ' NOT NULL' ELSE '' END
             FROM pragma_table_list t, pragma_table_xinfo(t.name) c
             WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name <> '_sqlx_migrations'",
        )
        .await;
    theirs.sort_unstable();
    ours.sort_unstable();
    assert!(ours.len() > 100, "{} columns", ours.len());
    assert_eq!(ours, theirs);
}

/// Every row of a table, those columns of it, in SQL's writing.
async fn rows(place: &Place, table: &str, columns: &[String]) -> Vec<String> {
    let columns: Vec<String> = columns.iter().map(|column| format!("quote({column})")).collect();
    place.rows(&format!("SELECT {} FROM {table} ORDER BY 1", columns.join(" || ', ' || "))).await
}

/// A database as it was laid out before there were migrations, rows in every table, is taken forward: what it held is held,
/// what had a table of its own stands in its column, and the case side goes on from there.
#[tokio::test]
async fn a_database_of_the_first_layout_is_taken_forward() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::File(folder.path().join("cases.sqlite"));
    place.execute(include_str!("../../migrations/sqlite/0001_tables.sql"), "").await;
    place.execute(include_str!("../layouts/0001_rows.sql"), "").await;
    let tables = place.rows("SELECT name FROM sqlite_master WHERE type = 'table'").await;
    let mut before = Vec::new();
    for table in &tables {
        let columns = place.rows(&format!("SELECT name FROM pragma_table_info('{table}')")).await;
        let held = rows(&place, table, &columns).await;
        assert!(!held.is_empty(), "{table}: nothing is taken forward");
        before.push((table, columns, held));
    }

    let world = Arc::new(World::default());
    let side = Side::at(Arc::clone(&world), &place).await;
    let tables = place.rows("SELECT name FROM sqlite_master WHERE type = 'table'").await;
    let (kept, folded): (Vec<_>, Vec<_>) = before.into_iter().partition(|(table, ..)| tables.contains(table));
    assert_eq!((kept.len(), folded.len()), (25, 5));
    for (table, columns, held) in &kept {
        assert_eq!(&rows(&place, table, columns).await, held, "{table}");
    }
    for (table, _, held) in &folded {
        let now = match table.as_str() {
            "outbox_places" => "SELECT seq || ', ' || place FROM outbox WHERE place IS NOT NULL",
            "demo_users" => "SELECT quote(name) FROM users WHERE invented",
            "rule_shadows" => {
                "SELECT quote(version_id) || ', ' || quote(judged) || ', ' || activating FROM rule_versions
                 WHERE judged IS NOT NULL"
            }
            "rule_backtests" => {
                "SELECT quote(version_id) || ', ' || quote(backtest) FROM rule_versions WHERE backtest IS NOT NULL"
            }
            "quarantine_proposals" => {
                "SELECT quote(rule) || ', ' || quote(rule_id) || ', ' || proposed_at || ', ' || declined_keys
                 FROM rule_failures WHERE proposed_at IS NOT NULL"
            }
            other => panic!("{other} is gone"),
        };
        assert_eq!(&place.rows(now).await, held, "{table}");
    }

    // It is read as ever, its evidence holds, and it goes on under the next numbers.
    for path in
        ["alerts", "cases", "holds", "customers", "suppressions", "configuration", "rules/versions", "audit"]
    {
        let items = side.get(&format!("/v1/{path}")).await.json()["items"].as_array().map(Vec::len);
        assert!(items.unwrap_or_default() > 0, "{path}");
    }
    let proved = side.get("/v1/cases/CASE-000001/evidence").await;
    assert!(verify(&proved.bytes, Some(&signer().verifier())).holds());
    let alerts = (0..4).map(|n| record(alert(n + 20, "C-20")));
    side.say(alerts).await;
    assert_eq!(side.get("/v1/cases/CASE-000004").await.json()["subjects"][0], "C-20");
    drop(side);
    let again = Side::at(world, &place).await;
    assert_eq!(again.get("/v1/cases/CASE-000004").await.status, 200, "and opened once more");
}

/// A database of a version to come is left alone.
#[tokio::test]
async fn a_newer_layout_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::of(&folder.path().join("cases.sqlite"));
    open(&place).await.close().await;
    let newer = "UPDATE _sqlx_migrations SET version = 9999 WHERE version = 3";
    place.execute(newer, newer).await;
    let refused = Store::open(place.database(), signer()).await.err().unwrap().to_string();
    assert!(refused.contains("9999"), "{refused}");
}

/// One of two processes has the lease, until it lets it go or does not say for long enough that it is there.
#[tokio::test]
async fn one_process_at_a_time_has_the_lease() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::of(&folder.path().join("cases.sqlite"));
    let (one, other) = (open(&place).await, open(&place).await);
    let long = Duration::from_secs(3_600);
    assert!(one.take_lease("one", long).await.unwrap());
    assert!(!other.take_lease("other", long).await.unwrap());
    assert!(one.take_lease("one", long).await.unwrap(), "it keeps it");
    other.end_lease("other").await.unwrap();
    assert!(!other.take_lease("other", long).await.unwrap(), "nobody lets go of what another has");
    one.end_lease("one").await.unwrap();
    // It has expired when it is taken.
    assert!(other.take_lease("other", Duration::ZERO).await.unwrap());
    let mut taken = false;
    while !taken {
        taken = one.take_lease("one", long).await.unwrap();
    }
    assert!(!other.take_lease("other", long).await.unwrap());
}
