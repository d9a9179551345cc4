//! What every event meets, whichever format it came in: the code that it carries is read, and the limits hold.

use serde_json::Value;
use sluice_model::{
    Party, PaymentEvent,
    limits::{
        ATTRIBUTE_NAME_BYTES_MAX, ATTRIBUTES_MAX, ID_BYTES_MAX, OTHER_IDS_MAX, PARTIES_MAX, TEXT_BYTES_MAX,
    },
};

use crate::{DecodeError, qr};

/// The event, filled from the QR payload that it carries, if it is within every limit.
pub fn accept(mut event: PaymentEvent) -> Result<PaymentEvent, DecodeError> {
    qr::fill(&mut event);
    id("event_id", Some(&event.event_id))?;
    id("payment_id", event.payment_id.as_ref())?;
    id("original_payment_id", event.original_payment_id.as_ref())?;
    id("method", event.method.as_ref())?;
    id("channel", event.channel.as_ref())?;
    id("uetr", event.uetr.as_ref())?;
    id("end_to_end_id", event.end_to_end_id.as_ref())?;
    text("purpose", event.purpose.as_ref())?;
    text("remittance", event.remittance.as_ref())?;
    if let Some(device) = &event.device {
        each([("device.id", &device.id), ("device.ip", &device.ip)])?;
    }
    if let Some(card) = &event.card {
        each([("card.token", &card.token), ("card.bin", &card.bin), ("card.network", &card.network)])?;
    }
    if let Some(merchant) = &event.merchant {
        each([
            ("merchant.id", &merchant.id),
            ("merchant.mcc", &merchant.mcc),
            ("merchant.domain", &merchant.domain),
        ])?;
    }
    if event.intermediaries.len() + event.related_parties.len() > PARTIES_MAX {
        return Err(DecodeError::too_large(format!(
            "more than {PARTIES_MAX} intermediaries and related parties"
        )));
    }
    for side in event.debtor.iter().chain(&event.creditor).chain(&event.intermediaries) {
        party(side)?;
    }
    for related in &event.related_parties {
        id("related_parties.role", Some(&related.role))?;
        party(&related.party)?;
    }
    attributes(&event)?;
    Ok(event)
}

fn each<const N: usize>(ids: [(&str, &Option<String>); N]) -> Result<(), DecodeError> {
    ids.into_iter().try_for_each(|(field, value)| id(field, value.as_ref()))
}

fn party(party: &Party) -> Result<(), DecodeError> {
    each([
        ("a party's customer_id", &party.customer_id),
        ("a party's account", &party.account),
        ("a party's gender", &party.gender),
        ("a party's id_number", &party.id_number),
        ("a party's agent_bic", &party.agent_bic),
        ("a party's agent_lei", &party.agent_lei),
        ("a party's agent_member_id", &party.agent_member_id),
    ])?;
    if party.other_ids.len() > OTHER_IDS_MAX {
        return Err(DecodeError::too_large(format!("a party's other_ids are more than {OTHER_IDS_MAX}")));
    }
    party.other_ids.iter().try_for_each(|other| id("a party's other_ids", Some(other)))?;
    text("a party's name", party.name.as_ref())?;
    text("a party's name_local", party.name_local.as_ref())?;
    text("a party's address", party.address.as_ref())?;
    text("a party's agent_name", party.agent_name.as_ref())?;
    if let Some(proxy) = &party.proxy {
        id("a proxy's type", Some(&proxy.proxy_type))?;
        id("a proxy's id", Some(&proxy.id))?;
    }
    Ok(())
}

fn attributes(event: &PaymentEvent) -> Result<(), DecodeError> {
    if event.attributes.len() > ATTRIBUTES_MAX {
        return Err(DecodeError::too_large(format!("more than {ATTRIBUTES_MAX} attributes")));
    }
    for (name, value) in &event.attributes {
        if name.len() > ATTRIBUTE_NAME_BYTES_MAX {
            return Err(DecodeError::too_large(format!(
                "an attribute's name is longer than {ATTRIBUTE_NAME_BYTES_MAX} bytes"
            )));
        }
        // What lies deeper is bounded by the event's own size.
        if let Value::String(value) = value {
            text("an attribute", Some(value))?;
        }
    }
    Ok(())
}

fn id(field: &str, value: Option<&String>) -> Result<(), DecodeError> {
    within(field, value, ID_BYTES_MAX)
}

fn text(field: &str, value: Option<&String>) -> Result<(), DecodeError> {
    within(field, value, TEXT_BYTES_MAX)
}

fn within(field: &str, value: Option<&String>, bytes_max: usize) -> Result<(), DecodeError> {
    match value {
        Some(value) if value.len() > bytes_max => {
            Err(DecodeError::too_large(format!("{field} is longer than {bytes_max} bytes")))
        }
        _ => Ok(()),
    }
}
