//! A white list raises nothing and leaves nothing out.

use std::sync::Arc;

use sluice_lists::{Entry, ListVersion, Query, Screener, Settings, Topic};
use sluice_model::EntryKind;

fn entry(id: &str, name: &str, topics: &[Topic]) -> Entry {
    let mut entry = Entry::new(id, EntryKind::Person, name);
    entry.topics = topics.to_vec();
    entry
}

#[test]
fn who_is_on_a_white_list_is_no_match_and_no_excuse() {
    let white = vec![
        entry("1", "Vasil Zorkin", &[Topic::White]),
        entry("2", "Pia Halvorsen", &[Topic::White]),
        entry("3", "Tariq Okonjo", &[Topic::Sanction, Topic::White]),
    ];
    let white = ListVersion::new("whitelist", white).unwrap();
    let listed = ListVersion::new("un", vec![entry("17", "Vasil Zorkin", &[Topic::Sanction])]).unwrap();
    let screener = Screener::build(&[Arc::new(white), Arc::new(listed)], Settings::default());
    let met = |name: &str| -> Vec<String> {
        screener.screen(&Query::name(name)).into_iter().map(|hit| hit.entry_id).collect()
    };
    assert_eq!(met("Vasil Zorkin"), ["17"]);
    assert!(met("Pia Halvorsen").is_empty());
    assert_eq!(met("Tariq Okonjo"), ["3"], "a sanction outweighs");
    assert!(screener.screen_text("remittance", "for Pia Halvorsen").matches.is_empty());
}
