//! The United Kingdom's lists as tables: the UK Sanctions List of the FCDO and, in its shape until January 2026, the
//! consolidated list of OFSI. Each name, address and date of an entry may stand on a row of its own; the rows are
//! joined by the entry's number.

use sluice_model::EntryKind;

use super::{ImportError, Sink, TextFile, table, text::some, vocabulary};
use crate::{Address, BirthDate, Country, Entry, Name, NameQuality, PartialDate, Place, Topic};

/// Read the tables; the source's name.
pub(super) fn read(files: &[TextFile<'_>], sink: &mut Sink) -> Result<String, ImportError> {
    let layout = table::Layout { required: &["name_6"], ends_with_newline: true };
    for file in files {
        let above = table::read(file, &layout, sink, |row, sink| {
            let Some(id) = row.get(&["unique_id", "group_id"]) else {
                return sink.odd(file.name, row.line, "no number");
            };
            if let Some(held) = sink.entry_mut(&id) {
                add_row(row, held);
                return Ok(());
            }
            let kind = row.get(&["individual_entity_ship", "group_type", "designation_type"]);
            let kind = kind.as_deref().and_then(vocabulary::entry_kind).unwrap_or(EntryKind::Organisation);
            let mut entry = Entry::new(id, kind, "");
            entry.names.clear();
            entry.topics = vec![Topic::Sanction];
            add_row(row, &mut entry);
            sink.entry(file.name, row.line, entry)
        })?;
        // `Report Date: 12-Nov-2025` or `Last Updated,12/11/2025`.
        let date = above.trim().trim_start_matches(|c: char| !c.is_ascii_digit());
        sink.published(PartialDate::parse(date).ok());
    }
    Ok("uk".to_owned())
}

/// Add what a row says to its entry, each thing once.
fn add_row(row: &table::Row<'_>, entry: &mut Entry) {
    for name in names(row, entry.kind) {
        push(&mut entry.names, Some(name), |a, b| a.text == b.text);
    }
    for date in row.list(&["d_o_b", "dob"]) {
        push(&mut entry.birth_dates, BirthDate::parse(&date).ok(), PartialEq::eq);
    }
    push(&mut entry.birth_places, birth_place(row), PartialEq::eq);
    push(&mut entry.addresses, address(row), PartialEq::eq);
    for column in ["nationality_ies", "nationality", "current_believed_flag_of_ship", "flag_of_ship"] {
        for text in row.list(&[column]) {
            push(&mut entry.nationalities, Country::parse(&text), PartialEq::eq);
        }
    }
    entry.gender = row.get(&["gender"]).as_deref().and_then(vocabulary::gender).or(entry.gender);
    let identifiers = [
        ("Passport", "passport_number"),
        ("National identification number", "national_identifier_number"),
        ("National identification number", "national_identification_number"),
        ("Business registration number", "business_registration_number_s"),
        ("IMO number", "imo_number"),
        ("Phone", "phone_number"),
        ("Website", "website"),
        ("Email", "email_address"),
    ];
    for (label, column) in identifiers {
        for value in row.list(&[column]) {
            push(&mut entry.identifiers, Some(vocabulary::identifier(label, &value)), PartialEq::eq);
        }
    }
    push(&mut entry.programmes, row.get(&["regime_name", "regime"]), PartialEq::eq);
    push(&mut entry.positions, row.get(&["position"]), PartialEq::eq);
    push(&mut entry.positions, row.get(&["title"]), PartialEq::eq);
    let listed = row.get(&["date_designated", "listed_on"]).and_then(|date| PartialDate::parse(&date).ok());
    entry.listed_on = entry.listed_on.or(listed);
    let remarks = [row.get(&["other_information"]), row.get(&["uk_statement_of_reasons"])];
    let remarks = some(&remarks.into_iter().flatten().collect::<Vec<_>>().join(" "));
    if entry.remarks.is_none() {
        entry.remarks = remarks;
    }
}

/// The name on a row (`Name 6` is the family name or the whole name of an organisation) and its original script.
fn names(row: &table::Row<'_>, kind: EntryKind) -> Vec<Name> {
    let kind_of_name = row.get(&["name_type", "alias_type"]).unwrap_or_default().to_lowercase();
    let strength = row.get(&["alias_strength", "alias_quality"]).unwrap_or_default().to_lowercase();
    let quality = if kind_of_name == "primary name" {
        NameQuality::Primary
    } else if strength.contains("low") || strength.contains("weak") {
        NameQuality::Weak
    } else if kind_of_name.contains("fka") || kind_of_name.contains("former") {
        NameQuality::Former
    } else {
        NameQuality::Strong
    };
    let parts =
        ["name_1", "name_2", "name_3", "name_4", "name_5", "name_6"].iter().filter_map(|c| row.get(&[c]));
    let text = some(&parts.collect::<Vec<_>>().join(" "));
    let family = row.get(&["name_6"]).filter(|_| kind == EntryKind::Person);
    let latin = text.map(|text| Name { family: family.filter(|f| *f != text), ..Name::new(text, quality) });
    let original = row.get(&["name_non_latin_script"]).map(|text| Name::new(text, quality));
    latin.into_iter().chain(original).collect()
}

fn birth_place(row: &table::Row<'_>) -> Option<Place> {
    let (town, country) = (row.get(&["town_of_birth"]), row.get(&["country_of_birth"]));
    let text = some(&[town, country.clone()].into_iter().flatten().collect::<Vec<_>>().join(", "))?;
    Some(Place { text, country: country.and_then(|c| Country::parse(&c)) })
}

fn address(row: &table::Row<'_>) -> Option<Address> {
    let lines = (1..=6).filter_map(|n| row.get(&[&format!("address_line_{n}"), &format!("address_{n}")]));
    let address = Address {
        street: some(&lines.collect::<Vec<_>>().join(", ")),
        postcode: row.get(&["address_postal_code", "post_zip_code"]),
        country: row.get(&["address_country", "country"]).and_then(|c| Country::parse(&c)),
        ..Address::default()
    };
    Some(address).filter(|a| *a != Address::default())
}

fn push<T>(held: &mut Vec<T>, new: Option<T>, same: impl Fn(&T, &T) -> bool) {
    if let Some(new) = new.filter(|new| held.iter().all(|h| !same(h, new))) {
        held.push(new);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{Format, Import, Request, SourceFile, import};

    fn run(text: &str) -> Import {
        let files = [SourceFile { name: "list.csv", bytes: text.as_bytes() }];
        import(&Request { format: Format::UkCsv, source: None, encoding: None, files: &files }).unwrap()
    }

    fn check(got: &Import, id: &str) {
        assert_eq!((got.version.source(), got.doubts.len(), got.skipped.len()), ("uk", 0, 0));
        assert_eq!(got.published.map(|d| d.to_string()).as_deref(), Some("2025-11-12"));
        let entry = got.version.entry(id).unwrap();
        let names: Vec<_> = entry.names.iter().map(|n| (n.text.as_str(), n.quality)).collect();
        assert_eq!(
            names,
            [
                ("John Albert DOE", NameQuality::Primary),
                ("Джон Доу", NameQuality::Primary),
                ("FOX", NameQuality::Weak)
            ]
        );
        assert_eq!(entry.names[0].family.as_deref(), Some("DOE"));
        // In the order of the rows.
        let mut dates: Vec<_> = entry.birth_dates.iter().map(ToString::to_string).collect();
        dates.sort();
        assert_eq!(dates, ["1962-03-05", "1963"]);
        assert_eq!(entry.nationalities[0].code(), Some("RU"));
        assert_eq!(entry.programmes, ["Nowhere"]);
    }

    #[test]
    fn rows_of_the_uk_sanctions_list_are_joined() {
        check(
            &run("Report Date: 12-Nov-2025\r\n\
                Unique ID,Name 6,Name 1,Name 2,Name type,Alias strength,Name non-latin script,Regime Name,\"Individual, Entity, Ship\",D.O.B,Nationality(/ies)\r\n\
                NOW0001,FOX,,,Alias,Low quality,,Nowhere,Individual,00/00/1963,Russia\r\n\
                NOW0001,DOE,John,Albert,Primary Name,,Джон Доу,Nowhere,Individual,05/03/1962,Russia\r\n"),
            "NOW0001",
        );
    }

    #[test]
    fn rows_of_ofsis_list_are_joined() {
        check(
            &run("Last Updated,12/11/2025\n\
                Name 6,Name 1,Name 2,Name Non-Latin Script,DOB,Nationality,Group Type,Alias Type,Alias Quality,Regime,Group ID\n\
                DOE,John,Albert,Джон Доу,05/03/1962,Russia,Individual,Primary name,,Nowhere,7\n\
                FOX,,,,00/00/1963,Russia,Individual,AKA,Low quality,Nowhere,7\n"),
            "7",
        );
    }
}
