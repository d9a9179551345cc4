//! No reader panics, whatever it is given: bytes at random, and pieces of each format in any order.

use proptest::prelude::*;
use sluice_lists::import::{Format, Request, SourceFile, import};

/// A file name that the format takes.
fn file_name(format: Format) -> &'static str {
    let names = ["sdn.csv", "list.xml", "list.json"];
    names.into_iter().find(|name| format.takes(name)).unwrap()
}

fn run(format: Format, bytes: &[u8]) {
    let files = [SourceFile { name: file_name(format), bytes }];
    if let Ok(read) = import(&Request { format, source: None, encoding: None, files: &files }) {
        assert!(!read.version.entries().is_empty());
        assert!(read.version.entries().iter().all(|e| e.names.iter().all(|n| !n.text.is_empty())));
    }
}

/// Pieces that lists in CSV, XML and JSON are made of, well-formed and not.
const PIECES: &[&str] = &[
    "1,\"DOE, John\",\"individual\",\"SDGT] [X\",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,\"DOB 1962; a.k.a. '\"\r\n",
    "-0- ",
    "a.k.a. 'X'; ",
    "DOB circa ",
    "Passport ",
    "Digital Currency Address - ",
    "Linked To: ",
    "Chinese Commercial Code 1728",
    "id,name,aliases\n",
    "Unique ID,Name 6,D.O.B\n",
    "id,schema,name\n",
    "1,Person,A\n",
    "<CONSOLIDATED_LIST>",
    "<INDIVIDUAL>",
    "</INDIVIDUAL>",
    "<REFERENCE_NUMBER>1</REFERENCE_NUMBER>",
    "<FIRST_NAME>A</FIRST_NAME>",
    "<sdnList>",
    "<sdnEntry>",
    "<uid>1</uid>",
    "</sdnEntry>",
    "<Sanctions>",
    "<DistinctParty FixedRef=\"1\">",
    "<Profile ID=\"1\">",
    "</Profile>",
    "</DistinctParty>",
    "<export>",
    "<sanctionEntity euReferenceNumber=\"1\">",
    "<nameAlias wholeName=\"A\"/>",
    "</sanctionEntity>",
    "<!DOCTYPE a>",
    "&lt;",
    "&x;",
    "]]>",
    "<![CDATA[",
    "<!--",
    "{\"entries\":[",
    "{\"id\":\"1\",\"name\":\"A\"",
    "}",
    "]",
    "[",
    ",",
    "\"properties\":{\"name\":[\"A\"]},",
    "{\"schema\":\"Person\",\"target\":true,",
    ";",
    "\"",
    "'",
    "\n",
    "\u{1a}",
    "é",
    "陳",
    "\0",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for format in Format::ALL {
            run(format, &bytes);
        }
    }

    #[test]
    fn any_pieces_are_read_or_refused(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..30), cut in 0usize..10) {
        let text = pieces.concat();
        let bytes = &text.as_bytes()[..text.len().saturating_sub(cut)];
        for format in Format::ALL {
            run(format, bytes);
        }
    }
}

#[test]
fn a_giant_name_is_refused_by_file_and_line() {
    // Stands for the 200 MB of it that are refused the same way: the limit is a hundredth of that.
    let name = "X".repeat(2 << 20);
    let text = format!("id,name\n1,{name}\n2,B\n");
    let files = [SourceFile { name: "list.csv", bytes: text.as_bytes() }];
    let got = import(&Request { format: Format::Csv, source: None, encoding: None, files: &files }).unwrap();
    assert_eq!((got.skipped[0].file.as_str(), got.skipped[0].line), ("list.csv", 2));
    assert!(got.skipped[0].reason.len() < 200, "the reason does not repeat the name");
}
