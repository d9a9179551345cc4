//! What every transaction of a message shares, and the references by which one is known.

use sluice_model::{Money, PaymentEvent};

use super::{Found, NOT_PROVIDED, keep, times::When};
use crate::{DecodeError, Zone, xml::Element};

/// Where messages say which they are and when they were made.
const GROUPS: [(&str, &str); 2] = [("GrpHdr", "MsgId"), ("Assgnmt", "Id")];

/// Why a transaction that tells of another is refused.
pub(super) const NO_ORIGINAL: &str =
    "neither OrgnlUETR nor OrgnlMsgId and a reference say which payment it is about";

/// What every transaction of a message shares.
#[derive(Clone)]
pub(super) struct Header<'a> {
    /// `pacs.008`
    pub name: &'static str,
    /// `pacs.008.001.08`, where the namespace or the business application header says so.
    version: &'a str,
    /// Whether that version is one of those that were there when this was written.
    is_known: bool,
    pub message_id: &'a str,
    created: When,
    /// Where times without an offset are at home.
    zone: &'a Zone,
    /// The business application header that came with it.
    business: Option<&'a Element>,
    /// The time of its making, where it has no offset.
    local: Option<&'a str>,
    /// Whether no more is asked of a transaction than tells it from others: who else is named in it is not.
    pub is_brief: bool,
}

impl<'a> Header<'a> {
    /// The header of a message.
    pub(super) fn read(found: &Found<'a>, zone: &'a Zone) -> Result<Self, DecodeError> {
        let Found { message, element, namespace, business } = *found;
        let (group, id) = GROUPS
            .into_iter()
            .find(|(group, _)| element.child(group).is_some())
            .unwrap_or(("GrpHdr", "MsgId"));
        let refuse = |what: &str| DecodeError::malformed(format!("{}: {group}/{what}", message.name));
        let message_id = element.text_at(&format!("{group}/{id}"));
        let given = element.text_at(&format!("{group}/CreDtTm"));
        let read = |text: &str| When::read(text, zone);
        let own = given.map(|text| read(text).ok_or_else(|| refuse("CreDtTm is not a time"))).transpose()?;
        let of_business = business.and_then(|header| header.text_at("CreDt")).and_then(read);
        // An offset that is said is better than one that is taken for it.
        let created = match (own, of_business) {
            (own, Some(moment @ When::Moment(_))) if own.is_none_or(When::is_local) => Some(moment),
            (own, _) => own,
        };
        let created = created.ok_or_else(|| refuse("CreDtTm is missing"))?;
        let declared = business.and_then(|header| header.text_at("MsgDefIdr"));
        let version = version(message.name, namespace).or_else(|| version(message.name, declared));
        Ok(Self {
            name: message.name,
            version: version.unwrap_or(message.name),
            is_known: version.is_none_or(|version| number(version).is_some_and(|n| n <= message.newest)),
            message_id: message_id.ok_or_else(|| refuse(&format!("{id} is missing")))?,
            created,
            zone,
            business,
            local: given.filter(|_| created.is_local()),
            is_brief: false,
        })
    }

    /// An event of this message, at the moment in `when` or else when the message was made. What a message tells is not
    /// later than the message.
    pub(super) fn event(
        &self,
        references: &References<'_>,
        when: Option<&str>,
    ) -> Result<PaymentEvent, DecodeError> {
        let read =
            |text| When::read(text, self.zone).ok_or_else(|| self.refuse(references, "a time is not one"));
        let at = match (when.map(read).transpose()?, self.created) {
            // The zone may be wrong, an offset is not.
            (Some(When::Moment(at)), When::Local(_)) => at,
            (Some(When::Moment(at) | When::Local(at)), When::Moment(created) | When::Local(created)) => {
                at.min(created)
            }
            (Some(When::Moment(at) | When::Local(at)), When::Day(_)) => at,
            (None | Some(When::Day(_)), created) => created.at(),
        };
        let id = format!("{}:{}:{}", self.name, self.message_id, references.reference());
        let mut event = PaymentEvent::new(id, at);
        event.uetr = references.uetr.map(str::to_ascii_lowercase);
        event.end_to_end_id = references.end_to_end.map(str::to_owned);
        keep(&mut event.attributes, "message", Some(self.version));
        keep(&mut event.attributes, "message_version", (!self.is_known).then_some("unknown"));
        keep(&mut event.attributes, "message_id", Some(self.message_id));
        keep(&mut event.attributes, "created_local", self.local);
        keep(&mut event.attributes, "instruction_id", references.instruction);
        keep(&mut event.attributes, "transaction_id", references.transaction);
        Ok(event)
    }

    /// What the business header says. A signature names nobody and would repeat its certificate in every event; a
    /// message that the header holds is read as such.
    pub(super) fn outside(&self) -> impl Iterator<Item = &'a Element> {
        let parts = self.business.into_iter().flat_map(|business| &business.children);
        parts.filter(|part| !["Sgntr", "Document"].contains(&part.name.as_str()))
    }

    pub(super) fn refuse(&self, references: &References<'_>, why: &str) -> DecodeError {
        self.at(references.place, DecodeError::malformed(why))
    }

    /// An error with the place of its transaction.
    pub(super) fn at(&self, place: usize, error: DecodeError) -> DecodeError {
        error.within(&format!("{} transaction {place}", self.name))
    }

    /// The amount that stands in an element, with its currency.
    pub(super) fn money(&self, references: &References<'_>, element: &Element) -> Result<Money, DecodeError> {
        let read = || {
            let currency = element.currency.as_deref().unwrap_or_default().parse()?;
            Money::parse(element.text().unwrap_or_default(), currency)
        };
        read().map_err(|error| self.refuse(references, &format!("{}: {error}", element.name)))
    }

    /// The amount that must stand on a path.
    pub(super) fn required_money(
        &self,
        references: &References<'_>,
        transaction: &Element,
        path: &str,
    ) -> Result<Money, DecodeError> {
        let element = transaction.at(path);
        let element = element.ok_or_else(|| self.refuse(references, &format!("{path} is missing")))?;
        self.money(references, element)
    }
}

/// `pacs.008.001.08` in a namespace or another text that names a message, whatever stands around it.
fn version<'a>(name: &str, text: Option<&'a str>) -> Option<&'a str> {
    let from = text.and_then(|text| text.get(text.find(name)?..))?;
    let end = from.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(from.len());
    from.get(..end).map(|version| version.trim_end_matches(".xsd"))
}

/// The last number of `pacs.008.001.08`.
fn number(version: &str) -> Option<u32> {
    version.split('.').nth(3)?.parse().ok()
}

/// The references by which a transaction is known.
pub(super) struct References<'a> {
    pub instruction: Option<&'a str>,
    pub transaction: Option<&'a str>,
    pub end_to_end: Option<&'a str>,
    pub uetr: Option<&'a str>,
    /// The transaction's place in the message, from 1.
    pub place: usize,
}

impl<'a> References<'a> {
    /// From a transaction's own `PmtId` (or the `Refs` of a booking).
    pub(super) fn own(ids: Option<&'a Element>, place: usize) -> Self {
        let text = |name| ids.and_then(|ids| ids.text_at(name));
        Self {
            instruction: text("InstrId"),
            transaction: text("TxId"),
            end_to_end: text("EndToEndId"),
            uetr: text("UETR"),
            place,
        }
    }

    /// From what a status report or a return says of the transaction it is about.
    pub(super) fn original(transaction: &'a Element, place: usize) -> Self {
        Self {
            instruction: transaction.text_at("OrgnlInstrId"),
            transaction: transaction.text_at("OrgnlTxId"),
            end_to_end: transaction.text_at("OrgnlEndToEndId"),
            uetr: transaction.text_at("OrgnlUETR").or_else(|| transaction.text_at("UETR")),
            place,
        }
    }

    /// None but the place.
    pub(super) const fn none(place: usize) -> Self {
        Self { instruction: None, transaction: None, end_to_end: None, uetr: None, place }
    }

    /// The first reference that tells this transaction from others.
    pub(super) fn given(&self) -> Option<&'a str> {
        let end_to_end = self.end_to_end.filter(|id| *id != NOT_PROVIDED);
        self.transaction.or(self.instruction).or(self.uetr).or(end_to_end)
    }

    /// The first reference, or the place where there is none.
    pub(super) fn reference(&self) -> String {
        self.given().map_or_else(|| format!("#{}", self.place), str::to_owned)
    }

    /// The payment's id: its UETR, else the message that ordered it and its reference there.
    pub(super) fn payment_id(&self, message_id: &str) -> String {
        match self.uetr {
            Some(uetr) => uetr.to_ascii_lowercase(),
            None => format!("{message_id}:{}", self.reference()),
        }
    }

    /// The id of the payment that these are the original references of, where they and its message say which.
    pub(super) fn original_id(&self, message_id: Option<&str>) -> Option<String> {
        match (self.uetr, message_id, self.given()) {
            (None, None, _) | (None, _, None) => None,
            (_, message_id, _) => Some(self.payment_id(message_id.unwrap_or_default())),
        }
    }
}
