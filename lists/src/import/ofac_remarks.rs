//! The remarks of OFAC's CSV: dates, places, documents, vessels, wallets and weak aliases, all in one field,
//! in pieces between semicolons. What no pattern knows stays in the remarks, which are kept whole.

use sluice_model::EntryKind;

use super::{text::clean, vocabulary};
use crate::{BirthDate, Country, Entry, Identifier, IdentifierKind, Name, NameQuality, Place, Script};

/// The labels under which OFAC gives identifiers, as its list of ID types and its remarks write them. A longer
/// label stands before one that it begins with.
const LABELS: &[&str] = &[
    "Afghan Money Service Provider License Number",
    "Aircraft Construction Number (also called L/N or S/N or F/N)",
    "Aircraft Manufacturer's Serial Number (MSN)",
    "Aircraft Tail Number",
    "BIK (RU)",
    "Birth Certificate Number",
    "Bosnian Personal ID No.",
    "Branch Unit Number",
    "British National Overseas Passport",
    "Business Number",
    "Business Registration Document #",
    "Business Registration Number",
    "C.I.F.",
    "C.I.N.",
    "C.R. No.",
    "C.U.I.P.",
    "C.U.I.T.",
    "C.U.I.",
    "C.U.R.P.",
    "Cartilla de Servicio Militar Nacional",
    "Cedula No.",
    "Central Registration System Number",
    "Certificate of Incorporation Number",
    "Chamber of Commerce Number",
    "Citizen's Card Number",
    "Commercial Registry Number",
    "Company Number",
    "Credencial electoral",
    "D-U-N-S Number",
    "D.N.I.",
    "Diplomatic Passport",
    "Driver's License No.",
    "Dubai Chamber of Commerce Membership No.",
    "Economic Register Number (CBLS)",
    "Electoral Registry No.",
    "Email Address",
    "Enterprise Number",
    "Fax",
    "File Number",
    "Fiscal Code",
    "Folio Mercantil No.",
    "Government Gazette Number",
    "I.F.E.",
    "ISIN",
    "Identification Number",
    "Immigration No.",
    "Istanbul Chamber of Comm. No.",
    "Italian Fiscal Code",
    "Kenyan ID No.",
    "LE Number",
    "Legal Entity Number",
    "License",
    "MMSI",
    "MSB Registration Number",
    "Matricula Mercantil No",
    "Military Registration Number",
    "Moroccan Personal ID No.",
    "N.I.E.",
    "N.I.F.",
    "NIT #",
    "National Foreign ID Number",
    "National ID No.",
    "Numero Unico de Identificacao Tributaria (NUIT)",
    "Numero de Identidad",
    "Other Vessel Call Sign",
    "Paraguayan tax identification number",
    "Passport",
    "Permit Number",
    "Personal ID Card",
    "Phone Number",
    "Pilot License Number",
    "Previous Aircraft Tail Number",
    "Public Registration Number",
    "Public Security and Immigration No.",
    "R.F.C.",
    "RFC",
    "RIF #",
    "RTN",
    "RUC #",
    "Refugee ID Card",
    "Registered Charity No.",
    "Registration Certificate Number (Dubai)",
    "Registration ID",
    "Registration Number",
    "Residency Number",
    "Romanian C.R.",
    "Romanian Permanent Resident",
    "Romanian Tax Registration",
    "Russian State Individual Business Registration Number Pattern (OGRNIP)",
    "SRE Permit No.",
    "SSN",
    "SWIFT/BIC",
    "Seafarer's Identification Document",
    "Stateless Person ID Card",
    "Stateless Person Passport",
    "Tax ID No.",
    "Tazkira National ID Card",
    "Telephone",
    "Tourism License No.",
    "Trade License No.",
    "Trademark number",
    "Travel Document Number",
    "Turkish Identification Number",
    "UAE Identification",
    "UK Company Number",
    "US FEIN",
    "Unified Social Credit Code (USCC)",
    "United Social Credit Code Certificate (USCCC)",
    "V.A.T. Number",
    "Vessel Registration Identification",
    "VisaNumberID",
    "Website",
];

/// Add what the remarks say to the entry.
pub(super) fn read(remarks: &str, entry: &mut Entry) {
    let remarks = remarks.trim();
    let remarks = remarks.strip_suffix('.').unwrap_or(remarks);
    for piece in remarks.split(';') {
        let piece = clean(piece);
        read_piece(piece.strip_prefix("alt. ").unwrap_or(&piece), entry);
    }
}

fn read_piece(piece: &str, entry: &mut Entry) {
    let after = |prefix: &str| piece.strip_prefix(prefix);
    if let Some(date) = after("DOB ") {
        entry.birth_dates.extend(BirthDate::parse(date).ok());
    } else if let Some(place) = after("POB ") {
        entry.birth_places.push(Place { text: place.to_owned(), country: Country::at_end_of(place) });
    } else if let Some(gender) = after("Gender ") {
        entry.gender = vocabulary::gender(gender);
    } else if let Some(country) =
        after("nationality ").or(after("citizen ")).or(after("Nationality of Registration "))
    {
        add_nationality(country, entry);
    } else if let Some(country) = after("Vessel Flag ").or(after("Flag ")) {
        add_nationality(country, entry);
    } else if let Some(name) = after("a.k.a. ").or(after("n.k.a. ")) {
        add_alias(name, NameQuality::Weak, entry);
    } else if let Some(name) = after("f.k.a. ") {
        add_alias(name, NameQuality::Former, entry);
    } else if let Some(codes) = after("Chinese Commercial Code ") {
        entry.names.extend(telegraph_codes(codes));
    } else if let Some(name) = after("Linked To: ") {
        entry.links.push(name.to_owned());
    } else if let Some(wallet) = after("Digital Currency Address - ") {
        let wallet = wallet.split_once(' ').map(|(currency, address)| self::wallet(currency, address));
        entry.identifiers.extend(wallet);
    } else if let Some(identifier) = identifier(piece) {
        entry.identifiers.push(identifier);
    }
}

fn add_nationality(text: &str, entry: &mut Entry) {
    let country = Country::parse(text).filter(|c| !entry.nationalities.contains(c));
    entry.nationalities.extend(country);
}

/// An alias in single quotation marks, which may stand inside it as well: `'ABU 'UMAR'`.
fn add_alias(quoted: &str, quality: NameQuality, entry: &mut Entry) {
    let Some(name) = quoted.strip_prefix('\'') else { return };
    let name = name.strip_suffix('.').unwrap_or(name);
    let name = name.strip_suffix('\'').unwrap_or(name).trim();
    if !name.is_empty() {
        entry.names.push(listed_name(entry.kind, name, quality));
    }
}

/// A name as OFAC lists it: a person's is `SURNAME, Given names`.
pub(super) fn listed_name(kind: EntryKind, text: &str, quality: NameQuality) -> Name {
    let mut name = Name::new(clean(text), quality);
    if kind == EntryKind::Person {
        name.family = name.text.split_once(", ").map(|(family, _)| family.to_owned());
    }
    name
}

/// An identifier under OFAC's label for it; nothing where the label is of another fact (`Additional Sanctions
/// Information -`).
pub(super) fn labelled(label: &str, value: &str) -> Option<Identifier> {
    if let Some(currency) = label.strip_prefix("Digital Currency Address - ") {
        return Some(wallet(currency, value));
    }
    let known = LABELS.iter().any(|l| l.eq_ignore_ascii_case(label));
    (known || vocabulary::identifier_kind(label) != IdentifierKind::Other)
        .then(|| vocabulary::identifier(label, value))
}

fn wallet(currency: &str, address: &str) -> Identifier {
    let identifier = vocabulary::identifier("Digital Currency Address", address);
    Identifier { label: Some(currency.to_owned()), ..identifier }
}

/// Groups of four digits, one for each character of a Chinese name.
pub(super) fn telegraph_codes(text: &str) -> Option<Name> {
    let whole = |group: &str| group.len() == 4 && group.bytes().all(|b| b.is_ascii_digit());
    let groups: Vec<&str> = text.split(' ').filter(|g| !g.is_empty()).collect();
    let codes = !groups.is_empty() && groups.iter().all(|g| whole(g));
    codes.then(|| Name {
        text: groups.join(" "),
        quality: NameQuality::Primary,
        script: Script::Telegraph,
        family: None,
    })
}

/// `LABEL NUMBER (Country) issued 01 Jan 2000 expires 01 Jan 2010`, the last three where they are given.
fn identifier(piece: &str) -> Option<Identifier> {
    let (label, rest) = LABELS.iter().find_map(|label| {
        let rest = piece.strip_prefix(label)?.strip_prefix(' ')?;
        Some((*label, rest))
    })?;
    let dates = [" issued ", " expires "].iter().filter_map(|word| rest.find(word)).min();
    let (rest, note) = dates.map_or((rest, None), |at| (&rest[..at], Some(rest[at..].trim())));
    let (value, country) = match rest.strip_suffix(')').and_then(|r| r.rsplit_once(" (")) {
        Some((value, country)) => (value, Country::parse(country)),
        None => (rest, None),
    };
    // A number has a digit or is a code in one word; anything else only begins like a label.
    let plausible = value.bytes().any(|b| b.is_ascii_digit()) || !value.contains(' ');
    plausible.then(|| Identifier {
        country,
        note: note.map(str::to_owned),
        ..vocabulary::identifier(label, value.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Gender;

    fn entry(remarks: &str) -> Entry {
        let mut entry = Entry::new("1", EntryKind::Person, "DOE, John");
        read(remarks, &mut entry);
        entry
    }

    #[test]
    fn persons() {
        let got = entry(
            "DOB 05 Mar 1962; alt. DOB circa 1979-1982; POB Culiacan, Sinaloa, Mexico; nationality Mexico; \
             citizen Korea, North; Gender Female; Minister of Nothing; a.k.a. 'ABU 'UMAR'; alt. a.k.a. 'ROE, J'; \
             Chinese Commercial Code 1728 4320; f.k.a. 'OLD'.",
        );
        let dates: Vec<_> = got.birth_dates.iter().map(ToString::to_string).collect();
        assert_eq!(dates, ["1962-03-05", "1979/1982~"]);
        assert_eq!(got.birth_places[0].country.as_ref().and_then(Country::code), Some("MX"));
        assert_eq!(got.nationalities.iter().filter_map(Country::code).collect::<Vec<_>>(), ["MX", "KP"]);
        assert_eq!(got.gender, Some(Gender::Female));
        let names: Vec<_> = got.names[1..].iter().map(|n| (n.text.as_str(), n.quality, n.script)).collect();
        assert_eq!(
            names,
            [
                ("ABU 'UMAR", NameQuality::Weak, Script::Latin),
                ("ROE, J", NameQuality::Weak, Script::Latin),
                ("1728 4320", NameQuality::Primary, Script::Telegraph),
                ("OLD", NameQuality::Former, Script::Latin),
            ]
        );
    }

    #[test]
    fn identifiers() {
        use IdentifierKind as K;
        let got = entry(
            "Passport K7540 (Iran) issued 26 May 1999 expires 25 May 2004; alt. Cedula No. 1624 (Colombia); \
             Vessel Registration Identification IMO 9187629; MMSI 572469210; NIT # 800-7 (Colombia); \
             Digital Currency Address - XBT 1Kuf2Rd8; SWIFT/BIC HAVIGB2L; Email Address a@b.example; \
             License to trade in nothing; Aircraft Tail Number EP-MMH; Tax ID No. AABA 670850 Y",
        );
        let found: Vec<_> = got.identifiers.iter().map(|i| (i.kind, i.value.as_str())).collect();
        assert_eq!(
            found,
            [
                (K::Passport, "K7540"),
                (K::NationalId, "1624"),
                (K::Imo, "9187629"),
                (K::Mmsi, "572469210"),
                (K::Tax, "800-7"),
                (K::Wallet, "1Kuf2Rd8"),
                (K::Bic, "HAVIGB2L"),
                (K::Email, "a@b.example"),
                (K::TailNumber, "EP-MMH"),
                (K::Tax, "AABA 670850 Y"),
            ]
        );
        assert_eq!(got.identifiers[0].country.as_ref().and_then(Country::code), Some("IR"));
        assert_eq!(got.identifiers[0].note.as_deref(), Some("issued 26 May 1999 expires 25 May 2004"));
        assert_eq!(got.identifiers[5].label.as_deref(), Some("XBT"));
    }
}
