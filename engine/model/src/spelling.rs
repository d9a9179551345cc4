//! Fields that look like one of an event's and are not spelt like it: `creditor.Name`, `beneficiary`, `iban`.
//!
//! A party under a field that nobody reads would be screened by nobody, so such a field is refused, with the field that
//! is meant. What looks like none of ours is an attribute. Knows words of ours alone: what a source wrote is never
//! repeated.

use crate::Party;

/// Which fields there are where the field was read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// Those of the event itself.
    Event,
    /// Those of a party.
    Party,
    /// Those of a smaller structure, in which there is no party.
    Other,
}

/// Other words for the parties of an event, folded.
const PARTIES: &[(&str, &[&str])] = &[
    (
        "debtor",
        &[
            "debtor",
            "dbtr",
            "payer",
            "payor",
            "sender",
            "originator",
            "remitter",
            "orderingcustomer",
            "orderingparty",
            "orderer",
            "from",
        ],
    ),
    ("creditor", &["creditor", "cdtr", "beneficiary", "bene", "payee", "recipient", "receiver", "to"]),
    (
        "intermediaries",
        &[
            "intermediary",
            "intermediaryagent",
            "intermediaryagents",
            "intermediarybank",
            "intermediarybanks",
            "correspondent",
            "correspondentbank",
        ],
    ),
    (
        "related_parties",
        &[
            "relatedparty",
            "ultimatedebtor",
            "ultimatecreditor",
            "ultimatebeneficiary",
            "ultimatepayer",
            "ultimatepayee",
            "initiatingparty",
            "beneficialowner",
            "beneficialowners",
            "ultimatebeneficialowner",
            "ubo",
            "ubos",
        ],
    ),
    ("debtor` or `creditor", &["customer", "client", "counterparty", "party"]),
];

/// Other words for the fields of a party, folded.
const PARTY_FIELDS: &[(&str, &[&str])] = &[
    (
        "name",
        &[
            "fullname",
            "legalname",
            "companyname",
            "displayname",
            "accountname",
            "accountholder",
            "accountholdername",
            "holdername",
            "customername",
            "clientname",
            "firstname",
            "middlename",
            "lastname",
            "givenname",
            "familyname",
            "surname",
        ],
    ),
    ("name_local", &["localname", "nativename", "chinesename", "originalname"]),
    (
        "account",
        &[
            "iban",
            "accountnumber",
            "accountno",
            "accountid",
            "acct",
            "acctno",
            "acctnumber",
            "bankaccount",
            "walletid",
        ],
    ),
    ("customer_id", &["customernumber", "customerno", "custid", "clientid", "clientnumber", "clientno"]),
    ("country", &["countrycode", "countryofresidence", "residencecountry"]),
    ("birth_date", &["dob", "dateofbirth", "birthday"]),
    ("gender", &["sex"]),
    (
        "id_number",
        &[
            "idno",
            "passport",
            "passportnumber",
            "passportno",
            "nationalid",
            "identitynumber",
            "documentnumber",
        ],
    ),
    ("address", &["postaladdress", "streetaddress", "residentialaddress", "homeaddress"]),
    ("agent_bic", &["bic", "biccode", "swift", "swiftcode", "bankbic"]),
    ("agent_name", &["agent", "bank", "bankname"]),
];

/// Fields of a party that, on the event itself, can be none but a party's.
const NOT_THE_EVENTS: [&str; 8] =
    ["name", "name_local", "account", "customer_id", "id_number", "birth_date", "address", "proxy"];

/// Fields of the event that name somebody, and have no meaning within a party.
const NOT_A_PARTYS: [&str; 6] =
    ["debtor", "creditor", "intermediaries", "related_parties", "remittance", "purpose"];

/// The field that is meant by one that `known`, the fields that there are here, does not have; none where it is an
/// attribute.
pub(crate) fn meant(level: Level, known: &[&'static str], field: &str) -> Option<String> {
    let folded = fold(field);
    let own = known.iter().find(|known| fold(known) == folded).map(|known| format!("`{known}`"));
    let there = || match level {
        Level::Event => of_party(&folded).or_else(|| {
            let field = party_field(&folded).filter(|field| NOT_THE_EVENTS.contains(field))?;
            Some(format!("`debtor.{field}` or `creditor.{field}`"))
        }),
        Level::Party => party_field(&folded).map(|field| format!("`{field}`")).or_else(|| {
            let of_event = NOT_A_PARTYS.iter().find(|known| fold(known) == folded);
            let of_event = of_event.map(|known| format!("`{known}`")).or_else(|| of_party(&folded))?;
            Some(format!("{of_event} of the event"))
        }),
        Level::Other => None,
    };
    own.or_else(there)
}

/// A party of the event, or a field of one: `beneficiary`, `creditor_name`.
fn of_party(folded: &str) -> Option<String> {
    PARTIES.iter().find_map(|(party, words)| {
        words.iter().find_map(|word| {
            let rest = folded.strip_prefix(word)?;
            if rest.is_empty() {
                return Some(format!("`{party}`"));
            }
            // Where a word stands for one side, the field is that side's.
            let field = party_field(rest)?;
            let is_side = matches!(*party, "debtor" | "creditor");
            Some(if is_side { format!("`{party}.{field}`") } else { format!("`{field}` within `{party}`") })
        })
    })
}

/// A field of a party, by its own name or another.
fn party_field(folded: &str) -> Option<&'static str> {
    let own = Party::FIELDS.iter().find(|field| fold(field) == folded);
    own.copied()
        .or_else(|| PARTY_FIELDS.iter().find(|(_, words)| words.contains(&folded)).map(|(field, _)| *field))
}

/// Letters and digits alone, in lower case, full width as half.
fn fold(field: &str) -> String {
    let half = |c: char| match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        c => c,
    };
    field.chars().map(half).filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PaymentEvent;

    #[test]
    fn what_looks_like_a_field_is_told_by_its_right_name() {
        let event = |field: &str| meant(Level::Event, PaymentEvent::FIELDS, field);
        for (field, right) in [
            ("Creditor", "`creditor`"),
            ("related-parties", "`related_parties`"),
            ("Event ID", "`event_id`"),
            ("ｄｅｂｔｏｒ", "`debtor`"),
            ("beneficiary", "`creditor`"),
            ("Ordering_Customer", "`debtor`"),
            ("beneficiary_name", "`creditor.name`"),
            ("creditor.Name", "`creditor.name`"),
            ("payeeIBAN", "`creditor.account`"),
            ("sender bank", "`debtor.agent_name`"),
            ("ultimate_debtor", "`related_parties`"),
            ("ubo_name", "`name` within `related_parties`"),
            ("full_name", "`debtor.name` or `creditor.name`"),
            ("customerId", "`debtor.customer_id` or `creditor.customer_id`"),
            ("customer", "`debtor` or `creditor`"),
        ] {
            assert_eq!(event(field).as_deref(), Some(right), "{field}");
        }
        for attribute in
            ["segment", "token", "total", "country", "bank", "sender_id", "customer_segment", "payment_note"]
        {
            assert_eq!(event(attribute), None, "{attribute}");
        }
    }

    #[test]
    fn within_a_party_too() {
        let party = |field: &str| meant(Level::Party, Party::FIELDS, field);
        for (field, right) in [
            ("Name", "`name`"),
            ("name-local", "`name_local`"),
            ("IBAN", "`account`"),
            ("first_name", "`name`"),
            ("dob", "`birth_date`"),
            ("bic", "`agent_bic`"),
            ("beneficiary", "`creditor` of the event"),
            ("creditor_name", "`creditor.name` of the event"),
            ("Remittance", "`remittance` of the event"),
        ] {
            assert_eq!(party(field).as_deref(), Some(right), "{field}");
        }
        for attribute in ["segment", "lei", "status", "risk", "share", "type"] {
            assert_eq!(party(attribute), None, "{attribute}");
        }
        assert_eq!(meant(Level::Other, &["id", "ip"], "IP").as_deref(), Some("`ip`"));
        assert_eq!(meant(Level::Other, &["id", "ip"], "name"), None);
    }

    #[test]
    fn every_right_name_is_one() {
        for (field, _) in PARTY_FIELDS {
            assert!(Party::FIELDS.contains(field), "{field}");
        }
        for (party, _) in &PARTIES[..4] {
            assert!(PaymentEvent::FIELDS.contains(party), "{party}");
        }
        for field in NOT_THE_EVENTS {
            assert!(Party::FIELDS.contains(&field), "{field}");
        }
        for field in NOT_A_PARTYS {
            assert!(PaymentEvent::FIELDS.contains(&field), "{field}");
        }
    }
}
