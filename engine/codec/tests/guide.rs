//! Every example of `docs/events.md` is what it says it is.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::{fs, path::Path};

use serde_json::Value;
use sluice_codec::{Mapping, Zone, decode_iso20022, decode_json, decode_mt, lines};
use sluice_model::{PaymentEvent, PaymentStatus};

/// A fenced block: what its first line says it is, and its text.
struct Block {
    kind: String,
    text: String,
}

fn guide() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/events.md")).unwrap()
}

fn blocks(guide: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in guide.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(kind), None) => open = Some(Block { kind: kind.to_owned(), text: String::new() }),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => block.text += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    blocks
}

fn of_kind<'a>(blocks: &'a [Block], kind: &'a str) -> impl Iterator<Item = &'a str> + Clone {
    blocks.iter().filter(move |block| block.kind == kind).map(|block| block.text.as_str())
}

#[test]
fn every_block_is_of_a_kind_that_is_executed() {
    let known = [
        "json event",
        "toml mapping",
        "csv rows",
        "ndjson events",
        "xml iso20022",
        "json becomes",
        "text mt",
        "json filled",
    ];
    for block in blocks(&guide()) {
        assert!(known.contains(&block.kind.as_str()), "nothing executes ```{}", block.kind);
    }
}

#[test]
fn events_are_read() {
    let guide = guide();
    let blocks = blocks(&guide);
    assert_eq!(of_kind(&blocks, "json event").count(), 4);
    for text in of_kind(&blocks, "json event") {
        decode_json(text.as_bytes()).unwrap_or_else(|error| panic!("{text}\n{error}"));
    }
}

#[test]
fn refusals_read_as_the_table_says() {
    let guide = guide();
    let rows = guide.lines().filter_map(|line| {
        let (event, reason) = line.strip_prefix("| `{")?.split_once("` | `")?;
        Some((format!("{{{event}"), reason.strip_suffix("` |")?))
    });
    let mut count = 0;
    for (event, reason) in rows {
        let refused = decode_json(event.as_bytes()).unwrap_err().to_string();
        assert!(refused.starts_with(reason), "{event}\n{refused}\n{reason}");
        count += 1;
    }
    assert_eq!(count, 9);
}

#[test]
fn the_mappings_read_the_rows_as_shown() {
    let guide = guide();
    let blocks = blocks(&guide);
    let all = |kind| of_kind(&blocks, kind);
    let examples = all("toml mapping").zip(all("csv rows")).zip(all("ndjson events"));
    assert_eq!(examples.clone().count(), 2);
    for ((mapping, rows), events) in examples {
        let mapping = Mapping::parse(mapping).unwrap();
        let read: Vec<PaymentEvent> =
            mapping.rows(rows.as_bytes()).unwrap().map(|row| row.unwrap().unwrap()).collect();
        let shown: Vec<PaymentEvent> =
            lines(events.as_bytes()).map(|(_, line)| decode_json(line).unwrap()).collect();
        assert_eq!(read, shown);
    }
}

#[test]
fn messages_become_the_events_shown() {
    let guide = guide();
    let blocks = blocks(&guide);
    let one = |kind| of_kind(&blocks, kind).next().unwrap();
    let mut shown = of_kind(&blocks, "json becomes").map(|text| serde_json::from_str::<Value>(text).unwrap());
    let mut compare = |read: Vec<PaymentEvent>| {
        assert_eq!(read.len(), 1);
        assert_eq!(serde_json::to_value(&read[0]).unwrap(), shown.next().unwrap());
    };
    compare(decode_iso20022(one("xml iso20022").as_bytes(), &Zone::default()).unwrap().events);
    compare(decode_mt(one("text mt").as_bytes(), &Zone::default()).unwrap());
}

#[test]
fn a_payload_fills_its_event_as_shown() {
    let guide = guide();
    let blocks = blocks(&guide);
    let carrying = of_kind(&blocks, "json event").find(|text| text.contains("qr_payload")).unwrap();
    let filled = of_kind(&blocks, "json filled").next().unwrap();
    let read = decode_json(carrying.as_bytes()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), serde_json::from_str::<Value>(filled).unwrap());
}

#[test]
fn every_known_method_is_in_the_guide() {
    let guide = guide();
    for method in &sluice_model::METHODS {
        let row = format!("| `{}` | {} |", method.name, method.group.name());
        assert!(guide.contains(&row), "{row}");
    }
}

#[test]
fn the_order_of_statuses_is_the_one_in_the_guide() {
    let guide = guide();
    let names =
        |cell: &str| -> Vec<String> { cell.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let mut rows = 0;
    let table = guide.split("| From | to |").nth(1).unwrap();
    for row in table.lines().skip(2).take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.split('|').collect();
        for from in names(cells[1]) {
            let next: Vec<_> = PaymentStatus::from_name(&from).unwrap().next().iter().collect();
            let next: Vec<_> = next.into_iter().map(|status| status.name().to_owned()).collect();
            assert_eq!(names(cells[2]), next, "{from}");
            rows += 1;
        }
    }
    assert_eq!(rows, PaymentStatus::ALL.len());
}
