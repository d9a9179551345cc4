//! `update` against a server on loopback that answers as it is told.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
};

use sluice_list_store::{Config, Outcome, Store, Updated, update};
use sluice_model::EventTime;

/// A server that gives these answers, one a request, and keeps the requests.
struct Server {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn answering(answers: Vec<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/list.csv", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let head: Vec<String> = lines.map_while(Result::ok).take_while(|l| !l.is_empty()).collect();
                kept.lock().unwrap().push(head.join("\n").to_ascii_lowercase());
                stream.write_all(&answer).unwrap();
            }
        });
        Self { url, requests }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}")
        .into_bytes()
}

fn list(rows: usize) -> String {
    (0..rows).fold("id,name\n".to_owned(), |text, i| format!("{text}{i},Name {i}\n"))
}

fn config(server: &Server, bytes_max: usize) -> Config {
    Config::parse(&format!(
        "[fetch]\ntimeout_seconds = 10\nbytes_max = {bytes_max}\nattempts = 3\npause_milliseconds = 1\n\
         [[source]]\nname = 'own'\nformat = 'csv'\nenabled = true\nurls = ['{}']\n",
        server.url
    ))
    .unwrap()
}

fn run(store: &Store, config: &Config, accept: bool) -> Updated {
    let at = EventTime::from_micros(0);
    update(store, config, config.chosen(None), at, accept).pop().unwrap()
}

fn entries(store: &Store) -> usize {
    store.load_source("own").unwrap().map_or(0, |version| version.entries().len())
}

#[test]
fn a_file_is_fetched_once_and_then_only_if_it_changed() {
    let ok = answer("200 OK", "ETag: \"a\"\r\nLast-Modified: Sun, 22 Nov 2026 00:00:00 GMT\r\n", &list(3));
    let server = Server::answering(vec![ok, answer("304 Not Modified", "", "")]);
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path()).unwrap();
    let config = config(&server, 10_000);
    assert!(matches!(run(&store, &config, false).outcome, Ok(Outcome::Activated(_))));
    assert!(matches!(run(&store, &config, false).outcome, Ok(Outcome::Unchanged)));
    let requests = server.requests();
    assert!(!requests[0].contains("if-none-match"));
    assert!(requests[1].contains("if-none-match: \"a\"") && requests[1].contains("if-modified-since: sun"));
    assert_eq!((entries(&store), store.history("own").unwrap().len()), (3, 1));
    assert_eq!(store.history("own").unwrap()[0].files[0].name, server.url);
}

#[test]
fn a_failing_server_is_asked_again_and_a_refusing_one_is_not() {
    let busy = answer("503 Service Unavailable", "", "");
    let server = Server::answering(vec![busy.clone(), busy, answer("200 OK", "", &list(2))]);
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path()).unwrap();
    assert!(matches!(run(&store, &config(&server, 10_000), false).outcome, Ok(Outcome::Activated(_))));
    assert_eq!(server.requests().len(), 3);

    let server = Server::answering(vec![answer("404 Not Found", "", ""); 3]);
    assert!(run(&store, &config(&server, 10_000), false).outcome.is_err());
    assert_eq!(server.requests().len(), 1);
    assert_eq!(entries(&store), 2, "the previous version stays");
}

#[test]
fn files_too_large_or_cut_on_the_way_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path()).unwrap();
    let server = Server::answering(vec![answer("200 OK", "", &list(100))]);
    let failed = run(&store, &config(&server, 50), false).outcome.unwrap_err();
    assert!(failed.to_string().contains("larger than 50 bytes"), "{failed}");

    let mut cut = answer("200 OK", "", &list(100));
    cut.truncate(cut.len() - 300);
    let server = Server::answering(vec![cut; 3]);
    assert!(run(&store, &config(&server, 10_000), false).outcome.is_err());
    assert_eq!(server.requests().len(), 3);
    assert!(store.active().unwrap().is_empty());
}

#[test]
fn a_list_that_shrank_waits_for_a_person() {
    let (large, small) = (answer("200 OK", "", &list(20)), answer("200 OK", "ETag: \"b\"\r\n", &list(5)));
    let server = Server::answering(vec![large, small.clone(), small]);
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path()).unwrap();
    let config = config(&server, 10_000);
    run(&store, &config, false).outcome.unwrap();
    assert!(matches!(run(&store, &config, false).outcome, Ok(Outcome::Doubtful(..))));
    assert_eq!(entries(&store), 20);
    assert!(matches!(run(&store, &config, true).outcome, Ok(Outcome::Activated(_))));
    assert_eq!(entries(&store), 5);
    assert_eq!(store.history("own").unwrap()[1].accepted.len(), 2);
}
