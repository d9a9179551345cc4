//! OFAC's lists in CSV: a primary file, alternate names, addresses and comments, joined by entity number.
//! Without headers; `-0- ` is an empty field; 0x1A may mark the end. The layout is the same for the SDN list
//! (`sdn.csv`, `alt.csv`, `add.csv`, `sdn_comments.csv`) and for the consolidated non-SDN list (`cons_*.csv`).

use std::collections::HashMap;

use sluice_model::EntryKind;

use super::{Doubt, ImportError, RECORD_BYTES_MAX, Sink, TextFile, ofac_remarks, text::some, vocabulary};
use crate::{Address, Country, Entry, Identifier, IdentifierKind, Name, NameQuality, Topic};

/// A record that spans more physical lines than this has a stray quotation mark.
const RECORD_LINES_MAX: usize = 8;
/// More fields than any record has; the rest of an odd line is not looked at.
const FIELDS_MAX: usize = 32;

/// Which list the files make up.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Set {
    Sdn,
    NonSdn,
}

/// What a file of the set holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    Primary,
    AlternateNames,
    Addresses,
    Comments,
}

impl Part {
    /// What a file holds, by its name in lower case.
    pub(super) fn of(name: &str) -> Option<Self> {
        classify(name).map(|(_, part)| part)
    }

    const fn columns(self) -> usize {
        match self {
            Self::Primary => 12,
            Self::AlternateNames => 5,
            Self::Addresses => 6,
            Self::Comments => 2,
        }
    }
}

fn classify(name: &str) -> Option<(Set, Part)> {
    let stem = name.strip_suffix(".csv")?;
    Some(match stem {
        "sdn" => (Set::Sdn, Part::Primary),
        "alt" | "sdn_alt" => (Set::Sdn, Part::AlternateNames),
        "add" | "sdn_add" => (Set::Sdn, Part::Addresses),
        "sdn_comments" => (Set::Sdn, Part::Comments),
        "cons_prim" => (Set::NonSdn, Part::Primary),
        "cons_alt" => (Set::NonSdn, Part::AlternateNames),
        "cons_add" => (Set::NonSdn, Part::Addresses),
        "cons_comments" => (Set::NonSdn, Part::Comments),
        _ => return None,
    })
}

/// Read a set of files; the name of the source that they make up.
pub(super) fn read(files: &[TextFile<'_>], sink: &mut Sink) -> Result<String, ImportError> {
    let mut parts: Vec<(Part, &TextFile<'_>)> = Vec::new();
    let mut sets = Vec::new();
    for file in files {
        let (set, part) = classify(&file.name.to_ascii_lowercase()).ok_or_else(|| {
            ImportError::Files(format!("{}: not the name of a file of OFAC's (such as sdn.csv)", file.name))
        })?;
        if parts.iter().any(|(held, _)| *held == part) && sets.contains(&set) {
            return Err(ImportError::Files(format!("{}: given twice", file.name)));
        }
        parts.push((part, file));
        sets.push(set);
    }
    if sets.windows(2).any(|pair| pair[0] != pair[1]) {
        return Err(ImportError::Files(
            "SDN and non-SDN files together: import each set by itself".to_owned(),
        ));
    }
    let find = |wanted| parts.iter().find(|(part, _)| *part == wanted).map(|(_, file)| *file);
    let primary = find(Part::Primary).ok_or_else(|| {
        ImportError::Files("the primary file (sdn.csv or cons_prim.csv) is missing".to_owned())
    })?;

    let mut comments = match find(Part::Comments) {
        Some(file) => read_comments(file, sink)?,
        None => HashMap::new(),
    };
    each_record(primary, Part::Primary, sink, |line, fields, sink| {
        let comment = fields.first().and_then(|id| comments.remove(id.trim()));
        match entry(fields, comment.as_ref().map(|(_, text)| text.as_str())) {
            Ok(entry) => sink.entry(primary.name, line, entry),
            Err(reason) => sink.odd(primary.name, line, reason),
        }
    })?;
    if let Some(file) = find(Part::Comments) {
        let mut dangling: Vec<_> = comments.into_iter().map(|(id, (line, _))| (line, id)).collect();
        dangling.sort_unstable();
        for (line, id) in dangling {
            sink.skip(file.name, line, format!("a comment on entry {id}, which is not in {}", primary.name))?;
        }
    }
    if let Some(file) = find(Part::AlternateNames) {
        read_joined(file, Part::AlternateNames, primary.name, sink, |entry, fields| {
            let name = alternate(entry.kind, fields)?;
            entry.names.push(name);
            Ok(())
        })?;
    }
    if let Some(file) = find(Part::Addresses) {
        read_joined(file, Part::Addresses, primary.name, sink, |entry, fields| {
            entry.addresses.extend(address(fields));
            Ok(())
        })?;
    }
    let source = if sets.contains(&Set::Sdn) { "ofac-sdn" } else { "ofac-nonsdn" };
    Ok(source.to_owned())
}

/// The remarks that did not fit into the primary file, by entity number, with the line they begin on.
fn read_comments(
    file: &TextFile<'_>,
    sink: &mut Sink,
) -> Result<HashMap<String, (u64, String)>, ImportError> {
    let mut comments: HashMap<String, (u64, String)> = HashMap::new();
    each_record(file, Part::Comments, sink, |line, fields, _| {
        if let [id, text] = fields {
            let (_, whole) = comments.entry(id.trim().to_owned()).or_insert((line, String::new()));
            whole.push_str(text);
        }
        Ok(())
    })?;
    Ok(comments)
}

/// Read a file whose rows belong to entries of the primary file.
fn read_joined(
    file: &TextFile<'_>,
    part: Part,
    primary: &str,
    sink: &mut Sink,
    mut join: impl FnMut(&mut Entry, &[String]) -> Result<(), String>,
) -> Result<(), ImportError> {
    let (mut rows, mut dangling) = (0, 0);
    each_record(file, part, sink, |line, fields, sink| {
        rows += 1;
        let id = fields.first().map_or("", |id| id.trim());
        let joined = match sink.entry_mut(id) {
            Some(entry) => join(entry, fields),
            None => {
                dangling += 1;
                Err(format!("belongs to entry {id}, which is not in {primary}"))
            }
        };
        joined.or_else(|reason| sink.skip(file.name, line, reason))
    })?;
    if dangling * 100 > rows * super::DANGLING_PERCENT_MAX {
        sink.doubt(Doubt::Dangling { file: file.name.to_owned(), dangling, rows });
    }
    Ok(())
}

/// Every record of a file with the right number of fields; the others are odd. The format has a record on each
/// line: a stray quotation mark spoils its own line and no other.
fn each_record(
    file: &TextFile<'_>,
    part: Part,
    sink: &mut Sink,
    mut each: impl FnMut(u64, &[String], &mut Sink) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let odd = |sink: &mut Sink, line: u64, reason: String| match part {
        Part::Primary => sink.odd(file.name, line, reason),
        _ => sink.skip(file.name, line, reason),
    };
    let text = file.text.trim_end_matches('\u{1a}');
    let mut splitter = Splitter::new();
    let mut lines = (1_u64..).zip(text.split_inclusive('\n')).peekable();
    while let Some((line, first)) = lines.next() {
        if first.trim().is_empty() {
            continue;
        }
        if first.len() > RECORD_BYTES_MAX {
            odd(sink, line, format!("a line of {} bytes; the limit is {RECORD_BYTES_MAX}", first.len()))?;
            continue;
        }
        let (record, fields) = whole_record(first, lines.clone().map(|(_, line)| line), part, &mut splitter);
        for _ in 1..record.split_inclusive('\n').count() {
            lines.next();
        }
        let cut = lines.peek().is_none() && !record.ends_with('\n') && text.len() == file.text.len();
        if cut && !is_whole(&record, &fields, part) {
            sink.doubt(Doubt::Truncated {
                file: file.name.to_owned(),
                line,
                reason: "its last record is not whole",
            });
            odd(sink, line, "the file ends in the middle of this record".to_owned())?;
        } else if !whole_quotes(&record) {
            odd(sink, line, "a quotation mark is not closed".to_owned())?;
        } else if fields.len() != part.columns() {
            odd(sink, line, format!("{} fields; a record has {}", fields.len(), part.columns()))?;
        } else if line == 1 && fields[0].trim().eq_ignore_ascii_case("ent_num") {
            // Somebody added the headers of OFAC's description of the format.
        } else {
            each(line, &fields, sink)?;
        }
    }
    Ok(())
}

/// A line with its fields; where a quotation mark stays open and the lines after it close it into a record of the
/// right length, with those.
fn whole_record<'a>(
    first: &str,
    after: impl Iterator<Item = &'a str>,
    part: Part,
    splitter: &mut Splitter,
) -> (String, Vec<String>) {
    let mut record = first.to_owned();
    for next in after.take(RECORD_LINES_MAX - 1) {
        if whole_quotes(&record) || record.len() + next.len() > RECORD_BYTES_MAX {
            break;
        }
        record.push_str(next);
    }
    let fields = splitter.split(&record);
    if whole_quotes(&record) && fields.len() == part.columns() {
        return (record, fields);
    }
    (first.to_owned(), splitter.split(first))
}

/// Whether every quotation mark is closed.
fn whole_quotes(record: &str) -> bool {
    record.bytes().filter(|b| *b == b'"').count() % 2 == 0
}

/// Whether the last record of a file without a final newline is complete: the last field is quoted or empty.
fn is_whole(record: &str, fields: &[String], part: Part) -> bool {
    let last = record.trim_end();
    whole_quotes(record) && fields.len() == part.columns() && (last.ends_with('"') || last.ends_with(",-0-"))
}

/// Takes single records apart. One automaton serves all of them: to make it costs more than to use it.
struct Splitter {
    reader: csv_core::Reader,
    text: Vec<u8>,
    ends: [usize; FIELDS_MAX],
}

impl Splitter {
    fn new() -> Self {
        Self { reader: csv_core::Reader::new(), text: Vec::new(), ends: [0; FIELDS_MAX] }
    }

    /// The fields of one record, of too many only the first; an empty field in OFAC's notation is empty.
    fn split(&mut self, record: &str) -> Vec<String> {
        self.reader.reset();
        self.text.resize(record.len() + 1, 0);
        let (result, _, written, ended) =
            self.reader.read_record(record.as_bytes(), &mut self.text, &mut self.ends);
        let ended = if result == csv_core::ReadRecordResult::InputEmpty {
            // The record ends without a newline: the end of the input ends it.
            let (text, ends) = (&mut self.text[written..], &mut self.ends[ended..]);
            let (_, _, _, more) = self.reader.read_record(&[], text, ends);
            ended + more
        } else {
            ended
        };
        let mut start = 0;
        let ends = &self.ends[..ended];
        let mut fields = Vec::with_capacity(ended);
        for end in ends {
            let field = String::from_utf8_lossy(self.text.get(start..*end).unwrap_or_default());
            fields.push(if field.trim() == "-0-" { String::new() } else { field.into_owned() });
            start = *end;
        }
        fields
    }
}

/// The entry of a primary record, its remarks continued by `comment`.
fn entry(fields: &[String], comment: Option<&str>) -> Result<Entry, String> {
    let [id, name, kind, programmes, title, call_sign, vessel_type, tonnage, gross, flag, owner, remarks] =
        fields
    else {
        return Err("not twelve fields".to_owned());
    };
    let id = id.trim();
    if id.is_empty() || !id.bytes().all(|b| b.is_ascii_digit()) {
        return Err("does not begin with an entity number".to_owned());
    }
    let kind = match kind.trim() {
        "" => EntryKind::Organisation,
        word => vocabulary::entry_kind(word).ok_or_else(|| format!("unknown type {word:?}"))?,
    };
    let mut entry = Entry::new(id, kind, "");
    entry.names = vec![ofac_remarks::listed_name(kind, name, NameQuality::Primary)];
    entry.topics = vec![Topic::Sanction];
    // Several programmes stand as `SDGT] [IFSR`.
    entry.programmes = programmes.split("] [").filter_map(some).collect();
    entry.positions = title.split(';').filter_map(some).collect();
    entry.nationalities.extend(Country::parse(flag));
    if let Some(value) = some(call_sign) {
        let kind = IdentifierKind::CallSign;
        entry.identifiers.push(Identifier { kind, value, country: None, label: None, note: None });
    }
    let vessel = [
        ("Vessel Type", vessel_type),
        ("Tonnage", tonnage),
        ("Gross Registered Tonnage", gross),
        ("Vessel Owner", owner),
    ];
    let vessel = vessel.into_iter().filter_map(|(what, value)| Some(format!("{what} {}", some(value)?)));
    // The comment goes on where the remarks were cut, in the middle of a word if need be.
    let remarks = format!("{remarks}{}", comment.unwrap_or_default());
    ofac_remarks::read(&remarks, &mut entry);
    entry.remarks = some(&vessel.chain(some(&remarks)).collect::<Vec<_>>().join("; "));
    Ok(entry)
}

/// An alternate name: entity number, number, type, name, remarks.
fn alternate(kind: EntryKind, fields: &[String]) -> Result<Name, String> {
    let [_, _, alias_type, name, _] = fields else { return Err("not five fields".to_owned()) };
    let quality = match alias_type.trim() {
        "aka" | "nka" => NameQuality::Strong,
        "fka" => NameQuality::Former,
        other => return Err(format!("unknown type of alternate name {other:?}")),
    };
    let name = ofac_remarks::listed_name(kind, name, quality);
    let length = name.text.chars().count();
    if length == 0 || length > super::NAME_CHARS_MAX {
        return Err(format!("a name has 1 to {} characters, this one {length}", super::NAME_CHARS_MAX));
    }
    Ok(name)
}

/// An address: entity number, number, street, city with region and postcode, country, remarks. Nothing where
/// the record says nothing.
fn address(fields: &[String]) -> Option<Address> {
    let [_, _, street, city, country, note] = fields else { return None };
    let address = Address {
        street: some(street),
        city: some(city),
        country: Country::parse(country),
        note: some(note),
        ..Address::default()
    };
    Some(address).filter(|a| *a != Address::default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{Format, Import, Request, SourceFile, import};

    const SDN: &str = "1,\"DOE, John\",\"individual\",\"SDGT] [IRGC\",\"General; Minister\",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,\"DOB 1962; a.k.a. 'THE FOX'\"\r\n\
        2,\"GOOD SHIP\",\"vessel\",\"CUBA\",-0- ,\"CL1\",\"Tug\",\"10\",-0- ,\"Cuba\",\"Owner S.A.\",-0- \r\n\
        3,\"ACME LTD.\",-0- ,\"CUBA\",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,\"Tax ID No. 12345\"\r\n\u{1a}";
    const ALT: &str = "1,7,\"aka\",\"DOE, Jon\",-0- \r\n1,8,\"fka\",\"ROE, John\",-0- \r\n\u{1a}";

    fn run(files: &[(&str, &str)]) -> Result<Import, ImportError> {
        let files: Vec<_> =
            files.iter().map(|(name, text)| SourceFile { name, bytes: text.as_bytes() }).collect();
        import(&Request { format: Format::OfacCsv, source: None, encoding: None, files: &files })
    }

    #[test]
    fn the_files_of_a_set_are_joined() {
        let comments = "3,\"6; Linked To: DOE, John.\"\r\n";
        let add = "1,9,\"1 High Street\",\"Havana\",\"Cuba\",-0- \r\n2,10,-0- ,-0- ,-0- ,-0- \r\n";
        let files = [("SDN.CSV", SDN), ("alt.csv", ALT), ("add.csv", add), ("sdn_comments.csv", comments)];
        let got = run(&files).unwrap();
        assert_eq!((got.skipped, got.doubts), (vec![], vec![]));
        assert_eq!(got.version.source(), "ofac-sdn");
        let doe = got.version.entry("1").unwrap();
        let names: Vec<_> = doe.names.iter().map(|n| (n.text.as_str(), n.quality)).collect();
        assert_eq!(
            names,
            [
                ("DOE, John", NameQuality::Primary),
                ("DOE, Jon", NameQuality::Strong),
                ("ROE, John", NameQuality::Former),
                ("THE FOX", NameQuality::Weak),
            ]
        );
        assert_eq!(doe.names[0].family.as_deref(), Some("DOE"));
        assert_eq!(doe.programmes, ["SDGT", "IRGC"]);
        assert_eq!(doe.positions, ["General", "Minister"]);
        assert_eq!(doe.addresses[0].country.as_ref().and_then(Country::code), Some("CU"));
        let ship = got.version.entry("2").unwrap();
        assert_eq!(ship.kind, EntryKind::Vessel);
        assert_eq!(ship.identifiers[0].value, "CL1");
        assert_eq!(ship.addresses, []);
        assert_eq!(ship.remarks.as_deref(), Some("Vessel Type Tug; Tonnage 10; Vessel Owner Owner S.A."));
        let acme = got.version.entry("3").unwrap();
        assert_eq!(acme.identifiers[0].value, "123456", "the comment goes on where the remark was cut");
        assert_eq!(acme.links, ["DOE, John"]);
    }

    #[test]
    fn odd_lines_are_skipped_and_named() {
        let sdn = format!("x,\"NO NUMBER\"\r\n{SDN}");
        let alt = "1,7,\"aka\",\"DOE, \"J\",-0- \r\n1,8,\"zka\",\"X\",-0- \r\n9,9,\"aka\",\"Y\",-0- \r\n2,10,\"aka\",\"B\",-0- \r\n";
        let got = run(&[("sdn.csv", &sdn), ("alt.csv", alt)]).unwrap();
        let lines: Vec<_> = got.skipped.iter().map(|s| (s.file.as_str(), s.line)).collect();
        assert_eq!(lines, [("sdn.csv", 1), ("alt.csv", 1), ("alt.csv", 2), ("alt.csv", 3)]);
        assert_eq!(got.version.entries().len(), 3);
        assert_eq!(got.version.entry("2").unwrap().names.len(), 2);
    }

    #[test]
    fn a_cut_file_is_doubted_wherever_it_is_cut_inside_a_record() {
        let whole = SDN.trim_end_matches('\u{1a}');
        for cut in 1..whole.len() {
            let got = run(&[("sdn.csv", &whole[..cut])]);
            let rest = whole[..cut].rsplit('\n').next().unwrap();
            let record = whole.lines().find(|l| l.starts_with(rest.trim_end())).unwrap();
            let at_end = rest.is_empty() || rest.trim_end() == record.trim_end();
            match got {
                Ok(got) => assert_eq!(got.doubts.is_empty(), at_end, "cut at {cut}: {rest}"),
                Err(error) => assert!(matches!(error, ImportError::Empty(_)), "{error}"),
            }
        }
    }

    #[test]
    fn a_primary_file_cut_between_records_shows_in_the_aliases() {
        let primary = "1,\"A\",-0- ,\"X\",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \r\n";
        let alt: String = (1..=3).map(|id| format!("{id},{id},\"aka\",\"B\",-0- \r\n")).collect();
        let got = run(&[("sdn.csv", primary), ("alt.csv", &alt)]).unwrap();
        assert!(matches!(got.doubts[..], [Doubt::Dangling { dangling: 2, rows: 3, .. }]));
    }

    #[test]
    fn sets_are_not_mixed() {
        assert!(run(&[("sdn.csv", SDN), ("cons_prim.csv", SDN)]).is_err());
        assert!(run(&[("alt.csv", ALT)]).is_err());
        assert!(run(&[("sdn.csv", SDN), ("SDN.csv", SDN)]).is_err());
        assert_eq!(run(&[("cons_prim.csv", SDN)]).unwrap().version.source(), "ofac-nonsdn");
    }
}
