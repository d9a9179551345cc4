//! Field 86: what a bank tells of a statement's line. Banks write it in ways of their own; two are widespread:
//! numbered parts (`166?20…?32NAME`) and words between slashes (`/BENM//NAME/…`).

use sluice_model::Party;

use crate::iso20022::split_scripts;

/// The whole of it as one text.
pub(super) fn whole(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The words between slashes, each before what it names.
const WORDS: [&str; 22] = [
    "ACCT", "ADDR", "BENM", "BIC", "CHGS", "CITY", "CNTP", "CSID", "EREF", "IBAN", "ID", "ISDT", "KREF",
    "MARF", "NAME", "ORDP", "PURP", "REMI", "RTRN", "TRTP", "ULTB", "ULTD",
];

/// The other side of a line, where one of the two ways tells it: who ordered what came in, or gets what goes out.
pub(super) fn counterparty(lines: &[&str], came_in: bool) -> Option<Party> {
    let text: String = lines.iter().map(|line| line.trim_end_matches('\r')).collect();
    let (name, account) = match text.split_at_checked(3) {
        Some((code, parts)) if code.bytes().all(|b| b.is_ascii_digit()) && parts.starts_with('?') => {
            let part = |number: &str| {
                parts.split('?').find_map(|part| part.strip_prefix(number)).map(str::trim).unwrap_or_default()
            };
            ([part("32"), part("33")].join(" ").trim().to_owned(), part("31").to_owned())
        }
        _ => {
            let of = |role: &str| text.split_once(role).map(|(_, after)| word(after, "NAME").to_owned());
            let name = of(if came_in { "/ORDP/" } else { "/BENM/" }).unwrap_or_default();
            (name, word(&text, "IBAN").to_owned())
        }
    };
    if name.is_empty() && account.is_empty() {
        return None;
    }
    let (name, name_local) = split_scripts(&name);
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    Some(Party { name: some(name), name_local, account: some(account), ..Party::default() })
}

/// What follows a word between slashes, up to the next one.
fn word<'a>(text: &'a str, word: &str) -> &'a str {
    let Some((_, after)) = text.split_once(&format!("/{word}/")) else { return "" };
    let ends = after.match_indices('/').map(|(at, _)| at).find(|at| {
        let next = after.get(at + 1..).unwrap_or_default();
        next.starts_with('/') || next.split_once('/').is_some_and(|(part, _)| WORDS.contains(&part))
    });
    after.get(..ends.unwrap_or(after.len())).unwrap_or_default().trim_matches(['/', ' '])
}
