//! The index returns precisely what comparing with every name returns: over invented names at any threshold, and
//! over the real lists where they are at hand.

use std::{fs, path::PathBuf, sync::Arc};

use proptest::prelude::*;
use sluice_lists::{
    Entry, Identifier, IdentifierKind, ListVersion, Name, NameQuality, Query, Screener, Settings,
    import::{Format, Request, SourceFile, import},
};
use sluice_model::EntryKind;

/// Parts from which names are put together: near to each other on purpose, in several scripts, with particles,
/// titles, initials, numbers and legal forms.
const PARTS: &[&str] = &[
    "mohammad",
    "muhamad",
    "mahmud",
    "ali",
    "bin",
    "al",
    "hassan",
    "hasan",
    "husayn",
    "ivan",
    "iwan",
    "ivanov",
    "ivanova",
    "petrov",
    "john",
    "jon",
    "smith",
    "schmidt",
    "kim",
    "jong",
    "un",
    "jongun",
    "chan",
    "tai",
    "man",
    "taiman",
    "chen",
    "dawen",
    "Dr",
    "Haji",
    "A",
    "J.",
    "M",
    "Ltd",
    "GmbH",
    "Trading",
    "Bank",
    "of",
    "7",
    "II",
    "Иванов",
    "Пётр",
    "محمد",
    "علي",
    "حسن",
    "陳",
    "大文",
    "陈",
    "김",
    "정은",
    "bob",
    "robert",
    "Jean-Claude",
    "abd",
    "rahman",
    "abdulrahman",
    "xi",
    "Zh",
    "o'neil",
    "ø",
    "PLA",
    "people's",
    "liberation",
    "army",
    "company",
    "zavod",
    "plant",
    "banque",
    "(Asia)",
    "VII",
    "VIII",
    "V",
    "No.",
    "fourty",
    "バラク",
    "オバマ",
    "obama",
    "Муромский",
    "murom",
    "CHIO",
    "sia-kang",
    "LAM",
];

fn a_name() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        9 => prop::sample::select(PARTS).prop_map(str::to_owned),
        1 => "[a-z]{1,9}",
    ];
    prop::collection::vec(part, 1..6).prop_map(|parts| parts.join(" "))
}

fn screener(names: Vec<String>, threshold: f64) -> Screener {
    let entries = names.into_iter().enumerate().map(|(i, name)| {
        let mut entry = Entry::new(i.to_string(), EntryKind::Person, name.clone());
        if i % 3 == 0 {
            entry.names.push(Name::new(format!("{name} alias"), NameQuality::Weak));
        }
        entry
    });
    let version = ListVersion::new("test", entries.collect()).unwrap();
    Screener::build(&[Arc::new(version)], Settings { threshold: Some(threshold), ..Settings::default() })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn the_index_finds_what_an_exhaustive_scan_finds(
        names in prop::collection::vec(a_name(), 1..60),
        queries in prop::collection::vec(a_name(), 1..6),
        threshold in 0.05_f64..1.0,
    ) {
        let screener = screener(names, threshold);
        for name in queries {
            let query = Query::name(name);
            prop_assert_eq!(screener.screen_cold(&query), screener.exhaustive(&query));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn what_is_cached_is_what_a_cold_query_finds(
        names in prop::collection::vec(a_name(), 1..20),
        queries in prop::collection::vec((a_name(), prop::collection::vec(0..6_usize, 0..3)), 1..20),
    ) {
        // Of the documents that queries name, entries have the first few: those alone may tell queries apart.
        let document = |n: &usize| format!("HK{n}-00{n}");
        let entries = names.into_iter().enumerate().map(|(i, name)| {
            let mut entry = Entry::new(i.to_string(), EntryKind::Person, name);
            entry.identifiers.extend((i < 3).then(|| Identifier {
                kind: IdentifierKind::Passport,
                value: document(&i),
                country: None,
                label: None,
                note: None,
            }));
            entry
        });
        let version = ListVersion::new("test", entries.collect()).unwrap();
        let screener = Screener::build(&[Arc::new(version)], Settings::default());
        for (name, documents) in queries {
            let identifiers = documents.iter().map(document).collect();
            let query = Query { identifiers, ..Query::name(name) };
            let cold = screener.screen_cold(&query);
            prop_assert_eq!(&screener.screen(&query), &cold);
            prop_assert_eq!(&screener.screen(&query), &cold);
        }
    }
}

fn shared() -> Option<PathBuf> {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared"));
    let folder = std::env::var_os("SLUICE_SHARED").map_or_else(beside, PathBuf::from).join("data/lists");
    folder.is_dir().then_some(folder)
}

fn load(folder: &str, format: Format) -> Option<Arc<ListVersion>> {
    let mut files = Vec::new();
    for file in fs::read_dir(shared()?.join(folder)).ok()? {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if format.takes(&name) {
            files.push((name, fs::read(&path).unwrap()));
        }
    }
    let files: Vec<_> = files.iter().map(|(name, bytes)| SourceFile { name, bytes }).collect();
    let request = Request { format, source: None, encoding: None, files: &files };
    Some(Arc::new(import(&request).unwrap().version))
}

/// Some names of ordinary people, in many scripts.
fn ordinary_names() -> Vec<String> {
    let file = shared().map(|lists| lists.join("../screening/ordinary_names_us.csv"));
    let text = file.and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default();
    text.lines().skip(1).step_by(2_500).map(str::to_owned).collect()
}

#[test]
fn over_the_real_lists_too() {
    let lists = [load("ofac_sdn_2021-07", Format::OfacCsv), load("un_2026-02", Format::UnXml)];
    let lists: Vec<_> = lists.into_iter().flatten().collect();
    if lists.is_empty() {
        println!("left out: exact retrieval over the real lists (no ../shared)");
        return;
    }
    let ordinary = ordinary_names();
    for (threshold, sample) in [(0.30, 6), (0.55, 12), (0.80, 30)] {
        let screener =
            Screener::build(&lists, Settings { threshold: Some(threshold), ..Settings::default() });
        // Every so many listed names, with a letter lost and the last word gone: near hits and misses.
        let names: Vec<&str> =
            lists.iter().flat_map(|l| l.entries()).flat_map(|e| &e.names).map(|n| n.text.as_str()).collect();
        let mut hits = 0;
        for name in names.iter().step_by(names.len() / sample) {
            let mut changed: Vec<char> = name.chars().collect();
            changed.remove(changed.len() / 2);
            let shorter = name.rsplit_once(' ').map_or(*name, |(head, _)| head);
            for query in [(*name).to_owned(), changed.into_iter().collect(), shorter.to_owned()] {
                let query = Query::name(query);
                let found = screener.screen_cold(&query);
                assert_eq!(found, screener.exhaustive(&query), "{query:?} at {threshold}");
                hits += found.len();
            }
        }
        assert!(hits > 50, "{hits}");
        for name in ordinary.iter().take(sample) {
            let query = Query::name(name);
            assert_eq!(screener.screen_cold(&query), screener.exhaustive(&query), "{query:?} at {threshold}");
        }
    }
}
