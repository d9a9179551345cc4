//! The real lists of `../shared`, where they are there: counts that are known from outside, every odd line
//! accounted for. Nothing of them is copied here.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use sluice_lists::{
    IdentifierKind, ListVersion, NameQuality, Script,
    import::{Doubt, Format, Import, Request, SourceFile, import},
};
use sluice_model::EntryKind;

/// A folder of `../shared`, or `None` after saying that the test was left out.
fn shared(part: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SLUICE_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let folder = root.join(part);
    if !folder.exists() {
        println!("left out: {part} (no ../shared)");
        return None;
    }
    Some(folder)
}

fn run(folder: &Path, format: Format) -> Import {
    let mut files: Vec<(String, Vec<u8>)> = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap())
        .map(|file| (file.file_name().into_string().unwrap(), file.path()))
        .filter(|(name, _)| format.takes(name))
        .map(|(name, path)| (name, fs::read(path).unwrap()))
        .collect();
    files.sort();
    let files: Vec<_> = files.iter().map(|(name, bytes)| SourceFile { name, bytes }).collect();
    let started = Instant::now();
    let got = import(&Request { format, source: None, encoding: None, files: &files }).unwrap();
    println!(
        "{}: {} entries, {} names, {} skipped, {:?}",
        got.version.source(),
        got.version.entries().len(),
        got.version.name_count(),
        got.skipped.len(),
        started.elapsed()
    );
    let decoded = ListVersion::decode(&got.version.encode()).unwrap();
    assert_eq!(decoded, got.version);
    got
}

fn count(got: &Import, quality: NameQuality) -> usize {
    let names = got.version.entries().iter().flat_map(|e| &e.names);
    names.filter(|n| n.quality == quality && n.script != Script::Telegraph).count()
}

fn kinds(got: &Import) -> BTreeMap<EntryKind, usize> {
    let mut kinds = BTreeMap::new();
    for entry in got.version.entries() {
        *kinds.entry(entry.kind).or_default() += 1;
    }
    kinds
}

#[test]
fn ofac_sdn_of_july_2021_imports_completely() {
    let Some(folder) = shared("data/lists/ofac_sdn_2021-07") else { return };
    let got = run(&folder, Format::OfacCsv);
    assert_eq!(got.version.source(), "ofac-sdn");
    assert_eq!(
        (got.skipped.len(), got.doubts.len()),
        (0, 0),
        "every line is used: {:?}",
        got.skipped.first()
    );
    assert_eq!(got.version.entries().len(), 8_976);
    let (weak, former, strong) =
        (count(&got, NameQuality::Weak), count(&got, NameQuality::Former), count(&got, NameQuality::Strong));
    println!("strong {strong}, former {former}, weak {weak}");
    let in_remarks = |mark: &str| -> usize {
        let remarks = got.version.entries().iter().filter_map(|e| e.remarks.as_deref());
        remarks.map(|r| r.matches(mark).count()).sum()
    };
    assert_eq!(weak, in_remarks("a.k.a. '"), "every weak alias in the remarks is a name");
    assert_eq!(strong + former - in_remarks("f.k.a. '"), 11_910, "every alternate name is a name");
    let codes = got.version.entries().iter().flat_map(|e| &e.names).filter(|n| n.script == Script::Telegraph);
    assert_eq!(codes.count(), 12);
    assert_eq!(kinds(&got)[&EntryKind::Vessel], 406);
    let identifiers = got.version.entries().iter().flat_map(|e| &e.identifiers);
    let mut by_kind: BTreeMap<IdentifierKind, usize> = BTreeMap::new();
    for identifier in identifiers {
        *by_kind.entry(identifier.kind).or_default() += 1;
    }
    println!("{by_kind:?}");
    let wallets = by_kind[&IdentifierKind::Wallet];
    assert_eq!(
        wallets,
        in_remarks("Digital Currency Address - "),
        "a wallet cut by the length of a remark is whole"
    );
    let dated =
        got.version.entries().iter().filter(|e| e.remarks.as_deref().is_some_and(|r| r.contains("DOB ")));
    assert!(dated.clone().all(|e| !e.birth_dates.is_empty()), "every date of birth is read");
    println!("{} entries with a date of birth", dated.count());
}

#[test]
fn ofac_files_of_different_days_keep_what_fits_together() {
    let Some(folder) = shared("data/lists/ofac_sdn_2024-05_mixed") else { return };
    let got = run(&folder, Format::OfacCsv);
    assert_eq!(got.version.entries().len(), 14_973);
    assert_eq!(got.doubts, []);
    let by_file = |name: &str| got.skipped.iter().filter(|s| s.file == name).count();
    assert_eq!((by_file("alt.csv"), by_file("add.csv"), by_file("sdn_comments.csv")), (1_468, 2_474, 2));
    assert_eq!(by_file("sdn.csv"), 0);
    assert!(got.skipped.iter().all(|s| s.line > 0 && s.reason.contains("not in sdn.csv")));
}

#[test]
fn ofac_non_sdn() {
    let Some(folder) = shared("data/lists/ofac_nonsdn_2025-12") else { return };
    let got = run(&folder, Format::OfacCsv);
    assert_eq!(got.version.source(), "ofac-nonsdn");
    assert_eq!((got.version.entries().len(), got.skipped.len(), got.doubts.len()), (442, 0, 0));
}

#[test]
fn un_lists_of_two_days_and_what_changed_between_them() {
    let (Some(before), Some(after)) = (shared("data/lists/un_2025-11"), shared("data/lists/un_2026-02"))
    else {
        return;
    };
    let (before, after) = (run(&before, Format::UnXml), run(&after, Format::UnXml));
    for got in [&before, &after] {
        assert_eq!((got.skipped.len(), got.doubts.len()), (0, 0));
        assert!(got.published.is_some());
    }
    assert_eq!(kinds(&after), BTreeMap::from([(EntryKind::Person, 730), (EntryKind::Organisation, 273)]));
    let scripts =
        after.version.entries().iter().flat_map(|e| &e.names).filter(|n| n.script == Script::Arabic);
    println!("{} names in Arabic script", scripts.count());
    let diff = sluice_lists::Diff::between(&before.version, &after.version);
    println!("{} added, {} removed, {} changed", diff.added.len(), diff.removed.len(), diff.changed.len());
    assert!(!diff.is_empty());
}

#[test]
fn a_real_file_cut_in_half_is_doubted() {
    let Some(folder) = shared("data/lists/ofac_sdn_2021-07") else { return };
    let whole = fs::read(folder.join("sdn.csv")).unwrap();
    let alt = fs::read(folder.join("alt.csv")).unwrap();
    let half = &whole[..whole.len() / 2];
    let line_end = half.iter().rposition(|b| *b == b'\n').unwrap() + 1;
    for cut in [half, &half[..line_end]] {
        let files = [SourceFile { name: "sdn.csv", bytes: cut }, SourceFile { name: "alt.csv", bytes: &alt }];
        let request = Request { format: Format::OfacCsv, source: None, encoding: None, files: &files };
        let got = import(&request).unwrap();
        assert!(!got.doubts.is_empty());
        println!("{:?}", got.doubts.iter().map(Doubt::to_string).collect::<Vec<_>>());
    }
}

#[test]
fn parliaments() {
    let Some(folder) = shared("data/pep") else { return };
    let got = run(&folder, Format::PepCsv);
    assert_eq!(got.doubts, []);
    let scripts = |script| got.version.entries().iter().filter(|e| e.names[0].script == script).count();
    assert!(scripts(Script::Han) > 1_000 && scripts(Script::Cyrillic) > 300);
}
