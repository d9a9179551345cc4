//! Customers: fields 50 and 59, as name and address, as a BIC, or as numbered lines (option F).

use jiff::civil::Date;
use sluice_model::{Attributes, EntryKind, Party, identifier::is_placeholder};

use super::{
    fields::{Field, Place},
    values::{country, is_bic, keep},
};
use crate::{DecodeError, iso20022::split_scripts};

/// The options in which an ordering customer is written.
pub(super) const ORDERING: &[&str] = &["A", "F", "K"];
/// The options in which a beneficiary customer is written.
pub(super) const BENEFICIARY: &[&str] = &["", "A", "F"];
/// The options of a party that orders for the ordering customer.
pub(super) const INSTRUCTING: &[&str] = &["C", "L"];

/// The customer of a field; what has no field of its own goes to attributes under `prefix`.
pub(super) fn read(
    field: &Field<'_>,
    prefix: &str,
    attributes: &mut Attributes,
    place: Place,
) -> Result<Party, DecodeError> {
    let (account, lines) = match field.lines.split_first() {
        Some((first, rest)) if first.starts_with('/') => (account(first), rest),
        _ => (None, field.lines.as_slice()),
    };
    let mut party = match field.option() {
        "A" | "C" => of_bic(lines).ok_or_else(|| place.refuse_field(field.tag, "has no BIC"))?,
        "F" => numbered(lines, prefix, attributes)
            .ok_or_else(|| place.refuse_field(field.tag, "has a date of birth that is none"))?,
        _ => name_and_address(lines),
    };
    party.account = account;
    Ok(party)
}

/// `/12345`: the account, unless the text says that there is none.
pub(super) fn account(line: &str) -> Option<String> {
    let id = line.trim_matches(|c: char| c == '/' || c.is_whitespace());
    (!id.is_empty() && !is_placeholder(id)).then(|| id.to_owned())
}

/// An organisation that is known by its BIC alone.
fn of_bic(lines: &[&str]) -> Option<Party> {
    let bic = lines.first().map(|line| line.trim()).filter(|line| is_bic(line))?;
    Some(Party {
        kind: Some(EntryKind::Organisation),
        country: country(bic.get(4..6)),
        id_number: Some(bic.to_owned()),
        ..Party::default()
    })
}

/// The name on the first line, the address below it.
pub(super) fn name_and_address(lines: &[&str]) -> Party {
    let mut lines = lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty());
    let mut party = named(lines.next().unwrap_or_default());
    let address: Vec<&str> = lines.collect();
    // A line such as `HK/HONG KONG` gives the country and the town.
    let place = address.last().and_then(|line| line.split_once('/'));
    party.country = place.and_then(|(code, _)| country(Some(code)));
    party.address = (!address.is_empty()).then(|| address.join(", "));
    party
}

fn named(name: &str) -> Party {
    if name.is_empty() {
        return Party::default();
    }
    let (name, name_local) = split_scripts(name);
    Party { name: Some(name), name_local, ..Party::default() }
}

/// Option F: an identification on a line of its own where no account stands, then lines with numbers: 1 name, 2
/// address, 3 country and town, 4 date of birth, 5 place of birth, 6 and 7 identifications, 8 more of those.
fn numbered(lines: &[&str], prefix: &str, attributes: &mut Attributes) -> Option<Party> {
    let (mut names, mut address, mut towns): (Vec<&str>, Vec<&str>, Vec<&str>) = Default::default();
    let (mut birth_date, mut id) = (None, None);
    let mut number = '1';
    for line in lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty()) {
        if let Some((scheme, rest)) = identification(line) {
            keep(attributes, &format!("{prefix}.id_scheme"), Some(scheme));
            id = Some((scheme, rest));
            continue;
        }
        let begins = line.split_once('/').filter(|(n, _)| matches!(n.as_bytes(), [b'1'..=b'8']));
        // A line without a number goes on with what came before it.
        let text = begins.map_or(line, |(digit, text)| {
            number = digit.chars().next().unwrap_or(number);
            text
        });
        match number {
            '1' => names.push(text),
            '2' => address.push(text),
            '3' => towns.push(text),
            '4' => birth_date = Some(Date::strptime("%Y%m%d", text).ok()?.to_string()),
            '5' => {
                let (country, city) = text.split_once('/').unwrap_or(("", text));
                keep(attributes, &format!("{prefix}.birth_country"), Some(country));
                keep(attributes, &format!("{prefix}.birth_city"), Some(city));
            }
            '6' | '7' => id = id.or(Some((if number == '6' { "CUST" } else { "NIDN" }, text))),
            _ => keep(attributes, &format!("{prefix}.supplement"), Some(text)),
        }
    }
    let mut party = named(&names.join(" "));
    party.country = towns.first().and_then(|town| country(town.split('/').next()));
    let address: Vec<&str> = address.into_iter().chain(towns).collect();
    party.address = (!address.is_empty()).then(|| address.join(", "));
    let personal = id.is_some_and(|(scheme, _)| PERSONAL.contains(&scheme));
    party.kind = (birth_date.is_some() || personal).then_some(EntryKind::Person);
    party.birth_date = birth_date;
    // The country, and for some the issuer, stand before the number itself.
    party.id_number = id.and_then(|(_, text)| text.rsplit('/').next()).map(str::to_owned);
    Some(party)
}

/// The schemes of field 50F's identifications.
const SCHEMES: [&str; 8] = ["ARNU", "CCPT", "CUST", "DRLC", "EMPL", "NIDN", "SOSE", "TXID"];
/// Those that only a person has.
const PERSONAL: [&str; 4] = ["CCPT", "DRLC", "NIDN", "SOSE"];

/// `CCPT/HK/K1234567`: the scheme, and what follows it.
fn identification(line: &str) -> Option<(&str, &str)> {
    line.split_once('/').filter(|(scheme, _)| SCHEMES.contains(scheme))
}
