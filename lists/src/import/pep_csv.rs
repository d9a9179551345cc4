//! Members of parliaments as EveryPolitician publishes them: one table a chamber and term, a row for each seat.
//! Who holds several seats stands on several rows with one id.

use sluice_model::EntryKind;

use super::{ImportError, Sink, TextFile, own, table, text::some, vocabulary};
use crate::{BirthDate, Country, Entry, Identifier, IdentifierKind, Name, NameQuality, Topic};

/// Read the tables; the source is named after the first.
pub(super) fn read(files: &[TextFile<'_>], sink: &mut Sink) -> Result<String, ImportError> {
    let layout = table::Layout { required: &["name"], ends_with_newline: true };
    for file in files {
        let country = country_of(file.name);
        table::read(file, &layout, sink, |row, sink| {
            let (Some(id), Some(name)) = (row.get(&["id"]), row.get(&["name"])) else {
                return sink.odd(file.name, row.line, "no id or no name");
            };
            let position = position(row);
            if let Some(held) = sink.entry_mut(&id) {
                held.positions.extend(position.filter(|p| !held.positions.contains(p)));
                return Ok(());
            }
            let mut entry = Entry::new(id, EntryKind::Person, name);
            entry.topics = vec![Topic::Pep];
            let others = ["sort_name", "name_en", "name_zh", "name_ru"].iter().filter_map(|c| row.get(&[c]));
            for name in others {
                if entry.names.iter().all(|n| n.text != name) {
                    entry.names.push(Name::new(name, NameQuality::Strong));
                }
            }
            entry.birth_dates.extend(row.get(&["birth_date"]).and_then(|d| BirthDate::parse(&d).ok()));
            entry.gender = row.get(&["gender"]).as_deref().and_then(vocabulary::gender);
            entry.nationalities.extend(country.clone());
            entry.positions.extend(position);
            entry.identifiers.extend(row.get(&["email"]).map(|value| Identifier {
                kind: IdentifierKind::Email,
                value,
                country: None,
                label: None,
                note: None,
            }));
            sink.entry(file.name, row.line, entry)
        })?;
    }
    Ok(own::source_name(files))
}

/// `Legislative Council, Kowloon East, term 5, 2012-10-01 to 2016-09-30`.
fn position(row: &table::Row<'_>) -> Option<String> {
    let term = row.get(&["term"]).map(|term| format!("term {term}"));
    let dates = match (row.get(&["start_date"]), row.get(&["end_date"])) {
        (None, None) => None,
        (from, to) => Some(format!("{} to {}", from.unwrap_or_default(), to.unwrap_or_default())),
    };
    let parts = [row.get(&["chamber"]), row.get(&["area"]), row.get(&["group"]), term, dates];
    let parts: Vec<String> = parts.into_iter().flatten().filter(|p| p != "unknown").collect();
    some(&parts.join(", "))
}

/// The country with which the file's name begins: `Hong_Kong_Legislative_Council_term-5.csv`.
fn country_of(file_name: &str) -> Option<Country> {
    let words: Vec<&str> = file_name.split(['_', '-', '.']).collect();
    (1..words.len())
        .rev()
        .map(|n| words[..n].join(" "))
        .find_map(|name| Country::parse(&name).filter(|c| c.code().is_some() && name.len() > 3))
}

#[cfg(test)]
mod tests {
    use crate::import::{Format, Request, SourceFile, import};

    #[test]
    fn seats_of_one_person_are_one_entry() {
        let text = "id,name,sort_name,chamber,area,term,start_date,end_date,gender\n\
            a,Peter CHAN Tai-man,\"CHAN, Peter\",Council,East,5,,,male\na,Peter CHAN Tai-man,\"CHAN, Peter\",Council,West,6,2016-01-01,,male\n";
        let files = [SourceFile { name: "Hong_Kong_Council_term-5.csv", bytes: text.as_bytes() }];
        let request = Request { format: Format::PepCsv, source: None, encoding: None, files: &files };
        let got = import(&request).unwrap();
        assert_eq!(got.version.source(), "hong-kong-council-term-5");
        let [entry] = got.version.entries() else { panic!("one entry") };
        assert_eq!(entry.positions, ["Council, East, term 5", "Council, West, term 6, 2016-01-01 to"]);
        assert_eq!(entry.nationalities[0].code(), Some("HK"));
        assert_eq!(entry.names.len(), 2);
    }
}
