//! An invented list for demonstrations. None of its names is a real designation.

use sluice_model::EntryKind;

use super::Listed;

struct Entry {
    id: &'static str,
    name: &'static str,
    name_local: &'static str,
    aliases: &'static str,
    kind: EntryKind,
    country: &'static str,
    birth_date: &'static str,
}

/// How many parties the demonstration's list has.
pub const DEMO_LISTED: usize = ENTRIES.len();

const ENTRIES: &[Entry] = &[
    Entry {
        id: "DEMO-1",
        name: "Zoltaxian Brovnik",
        name_local: "",
        aliases: "Zoltan Brovnic; Z. Brovnik",
        kind: EntryKind::Person,
        country: "RU",
        birth_date: "1968-04-12",
    },
    Entry {
        id: "DEMO-2",
        name: "Qasimbek Torvaldi",
        name_local: "",
        aliases: "Kasim Torwaldy",
        kind: EntryKind::Person,
        country: "IR",
        birth_date: "1971-09-30",
    },
    Entry {
        id: "DEMO-3",
        name: "OUYANG Zhenkai",
        name_local: "歐陽振愷",
        aliases: "AU YEUNG Chun Hoi",
        kind: EntryKind::Person,
        country: "CN",
        birth_date: "1959-01-05",
    },
    Entry {
        id: "DEMO-4",
        name: "Mirelda Vantoussaint",
        name_local: "",
        aliases: "Mirelle Vantousain",
        kind: EntryKind::Person,
        country: "HT",
        birth_date: "1983-11-17",
    },
    Entry {
        id: "DEMO-5",
        name: "Northquay Meridian Shipping Company Limited",
        name_local: "北埠子午航運有限公司",
        aliases: "NMS Shipping",
        kind: EntryKind::Organisation,
        country: "KP",
        birth_date: "",
    },
    Entry {
        id: "DEMO-6",
        name: "Karvastan Petrochem Exchange",
        name_local: "",
        aliases: "KPX General Trading",
        kind: EntryKind::Organisation,
        country: "IR",
        birth_date: "",
    },
    Entry {
        id: "DEMO-7",
        name: "Grey Heron Bullion House",
        name_local: "灰鷺金號",
        aliases: "GHB Precious Metals",
        kind: EntryKind::Organisation,
        country: "MM",
        birth_date: "",
    },
    Entry {
        id: "DEMO-8",
        name: "MV Oriflamme Tern",
        name_local: "",
        aliases: "Oriflame Tern",
        kind: EntryKind::Vessel,
        country: "KP",
        birth_date: "",
    },
];

/// The list as CSV of one's own, ready to be imported.
pub fn demo_list_csv() -> String {
    let mut text =
        "id,name,kind,aliases,local_names,nationalities,birth_dates,programmes,remarks\n".to_owned();
    for entry in ENTRIES {
        let fields = [
            entry.id,
            entry.name,
            entry.kind.name(),
            entry.aliases,
            entry.name_local,
            entry.country,
            entry.birth_date,
            "DEMO",
            "Invented for demonstrations",
        ];
        text.push_str(&fields.join(","));
        text.push('\n');
    }
    text
}

impl Listed {
    /// The parties of the demonstration's list.
    pub fn demo() -> Vec<Self> {
        let listed = ENTRIES.iter().filter(|entry| entry.kind != EntryKind::Vessel).map(|entry| Self {
            name: entry.name.to_owned(),
            name_local: (!entry.name_local.is_empty()).then(|| entry.name_local.to_owned()),
            kind: entry.kind,
            country: Some(entry.country.to_owned()),
        });
        listed.collect()
    }
}
