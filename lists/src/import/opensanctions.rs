//! OpenSanctions: FollowTheMoney entities, an object a line, and the simplified table of targets. They bring PEPs.

use std::collections::HashMap;

use serde_json::{Map, Value};
use sluice_model::EntryKind;

use super::{ImportError, Sink, TextFile, json, table, text::some, vocabulary};
use crate::{
    Address, BirthDate, Country, Entry, Identifier, IdentifierKind, Name, NameQuality, PartialDate, Place,
    Topic,
};

const SOURCE: &str = "opensanctions";

/// Read the simplified table (`targets.simple.csv`).
pub(super) fn read_csv(files: &[TextFile<'_>], sink: &mut Sink) -> Result<String, ImportError> {
    let layout = table::Layout { required: &["schema"], ends_with_newline: true };
    for file in files {
        table::read(file, &layout, sink, |row, sink| {
            let (Some(id), Some(name)) = (row.get(&["id"]), row.get(&["name"])) else {
                return sink.odd(file.name, row.line, "no id or no name");
            };
            let schema = row.get(&["schema"]).unwrap_or_default();
            let mut entry = Entry::new(id, kind_of(&schema).unwrap_or(EntryKind::Organisation), name);
            entry.names.extend(row.list(&["aliases"]).into_iter().map(|a| Name::new(a, NameQuality::Strong)));
            entry.birth_dates = dates(&row.list(&["birth_date"]));
            entry.nationalities = countries(&row.list(&["countries"]));
            entry.addresses = row.list(&["addresses"]).into_iter().map(|text| address(text, None)).collect();
            let identifiers =
                row.list(&["identifiers"]).into_iter().map(|value| bare(IdentifierKind::Other, value));
            let phones = row.list(&["phones"]).into_iter().map(|value| bare(IdentifierKind::Phone, value));
            let emails = row.list(&["emails"]).into_iter().map(|value| bare(IdentifierKind::Email, value));
            entry.identifiers = identifiers.chain(phones).chain(emails).collect();
            entry.programmes = row.list(&["program_ids"]);
            let sanctions = row.get(&["sanctions"]);
            entry.topics =
                vec![topic_of_target(sanctions.is_some(), &row.get(&["dataset"]).unwrap_or_default())];
            entry.remarks = sanctions;
            entry.listed_on = row.get(&["first_seen"]).and_then(|date| PartialDate::parse(&date).ok());
            sink.entry(file.name, row.line, entry)
        })?;
    }
    Ok(SOURCE.to_owned())
}

/// The table has no topics: a target under sanctions says so, the others are told by their collection's name.
fn topic_of_target(sanctioned: bool, dataset: &str) -> Topic {
    let dataset = dataset.to_lowercase();
    let political =
        ["pep", "politic", "parliament", "congress", "legislat", "minister", "wikidata", "cabinet"];
    if sanctioned {
        Topic::Sanction
    } else if political.iter().any(|word| dataset.contains(word)) {
        Topic::Pep
    } else {
        Topic::Watch
    }
}

/// Read FollowTheMoney entities. Addresses, documents and designations are entities of their own that refer to
/// whom they belong to, before it or after it.
pub(super) fn read_ftm(files: &[TextFile<'_>], sink: &mut Sink) -> Result<String, ImportError> {
    let mut context = Context::default();
    for file in files {
        json::each_object(file, sink, |line, object, sink| context.object(file.name, line, object, sink))?;
    }
    context.join(sink);
    Ok(SOURCE.to_owned())
}

/// What refers to entries, and what they refer to.
#[derive(Default)]
struct Context {
    addresses: HashMap<String, Address>,
    /// The addresses that entries refer to, by entry.
    address_of: Vec<(String, String)>,
    documents: Vec<(String, Identifier)>,
    designations: Vec<(String, Vec<String>, Option<PartialDate>)>,
}

/// An entity's properties.
struct Properties<'a>(&'a Map<String, Value>);

impl Properties<'_> {
    fn all(&self, names: &[&str]) -> Vec<String> {
        names.iter().filter_map(|name| self.0.get(*name)).flat_map(json::texts).collect()
    }

    fn first(&self, names: &[&str]) -> Option<String> {
        self.all(names).into_iter().next()
    }
}

impl Context {
    fn object(
        &mut self,
        file: &str,
        line: u64,
        object: &Map<String, Value>,
        sink: &mut Sink,
    ) -> Result<(), ImportError> {
        let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
        let (id, schema) = (text("id"), text("schema"));
        let Some(Value::Object(properties)) = object.get("properties") else {
            return sink.odd(file, line, "an entity without properties");
        };
        let properties = Properties(properties);
        match schema {
            "Address" => {
                let whole = properties.first(&["full"]).unwrap_or_else(|| {
                    properties.all(&["street", "street2", "city", "postalCode", "region", "state"]).join(", ")
                });
                let country = properties.first(&["country"]).and_then(|c| Country::parse(&c));
                self.addresses.insert(id.to_owned(), address(whole, country));
            }
            "Passport" | "Identification" => {
                let label = properties.first(&["type"]).unwrap_or_else(|| schema.to_owned());
                let country = properties.first(&["country"]).and_then(|c| Country::parse(&c));
                for (holder, value) in product(&properties.all(&["holder"]), &properties.all(&["number"])) {
                    let mut document =
                        Identifier { country: country.clone(), ..vocabulary::identifier(&label, &value) };
                    if schema == "Passport" {
                        document.kind = IdentifierKind::Passport;
                    }
                    self.documents.push((holder, document));
                }
            }
            "CryptoWallet" => {
                let currency = properties.first(&["currency"]);
                for (holder, value) in product(&properties.all(&["holder"]), &properties.all(&["publicKey"]))
                {
                    let wallet =
                        Identifier { label: currency.clone(), ..bare(IdentifierKind::Wallet, value) };
                    self.documents.push((holder, wallet));
                }
            }
            "Sanction" => {
                let programmes = properties.all(&["program", "programId"]);
                let listed = properties.first(&["listingDate", "startDate"]);
                let listed = listed.and_then(|date| PartialDate::parse(&date).ok());
                for entity in properties.all(&["entity"]) {
                    self.designations.push((entity, programmes.clone(), listed));
                }
            }
            _ => {
                let target = object.get("target").and_then(Value::as_bool).unwrap_or(false);
                let topics = topics(&properties.all(&["topics"]));
                // What only explains others (a company that a listed one owns) is no entry.
                if let Some(kind) = kind_of(schema).filter(|_| target || !topics.is_empty()) {
                    let entry = entity(id, kind, text("caption"), &properties, topics);
                    let referred = properties.all(&["addressEntity"]).into_iter();
                    self.address_of.extend(referred.map(|address| (id.to_owned(), address)));
                    sink.entry(file, line, entry)?;
                }
            }
        }
        Ok(())
    }

    /// Add what refers to entries to them.
    fn join(self, sink: &mut Sink) {
        for (id, address) in self.address_of {
            if let (Some(entry), Some(address)) = (sink.entry_mut(&id), self.addresses.get(&address)) {
                entry.addresses.push(address.clone());
            }
        }
        for (holder, document) in self.documents {
            if let Some(entry) = sink.entry_mut(&holder)
                && entry.identifiers.iter().all(|held| held.value != document.value)
            {
                entry.identifiers.push(document);
            }
        }
        for (id, programmes, listed) in self.designations {
            let Some(entry) = sink.entry_mut(&id) else { continue };
            for programme in programmes {
                if !entry.programmes.contains(&programme) {
                    entry.programmes.push(programme);
                }
            }
            entry.listed_on = entry.listed_on.into_iter().chain(listed).min();
        }
    }
}

fn entity(
    id: &str,
    kind: EntryKind,
    caption: &str,
    properties: &Properties<'_>,
    topics: Vec<Topic>,
) -> Entry {
    let mut names = properties.all(&["name"]);
    let primary = some(caption).or_else(|| names.first().cloned()).unwrap_or_default();
    names.retain(|name| *name != primary);
    let mut entry = Entry::new(id, kind, primary);
    entry.topics = if topics.is_empty() { vec![Topic::Watch] } else { topics };
    let aliases = [
        (names, NameQuality::Strong),
        (properties.all(&["alias"]), NameQuality::Strong),
        (properties.all(&["previousName"]), NameQuality::Former),
        (properties.all(&["weakAlias", "abbreviation"]), NameQuality::Weak),
    ];
    for (texts, quality) in aliases {
        for text in texts {
            if entry.names.iter().all(|held| held.text != text) {
                entry.names.push(Name::new(text, quality));
            }
        }
    }
    let family = properties.all(&["lastName"]);
    for name in &mut entry.names {
        name.family =
            family.iter().find(|f| f.len() < name.text.len() && name.text.contains(f.as_str())).cloned();
    }
    entry.birth_dates = dates(&properties.all(&["birthDate"]));
    entry.birth_places = properties
        .all(&["birthPlace"])
        .into_iter()
        .map(|text| Place { country: Country::at_end_of(&text), text })
        .collect();
    entry.gender = properties.first(&["gender"]).as_deref().and_then(vocabulary::gender);
    entry.nationalities =
        countries(&properties.all(&["nationality", "citizenship", "country", "jurisdiction", "flag"]));
    entry.addresses = properties.all(&["address"]).into_iter().map(|text| address(text, None)).collect();
    entry.identifiers = identifiers(properties);
    entry.programmes = properties.all(&["program", "programId"]);
    entry.positions = properties.all(&["position", "title"]);
    entry.remarks = some(&properties.all(&["notes", "description", "summary"]).join(" "));
    entry
}

fn identifiers(properties: &Properties<'_>) -> Vec<Identifier> {
    use IdentifierKind as K;
    const NAMES: [(&str, IdentifierKind); 21] = [
        ("passportNumber", K::Passport),
        ("idNumber", K::NationalId),
        ("socialSecurityNumber", K::NationalId),
        ("taxNumber", K::Tax),
        ("vatCode", K::Tax),
        ("innCode", K::Tax),
        ("registrationNumber", K::Registration),
        ("ogrnCode", K::Registration),
        ("okpoCode", K::Registration),
        ("dunsCode", K::Registration),
        ("uscCode", K::Registration),
        ("imoNumber", K::Imo),
        ("mmsi", K::Mmsi),
        ("callSign", K::CallSign),
        ("serialNumber", K::AircraftSerial),
        ("swiftBic", K::Bic),
        ("leiCode", K::Lei),
        ("isin", K::Isin),
        ("email", K::Email),
        ("phone", K::Phone),
        ("website", K::Website),
    ];
    let mut found = Vec::new();
    for (name, kind) in NAMES {
        found.extend(properties.all(&[name]).into_iter().map(|value| bare(kind, value)));
    }
    found
}

/// FollowTheMoney's schemata of what can be listed.
fn kind_of(schema: &str) -> Option<EntryKind> {
    Some(match schema {
        "Person" => EntryKind::Person,
        "Organization" | "Company" | "LegalEntity" | "PublicBody" | "Security" => EntryKind::Organisation,
        "Vessel" => EntryKind::Vessel,
        "Airplane" => EntryKind::Aircraft,
        _ => return None,
    })
}

fn topics(texts: &[String]) -> Vec<Topic> {
    let mut topics: Vec<Topic> = texts
        .iter()
        .map(|text| match text.as_str() {
            "sanction" => Topic::Sanction,
            "sanction.linked" | "sanction.counter" | "export.control.linked" => Topic::SanctionLinked,
            "role.pep" | "role.pol" | "role.diplo" | "role.judge" | "gov.head" => Topic::Pep,
            "role.rca" => Topic::PepAssociate,
            crime if crime == "wanted" || crime == "crime" || crime.starts_with("crime.") => Topic::Crime,
            _ => Topic::Watch,
        })
        .collect();
    topics.sort_unstable();
    topics.dedup();
    topics
}

fn dates(texts: &[String]) -> Vec<BirthDate> {
    texts.iter().filter_map(|text| BirthDate::parse(text).ok()).collect()
}

fn countries(texts: &[String]) -> Vec<Country> {
    let mut countries: Vec<Country> = texts.iter().filter_map(|text| Country::parse(text)).collect();
    countries.sort();
    countries.dedup();
    countries
}

fn address(text: String, country: Option<Country>) -> Address {
    let country = country.or_else(|| Country::at_end_of(&text));
    Address { street: some(&text), country, ..Address::default() }
}

fn bare(kind: IdentifierKind, value: String) -> Identifier {
    Identifier { kind, value, country: None, label: None, note: None }
}

fn product(left: &[String], right: &[String]) -> Vec<(String, String)> {
    left.iter().flat_map(|l| right.iter().map(|r| (l.clone(), r.clone()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{Doubt, Format, Import, Request, SourceFile, import};

    fn run(format: Format, text: &str) -> Import {
        let files = [SourceFile { name: "entities.ftm.json", bytes: text.as_bytes() }];
        import(&Request { format, source: None, encoding: None, files: &files }).unwrap()
    }

    const FTM: &str = r#"{"id":"s1","schema":"Sanction","properties":{"entity":["p1"],"program":["SDGT"],"listingDate":["2020-01-02"]}}
{"id":"p1","caption":"John Doe","schema":"Person","target":true,"properties":{"name":["John Doe","Джон Доу"],"lastName":["Doe"],"weakAlias":["Fox"],"previousName":["John Roe"],"birthDate":["1962","1962-03"],"nationality":["ru"],"topics":["sanction","role.pep"],"addressEntity":["a1"],"passportNumber":["K12"]}}
{"id":"a1","schema":"Address","properties":{"full":["1 High Street, Moscow"],"country":["ru"]}}
{"id":"d1","schema":"Passport","properties":{"holder":["p1"],"number":["K12"]}}
{"id":"w1","schema":"CryptoWallet","properties":{"holder":["p1"],"publicKey":["1Kuf"],"currency":["XBT"]}}
{"id":"c1","caption":"Owned Ltd","schema":"Company","target":false,"properties":{"name":["Owned Ltd"]}}
"#;

    #[test]
    fn entities_are_joined_with_what_refers_to_them() {
        let got = run(Format::OpenSanctionsFtm, FTM);
        assert_eq!((got.version.entries().len(), got.doubts.len(), got.skipped.len()), (1, 0, 0));
        let entry = got.version.entry("p1").unwrap();
        let names: Vec<_> = entry.names.iter().map(|n| (n.text.as_str(), n.quality)).collect();
        assert_eq!(
            names,
            [
                ("John Doe", NameQuality::Primary),
                ("Джон Доу", NameQuality::Strong),
                ("John Roe", NameQuality::Former),
                ("Fox", NameQuality::Weak),
            ]
        );
        assert_eq!(entry.names[0].family.as_deref(), Some("Doe"));
        assert_eq!(entry.topics, [Topic::Sanction, Topic::Pep]);
        assert_eq!(entry.addresses[0].country.as_ref().and_then(Country::code), Some("RU"));
        let identifiers: Vec<_> = entry.identifiers.iter().map(|i| i.kind).collect();
        assert_eq!(identifiers, [IdentifierKind::Passport, IdentifierKind::Wallet]);
        assert_eq!(entry.programmes, ["SDGT"]);
        assert_eq!(entry.birth_dates.len(), 2);
    }

    #[test]
    fn a_broken_line_is_skipped_and_a_cut_one_doubted() {
        let got = run(Format::OpenSanctionsFtm, &format!("{{\"id\": oops}}\n{FTM}"));
        assert_eq!(got.skipped.iter().map(|s| s.line).collect::<Vec<_>>(), [1]);
        let got = run(Format::OpenSanctionsFtm, &FTM[..FTM.len() - 20]);
        assert!(matches!(got.doubts[0], Doubt::Truncated { .. }));
    }

    #[test]
    fn targets_as_a_table() {
        let got = run(
            Format::OpenSanctionsCsv,
            "id,schema,name,aliases,birth_date,countries,sanctions,dataset\n\
             Q1,Person,John Doe,\"Johnny; Джон\",1962-03-05,ru;us,,Every Politician\n\
             Q2,Vessel,Good Ship,,,cu,OFAC SDN,US OFAC\n",
        );
        let topics: Vec<_> = got.version.entries().iter().flat_map(|e| e.topics.clone()).collect();
        assert_eq!(topics, [Topic::Pep, Topic::Sanction]);
        assert_eq!(got.version.name_count(), 4);
    }
}
