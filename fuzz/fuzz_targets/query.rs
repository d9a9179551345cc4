//! Names against a small list: the index finds what comparing with every name finds.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use sluice_lists::{Entry, ListVersion, Query, Screener, Settings};
use sluice_model::EntryKind;

static SCREENER: LazyLock<Screener> = LazyLock::new(|| {
    let names = [
        "ZORKIN, Vasil Petrov",
        "CHAN Tai Man",
        "陳大文",
        "محمد بن سلمان",
        "Владимир Зоркин",
        "김철수",
        "Heron Maritime Holdings Ltd.",
        "O'NEILL, Mary-Anne",
    ];
    let entries = (0..).zip(names).map(|(i, name)| Entry::new(i.to_string(), EntryKind::Person, name));
    let version = ListVersion::new("fuzz", entries.collect()).expect("ids differ");
    Screener::build(&[Arc::new(version)], Settings { threshold: Some(0.3), ..Settings::default() })
});

fuzz_target!(|data: &[u8]| {
    let query = Query::name(String::from_utf8_lossy(data));
    assert_eq!(SCREENER.screen_cold(&query), SCREENER.exhaustive(&query));
    SCREENER.screen_text("remittance", &query.name);
});
