//! OFAC's lists in the plain XML of its schema `sdnList` (`sdn.xml`, `consolidated.xml`).

use sluice_model::EntryKind;

use super::{
    ImportError, Sink, TextFile, ofac_remarks,
    text::some,
    vocabulary,
    xml::{self, Element},
};
use crate::{
    Address, BirthDate, Country, Entry, Identifier, IdentifierKind, Name, NameQuality, PartialDate, Place,
    Topic,
};

const SHAPE: xml::Shape<'_> = xml::Shape { roots: &["sdnList"], records: &["publshInformation", "sdnEntry"] };

/// Read the list; the source's name.
pub(super) fn read(files: &[TextFile<'_>], sink: &mut Sink) -> Result<String, ImportError> {
    for file in files {
        xml::read(file, &SHAPE, sink, |record, sink| {
            if record.name == "publshInformation" {
                sink.published(record.text_of("Publish_Date").as_deref().and_then(us_date));
                return Ok(());
            }
            match entry(&record) {
                Some(entry) => sink.entry(file.name, record.line, entry),
                None => sink.odd(file.name, record.line, "an entry without a uid"),
            }
        })?;
    }
    Ok(source_name(files))
}

/// Both lists have one layout; only the file's name tells them apart.
pub(super) fn source_name(files: &[TextFile<'_>]) -> String {
    let non_sdn = files.iter().any(|f| f.stem().starts_with("cons"));
    if non_sdn { "ofac-nonsdn" } else { "ofac-sdn" }.to_owned()
}

fn entry(record: &Element) -> Option<Entry> {
    let id = record.text_of("uid")?;
    let kind = record.text_of("sdnType").as_deref().and_then(vocabulary::entry_kind);
    let kind = kind.unwrap_or(EntryKind::Organisation);
    let mut entry = Entry::new(id, kind, "");
    entry.names = vec![name(record, NameQuality::Primary)];
    entry.topics = vec![Topic::Sanction];
    for aka in record.all("akaList").flat_map(|list| list.all("aka")) {
        let weak = aka.text_of("category").is_some_and(|c| c.eq_ignore_ascii_case("weak"));
        let former = aka.text_of("type").is_some_and(|t| t.starts_with("f.k.a"));
        entry.names.push(name(
            aka,
            if weak {
                NameQuality::Weak
            } else if former {
                NameQuality::Former
            } else {
                NameQuality::Strong
            },
        ));
    }
    entry.programmes = record.texts_in("programList", "program").collect();
    entry.positions = record.text_of("title").iter().flat_map(|t| t.split(';')).filter_map(some).collect();
    for (list, item, field) in
        [("nationalityList", "nationality", "country"), ("citizenshipList", "citizenship", "country")]
    {
        for text in record.all(list).flat_map(|l| l.all(item)).filter_map(|i| i.text_of(field)) {
            let country = Country::parse(&text).filter(|c| !entry.nationalities.contains(c));
            entry.nationalities.extend(country);
        }
    }
    let dates = record.all("dateOfBirthList").flat_map(|l| l.all("dateOfBirthItem"));
    entry.birth_dates = dates.filter_map(|i| BirthDate::parse(&i.text_of("dateOfBirth")?).ok()).collect();
    let places = record.all("placeOfBirthList").flat_map(|l| l.all("placeOfBirthItem"));
    entry.birth_places = places
        .filter_map(|i| i.text_of("placeOfBirth"))
        .map(|text| Place { country: Country::at_end_of(&text), text })
        .collect();
    entry.addresses = record.all("addressList").flat_map(|l| l.all("address")).filter_map(address).collect();
    for id in record.all("idList").flat_map(|l| l.all("id")) {
        read_id(id, &mut entry);
    }
    if let Some(vessel) = record.child("vesselInfo") {
        let flag = vessel.text_of("vesselFlag").and_then(|flag| Country::parse(&flag));
        entry.nationalities.extend(flag);
        entry.identifiers.extend(vessel.text_of("callSign").map(|value| Identifier {
            kind: IdentifierKind::CallSign,
            value,
            country: None,
            label: None,
            note: None,
        }));
    }
    let vessel = [
        ("Vessel Type", "vesselType"),
        ("Tonnage", "tonnage"),
        ("Gross Registered Tonnage", "grossRegisteredTonnage"),
        ("Vessel Owner", "vesselOwner"),
    ];
    let info = record.child("vesselInfo");
    let vessel =
        vessel.into_iter().filter_map(|(what, field)| Some(format!("{what} {}", info?.text_of(field)?)));
    let remarks = record.text_of("remarks").unwrap_or_default();
    let unbracketed = remarks.replace("(Linked To:", "Linked To:").replace(')', ";");
    ofac_remarks::read(if remarks.contains("(Linked To:") { &unbracketed } else { &remarks }, &mut entry);
    entry.remarks = some(&vessel.chain(some(&remarks)).collect::<Vec<_>>().join("; "));
    Some(entry)
}

/// `lastName, firstName`, as OFAC prints it.
fn name(element: &Element, quality: NameQuality) -> Name {
    let family = element.text_of("lastName");
    let given = element.text_of("firstName");
    let text = [family.clone(), given.clone()].into_iter().flatten().collect::<Vec<_>>().join(", ");
    Name { family: family.filter(|_| given.is_some()), ..Name::new(text, quality) }
}

fn address(element: &Element) -> Option<Address> {
    let lines = ["address1", "address2", "address3"].iter().filter_map(|name| element.text_of(name));
    let address = Address {
        street: some(&lines.collect::<Vec<_>>().join(", ")),
        city: element.text_of("city"),
        region: element.text_of("stateOrProvince").or_else(|| element.text_of("region")),
        postcode: element.text_of("postalCode"),
        country: element.text_of("country").and_then(|c| Country::parse(&c)),
        note: None,
    };
    Some(address).filter(|a| *a != Address::default())
}

/// An identifier, or one of the facts that OFAC keeps among them.
fn read_id(id: &Element, entry: &mut Entry) {
    let label = id.text_of("idType").unwrap_or_default();
    let Some(value) = id.text_of("idNumber") else { return };
    if label == "Gender" {
        entry.gender = vocabulary::gender(&value);
    } else if label == "Chinese Commercial Code" {
        entry.names.extend(ofac_remarks::telegraph_codes(&value));
    } else if let Some(identifier) = ofac_remarks::labelled(&label, &value) {
        let country = id.text_of("idCountry").and_then(|c| Country::parse(&c));
        let issued = id.text_of("issueDate").map(|date| format!("issued {date}"));
        let expires = id.text_of("expirationDate").map(|date| format!("expires {date}"));
        let note: Vec<String> = issued.into_iter().chain(expires).collect();
        entry.identifiers.push(Identifier { country, note: some(&note.join(" ")), ..identifier });
    }
}

/// `MM/DD/YYYY`.
fn us_date(text: &str) -> Option<PartialDate> {
    let mut parts = text.split('/');
    let (month, day, year) = (parts.next()?, parts.next()?, parts.next()?);
    PartialDate::new(year.trim().parse().ok()?, month.trim().parse().ok(), day.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Gender, Script,
        import::{Format, Request, SourceFile, import},
    };

    const LIST: &str = r#"<?xml version="1.0"?>
<sdnList xmlns="https://example.org/XML"><publshInformation><Publish_Date>07/15/2021</Publish_Date></publshInformation>
<sdnEntry><uid>1</uid><firstName>John</firstName><lastName>DOE</lastName><title>General; Minister</title><sdnType>Individual</sdnType>
<remarks>(Linked To: ACME LTD.)</remarks><programList><program>SDGT</program></programList>
<idList><id><uid>9</uid><idType>Passport</idType><idNumber>K12</idNumber><idCountry>Iran</idCountry><expirationDate>25 May 2004</expirationDate></id>
<id><uid>8</uid><idType>Gender</idType><idNumber>Male</idNumber></id>
<id><uid>7</uid><idType>Chinese Commercial Code</idType><idNumber>1728 4320</idNumber></id>
<id><uid>7</uid><idType>Digital Currency Address - XBT</idType><idNumber>1Kuf</idNumber></id></idList>
<akaList><aka><uid>2</uid><type>a.k.a.</type><category>weak</category><lastName>THE FOX</lastName></aka>
<aka><uid>3</uid><type>f.k.a.</type><category>strong</category><lastName>ROE</lastName><firstName>J</firstName></aka></akaList>
<nationalityList><nationality><uid>4</uid><country>Iran</country><mainEntry>true</mainEntry></nationality></nationalityList>
<dateOfBirthList><dateOfBirthItem><uid>5</uid><dateOfBirth>circa 1962</dateOfBirth><mainEntry>true</mainEntry></dateOfBirthItem></dateOfBirthList>
</sdnEntry>
<sdnEntry><uid>2</uid><lastName>GOOD SHIP</lastName><sdnType>Vessel</sdnType><programList/><vesselInfo><callSign>CL1</callSign><vesselFlag>Cuba</vesselFlag></vesselInfo></sdnEntry>
</sdnList>"#;

    #[test]
    fn entries_of_the_schema() {
        let files = [SourceFile { name: "sdn.xml", bytes: LIST.as_bytes() }];
        let got = import(&Request { format: Format::OfacXml, source: None, encoding: None, files: &files })
            .unwrap();
        assert_eq!((got.version.source(), got.doubts.len(), got.skipped.len()), ("ofac-sdn", 0, 0));
        assert_eq!(got.published.map(|d| d.to_string()).as_deref(), Some("2021-07-15"));
        let doe = got.version.entry("1").unwrap();
        let names: Vec<_> = doe.names.iter().map(|n| (n.text.as_str(), n.quality, n.script)).collect();
        assert_eq!(
            names,
            [
                ("DOE, John", NameQuality::Primary, Script::Latin),
                ("1728 4320", NameQuality::Primary, Script::Telegraph),
                ("ROE, J", NameQuality::Former, Script::Latin),
                ("THE FOX", NameQuality::Weak, Script::Latin),
            ]
        );
        assert_eq!((doe.gender, doe.names[0].family.as_deref()), (Some(Gender::Male), Some("DOE")));
        assert_eq!(doe.identifiers[0].note.as_deref(), Some("expires 25 May 2004"));
        assert_eq!(doe.identifiers[1].kind, IdentifierKind::Wallet);
        assert_eq!(doe.links, ["ACME LTD."]);
        assert_eq!(doe.birth_dates[0].to_string(), "1962~");
        let ship = got.version.entry("2").unwrap();
        assert_eq!((ship.kind, ship.nationalities[0].code()), (EntryKind::Vessel, Some("CU")));
    }
}
