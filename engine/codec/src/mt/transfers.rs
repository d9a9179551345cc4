//! MT103: a customer's transfer; MT202: one between institutions, or the cover of a customer's. The debtor's
//! institution has taken the order and the money is on its way, which is the canonical `authorized`.

use jiff::civil::Date;
use serde_json::Value;
use sluice_model::{Attributes, Money, Party, PaymentEvent, PaymentStatus, RelatedParty};

use super::{
    Header,
    agents::{self, Agent, between},
    customers,
    fields::{Field, Fields},
    values::{self, keep, money_value},
};
use crate::DecodeError;

/// MT103.
pub(super) fn customer(header: &Header, mut fields: Fields<'_>) -> Result<PaymentEvent, DecodeError> {
    let mut event = begin(header, &mut fields)?;
    let (sender, receiver) = (Agent::of_bic(&header.sender), Agent::of_bic(&header.receiver));
    let ordering = agent(&mut fields, "52")?.unwrap_or_else(|| sender.clone());
    let serving = agent(&mut fields, "57")?.unwrap_or_else(|| receiver.clone());
    let kept = &mut event.attributes;
    event.debtor = Some(side(&mut fields, "50", customers::ORDERING, &ordering, "debtor", kept)?);
    event.creditor = Some(side(&mut fields, "59", customers::BENEFICIARY, &serving, "creditor", kept)?);
    let chain = [Some(sender), agent(&mut fields, "51")?, agent(&mut fields, "56")?, Some(receiver)];
    event.intermediaries = between(&[&ordering, &serving], chain.into_iter().flatten());
    related(&mut fields, &mut event)?;
    if let Some(field) = fields.take("50", customers::INSTRUCTING)? {
        let party = customers::read(&field, "initiating_party", &mut event.attributes, header.place)?;
        event.related_parties.push(RelatedParty { role: "initiating_party".to_owned(), party });
    }
    let envelope = fields.take("77", &["T"])?;
    event.remittance = text(fields.take("70", &[""])?).or_else(|| text(envelope));
    details(&mut fields, &mut event)?;
    fields.keep_left(&mut event.attributes);
    Ok(event)
}

/// MT202: between institutions; where a sequence B stands, its customers are who pays and is paid.
pub(super) fn institution(header: &Header, mut fields: Fields<'_>) -> Result<PaymentEvent, DecodeError> {
    let mut covered = fields.split_off("50", customers::ORDERING);
    let mut event = begin(header, &mut fields)?;
    let related_reference = text(fields.take("21", &[""])?);
    event.end_to_end_id = related_reference.filter(|id| !sluice_model::identifier::is_placeholder(id));
    let (sender, receiver) = (Agent::of_bic(&header.sender), Agent::of_bic(&header.receiver));
    let ordering = agent(&mut fields, "52")?.unwrap_or_else(|| sender.clone());
    let beneficiary = fields.required("58", agents::OPTIONS)?;
    let beneficiary = Agent::read(&beneficiary, header.place)?;
    let before = [agent(&mut fields, "56")?, agent(&mut fields, "57")?, Some(receiver)].into_iter().flatten();
    related(&mut fields, &mut event)?;
    // What calls itself a cover must say whom it covers.
    if covered.is_empty() && header.name != "MT202 COV" {
        event.intermediaries = between(&[&ordering, &beneficiary], [sender].into_iter().chain(before));
        event.debtor = Some(ordering.into_party());
        event.creditor = Some(beneficiary.into_party());
    } else {
        let own = agent(&mut covered, "52")?.unwrap_or_else(|| ordering.clone());
        let serving = agent(&mut covered, "57")?.unwrap_or_else(|| beneficiary.clone());
        let kept = &mut event.attributes;
        event.debtor = Some(side(&mut covered, "50", customers::ORDERING, &own, "debtor", kept)?);
        event.creditor = Some(side(&mut covered, "59", customers::BENEFICIARY, &serving, "creditor", kept)?);
        let chain = [sender, ordering].into_iter().chain(before).chain([beneficiary]);
        let chain: Vec<Agent> = chain.chain(agent(&mut covered, "56")?).collect();
        event.intermediaries = between(&[&own, &serving], chain);
        event.remittance = text(covered.take("70", &[""])?);
    }
    let mut fields = fields.and(covered);
    details(&mut fields, &mut event)?;
    fields.keep_left(&mut event.attributes);
    Ok(event)
}

/// The event of a transfer, with its reference, day and amount.
fn begin(header: &Header, fields: &mut Fields<'_>) -> Result<PaymentEvent, DecodeError> {
    let reference = reference(fields)?;
    let (value_date, amount) = dated_amount(fields)?;
    let at = header.sent_at.or_else(|| values::start_of(value_date, &header.zone));
    let at = at.ok_or_else(|| header.place.refuse_field("32A", "has a date that is none"))?;
    let mut event = header.event(&reference, at);
    event.status = PaymentStatus::Authorized;
    event.amount = Some(amount);
    keep(&mut event.attributes, "instruction_id", Some(&reference));
    keep(&mut event.attributes, "settlement_date", Some(&value_date.to_string()));
    Ok(event)
}

/// Field 20.
pub(super) fn reference(fields: &mut Fields<'_>) -> Result<String, DecodeError> {
    let field = fields.required("20", &[""])?;
    let reference = field.first().trim();
    if reference.is_empty() {
        return Err(fields.place().refuse_field("20", "is empty"));
    }
    Ok(reference.to_owned())
}

/// Field 32A: a date and an amount.
pub(super) fn dated_amount(fields: &mut Fields<'_>) -> Result<(Date, Money), DecodeError> {
    let field = fields.required("32", &["A"])?;
    let (date, money) = field.first().split_at_checked(6).unwrap_or_default();
    let date = values::date(date)
        .ok_or_else(|| fields.place().refuse_field("32A", "does not begin with a date (YYMMDD)"))?;
    Ok((date, values::money(money).map_err(|error| fields.place().refuse_amount("32A", error))?))
}

/// The institution of a field, where there is one.
pub(super) fn agent(fields: &mut Fields<'_>, number: &str) -> Result<Option<Agent>, DecodeError> {
    let field = fields.take(number, agents::OPTIONS)?;
    field.map(|field| Agent::read(&field, fields.place())).transpose()
}

/// One side: the customer of a field that must be there, and its institution.
fn side(
    fields: &mut Fields<'_>,
    number: &str,
    options: &[&str],
    agent: &Agent,
    prefix: &str,
    attributes: &mut Attributes,
) -> Result<Party, DecodeError> {
    let field = fields.required(number, options)?;
    let mut party = customers::read(&field, prefix, attributes, fields.place())?;
    agent.serve(&mut party, prefix, attributes);
    Ok(party)
}

/// The institutions over whose accounts sender and receiver settle.
fn related(fields: &mut Fields<'_>, event: &mut PaymentEvent) -> Result<(), DecodeError> {
    for (number, role) in [
        ("53", "instructing_reimbursement_agent"),
        ("54", "instructed_reimbursement_agent"),
        ("55", "third_reimbursement_agent"),
    ] {
        if let Some(agent) = agent(fields, number)? {
            event.related_parties.push(RelatedParty { role: role.to_owned(), party: agent.into_party() });
        }
    }
    Ok(())
}

/// The lines of a field as one text.
pub(super) fn text(field: Option<Field<'_>>) -> Option<String> {
    field.map(|field| field.joined()).filter(|text| !text.is_empty())
}

/// What the canonical event has no field for.
fn details(fields: &mut Fields<'_>, event: &mut PaymentEvent) -> Result<(), DecodeError> {
    let place = fields.place();
    let amount = |field: &Field<'_>| {
        values::money(field.first()).map_err(|error| place.refuse_amount(field.tag, error))
    };
    let kept = &mut event.attributes;
    if let Some(field) = fields.take("33", &["B"])? {
        let instructed = amount(&field)?;
        if Some(instructed) != event.amount {
            kept.insert("instructed_amount".to_owned(), money_value(instructed));
        }
    }
    let sender_charges = fields.take_all("71", &["F"]).map(|field| amount(&field).map(money_value));
    let sender_charges = sender_charges.collect::<Result<Vec<_>, DecodeError>>()?;
    if !sender_charges.is_empty() {
        kept.insert("sender_charges".to_owned(), Value::Array(sender_charges));
    }
    if let Some(field) = fields.take("71", &["G"])? {
        kept.insert("receiver_charges".to_owned(), money_value(amount(&field)?));
    }
    // In the words of ISO 20022, so that a rule reads one.
    let bearer = text(fields.take("71", &["A"])?).map(|bearer| match bearer.as_str() {
        "OUR" => "DEBT".to_owned(),
        "SHA" => "SHAR".to_owned(),
        "BEN" => "CRED".to_owned(),
        _ => bearer,
    });
    keep(kept, "charge_bearer", bearer.as_deref());
    let rate = text(fields.take("36", &[""])?).map(|rate| rate.replace(',', "."));
    keep(kept, "exchange_rate", rate.as_deref());
    let instructions: Vec<String> = fields.take_all("72", &[""]).map(|field| field.joined()).collect();
    keep(kept, "instructions", Some(&instructions.join(" ")));
    keep(kept, "regulatory_reporting", text(fields.take("77", &["B"])?).as_deref());
    keep(kept, "bank_operation_code", text(fields.take("23", &["B"])?).as_deref());
    let codes: Vec<String> = fields.take_all("23", &["E"]).map(|field| field.joined()).collect();
    keep(kept, "instruction_codes", Some(&codes.join(" ")));
    Ok(())
}
