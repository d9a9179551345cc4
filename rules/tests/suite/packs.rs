//! The packs that ship: they check without a warning, and their cases pass.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use sluice_model::{Currency, KeyKind, RuleBundle, RuleFile};
use sluice_rules::RuleSet;

fn packs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packs")
}

fn bundle(root: &Path) -> RuleBundle {
    fn collect(root: &Path, folder: &Path, files: &mut Vec<RuleFile>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(root, &path, files);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                files.push(RuleFile { path: name, text: fs::read_to_string(&path).unwrap() });
            }
        }
    }
    let mut files = Vec::new();
    collect(root, root, &mut files);
    RuleBundle::new(files)
}

#[test]
fn every_pack_checks_without_a_warning() {
    let set = RuleSet::compile(&bundle(&packs())).unwrap_or_else(|found| panic!("{found}"));
    assert!(set.warnings().0.is_empty(), "{}", set.warnings());
    for description in set.descriptions() {
        println!("{}", description.text());
    }
}

/// As of the day after the newest rates: none is without.
#[test]
fn every_currency_has_a_rate() {
    let set = RuleSet::compile(&bundle(&packs())).unwrap_or_else(|found| panic!("{found}"));
    let without = |at: &str| -> Vec<String> {
        let codes = set.currencies_without_rate(at.parse().unwrap());
        codes.iter().map(|currency| currency.code().to_owned()).collect()
    };
    assert_eq!(without("2026-09-30T00:00:00Z"), [""; 0]);
    assert_eq!(without("2026-01-02T00:00:00Z"), [""; 0]);
    assert_eq!(without("2024-03-02T00:00:00Z"), ["XCG", "ZWG"], "neither was there yet");
    // Those that had a rate have it as far back as before.
    let (early, known) = (without("2020-01-01T00:00:00Z"), Currency::all().count());
    assert_eq!(known - early.len(), 21);
    for code in ["HKD", "USD", "CNY", "EUR", "GBP", "JPY", "SGD", "AUD", "CAD", "CHF", "TWD", "THB", "PHP"] {
        assert!(!early.contains(&code.to_owned()), "{code}");
    }
    assert!(RuleSet::empty().currencies_without_rate("2026-01-01T00:00:00Z".parse().unwrap()).is_empty());
}

/// What was judged with a rate is judged with the same one still: the rates that were there before others came.
#[test]
fn rates_that_were_there_stay_as_they_were() {
    let text = fs::read_to_string(packs().join("core/reference/rates.toml")).unwrap();
    let file: toml::Table = text.parse().unwrap();
    let mut sections: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for section in file["rate"].as_array().unwrap() {
        let day = section["effective"].as_str().unwrap();
        let codes = section["hkd_for_one"].as_table().unwrap().keys().cloned();
        sections.entry(day.to_owned()).or_default().extend(codes);
    }
    for before in ["2005-05-18", "2015-01-01"] {
        for code in sections.remove(before).unwrap() {
            assert!(sections.values().flatten().all(|later| *later != code), "{code} has a newer rate");
        }
    }
    assert_eq!(sections.len(), 4);
}

#[test]
fn every_rule_and_typology_names_its_file() {
    let set = RuleSet::compile(&bundle(&packs())).unwrap_or_else(|found| panic!("{found}"));
    let rules = KeyKind::ALL.into_iter().flat_map(|kind| &set.plan(kind).rules);
    let named: BTreeMap<String, String> = rules.map(|r| (r.meta.id.clone(), r.file.clone())).collect();
    assert_eq!(&named, set.files());
}

/// A row of the table in `docs/typologies.md`.
struct Row {
    id: String,
    title: String,
    lives: String,
    key: String,
    remark: String,
}

fn typologies() -> Vec<Row> {
    let page = fs::read_to_string(packs().join("../../docs/typologies.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| R"));
    rows.map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [id, title, lives, key, source, remark] = cells.as_slice() else { panic!("{line}") };
        assert!(!source.is_empty(), "{line}");
        let own = |cell: &str| cell.to_owned();
        Row { id: own(id), title: own(title), lives: own(lives), key: own(key), remark: own(remark) }
    })
    .collect()
}

#[test]
fn the_table_of_typologies_is_what_the_packs_hold() {
    let set = RuleSet::compile(&bundle(&packs())).unwrap_or_else(|found| panic!("{found}"));
    let held: Vec<_> = set.descriptions().iter().filter(|d| d.id.starts_with('R')).collect();
    let rows = typologies();
    for rule in &held {
        let row = rows.iter().find(|row| row.id == rule.id);
        let row = row.unwrap_or_else(|| panic!("{} is not in docs/typologies.md", rule.id));
        let (pack, _) = rule.file.split_once('/').unwrap();
        assert_eq!(row.lives, format!("[{pack}](../rules/packs/{})", rule.file), "{}", rule.id);
        assert_eq!((row.title.as_str(), row.key.as_str()), (rule.title.as_str(), rule.key), "{}", rule.id);
    }
    for row in &rows {
        let is_held = held.iter().any(|rule| rule.id == row.id);
        let is_open = row.lives == "open" && row.key.is_empty() && !row.remark.is_empty();
        assert!(is_held != is_open, "{}: a rule that is there, or open with a reason", row.id);
    }
    for number in 1..=60 {
        let id = format!("R{number:02}");
        assert!(rows.iter().any(|row| row.id == id), "{id} has no row");
    }
}
