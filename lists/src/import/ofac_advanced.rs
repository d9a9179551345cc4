//! OFAC's lists in the advanced XML (`sdn_advanced.xml`, `cons_advanced.xml`): parties, places, documents and
//! designations stand apart and refer to each other and to tables of words by number.

use std::collections::HashMap;

use sluice_model::EntryKind;

use super::{
    ImportError, Sink, TextFile, ofac_remarks, ofac_xml,
    text::some,
    vocabulary,
    xml::{self, Element},
};
use crate::{Address, BirthDate, Country, Entry, Identifier, Name, NameQuality, PartialDate, Place, Topic};

/// The tables of words that are looked up.
const TABLES: [&str; 9] = [
    "AliasType",
    "AreaCode",
    "Country",
    "DetailReference",
    "FeatureType",
    "IDRegDocType",
    "NamePartType",
    "PartySubType",
    "PartyType",
];

const SHAPE: xml::Shape<'_> = xml::Shape {
    roots: &["Sanctions"],
    records: &[
        "AliasType",
        "AreaCode",
        "Country",
        "DetailReference",
        "FeatureType",
        "IDRegDocType",
        "NamePartType",
        "PartySubType",
        "PartyType",
        "DateOfIssue",
        "Location",
        "IDRegDocument",
        "DistinctParty",
        "SanctionsEntry",
    ],
};

/// What stands before the parties and is referred to.
#[derive(Default)]
struct Context {
    /// Words by table and number.
    words: HashMap<(String, String), Element>,
    places: HashMap<String, Address>,
    /// Documents by the identity that they belong to.
    documents: HashMap<String, Vec<Identifier>>,
    /// Which party a profile belongs to.
    parties: HashMap<String, String>,
}

/// Read the list; the source's name.
pub(super) fn read(files: &[TextFile<'_>], sink: &mut Sink) -> Result<String, ImportError> {
    for file in files {
        let mut context = Context::default();
        xml::read(file, &SHAPE, sink, |record, sink| context.record(file.name, record, sink))?;
    }
    Ok(ofac_xml::source_name(files))
}

impl Context {
    fn record(&mut self, file: &str, record: Element, sink: &mut Sink) -> Result<(), ImportError> {
        let line = record.line;
        match record.name.as_str() {
            "DateOfIssue" => sink.published(date(&record)),
            "Location" => {
                if let Some(id) = record.attribute("ID") {
                    let place = self.location(&record);
                    self.places.insert(id, place);
                }
            }
            "IDRegDocument" => {
                if let (Some(of), Some(document)) = (record.attribute("IdentityID"), self.document(&record)) {
                    self.documents.entry(of).or_default().push(document);
                }
            }
            "DistinctParty" => match self.party(&record) {
                Some(entry) => sink.entry(file, line, entry)?,
                None => sink.odd(file, line, "a party without a number or a profile")?,
            },
            "SanctionsEntry" => self.designation(&record, sink),
            table if TABLES.contains(&table) => {
                if let Some(id) = record.attribute("ID") {
                    self.words.insert((table.to_owned(), id), record);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The word that an attribute of the element refers to.
    fn word(&self, table: &str, element: &Element, attribute: &str) -> Option<String> {
        let id = element.attribute(attribute)?;
        self.words.get(&(table.to_owned(), id)).and_then(|word| some(&word.text))
    }

    fn location(&self, record: &Element) -> Address {
        let mut place = Address::default();
        let country = record.child("LocationCountry").and_then(|c| self.word("Country", c, "CountryID"));
        let area = record.child("LocationAreaCode").and_then(|c| self.word("AreaCode", c, "AreaCodeID"));
        place.country = country.or(area).and_then(|name| Country::parse(&name));
        // OFAC gives the parts in the order of an address: lines, city, region, postcode.
        let parts = record.all("LocationPart").flat_map(|part| part.all("LocationPartValue"));
        place.street = some(&parts.filter_map(|value| value.text_of("Value")).collect::<Vec<_>>().join(", "));
        place
    }

    fn document(&self, record: &Element) -> Option<Identifier> {
        let label = self.word("IDRegDocType", record, "IDRegDocTypeID")?;
        let value = record.text_of("IDRegistrationNo")?;
        let country = self.word("Country", record, "IssuedBy-CountryID").and_then(|c| Country::parse(&c));
        Some(Identifier { country, ..ofac_remarks::labelled(&label, &value)? })
    }

    fn party(&mut self, record: &Element) -> Option<Entry> {
        let id = record.attribute("FixedRef")?;
        let profile = record.child("Profile")?;
        if let Some(profile_id) = profile.attribute("ID") {
            self.parties.insert(profile_id, id.clone());
        }
        let mut entry = Entry::new(id, self.kind(profile), "");
        entry.names.clear();
        entry.topics = vec![Topic::Sanction];
        for identity in profile.all("Identity") {
            self.read_names(identity, &mut entry);
            let documents = identity.attribute("ID").and_then(|id| self.documents.remove(&id));
            entry.identifiers.extend(documents.unwrap_or_default());
        }
        for feature in profile.all("Feature") {
            self.read_feature(feature, &mut entry);
        }
        let comments: Vec<String> = record.all("Comment").filter_map(|c| some(&c.text)).collect();
        entry.remarks = some(&comments.join("; "));
        Some(entry)
    }

    fn kind(&self, profile: &Element) -> EntryKind {
        let subtype = profile.attribute("PartySubTypeID");
        let subtype = subtype.and_then(|id| self.words.get(&("PartySubType".to_owned(), id)));
        let word = subtype.and_then(|s| some(&s.text)).as_deref().and_then(vocabulary::entry_kind);
        let party =
            || self.word("PartyType", subtype?, "PartyTypeID").as_deref().and_then(vocabulary::entry_kind);
        word.or_else(party).unwrap_or(EntryKind::Organisation)
    }

    fn read_names(&self, identity: &Element, entry: &mut Entry) {
        // Which kind of part each group of name parts is: `Last Name`, `First Name`.
        let groups: HashMap<String, String> = identity
            .all("NamePartGroups")
            .flat_map(|groups| groups.all("MasterNamePartGroup"))
            .flat_map(|master| master.all("NamePartGroup"))
            .filter_map(|group| {
                Some((group.attribute("ID")?, self.word("NamePartType", group, "NamePartTypeID")?))
            })
            .collect();
        for alias in identity.all("Alias") {
            let is = |name: &str| alias.attribute(name).is_some_and(|value| value == "true");
            let former = self.word("AliasType", alias, "AliasTypeID").is_some_and(|t| t.starts_with("F.K.A"));
            let quality = match (is("Primary"), is("LowQuality"), former) {
                (true, _, _) => NameQuality::Primary,
                (_, true, _) => NameQuality::Weak,
                (_, _, true) => NameQuality::Former,
                _ => NameQuality::Strong,
            };
            for documented in alias.all("DocumentedName") {
                entry.names.extend(name(documented, &groups, quality));
            }
        }
    }

    fn read_feature(&self, feature: &Element, entry: &mut Entry) {
        let Some(label) = self.word("FeatureType", feature, "FeatureTypeID") else { return };
        for version in feature.all("FeatureVersion") {
            let detail = version.child("VersionDetail");
            let text = detail
                .and_then(|d| some(&d.text).or_else(|| self.word("DetailReference", d, "DetailReferenceID")));
            let place =
                version.child("VersionLocation").and_then(|l| self.places.get(&l.attribute("LocationID")?));
            match (label.as_str(), text, place) {
                ("Birthdate", _, _) => entry.birth_dates.extend(version.child("DatePeriod").and_then(period)),
                ("Gender", Some(text), _) => entry.gender = vocabulary::gender(&text),
                ("Place of Birth", text, place) => {
                    let text = text.or_else(|| Some(written(place?))).filter(|t| !t.is_empty());
                    let country = place.and_then(|p| p.country.clone());
                    entry.birth_places.extend(text.map(|text| Place { text, country }));
                }
                (
                    "Nationality Country"
                    | "Citizenship Country"
                    | "Nationality of Registration"
                    | "Vessel Flag",
                    text,
                    place,
                ) => {
                    let country = place.and_then(|p| p.country.clone()).or_else(|| Country::parse(&text?));
                    entry.nationalities.extend(country.filter(|c| !entry.nationalities.contains(c)));
                }
                ("Location", _, Some(place)) => entry.addresses.push(place.clone()),
                ("Title", Some(text), _) => entry.positions.extend(text.split(';').filter_map(some)),
                (label, Some(text), _) => entry.identifiers.extend(ofac_remarks::labelled(label, &text)),
                _ => {}
            }
        }
    }

    /// When and under which programmes a party was designated.
    fn designation(&self, record: &Element, sink: &mut Sink) {
        let party = record.attribute("ProfileID").and_then(|id| self.parties.get(&id));
        let Some(entry) = party.and_then(|id| sink.entry_mut(id)) else { return };
        let listed = record.all("EntryEvent").filter_map(|event| date(event.child("Date")?)).min();
        entry.listed_on = entry.listed_on.into_iter().chain(listed).min();
        let programmes = record.all("SanctionsMeasure").filter_map(|measure| measure.text_of("Comment"));
        for programme in programmes {
            if !entry.programmes.contains(&programme) {
                entry.programmes.push(programme);
            }
        }
    }
}

/// The name of its parts: the last name first, as OFAC prints persons.
fn name(documented: &Element, groups: &HashMap<String, String>, quality: NameQuality) -> Option<Name> {
    let values = documented.all("DocumentedNamePart").flat_map(|part| part.all("NamePartValue"));
    let (mut family, mut rest) = (Vec::new(), Vec::new());
    for value in values {
        let kind = value.attribute("NamePartGroupID").and_then(|id| groups.get(&id));
        let is_family = kind.is_some_and(|kind| kind == "Last Name");
        if is_family { &mut family } else { &mut rest }.extend(some(&value.text));
    }
    let (family, rest) = (family.join(" "), rest.join(" "));
    let both = !family.is_empty() && !rest.is_empty();
    let text = if both { format!("{family}, {rest}") } else { format!("{family}{rest}") };
    let name = Name { family: Some(family).filter(|_| both), ..Name::new(text, quality) };
    Some(name).filter(|n| !n.text.is_empty())
}

/// `<Year>`, `<Month>` and `<Day>`.
fn date(element: &Element) -> Option<PartialDate> {
    let part = |name| element.text_of(name).and_then(|text| text.parse::<i8>().ok());
    PartialDate::new(element.text_of("Year")?.parse().ok()?, part("Month"), part("Day"))
}

/// A period: from the earliest day of its beginning to the latest of its end. A whole month or year is that.
fn period(element: &Element) -> Option<BirthDate> {
    let from = date(element.child("Start")?.child("From")?)?;
    let to = element.child("End").and_then(|end| date(end.child("To")?)).unwrap_or(from);
    let circa = element.child("Start").and_then(|s| s.attribute("Approximate")).is_some_and(|a| a == "true");
    let (first, last) = (from.first_day(), to.last_day());
    let whole = |month| {
        PartialDate::new(from.year(), month, None).filter(|d| (d.first_day(), d.last_day()) == (first, last))
    };
    let exact = (first == last).then_some(from);
    match exact.or_else(|| whole(from.month())).or_else(|| whole(None)) {
        Some(date) => Some(BirthDate { circa, ..BirthDate::on(date) }),
        None => Some(BirthDate { from: from.min(to), to: Some(to.max(from)), circa }),
    }
}

fn written(place: &Address) -> String {
    let country = place.country.as_ref().map(Country::to_string);
    [place.street.clone(), country].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Gender,
        import::{Format, Request, SourceFile, import},
    };

    const LIST: &str = r#"<?xml version="1.0"?>
<Sanctions xmlns="https://example.org/ADVANCED_XML"><DateOfIssue><Year>2024</Year><Month>5</Month><Day>7</Day></DateOfIssue>
<ReferenceValueSets>
<AliasTypeValues><AliasType ID="1400">A.K.A.</AliasType><AliasType ID="1403">Name</AliasType><AliasType ID="1401">F.K.A.</AliasType></AliasTypeValues>
<CountryValues><Country ID="11082" ISO2="IR">Iran</Country></CountryValues>
<DetailReferenceValues><DetailReference ID="91526">Male</DetailReference></DetailReferenceValues>
<FeatureTypeValues><FeatureType ID="8">Birthdate</FeatureType><FeatureType ID="224">Gender</FeatureType><FeatureType ID="9">Place of Birth</FeatureType><FeatureType ID="25">Location</FeatureType><FeatureType ID="344">Digital Currency Address - XBT</FeatureType></FeatureTypeValues>
<IDRegDocTypeValues><IDRegDocType ID="1571">Passport</IDRegDocType></IDRegDocTypeValues>
<NamePartTypeValues><NamePartType ID="1520">Last Name</NamePartType><NamePartType ID="1521">First Name</NamePartType></NamePartTypeValues>
<PartySubTypeValues><PartySubType ID="4" PartyTypeID="1">Unknown</PartySubType></PartySubTypeValues>
<PartyTypeValues><PartyType ID="1">Individual</PartyType></PartyTypeValues>
</ReferenceValueSets>
<Locations><Location ID="70"><LocationCountry CountryID="11082"/><LocationPart LocPartTypeID="1454"><LocationPartValue><Value>Tehran</Value></LocationPartValue></LocationPart></Location></Locations>
<IDRegDocuments><IDRegDocument ID="5" IDRegDocTypeID="1571" IdentityID="40" IssuedBy-CountryID="11082"><IDRegistrationNo>K12</IDRegistrationNo></IDRegDocument></IDRegDocuments>
<DistinctParties><DistinctParty FixedRef="36"><Profile ID="36" PartySubTypeID="4">
<Identity ID="40" Primary="true"><Alias FixedRef="36" AliasTypeID="1403" Primary="true" LowQuality="false"><DocumentedName ID="1"><DocumentedNamePart><NamePartValue NamePartGroupID="61">Doe</NamePartValue></DocumentedNamePart><DocumentedNamePart><NamePartValue NamePartGroupID="62">John</NamePartValue></DocumentedNamePart></DocumentedName></Alias>
<Alias FixedRef="36" AliasTypeID="1400" Primary="false" LowQuality="true"><DocumentedName ID="2"><DocumentedNamePart><NamePartValue NamePartGroupID="61">Fox</NamePartValue></DocumentedNamePart></DocumentedName></Alias>
<NamePartGroups><MasterNamePartGroup><NamePartGroup ID="61" NamePartTypeID="1520"/></MasterNamePartGroup><MasterNamePartGroup><NamePartGroup ID="62" NamePartTypeID="1521"/></MasterNamePartGroup></NamePartGroups></Identity>
<Feature ID="1" FeatureTypeID="8"><FeatureVersion ID="1"><DatePeriod><Start Approximate="true"><From><Year>1962</Year><Month>1</Month><Day>1</Day></From></Start><End><To><Year>1962</Year><Month>12</Month><Day>31</Day></To></End></DatePeriod></FeatureVersion></Feature>
<Feature ID="2" FeatureTypeID="224"><FeatureVersion ID="2"><VersionDetail DetailTypeID="1431" DetailReferenceID="91526"/></FeatureVersion></Feature>
<Feature ID="3" FeatureTypeID="9"><FeatureVersion ID="3"><VersionDetail DetailTypeID="1432">Tehran, Iran</VersionDetail></FeatureVersion></Feature>
<Feature ID="4" FeatureTypeID="25"><FeatureVersion ID="4"><VersionLocation LocationID="70"/></FeatureVersion></Feature>
<Feature ID="5" FeatureTypeID="344"><FeatureVersion ID="5"><VersionDetail DetailTypeID="1432">1Kuf</VersionDetail></FeatureVersion></Feature>
</Profile></DistinctParty></DistinctParties>
<SanctionsEntries><SanctionsEntry ID="36" ProfileID="36" ListID="1550"><EntryEvent ID="1"><Date><Year>1986</Year><Month>12</Month><Day>10</Day></Date></EntryEvent><SanctionsMeasure ID="1"><Comment/></SanctionsMeasure><SanctionsMeasure ID="2"><Comment>SDGT</Comment></SanctionsMeasure></SanctionsEntry></SanctionsEntries>
</Sanctions>"#;

    #[test]
    fn what_stands_apart_is_joined() {
        let files = [SourceFile { name: "sdn_advanced.xml", bytes: LIST.as_bytes() }];
        let request =
            Request { format: Format::OfacAdvancedXml, source: None, encoding: None, files: &files };
        let got = import(&request).unwrap();
        assert_eq!((got.doubts.len(), got.skipped.len()), (0, 0));
        assert_eq!(got.published.map(|d| d.to_string()).as_deref(), Some("2024-05-07"));
        let entry = got.version.entry("36").unwrap();
        assert_eq!(entry.kind, EntryKind::Person);
        let names: Vec<_> = entry.names.iter().map(|n| (n.text.as_str(), n.quality)).collect();
        assert_eq!(names, [("Doe, John", NameQuality::Primary), ("Fox", NameQuality::Weak)]);
        assert_eq!((entry.gender, entry.birth_dates[0].to_string().as_str()), (Some(Gender::Male), "1962~"));
        assert_eq!(entry.birth_places[0].text, "Tehran, Iran");
        assert_eq!(entry.addresses[0].country.as_ref().and_then(Country::code), Some("IR"));
        let identifiers: Vec<_> =
            entry.identifiers.iter().map(|i| (i.value.as_str(), i.label.as_deref())).collect();
        assert_eq!(identifiers, [("K12", Some("Passport")), ("1Kuf", Some("XBT"))]);
        assert_eq!(entry.programmes, ["SDGT"]);
        assert_eq!(entry.listed_on.map(|d| d.to_string()).as_deref(), Some("1986-12-10"));
    }
}
