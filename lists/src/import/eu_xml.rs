//! The European Union's consolidated financial sanctions (FSF), XML 1.1: everything stands in attributes.

use sluice_model::EntryKind;

use super::{
    ImportError, Sink, TextFile,
    text::some,
    vocabulary,
    xml::{self, Element},
};
use crate::{Address, BirthDate, Country, Entry, Identifier, Name, NameQuality, PartialDate, Place, Topic};

const SHAPE: xml::Shape<'_> = xml::Shape { roots: &["export"], records: &["sanctionEntity"] };

/// Read the list; the source's name.
pub(super) fn read(files: &[TextFile<'_>], sink: &mut Sink) -> Result<String, ImportError> {
    for file in files {
        let root = xml::read(file, &SHAPE, sink, |record, sink| {
            let id = record.attribute("euReferenceNumber").or_else(|| record.attribute("logicalId"));
            match id {
                Some(id) => sink.entry(file.name, record.line, entry(id, &record)),
                None => sink.odd(file.name, record.line, "an entity without a reference number"),
            }
        })?;
        let generated = root.attribute("generationDate");
        sink.published(generated.and_then(|date| PartialDate::parse(date.get(..10)?).ok()));
    }
    Ok("eu".to_owned())
}

fn entry(id: String, record: &Element) -> Entry {
    let subject = record.child("subjectType");
    let code = subject.and_then(|s| s.attribute("code").or_else(|| s.attribute("classificationCode")));
    let kind = code.as_deref().and_then(vocabulary::entry_kind).unwrap_or(EntryKind::Organisation);
    let mut entry = Entry::new(id, kind, "");
    entry.names.clear();
    entry.topics = vec![Topic::Sanction];
    for alias in record.all("nameAlias") {
        read_name(alias, &mut entry);
    }
    entry.nationalities = record.all("citizenship").filter_map(country).collect();
    entry.nationalities.dedup();
    for birth in record.all("birthdate") {
        entry.birth_dates.extend(birth_date(birth));
        let place = [birth.attribute("place"), birth.attribute("city"), birth.attribute("region")];
        let country = country(birth);
        let parts = place.into_iter().flatten().chain(country.as_ref().map(Country::to_string));
        let text = some(&parts.collect::<Vec<_>>().join(", "));
        entry.birth_places.extend(text.map(|text| Place { text, country }));
    }
    entry.addresses = record.all("address").filter_map(address).collect();
    let contacts = record.all("address").flat_map(|a| a.all("contactInfo"));
    entry.identifiers = record.all("identification").filter_map(identification).collect();
    entry.identifiers.extend(contacts.filter_map(|contact| {
        Some(vocabulary::identifier(&contact.attribute("key")?.to_lowercase(), &contact.attribute("value")?))
    }));
    let regulations = record.all("regulation");
    for programme in regulations.filter_map(|r| r.attribute("programme")) {
        if !entry.programmes.contains(&programme) {
            entry.programmes.push(programme);
        }
    }
    let listed = record.attribute("designationDate");
    let published = || record.all("regulation").filter_map(|r| r.attribute("publicationDate")).min();
    entry.listed_on = listed.or_else(published).and_then(|date| PartialDate::parse(date.get(..10)?).ok());
    let united_nations = record.attribute("unitedNationId").map(|id| format!("UN reference {id}"));
    let remarks = record.attribute("designationDetails").into_iter().chain(united_nations);
    let remarks = remarks.chain(record.all("remark").filter_map(|r| some(&r.text)));
    entry.remarks = some(&remarks.collect::<Vec<_>>().join(" "));
    entry
}

/// The first strong name is the primary one, unless another language's repeats it.
fn read_name(alias: &Element, entry: &mut Entry) {
    let parts = ["firstName", "middleName", "lastName"].iter().filter_map(|name| alias.attribute(name));
    let whole = alias.attribute("wholeName").or_else(|| some(&parts.collect::<Vec<_>>().join(" ")));
    entry.gender = alias.attribute("gender").as_deref().and_then(vocabulary::gender).or(entry.gender);
    for position in [alias.attribute("function"), alias.attribute("title")].into_iter().flatten() {
        if !entry.positions.contains(&position) {
            entry.positions.push(position);
        }
    }
    let Some(text) = whole.filter(|text| entry.names.iter().all(|n| n.text != *text)) else { return };
    let weak = alias.attribute("strong").is_some_and(|strong| strong == "false");
    let has_primary = entry.names.iter().any(|n| n.quality == NameQuality::Primary);
    let quality = match (weak, has_primary) {
        (true, _) => NameQuality::Weak,
        (_, false) => NameQuality::Primary,
        _ => NameQuality::Strong,
    };
    let family = alias.attribute("lastName").filter(|family| text.contains(family.as_str()));
    entry.names.push(Name { family, ..Name::new(text, quality) });
}

fn birth_date(birth: &Element) -> Option<BirthDate> {
    let number = |name| birth.attribute(name).and_then(|text| text.parse::<i16>().ok());
    let small = |name| number(name).and_then(|n| i8::try_from(n).ok());
    let circa = birth.attribute("circa").is_some_and(|circa| circa == "true");
    let year = |y: i16| PartialDate::new(y, None, None);
    if let (Some(from), Some(to)) =
        (number("yearRangeFrom").and_then(year), number("yearRangeTo").and_then(year))
    {
        return Some(BirthDate { from: from.min(to), to: Some(from.max(to)), circa });
    }
    let exact = birth.attribute("birthdate").and_then(|date| PartialDate::parse(&date).ok());
    let date =
        exact.or_else(|| PartialDate::new(number("year")?, small("monthOfYear"), small("dayOfMonth")))?;
    Some(BirthDate { circa, ..BirthDate::on(date) })
}

/// The code, unless it is the EU's `00` for unknown; then the description, unless that says the same.
fn country(element: &Element) -> Option<Country> {
    let code = element.attribute("countryIso2Code").filter(|code| code != "00");
    code.or_else(|| element.attribute("countryDescription")).and_then(|text| Country::parse(&text))
}

fn address(element: &Element) -> Option<Address> {
    let street = [
        element.attribute("street"),
        element.attribute("poBox").map(|b| format!("P.O. Box {b}")),
        element.attribute("place"),
    ];
    let address = Address {
        street: some(&street.into_iter().flatten().collect::<Vec<_>>().join(", ")),
        city: element.attribute("city"),
        region: element.attribute("region"),
        postcode: element.attribute("zipCode"),
        country: country(element),
        note: element
            .attribute("asAtListingTime")
            .filter(|v| v == "true")
            .map(|_| "at the time of listing".to_owned()),
    };
    Some(address).filter(|a| *a != Address::default())
}

fn identification(element: &Element) -> Option<Identifier> {
    let value = element.attribute("number").or_else(|| element.attribute("latinNumber"))?;
    let label = element.attribute("identificationTypeDescription");
    let label = label.or_else(|| element.attribute("identificationTypeCode")).unwrap_or_default();
    let known = ["knownExpired", "knownFalse", "reportedLost", "revokedByIssuer", "diplomatic"];
    let known = known.into_iter().filter(|name| element.attribute(name).is_some_and(|value| value == "true"));
    let dates = [("issueDate", "issued"), ("validTo", "expires")];
    let dates =
        dates.into_iter().filter_map(|(name, word)| Some(format!("{word} {}", element.attribute(name)?)));
    let note = dates.chain(known.map(str::to_owned)).collect::<Vec<_>>().join("; ");
    Some(Identifier {
        country: country(element),
        note: some(&note),
        ..vocabulary::identifier(&label, &value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Gender, IdentifierKind,
        import::{Format, Request, SourceFile, import},
    };

    const LIST: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<export xmlns="http://example.org/fsd/export" generationDate="2025-11-20T09:00:00.000+01:00" globalFileId="1">
<sanctionEntity designationDetails="" unitedNationId="QDi.9" euReferenceNumber="EU.1.2" logicalId="13"><remark>A remark.</remark>
<regulation regulationType="regulation" publicationDate="2003-07-07" programme="IRQ" numberTitle="1210/2003"/>
<subjectType code="person" classificationCode="P"/>
<nameAlias firstName="John" lastName="Doe" wholeName="John Doe" function="Minister" gender="M" strong="true" logicalId="1"/>
<nameAlias wholeName="Джон Доу" strong="true" logicalId="2"/><nameAlias wholeName="The Fox" strong="false" logicalId="3"/>
<citizenship countryIso2Code="IQ" countryDescription="IRAQ" logicalId="4"/>
<birthdate circa="true" calendarType="GREGORIAN" city="al-Awja" year="1937" countryIso2Code="IQ" countryDescription="IRAQ" logicalId="5"/>
<birthdate circa="false" calendarType="GREGORIAN" birthdate="1937-04-28" countryIso2Code="00" countryDescription="UNKNOWN" logicalId="6"/>
<address city="Baghdad" street="1 High Street" countryIso2Code="IQ" countryDescription="IRAQ" logicalId="7"><contactInfo key="EMAIL" value="a@b.example"/></address>
<identification number="K12" knownExpired="true" identificationTypeCode="passport" identificationTypeDescription="National passport" countryIso2Code="IQ" countryDescription="IRAQ" logicalId="8"/>
</sanctionEntity></export>"#;

    #[test]
    fn an_entity_of_the_schema() {
        let files = [SourceFile { name: "eu.xml", bytes: LIST.as_bytes() }];
        let got =
            import(&Request { format: Format::EuXml, source: None, encoding: None, files: &files }).unwrap();
        assert_eq!((got.version.source(), got.doubts.len(), got.skipped.len()), ("eu", 0, 0));
        let entry = got.version.entry("EU.1.2").unwrap();
        let names: Vec<_> = entry.names.iter().map(|n| (n.text.as_str(), n.quality)).collect();
        assert_eq!(
            names,
            [
                ("John Doe", NameQuality::Primary),
                ("Джон Доу", NameQuality::Strong),
                ("The Fox", NameQuality::Weak)
            ]
        );
        assert_eq!((entry.kind, entry.gender), (EntryKind::Person, Some(Gender::Male)));
        let dates: Vec<_> = entry.birth_dates.iter().map(ToString::to_string).collect();
        assert_eq!(dates, ["1937~", "1937-04-28"]);
        assert_eq!(entry.birth_places.len(), 1);
        assert_eq!(entry.nationalities[0].code(), Some("IQ"));
        let kinds: Vec<_> = entry.identifiers.iter().map(|i| i.kind).collect();
        assert_eq!(kinds, [IdentifierKind::Passport, IdentifierKind::Email]);
        assert_eq!(entry.programmes, ["IRQ"]);
        assert_eq!(entry.listed_on.map(|d| d.to_string()).as_deref(), Some("2003-07-07"));
        assert_eq!(entry.remarks.as_deref(), Some("UN reference QDi.9 A remark."));
    }
}
