//! What lists call things, and which of our kinds each is: identifiers, genders, kinds of entry.

use sluice_model::{EntryKind, identifier};

use crate::{Country, Entry, Gender, Identifier, IdentifierKind};

/// The kind of identifier that a source's label means. Each word stands in the label in lower case; the first
/// that does decides, so the narrow ones come first.
pub(super) fn identifier_kind(label: &str) -> IdentifierKind {
    use IdentifierKind as K;
    const WORDS: &[(&str, IdentifierKind)] = &[
        ("digital currency", K::Wallet),
        ("wallet", K::Wallet),
        ("crypto", K::Wallet),
        ("swift", K::Bic),
        ("bic code", K::Bic),
        ("isin", K::Isin),
        ("lei code", K::Lei),
        ("legal entity identifier", K::Lei),
        ("mmsi", K::Mmsi),
        ("call sign", K::CallSign),
        ("tail number", K::TailNumber),
        ("manufacturer's serial", K::AircraftSerial),
        ("construction number", K::AircraftSerial),
        ("imo", K::Imo),
        ("passport", K::Passport),
        ("pasaporte", K::Passport),
        ("passeport", K::Passport),
        ("travel document", K::Passport),
        ("seafarer", K::Passport),
        ("driver", K::DrivingLicence),
        ("driving", K::DrivingLicence),
        ("tax", K::Tax),
        ("r.f.c.", K::Tax),
        ("rfc", K::Tax),
        ("nit #", K::Tax),
        ("rif #", K::Tax),
        ("ruc #", K::Tax),
        ("rtn", K::Tax),
        ("c.u.i.t.", K::Tax),
        ("n.i.f.", K::Tax),
        ("c.i.f.", K::Tax),
        ("v.a.t.", K::Tax),
        ("vat number", K::Tax),
        ("fein", K::Tax),
        ("fiscal code", K::Tax),
        ("tributaria", K::Tax),
        ("ogrnip", K::Registration),
        ("military", K::NationalId),
        ("militar", K::NationalId),
        ("national", K::NationalId),
        ("identity", K::NationalId),
        ("identidad", K::NationalId),
        ("personal id", K::NationalId),
        ("id card", K::NationalId),
        ("cedula", K::NationalId),
        ("c.u.r.p.", K::NationalId),
        ("c.u.i.p.", K::NationalId),
        ("c.u.i.", K::NationalId),
        ("c.i.n.", K::NationalId),
        ("d.n.i.", K::NationalId),
        ("i.f.e.", K::NationalId),
        ("n.i.e.", K::NationalId),
        ("ssn", K::NationalId),
        ("social security", K::NationalId),
        ("tazkira", K::NationalId),
        ("electoral", K::NationalId),
        ("residen", K::NationalId),
        ("immigration", K::NationalId),
        ("citizen", K::NationalId),
        ("birth certificate", K::NationalId),
        ("kenyan id", K::NationalId),
        ("stateless person id", K::NationalId),
        ("turkish identification", K::NationalId),
        ("uae identification", K::NationalId),
        ("identification number", K::NationalId),
        ("regist", K::Registration),
        ("company", K::Registration),
        ("commerc", K::Registration),
        ("business", K::Registration),
        ("enterprise", K::Registration),
        ("social credit", K::Registration),
        ("trade license", K::Registration),
        ("license", K::Registration),
        ("folio", K::Registration),
        ("matricula", K::Registration),
        ("c.r. no", K::Registration),
        ("romanian c.r", K::Registration),
        ("incorporation", K::Registration),
        ("charity", K::Registration),
        ("gazette", K::Registration),
        ("legal entity number", K::Registration),
        ("le number", K::Registration),
        ("d-u-n-s", K::Registration),
        ("branch unit", K::Registration),
        ("phone", K::Phone),
        ("fax", K::Phone),
        ("email", K::Email),
        ("e-mail", K::Email),
        ("web", K::Website),
        ("iban", K::Account),
        ("bik (ru)", K::Account),
        ("account", K::Account),
    ];
    let label = label.to_lowercase();
    WORDS.iter().find(|(word, _)| label.contains(word)).map_or(K::Other, |(_, kind)| *kind)
}

/// An identifier by its label, with the kinds that its value itself proves: an IMO number is announced as one
/// (`IMO 9187629`), a legal entity identifier bears check digits.
pub(super) fn identifier(label: &str, value: &str) -> Identifier {
    let (kind, value) = match value.strip_prefix("IMO ") {
        Some(number) => (IdentifierKind::Imo, number),
        None if is_lei(value) => (IdentifierKind::Lei, value),
        None => (identifier_kind(label), value),
    };
    Identifier { kind, value: value.to_owned(), country: None, label: Some(label.to_owned()), note: None }
}

/// Add the BICs that an entry's remarks give as such, as `SWIFT/BIC: HAVIGB2L`, where it has them nowhere else.
pub(super) fn add_bics(entry: &mut Entry) {
    let words: Vec<&str> = entry
        .remarks
        .iter()
        .flat_map(|remarks| remarks.split(|c: char| !c.is_alphanumeric()))
        .filter(|word| !word.is_empty())
        .collect();
    let is_label = |word: &str| ["SWIFT", "BIC"].iter().any(|label| label.eq_ignore_ascii_case(word));
    for (at, word) in words.iter().enumerate() {
        let before = words.get(at.saturating_sub(BIC_LABEL_WORDS_MAX)..at).unwrap_or_default();
        let is_new = || entry.identifiers.iter().all(|known| !known.value.eq_ignore_ascii_case(word));
        let is_bic = identifier::is_bic(word) && word.get(4..6).and_then(Country::of_code).is_some();
        if is_bic && before.iter().any(|word| is_label(word)) && is_new() {
            entry.identifiers.push(Identifier {
                kind: IdentifierKind::Bic,
                value: (*word).to_owned(),
                country: None,
                label: None,
                note: None,
            });
        }
    }
}

/// How many words may stand between the label of a BIC and the BIC: `SWIFT/BIC code (Tehran):`.
const BIC_LABEL_WORDS_MAX: usize = 4;

/// ISO 17442: 18 letters or digits and two check digits by ISO 7064, MOD 97-10.
fn is_lei(value: &str) -> bool {
    let bytes = value.as_bytes();
    if bytes.len() != 20 || !bytes[18..].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let remainder = bytes.iter().try_fold(0_u32, |r, b| match b {
        b'0'..=b'9' => Some((r * 10 + u32::from(b - b'0')) % 97),
        b'A'..=b'Z' => Some((r * 100 + u32::from(b - b'A') + 10) % 97),
        _ => None,
    });
    remainder == Some(1)
}

/// `Male`, `M`, `female`, `F`; whatever else is unsaid.
pub(super) fn gender(text: &str) -> Option<Gender> {
    match text.trim().to_ascii_lowercase().as_str() {
        "m" | "male" | "man" => Some(Gender::Male),
        "f" | "female" | "woman" => Some(Gender::Female),
        _ => None,
    }
}

/// The kind of entry that a source's word means.
pub(super) fn entry_kind(text: &str) -> Option<EntryKind> {
    match text.trim().to_ascii_lowercase().as_str() {
        "individual" | "person" | "people" | "natural person" | "p" => Some(EntryKind::Person),
        "entity" | "organisation" | "organization" | "company" | "legalentity" | "publicbody"
        | "enterprise" | "e" => Some(EntryKind::Organisation),
        "vessel" | "ship" => Some(EntryKind::Vessel),
        "aircraft" | "airplane" => Some(EntryKind::Aircraft),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bics_in_remarks_are_identifiers_where_they_are_called_so() {
        let read = |remarks: &str| {
            let mut entry = Entry::new("1", EntryKind::Organisation, "Harbour Bank");
            entry.remarks = Some(remarks.to_owned());
            add_bics(&mut entry);
            entry.identifiers.into_iter().map(|id| (id.kind, id.value)).collect::<Vec<_>>()
        };
        let bic = |value: &str| (IdentifierKind::Bic, value.to_owned());
        assert_eq!(read("SWIFT/BIC HRBRHKHH; SWIFT/BIC HRBRHKHH001."), [bic("HRBRHKHH"), bic("HRBRHKHH001")]);
        assert_eq!(read("Swift code (Harbour): HRBRHKHH. Swift code (Harbour): HRBRHKHH"), [bic("HRBRHKHH")]);
        for none in ["HRBRHKHH", "A swift decision of HARBOURS", "BIC unknown", "HARBOURS with no BIC"] {
            assert_eq!(read(none), [], "{none}");
        }
    }

    #[test]
    fn labels_become_kinds() {
        use IdentifierKind as K;
        for (label, kind) in [
            ("Passport", K::Passport),
            ("Cedula No.", K::NationalId),
            ("Tax ID No.", K::Tax),
            ("NIT #", K::Tax),
            ("Registration Number", K::Registration),
            ("National Foreign ID Number", K::NationalId),
            ("SWIFT/BIC", K::Bic),
            ("Secret Handshake", K::Other),
        ] {
            assert_eq!(identifier_kind(label), kind, "{label}");
        }
    }

    #[test]
    fn values_prove_imo_numbers_and_leis() {
        assert_eq!(identifier("Company Number", "IMO 1234567").kind, IdentifierKind::Imo);
        // The example of the GLEIF's own page on the check digits, and the same with one digit wrong.
        assert_eq!(identifier("Legal Entity Number", "506700GE1G29325QX363").kind, IdentifierKind::Lei);
        assert_eq!(
            identifier("Legal Entity Number", "506700GE1G29325QX364").kind,
            IdentifierKind::Registration
        );
    }
}
