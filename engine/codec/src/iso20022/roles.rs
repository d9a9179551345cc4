//! The part that somebody plays, from the name of the element that holds them: `InstgRmbrsmntAgt` is the
//! `instructing_reimbursement_agent`. ISO 20022 builds its names of the same abbreviations everywhere, so that
//! whoever a message names has a role, in kinds and versions of messages to come too.

/// Names whose parts do not say it.
const NAMES: [(&str, &str); 8] = [
    ("BrnchId", "branch"),
    ("CtctDtls", "contact"),
    ("PstlAdr", "remittance_location"),
    ("RmtLctnPstlAdr", "remittance_location"),
    ("DlvrTo", "delivered_to"),
    ("Fr", "message_sender"),
    ("To", "message_receiver"),
    ("Prtry", UNKNOWN),
];

/// The abbreviations of which names are built.
const WORDS: [(&str, &str); 51] = [
    ("Acct", "account"),
    ("Admstr", "administrator"),
    ("Agt", "agent"),
    ("Assgne", "assignee"),
    ("Assgnr", "assigner"),
    ("Authrty", "authority"),
    ("Authstn", "authorisation"),
    ("Brnch", "branch"),
    ("Cdtr", "creditor"),
    ("Chq", "cheque"),
    ("Chrgs", "charges"),
    ("Clm", "claim"),
    ("Crdhldr", "cardholder"),
    ("Cretr", "creator"),
    ("Cstmr", "customer"),
    ("Dbtr", "debtor"),
    ("Dlvrg", "delivering"),
    ("Drwr", "drawer"),
    ("Fwdg", "forwarding"),
    ("Grnshee", "garnishee"),
    ("Grnshmt", "garnishment"),
    ("Id", "identification"),
    ("Initg", "initiating"),
    ("Instd", "instructed"),
    ("Instg", "instructing"),
    ("Instr", "instruction"),
    ("Intrmy", "intermediary"),
    ("Intrst", "interest"),
    ("Invcee", "invoicee"),
    ("Invcr", "invoicer"),
    ("Issg", "issuing"),
    ("Issr", "issuer"),
    ("Msg", "message"),
    ("Ntfctn", "notification"),
    ("Orgnl", "original"),
    ("Orgtr", "originator"),
    ("Ownr", "owner"),
    ("Prvs", "previous"),
    ("Pty", "party"),
    ("Rcpt", "recipient"),
    ("Rcvg", "receiving"),
    ("Rltd", "related"),
    ("Rmbrsmnt", "reimbursement"),
    ("Rmt", "remittance"),
    ("Sndr", "sender"),
    ("Sttlm", "settlement"),
    ("Svcr", "servicer"),
    ("Thrd", "third"),
    ("Tradg", "trading"),
    ("Ultmt", "ultimate"),
    ("Undrlyg", "underlying"),
];

/// Elements that name nobody, but say of whomever they hold in what they play their part.
const SURROUNDINGS: [(&str, &str); 9] = [
    ("Case", "case"),
    ("Chrgs", "charges"),
    ("ChrgsInf", "charges"),
    ("Intrst", "interest"),
    ("OrgnlTxRef", "original"),
    ("Rltd", "related"),
    ("Tax", "tax"),
    ("TaxRmt", "tax"),
    ("UndrlygCstmrCdtTrf", "underlying"),
];

/// Whoever an element holds whose name says nothing.
const UNKNOWN: &str = "other_party";
/// An element's name that is longer is none of ISO 20022.
const NAME_BYTES_MAX: usize = 64;
/// A role that is longer does not grow with what stands in it.
const ROLE_BYTES_MAX: usize = 128;

/// The role of whoever an element of that name holds, within whatever is called `around`: `debtor_contact`.
pub(super) fn role(around: &str, name: &str) -> String {
    let own = NAMES.iter().find(|(known, _)| *known == name);
    let own = match own {
        Some((_, role)) => (*role).to_owned(),
        None if name.len() > NAME_BYTES_MAX => UNKNOWN.to_owned(),
        None => words(name),
    };
    match around {
        "" => own,
        _ if own.starts_with(around) || around.len() > ROLE_BYTES_MAX => own,
        _ => format!("{around}_{own}"),
    }
}

/// What surrounds whomever an element of that name holds, which names nobody itself.
pub(super) fn surroundings(name: &str) -> Option<&'static str> {
    SURROUNDINGS.iter().find(|(known, _)| *known == name).map(|(_, around)| *around)
}

/// The words of a name: each begins with a capital or is a number.
fn words(name: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut before = '-';
    for character in name.chars() {
        let begins = character.is_uppercase() || (character.is_numeric() && !before.is_numeric());
        match words.last_mut() {
            Some(word) if !begins => word.push(character),
            _ => words.push(character.into()),
        }
        before = character;
    }
    let whole = words.iter().map(|word| {
        let known = WORDS.iter().find(|(known, _)| known == word);
        known.map_or_else(|| word.to_lowercase(), |(_, whole)| (*whole).to_owned())
    });
    whole.collect::<Vec<_>>().join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_the_name_of_its_element_in_whole_words() {
        for (around, name, expected) in [
            ("", "UltmtDbtr", "ultimate_debtor"),
            ("", "InitgPty", "initiating_party"),
            ("", "InstgRmbrsmntAgt", "instructing_reimbursement_agent"),
            ("", "PrvsInstgAgt1Acct", "previous_instructing_agent_1_account"),
            ("debtor", "CtctDtls", "debtor_contact"),
            ("charges", "Agt", "charges_agent"),
            ("related", "Fr", "related_message_sender"),
            ("underlying", "Dbtr", "underlying_debtor"),
            ("", "Assgne", "assignee"),
            ("account", "Svcr", "account_servicer"),
            ("original", "OrgnlCdtrAgt", "original_creditor_agent"),
            ("", "NewThg", "new_thg"),
        ] {
            assert_eq!(role(around, name), expected);
        }
    }
}
