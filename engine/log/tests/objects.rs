//! Snapshots in S3, over a real server on loopback whose answers can be spoilt.

#![cfg(feature = "object-store")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod s3;

use sluice_log::{LogError, ObjectSnapshots, Snapshots};

use self::s3::{Mood, Server};

/// More than one part of a multipart upload takes.
const LARGE: usize = 20 * 1024 * 1024;

fn bytes(size: usize, seed: u8) -> Vec<u8> {
    (0..size).map(|n| (n % 251) as u8 ^ seed).collect()
}

fn reason(result: Result<impl std::fmt::Debug, LogError>) -> String {
    match result.unwrap_err() {
        LogError::Snapshots { reason, .. } => reason,
        other => panic!("{other}"),
    }
}

#[test]
fn snapshots_are_found_newest_first_and_the_oldest_are_forgotten() {
    let server = Server::start();
    let snapshots = server.open("s3://bucket/engines/a").unwrap();
    assert!(snapshots.offsets("shard-3").unwrap().is_empty());
    for offset in [9, 100, 20] {
        snapshots.put("shard-3", offset, offset.to_string().into_bytes()).unwrap();
    }
    assert_eq!(snapshots.offsets("shard-3").unwrap(), [100, 20, 9]);
    assert_eq!(snapshots.get("shard-3", 20).unwrap(), b"20");
    assert!(snapshots.offsets("shard-30").unwrap().is_empty(), "another's name begins alike");
    snapshots.prune("shard-3", 2).unwrap();
    assert_eq!(snapshots.offsets("shard-3").unwrap(), [100, 20]);
    assert!(server.open("s3://bucket/engines/b").unwrap().offsets("shard-3").unwrap().is_empty());
    // Who is given the partition next, in another process.
    assert_eq!(server.open("s3://bucket/engines/a/").unwrap().get("shard-3", 100).unwrap(), b"100");
}

#[test]
fn a_large_snapshot_is_read_back_as_it_was_written() {
    let server = Server::start();
    let snapshots = server.open("s3://bucket").unwrap();
    for size in [0, 1, LARGE] {
        snapshots.put("home-0", size as u64, bytes(size, 7)).unwrap();
        assert!(snapshots.get("home-0", size as u64).unwrap() == bytes(size, 7), "{size} bytes");
    }
}

#[test]
fn a_store_that_has_no_time_is_asked_again() {
    let server = Server::start();
    let snapshots = server.open("s3://bucket/engines").unwrap();
    server.answers(Mood::Unavailable { times: 3 });
    snapshots.put("home-0", 5, bytes(10, 1)).unwrap();
    assert!(server.has_refused() >= 3, "what was not taken was sent again");
    server.answers(Mood::Unavailable { times: 2 });
    assert_eq!(snapshots.offsets("home-0").unwrap(), [5]);
}

#[test]
fn half_an_upload_is_no_snapshot() {
    let server = Server::start();
    let snapshots = server.open("s3://bucket/engines").unwrap();
    snapshots.put("home-0", 5, bytes(LARGE, 1)).unwrap();
    // The store takes the first part, and no more.
    server.answers(Mood::TakesParts { most: 1 });
    let refused = snapshots.put("home-0", 9, bytes(LARGE, 2));
    assert!(matches!(refused, Err(LogError::Snapshots { .. })), "{refused:?}");
    server.answers(Mood::Well);
    assert_eq!(snapshots.offsets("home-0").unwrap(), [5]);
    // One that replaces another of its name neither.
    server.answers(Mood::TakesParts { most: 1 });
    snapshots.put("home-0", 5, bytes(LARGE, 2)).unwrap_err();
    server.answers(Mood::Well);
    assert!(snapshots.get("home-0", 5).unwrap() == bytes(LARGE, 1));
}

#[test]
fn what_is_wrong_with_a_store_is_said_at_the_start() {
    let server = Server::start();
    assert_eq!(reason(server.open("s3://another/engines")), "there is no such bucket");
    let stranger = server.open_as("somebody", "s3://bucket/engines");
    assert_eq!(reason(stranger), "the credentials of the environment are not let in");
    assert_eq!(reason(ObjectSnapshots::open("s3://")), "no bucket is named");
    assert_eq!(reason(ObjectSnapshots::open("http://bucket")), "an object store is named s3://BUCKET/PREFIX");
}
