//! The consolidated list of the United Nations Security Council, in XML.

use sluice_model::EntryKind;

use super::{
    ImportError, Sink, TextFile,
    text::some,
    vocabulary,
    xml::{self, Element},
};
use crate::{
    Address, BirthDate, Country, Entry, Identifier, IdentifierKind, Name, NameQuality, PartialDate, Place,
    Script, Topic,
};

const SHAPE: xml::Shape<'_> =
    xml::Shape { roots: &["CONSOLIDATED_LIST"], records: &["INDIVIDUAL", "ENTITY"] };
/// A remark in brackets after an alias has more words than this; a name in brackets has fewer.
const BRACKET_WORDS_MAX: usize = 4;

/// Read the list; the source's name.
pub(super) fn read(files: &[TextFile<'_>], sink: &mut Sink) -> Result<String, ImportError> {
    for file in files {
        let root = xml::read(file, &SHAPE, sink, |record, sink| {
            let line = record.line;
            match entry(&record) {
                Some(entry) => sink.entry(file.name, line, entry),
                None => sink.odd(file.name, line, "an entry without a reference number"),
            }
        })?;
        let generated = root.attribute("dateGenerated");
        sink.published(generated.and_then(|date| PartialDate::parse(date.get(..10)?).ok()));
    }
    Ok("un".to_owned())
}

fn entry(record: &Element) -> Option<Entry> {
    let id = record.text_of("REFERENCE_NUMBER").or_else(|| record.text_of("DATAID"))?;
    let (kind, prefix) = match record.name.as_str() {
        "INDIVIDUAL" => (EntryKind::Person, "INDIVIDUAL"),
        _ => (EntryKind::Organisation, "ENTITY"),
    };
    let part = |name: &str| format!("{prefix}_{name}");
    let given = ["FIRST_NAME", "SECOND_NAME", "THIRD_NAME", "FOURTH_NAME"];
    let primary: Vec<String> = given.iter().filter_map(|name| record.text_of(name)).collect();
    let mut entry = Entry::new(id, kind, primary.join(" "));
    entry.topics = vec![Topic::Sanction];
    let original = record.text_of("NAME_ORIGINAL_SCRIPT");
    entry.names.extend(original.map(|name| Name::new(name, NameQuality::Primary)));
    entry.gender = record.text_of("GENDER").as_deref().and_then(vocabulary::gender);
    entry.nationalities = countries(record.texts_in("NATIONALITY", "VALUE"));
    entry.programmes = record.text_of("UN_LIST_TYPE").into_iter().collect();
    entry.positions =
        record.texts_in("TITLE", "VALUE").chain(record.texts_in("DESIGNATION", "VALUE")).collect();
    entry.listed_on = record.text_of("LISTED_ON").and_then(|date| PartialDate::parse(date.get(..10)?).ok());
    entry.birth_dates = record.all("INDIVIDUAL_DATE_OF_BIRTH").filter_map(birth_date).collect();
    entry.birth_places = record.all("INDIVIDUAL_PLACE_OF_BIRTH").filter_map(birth_place).collect();
    entry.addresses = record.all(&part("ADDRESS")).filter_map(address).collect();
    entry.identifiers = record.all("INDIVIDUAL_DOCUMENT").filter_map(document).collect();
    let mut remarks: Vec<String> = record.text_of("COMMENTS1").into_iter().collect();
    for alias in record.all(&part("ALIAS")) {
        read_alias(alias, &mut entry);
        remarks.extend(alias.text_of("NOTE").map(|note| format!("On an alias: {note}")));
    }
    entry.remarks = some(&remarks.join(" "));
    Some(entry)
}

/// An alias with its quality; with it may stand a birth date and place that belong to it.
fn read_alias(alias: &Element, entry: &mut Entry) {
    let note = alias.text_of("NOTE").unwrap_or_default();
    let quality = match alias.text_of("QUALITY").as_deref() {
        Some("Low") => NameQuality::Weak,
        Some("f.k.a.") => NameQuality::Former,
        _ if note.contains("formerly listed") || note.contains("previously listed") => NameQuality::Former,
        _ => NameQuality::Strong,
    };
    let listed = alias.text_of("ALIAS_NAME").unwrap_or_default();
    let in_note = note.split_once(" script:").map(|(_, name)| name.trim().to_owned());
    entry.names.extend(alias_names(&listed).into_iter().chain(in_note).map(|name| Name::new(name, quality)));
    let date = alias.text_of("DATE_OF_BIRTH").and_then(|date| BirthDate::parse(&date).ok());
    entry.birth_dates.extend(date.filter(|d| !entry.birth_dates.contains(d)));
    let place = [alias.text_of("CITY_OF_BIRTH"), alias.text_of("COUNTRY_OF_BIRTH")];
    entry.birth_places.extend(place_of(place).filter(|p| !entry.birth_places.contains(p)));
}

/// The names in an alias: several between semicolons, one in brackets in another script; other remarks in
/// brackets (`born 1 Jan. 1953`) are left out, short ones in the same script may be part of the name.
fn alias_names(listed: &str) -> Vec<String> {
    // A semicolon inside brackets separates names too, so brackets are taken apart first.
    let (outside, inside) =
        match listed.split_once('(').and_then(|(a, rest)| Some((a, rest.rsplit_once(')')?))) {
            Some((before, (inside, after))) => (format!("{before} {after}"), inside),
            None => (listed.to_owned(), ""),
        };
    let inside = inside.rsplit_once("script:").map_or(inside, |(_, name)| name);
    let other_script = Script::of(inside) != Script::of(&outside) && Script::of(inside) != Script::Other;
    let remark =
        inside.bytes().any(|b| b.is_ascii_digit()) || inside.split_whitespace().count() > BRACKET_WORDS_MAX;
    let texts: Vec<&str> = match (inside.is_empty(), other_script, remark) {
        (true, _, _) | (_, false, true) => vec![outside.as_str()],
        (_, true, _) => vec![outside.as_str(), inside],
        (_, false, false) => vec![listed],
    };
    texts.iter().flat_map(|t| t.split(';')).filter_map(some).collect()
}

fn birth_date(element: &Element) -> Option<BirthDate> {
    let year = |name| element.text_of(name).and_then(|y| PartialDate::parse(&y).ok());
    let circa = element.text_of("TYPE_OF_DATE").is_some_and(|t| t == "APPROXIMATELY");
    if let (Some(from), Some(to)) = (year("FROM_YEAR"), year("TO_YEAR")) {
        return Some(BirthDate { from: from.min(to), to: Some(from.max(to)), circa });
    }
    let date =
        element.text_of("DATE").or_else(|| element.text_of("YEAR")).or_else(|| element.text_of("NOTE"))?;
    let date = BirthDate::parse(&date).ok()?;
    Some(BirthDate { circa: circa || date.circa, ..date })
}

fn birth_place(element: &Element) -> Option<Place> {
    place_of(["STREET", "CITY", "STATE_PROVINCE", "COUNTRY"].map(|name| element.text_of(name)))
}

/// A place of its parts, the last of which is the country.
fn place_of<const N: usize>(parts: [Option<String>; N]) -> Option<Place> {
    let country = parts.last().and_then(|c| Country::parse(c.as_deref()?));
    let text = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    some(&text).map(|text| Place { text, country })
}

fn address(element: &Element) -> Option<Address> {
    let address = Address {
        street: element.text_of("STREET"),
        city: element.text_of("CITY"),
        region: element.text_of("STATE_PROVINCE"),
        postcode: element.text_of("ZIP_CODE"),
        country: element.text_of("COUNTRY").and_then(|c| Country::parse(&c)),
        note: element.text_of("NOTE"),
    };
    Some(address).filter(|a| *a != Address::default())
}

fn document(element: &Element) -> Option<Identifier> {
    let value = element.text_of("NUMBER")?;
    let label = element.text_of("TYPE_OF_DOCUMENT2").or_else(|| element.text_of("TYPE_OF_DOCUMENT"));
    let label = label.unwrap_or_default();
    let country = element.text_of("ISSUING_COUNTRY").or_else(|| element.text_of("COUNTRY_OF_ISSUE"));
    let issued = element.text_of("DATE_OF_ISSUE").map(|date| format!("issued {date}"));
    let note: Vec<String> = issued.into_iter().chain(element.text_of("NOTE")).collect();
    let identifier = vocabulary::identifier(&label, &value);
    Some(Identifier {
        // The kind may stand in the number: `Counterfeit Danish driving licence number 20645897`.
        kind: match identifier.kind {
            IdentifierKind::Other => vocabulary::identifier_kind(&value),
            kind => kind,
        },
        country: country.and_then(|c| Country::parse(&c)),
        label: some(&label),
        note: some(&note.join("; ")),
        ..identifier
    })
}

fn countries(names: impl Iterator<Item = String>) -> Vec<Country> {
    let mut countries = Vec::new();
    for country in names.filter_map(|name| Country::parse(&name)) {
        if !countries.contains(&country) {
            countries.push(country);
        }
    }
    countries
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{Doubt, Format, Import, Request, SourceFile, import};

    const LIST: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<CONSOLIDATED_LIST dateGenerated="2026-02-27T00:00:09.554Z"><INDIVIDUALS><INDIVIDUAL>
<DATAID>1</DATAID><FIRST_NAME>IVAN</FIRST_NAME><SECOND_NAME>PETROV</SECOND_NAME><UN_LIST_TYPE>DRC</UN_LIST_TYPE>
<REFERENCE_NUMBER>CDi.999</REFERENCE_NUMBER><LISTED_ON>2012-12-31</LISTED_ON><GENDER>Male</GENDER>
<NAME_ORIGINAL_SCRIPT>Иван Петров</NAME_ORIGINAL_SCRIPT><COMMENTS1>A remark.</COMMENTS1>
<DESIGNATION><VALUE>Colonel</VALUE></DESIGNATION><NATIONALITY><VALUE>Democratic Republic of the Congo</VALUE></NATIONALITY>
<INDIVIDUAL_ALIAS><QUALITY>Good</QUALITY><ALIAS_NAME>Vanya; Wanja (original script: Ваня)</ALIAS_NAME></INDIVIDUAL_ALIAS>
<INDIVIDUAL_ALIAS><QUALITY>Low</QUALITY><ALIAS_NAME>The Bear (so called in 1999)</ALIAS_NAME></INDIVIDUAL_ALIAS>
<INDIVIDUAL_ALIAS><QUALITY/><ALIAS_NAME/></INDIVIDUAL_ALIAS>
<INDIVIDUAL_ADDRESS><CITY>Goma</CITY><COUNTRY>Rwanda</COUNTRY><NOTE>in 2016</NOTE></INDIVIDUAL_ADDRESS>
<INDIVIDUAL_DATE_OF_BIRTH><TYPE_OF_DATE>BETWEEN</TYPE_OF_DATE><FROM_YEAR>1973</FROM_YEAR><TO_YEAR>1974</TO_YEAR></INDIVIDUAL_DATE_OF_BIRTH>
<INDIVIDUAL_DATE_OF_BIRTH><TYPE_OF_DATE>APPROXIMATELY</TYPE_OF_DATE><YEAR>1971</YEAR></INDIVIDUAL_DATE_OF_BIRTH>
<INDIVIDUAL_PLACE_OF_BIRTH><CITY>Tunis</CITY><COUNTRY>Tunisia</COUNTRY></INDIVIDUAL_PLACE_OF_BIRTH>
<INDIVIDUAL_DOCUMENT><TYPE_OF_DOCUMENT>Passport</TYPE_OF_DOCUMENT><NUMBER>G 12</NUMBER><ISSUING_COUNTRY>Tunisia</ISSUING_COUNTRY></INDIVIDUAL_DOCUMENT>
</INDIVIDUAL></INDIVIDUALS><ENTITIES><ENTITY>
<FIRST_NAME>ACME (AC)</FIRST_NAME><REFERENCE_NUMBER>CDe.999</REFERENCE_NUMBER>
<ENTITY_ALIAS><QUALITY>f.k.a.</QUALITY><ALIAS_NAME>Old Acme</ALIAS_NAME></ENTITY_ALIAS>
</ENTITY></ENTITIES></CONSOLIDATED_LIST>"#;

    fn run(text: &str) -> Result<Import, ImportError> {
        let files = [SourceFile { name: "un.xml", bytes: text.as_bytes() }];
        import(&Request { format: Format::UnXml, source: None, encoding: None, files: &files })
    }

    #[test]
    fn individuals_and_entities() {
        let got = run(LIST).unwrap();
        assert_eq!((&got.skipped[..], &got.doubts[..]), (&[][..], &[][..]));
        assert_eq!(got.published.map(|d| d.to_string()).as_deref(), Some("2026-02-27"));
        let person = got.version.entry("CDi.999").unwrap();
        let names: Vec<_> = person.names.iter().map(|n| (n.text.as_str(), n.quality, n.script)).collect();
        assert_eq!(
            names,
            [
                ("IVAN PETROV", NameQuality::Primary, Script::Latin),
                ("Иван Петров", NameQuality::Primary, Script::Cyrillic),
                ("Vanya", NameQuality::Strong, Script::Latin),
                ("Wanja", NameQuality::Strong, Script::Latin),
                ("Ваня", NameQuality::Strong, Script::Cyrillic),
                ("The Bear", NameQuality::Weak, Script::Latin),
            ]
        );
        let dates: Vec<_> = person.birth_dates.iter().map(ToString::to_string).collect();
        assert_eq!(dates, ["1973/1974", "1971~"]);
        assert_eq!(person.nationalities[0].code(), Some("CD"));
        assert_eq!(person.birth_places[0].text, "Tunis, Tunisia");
        assert_eq!(person.identifiers[0].kind, IdentifierKind::Passport);
        assert_eq!(person.addresses[0].note.as_deref(), Some("in 2016"));
        assert_eq!(person.listed_on.map(|d| d.to_string()).as_deref(), Some("2012-12-31"));
        let entity = got.version.entry("CDe.999").unwrap();
        assert_eq!(entity.kind, EntryKind::Organisation);
        assert_eq!(entity.names[1].quality, NameQuality::Former);
    }

    #[test]
    fn a_list_cut_in_half_is_doubted() {
        let cut = LIST.find("<ENTITIES>").unwrap();
        let got = run(&LIST[..cut]).unwrap();
        assert!(matches!(got.doubts[..], [Doubt::Truncated { .. }]));
        assert_eq!(got.version.entries().len(), 1);
    }
}
