//! Lists of one's own (black, white, watch lists) as a table or in JSON: the same fields either way. The columns
//! are described in `docs/lists.md`; that page and [`COLUMNS`] say the same.

use serde_json::Value;
use sluice_model::{EntryKind, Hash256};

use super::{ImportError, Sink, TextFile, json, table, text::some, vocabulary};
use crate::{
    Address, BirthDate, Country, Entry, Identifier, IdentifierKind, Name, NameQuality, PartialDate, Place,
    Topic,
};

/// A field, under each name that it may have; the first is the one that the guide uses.
type Field = &'static [&'static str];

const ID: Field = &["id", "entry_id", "reference", "ref"];
const NAME: Field = &["name", "full_name", "primary_name"];
const KIND: Field = &["kind", "type", "entity_type", "schema"];
const ALIASES: Field = &["aliases", "alias", "aka", "strong_aliases"];
const WEAK_ALIASES: Field = &["weak_aliases", "weak_alias", "nicknames"];
const FORMER_NAMES: Field = &["former_names", "former_name", "fka"];
const LOCAL_NAMES: Field = &["local_names", "name_local", "local_name", "original_script", "chinese_name"];
const BIRTH_DATES: Field = &["birth_dates", "birth_date", "dob", "date_of_birth"];
const BIRTH_PLACES: Field = &["birth_places", "birth_place", "pob", "place_of_birth"];
const GENDER: Field = &["gender", "sex"];
const NATIONALITIES: Field = &["nationalities", "nationality", "countries", "country", "citizenship"];
const ADDRESSES: Field = &["addresses", "address"];
const IDENTIFIERS: Field = &["identifiers", "identifier", "id_number", "id_numbers"];
const PASSPORTS: Field = &["passports", "passport", "passport_number"];
const PROGRAMMES: Field = &["programmes", "programs", "programme", "program"];
const POSITIONS: Field = &["positions", "position", "title"];
const TOPICS: Field = &["topics", "topic", "list", "category"];
const LISTED_ON: Field = &["listed_on", "listed", "added", "date_added"];
const REMARKS: Field = &["remarks", "remark", "notes", "note", "reason", "comment", "comments"];

/// Every field.
const COLUMNS: [Field; 19] = [
    ID,
    NAME,
    KIND,
    ALIASES,
    WEAK_ALIASES,
    FORMER_NAMES,
    LOCAL_NAMES,
    BIRTH_DATES,
    BIRTH_PLACES,
    GENDER,
    NATIONALITIES,
    ADDRESSES,
    IDENTIFIERS,
    PASSPORTS,
    PROGRAMMES,
    POSITIONS,
    TOPICS,
    LISTED_ON,
    REMARKS,
];

/// Read tables; the source's name is the first file's.
pub(super) fn read_csv(
    files: &[TextFile<'_>],
    source: Option<&str>,
    sink: &mut Sink,
) -> Result<String, ImportError> {
    let named = source_name(files);
    let topic = topic_of_source(source.unwrap_or(&named));
    let layout = table::Layout { required: NAME, ends_with_newline: false };
    for file in files {
        table::read(file, &layout, sink, |row, sink| {
            let known: Vec<&str> = COLUMNS.concat();
            let others = row.others(&known).map(|(column, text)| (column.to_owned(), text)).collect();
            let read = entry(&|field| row.list(field), &|field| row.get(field), others, topic);
            put(file.name, row.line, read, sink)
        })?;
    }
    Ok(named)
}

/// Read JSON: an array of objects, an object with such an array as `entries`, or an object a line.
pub(super) fn read_json(
    files: &[TextFile<'_>],
    source: Option<&str>,
    sink: &mut Sink,
) -> Result<String, ImportError> {
    let named = source_name(files);
    let topic = topic_of_source(source.unwrap_or(&named));
    for file in files {
        json::each_object(file, sink, |line, object, sink| {
            let texts = |field: Field| {
                let value = field.iter().find_map(|name| object.get(*name));
                value.map_or_else(Vec::new, json::texts)
            };
            let known: Vec<&str> = COLUMNS.concat();
            let others = object.iter().filter(|(name, _)| !known.contains(&name.as_str()));
            let others = others.map(|(name, value)| (name.clone(), plain(value))).collect();
            let joined = |field: Field| some(&texts(field).join("; "));
            put(file.name, line, entry(&texts, &joined, others, topic), sink)
        })?;
    }
    Ok(named)
}

fn put(
    file: &str,
    line: u64,
    read: Result<(Entry, Vec<String>), String>,
    sink: &mut Sink,
) -> Result<(), ImportError> {
    match read {
        Ok((entry, unread)) => {
            for reason in unread {
                sink.skip(file, line, reason)?;
            }
            sink.entry(file, line, entry)
        }
        Err(reason) => sink.odd(file, line, reason),
    }
}

/// The entry of one row or object, with what in it could not be read.
fn entry(
    list: &dyn Fn(Field) -> Vec<String>,
    one: &dyn Fn(Field) -> Option<String>,
    others: Vec<(String, String)>,
    topic: Topic,
) -> Result<(Entry, Vec<String>), String> {
    let name = one(NAME).ok_or("no name")?;
    let kind = match one(KIND) {
        None => EntryKind::Person,
        Some(word) => vocabulary::entry_kind(&word).ok_or_else(|| {
            format!("unknown kind {word:?}; known are person, organisation, vessel and aircraft")
        })?,
    };
    // Without an id, the name is one: it stays the same from version to version, a row's number does not.
    let id = one(ID).unwrap_or_else(|| format!("name-{}", Hash256::of(name.as_bytes()).short()));
    let mut entry = Entry::new(id, kind, name);
    let mut unread = Vec::new();
    let qualities = [
        (LOCAL_NAMES, NameQuality::Primary),
        (ALIASES, NameQuality::Strong),
        (FORMER_NAMES, NameQuality::Former),
        (WEAK_ALIASES, NameQuality::Weak),
    ];
    for (field, quality) in qualities {
        entry.names.extend(list(field).into_iter().map(|name| Name::new(name, quality)));
    }
    for date in list(BIRTH_DATES) {
        match BirthDate::parse(&date) {
            Ok(date) => entry.birth_dates.push(date),
            Err(error) => unread.push(format!("birth date: {error}")),
        }
    }
    for topic in list(TOPICS) {
        match topic_named(&topic) {
            Some(topic) => entry.topics.push(topic),
            None => unread.push(format!("unknown topic {topic:?}")),
        }
    }
    if entry.topics.is_empty() {
        entry.topics.push(topic);
    }
    entry.topics.sort_unstable();
    entry.topics.dedup();
    entry.birth_places = list(BIRTH_PLACES)
        .into_iter()
        .map(|text| Place { country: Country::at_end_of(&text), text })
        .collect();
    entry.gender = one(GENDER).as_deref().and_then(vocabulary::gender);
    entry.nationalities = list(NATIONALITIES).iter().filter_map(|c| Country::parse(c)).collect();
    entry.addresses = list(ADDRESSES)
        .into_iter()
        .map(|text| Address { country: Country::at_end_of(&text), street: Some(text), ..Address::default() })
        .collect();
    entry.identifiers = list(IDENTIFIERS).iter().map(|text| identifier(text)).collect();
    entry.identifiers.extend(list(PASSPORTS).iter().map(|value| passport(value)));
    entry.programmes = list(PROGRAMMES);
    entry.positions = list(POSITIONS);
    entry.listed_on = one(LISTED_ON).and_then(|date| PartialDate::parse(&date).ok());
    let others = others.into_iter().map(|(column, text)| format!("{column}: {text}"));
    entry.remarks = some(&one(REMARKS).into_iter().chain(others).collect::<Vec<_>>().join("; "));
    Ok((entry, unread))
}

/// `passport: K123 (IR)`, or a number alone.
fn identifier(text: &str) -> Identifier {
    let (label, rest) = text.split_once(':').unwrap_or(("", text));
    let (value, country) = match rest.strip_suffix(')').and_then(|r| r.rsplit_once('(')) {
        Some((value, country)) => (value, Country::parse(country)),
        None => (rest, None),
    };
    let label = some(label);
    let identifier = vocabulary::identifier(label.as_deref().unwrap_or_default(), value.trim());
    Identifier { country, label, ..identifier }
}

fn passport(value: &str) -> Identifier {
    Identifier {
        kind: IdentifierKind::Passport,
        value: value.to_owned(),
        country: None,
        label: None,
        note: None,
    }
}

fn topic_named(text: &str) -> Option<Topic> {
    let word = text.to_lowercase();
    Some(match word.trim() {
        "sanction" | "sanctions" => Topic::Sanction,
        "pep" => Topic::Pep,
        "pep associate" | "rca" => Topic::PepAssociate,
        "crime" => Topic::Crime,
        "black" | "blacklist" | "block" => Topic::Black,
        "white" | "whitelist" | "allow" => Topic::White,
        "watch" | "watchlist" => Topic::Watch,
        _ => return None,
    })
}

/// What a list is for, where its rows do not say: by its name, otherwise a watch list.
fn topic_of_source(source: &str) -> Topic {
    let words = [
        ("white", Topic::White),
        ("allow", Topic::White),
        ("black", Topic::Black),
        ("block", Topic::Black),
        ("sanction", Topic::Sanction),
        ("pep", Topic::Pep),
    ];
    words.into_iter().find(|(word, _)| source.contains(word)).map_or(Topic::Watch, |(_, topic)| topic)
}

/// The first file's name, made fit to name a source.
pub(super) fn source_name(files: &[TextFile<'_>]) -> String {
    let stem = files.first().map(TextFile::stem).unwrap_or_default();
    let words: Vec<&str> =
        stem.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()).collect();
    let name: String = words.join("-").chars().take(64).collect();
    if name.is_empty() { "own".to_owned() } else { name }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Gender, ListVersion,
        import::{Doubt, Format, Import, Request, SourceFile, import},
    };

    fn run(format: Format, name: &str, text: &str) -> Result<Import, ImportError> {
        let files = [SourceFile { name, bytes: text.as_bytes() }];
        import(&Request { format, source: None, encoding: None, files: &files })
    }

    const CSV: &str = "id,name,type,aliases,weak_aliases,dob,country,gender,identifiers,topic,desk,remarks\n\
        B1,\"CHAN Tai Man\",person,Peter CHAN; 陳大文,BIG FISH,1980-01-31; circa 1979,HK;China,m,\
        passport: K123 (CN); wallet: 0xabc,black,fraud,Chargebacks\n\
        B2,Acme Ltd,company,,,,,,,,,\n\
        B3,,person,,,,,,,,,\n";

    #[test]
    fn a_table_and_json_say_the_same() {
        let json = r#"{"entries":[
            {"id":"B1","name":"CHAN Tai Man","type":"person","aliases":["Peter CHAN","陳大文"],"weak_aliases":"BIG FISH",
             "dob":["1980-01-31","circa 1979"],"country":["HK","China"],"gender":"m",
             "identifiers":["passport: K123 (CN)","wallet: 0xabc"],"topic":"black","desk":"fraud","remarks":"Chargebacks"},
            {"id":"B2","name":"Acme Ltd","type":"company"},
            {"id":"B3","type":"person"}
        ]}"#;
        let table = run(Format::Csv, "watchlist.csv", CSV).unwrap();
        let objects = run(Format::Json, "watchlist.json", json).unwrap();
        assert_eq!(table.version, objects.version);
        assert_eq!(table.skipped.len(), 1);
        assert_eq!((table.skipped[0].line, objects.skipped[0].line), (4, 6));
        let entry = table.version.entry("B1").unwrap();
        let names: Vec<_> = entry.names.iter().map(|n| (n.text.as_str(), n.quality)).collect();
        assert_eq!(
            names,
            [
                ("CHAN Tai Man", NameQuality::Primary),
                ("Peter CHAN", NameQuality::Strong),
                ("陳大文", NameQuality::Strong),
                ("BIG FISH", NameQuality::Weak),
            ]
        );
        assert_eq!(entry.topics, [Topic::Black]);
        assert_eq!(entry.gender, Some(Gender::Male));
        assert_eq!(entry.nationalities.iter().filter_map(Country::code).collect::<Vec<_>>(), ["HK", "CN"]);
        assert_eq!(entry.identifiers[0].kind, IdentifierKind::Passport);
        assert_eq!(entry.identifiers[1].kind, IdentifierKind::Wallet);
        assert_eq!(entry.remarks.as_deref(), Some("Chargebacks; desk: fraud"));
        let acme = table.version.entry("B2").unwrap();
        assert_eq!((acme.kind, &acme.topics[..]), (EntryKind::Organisation, &[Topic::Watch][..]));
    }

    #[test]
    fn names_alone_make_a_list_and_its_file_names_it() {
        let got = run(Format::Csv, "Our Blacklist.csv", "name\nCHAN Tai Man\n\"DOE, John\"\n").unwrap();
        assert_eq!(got.version.source(), "our-blacklist");
        assert!(
            got.version.entries().iter().all(|e| e.topics == [Topic::Black] && e.id.starts_with("name-"))
        );
        let lines = run(Format::Json, "x.ndjson", "{\"name\":\"A\"}\n{\"name\":\"B\"}\n").unwrap();
        assert_eq!(lines.version.entries().len(), 2);
    }

    #[test]
    fn duplicate_ids_and_long_names_are_skipped_by_line() {
        let long = "x".repeat(3_000);
        let text = format!("id,name\n1,A\n1,B\n2,{long}\n3,C\n4,D\n5,E\n6,F\n7,G\n8,H\n9,I\n");
        let got = run(Format::Csv, "x.csv", &text).unwrap();
        assert_eq!(got.skipped.iter().map(|s| s.line).collect::<Vec<_>>(), [3, 4]);
        assert!(matches!(got.doubts[..], [Doubt::Odd { odd: 2, records: 10 }]));
    }

    #[test]
    fn json_cut_in_half_is_doubted() {
        for text in ["[{\"name\":\"A\"},{\"name\":\"B\"", "[{\"name\":\"A\"},", "{\"name\":\"A\"}\n{\"na"] {
            let got = run(Format::Json, "x.json", text).unwrap();
            assert!(matches!(got.doubts[0], Doubt::Truncated { .. }), "{text}");
        }
        assert!(run(Format::Json, "x.json", "[{\"name\":\"A\"} nonsense").is_err());
    }

    #[test]
    fn versions_of_a_list_are_compared_for_shrinking() {
        let rows = |n: usize| (0..n).map(|i| format!("{i},N{i}\n")).collect::<String>();
        let list = |n| run(Format::Csv, "x.csv", &format!("id,name\n{}", rows(n))).unwrap();
        let active: ListVersion = list(100).version;
        assert!(list(90).doubts_beside(Some(&active)).is_empty());
        assert!(matches!(
            list(89).doubts_beside(Some(&active))[..],
            [Doubt::Shrunk { what: "entries", before: 100, after: 89 }, Doubt::Shrunk { .. }]
        ));
        assert!(list(1).doubts_beside(None).is_empty());
    }
}
