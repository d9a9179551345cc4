//! The canonical payment event: what every source becomes and everything downstream reads.
//! The JSON shape is the contract in `docs/schemas/payment-event.schema.json`; how it is read, and what is
//! refused, is in `decode`.

use std::{
    collections::BTreeMap,
    hash::{Hash, Hasher},
};

use serde::{Deserialize, Serialize, Serializer, ser::Error};

use crate::{
    EventTime, Money, PaymentStatus, Span,
    limits::{FUTURE_DAY_TOLERANCE, FUTURE_TOLERANCE},
};

/// Whatever a source says that the canonical event has no field for. Ordered, so that content hashes agree.
pub type Attributes = BTreeMap<String, serde_json::Value>;

/// The attribute that holds the day, `YYYY-MM-DD`, of an event whose source says no time.
pub const BOOKING_DATE: &str = "booking_date";

/// One thing that happened to a payment, a customer or an account.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(remote = "Self")]
pub struct PaymentEvent {
    /// Unique for each event of a source; the key of deduplication.
    pub event_id: String,
    /// The payment this event belongs to; where a source has none, the `event_id` stands for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<String>,
    /// For a refund or chargeback: the payment it undoes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original_payment_id: Option<String>,
    /// What sort of event it is.
    #[serde(rename = "type")]
    pub event_type: EventType,
    /// The payment's status after this event.
    pub status: PaymentStatus,
    /// The event's own time. Windows know no other.
    pub occurred_at: EventTime,
    /// The payment method: one of [`METHODS`](crate::METHODS) by its name there, or any other as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Where it was initiated: `mobile`, `web`, `branch`, `atm`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Seen from the institution that runs Sluice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// How much. Absent on customer, account and authentication events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// Who pays; for customer, account and authentication events, whom it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub debtor: Option<Party>,
    /// Who is paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creditor: Option<Party>,
    /// Institutions between the debtor's and the creditor's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub intermediaries: Vec<Party>,
    /// Ultimate parties, owners, vessels: all are screened.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related_parties: Vec<RelatedParty>,
    /// The stated purpose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// Free text to the creditor; screened for phrases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remittance: Option<String>,
    /// Unique end-to-end transaction reference (a lower-case UUID).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uetr: Option<String>,
    /// The debtor's reference, carried unchanged to the creditor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_to_end_id: Option<String>,
    /// The device that initiated it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<Device>,
    /// The card used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card: Option<Card>,
    /// The merchant paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant: Option<Merchant>,
    /// Everything else the source said; on customer events, the profile fields.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: Attributes,
    /// How the source wrote the identifiers that are written otherwise here.
    #[serde(skip_serializing_if = "AsGiven::is_empty")]
    pub as_given: AsGiven,
}

/// Identifiers as a source wrote them, by the path of their field. What is written otherwise is no other content: it
/// does not enter hashes.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AsGiven(pub BTreeMap<String, String>);

impl AsGiven {
    /// Whether everything is as the source wrote it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Hash for AsGiven {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// What sort of event it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are the field's own")]
pub enum EventType {
    #[default]
    Payment,
    Payout,
    Topup,
    Withdrawal,
    Refund,
    Chargeback,
    Fx,
    /// A customer's profile, whole: it replaces the one held unless it is older.
    Customer,
    Account,
    Authentication,
}

impl EventType {
    /// Every type.
    pub const ALL: [Self; 10] = [
        Self::Payment,
        Self::Payout,
        Self::Topup,
        Self::Withdrawal,
        Self::Refund,
        Self::Chargeback,
        Self::Fx,
        Self::Customer,
        Self::Account,
        Self::Authentication,
    ];

    /// The type of that lower-case name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.name() == name)
    }

    /// The lower-case name, as events carry it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Payout => "payout",
            Self::Topup => "topup",
            Self::Withdrawal => "withdrawal",
            Self::Refund => "refund",
            Self::Chargeback => "chargeback",
            Self::Fx => "fx",
            Self::Customer => "customer",
            Self::Account => "account",
            Self::Authentication => "authentication",
        }
    }

    /// Whether money moves.
    pub const fn moves_money(self) -> bool {
        !matches!(self, Self::Customer | Self::Account | Self::Authentication)
    }
}

/// Which way the money goes, seen from the institution.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "each is what it says")]
pub enum Direction {
    Inbound,
    Outbound,
    Internal,
}

impl Direction {
    /// Every direction.
    pub const ALL: [Self; 3] = [Self::Inbound, Self::Outbound, Self::Internal];

    /// The direction of that lower-case name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|d| d.name() == name)
    }

    /// The lower-case name, as events carry it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
            Self::Internal => "internal",
        }
    }
}

/// A person or organisation in a payment. Every named party is screened.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Party {
    /// The institution's own customer id, where the party is a customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// The name in Latin letters, or as given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The name in its own script.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_local: Option<String>,
    /// `person`, `organisation`, `vessel`, `aircraft`, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<crate::EntryKind>,
    /// The account number, IBAN or wallet id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birth_date: Option<String>,
    /// `male`, `female`, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gender: Option<String>,
    /// An identity document's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_number: Option<String>,
    /// Further ids of the party's own: its LEI, its own BIC, other documents. Compared with listed identifiers, as
    /// `id_number` is. Sorted, each once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub other_ids: Vec<String>,
    /// The postal address, in lines joined by commas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The BIC of the party's institution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_bic: Option<String>,
    /// The LEI (ISO 17442) of the party's institution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_lei: Option<String>,
    /// The name of the party's institution, screened too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_name: Option<String>,
    /// A clearing system's member id, where the institution has no BIC, or another number of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_member_id: Option<String>,
    /// The country of the party's institution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_country: Option<String>,
    /// What the account held once the payment was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balance_after: Option<Money>,
    /// The proxy (mobile number, email, FPS id) that stood for the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<Proxy>,
    /// Which of these fields the institution has verified, from a document for instance: what is merely said does not
    /// clear whoever bears a listed name. Sorted, each once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub verified: Vec<String>,
}

/// A proxy for an account: FPS addresses by mobile number, email or FPS id.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Proxy {
    /// `mobile`, `email`, `fps_id`, `hkid`, or the message's own code.
    #[serde(rename = "type")]
    pub proxy_type: String,
    /// The proxy itself.
    pub id: String,
}

/// A party beside the debtor and creditor, with the part it plays.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct RelatedParty {
    /// `ultimate_debtor`, `ultimate_creditor`, `ubo`, `director`, `vessel`, `initiating_party`, `charges_agent`.
    pub role: String,
    /// Who it is.
    #[serde(flatten)]
    pub party: Party,
}

/// The device that initiated a payment.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize)]
#[expect(missing_docs, reason = "each is the field it names")]
pub struct Device {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

/// The card used. A token, never a number.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
#[expect(missing_docs, reason = "each is the field it names")]
pub struct Card {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bin: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
}

/// A field that came later enters the hash only where it is there, so that an event that was taken before an upgrade is a
/// duplicate after it.
impl Hash for Party {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self {
            customer_id, name, name_local, kind, account, country, birth_date, gender, id_number, ..
        } = self;
        (customer_id, name, name_local, kind, account, country, birth_date, gender, id_number).hash(state);
        let Self { address, agent_bic, agent_name, agent_member_id, agent_country, balance_after, .. } = self;
        (address, agent_bic, agent_name, agent_member_id, agent_country, balance_after).hash(state);
        let Self { proxy, verified, other_ids, agent_lei, .. } = self;
        (proxy, verified).hash(state);
        if !other_ids.is_empty() {
            other_ids.hash(state);
        }
        if let Some(agent_lei) = agent_lei {
            agent_lei.hash(state);
        }
    }
}

/// See [`Party`].
impl Hash for Card {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { token, bin, country, network } = self;
        (token, bin, country).hash(state);
        if let Some(network) = network {
            network.hash(state);
        }
    }
}

/// The merchant paid.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize)]
#[expect(missing_docs, reason = "each is the field it names")]
pub struct Merchant {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mcc: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
}

/// The sides of an event that a key is on: none (a device), one, or both.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Role(u8);

impl Role {
    /// Neither side: cards, devices, merchants, payments.
    pub const NONE: Self = Self(0);
    /// Pays.
    pub const DEBTOR: Self = Self(1);
    /// Is paid.
    pub const CREDITOR: Self = Self(2);

    /// Both this and the other.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the key pays.
    pub const fn is_debtor(self) -> bool {
        self.0 & 1 != 0
    }

    /// Whether the key is paid.
    pub const fn is_creditor(self) -> bool {
        self.0 & 2 != 0
    }
}

impl Serialize for PaymentEvent {
    /// The canonical JSON; a binary format, which has no room for free attributes, carries that as bytes.
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() {
            return Self::serialize(self, s);
        }
        s.serialize_bytes(&serde_json::to_vec(self).map_err(S::Error::custom)?)
    }
}

impl PaymentEvent {
    /// A completed payment of which nothing more is known.
    pub const fn new(event_id: String, occurred_at: EventTime) -> Self {
        Self {
            event_id,
            payment_id: None,
            original_payment_id: None,
            event_type: EventType::Payment,
            status: PaymentStatus::Completed,
            occurred_at,
            method: None,
            channel: None,
            direction: None,
            amount: None,
            debtor: None,
            creditor: None,
            intermediaries: Vec::new(),
            related_parties: Vec::new(),
            purpose: None,
            remittance: None,
            uetr: None,
            end_to_end_id: None,
            device: None,
            card: None,
            merchant: None,
            attributes: Attributes::new(),
            as_given: AsGiven(BTreeMap::new()),
        }
    }

    /// How far the event may lie ahead of its arrival.
    pub fn future_tolerance(&self) -> Span {
        if self.attributes.contains_key(BOOKING_DATE) { FUTURE_DAY_TOLERANCE } else { FUTURE_TOLERANCE }
    }

    /// The payment this event belongs to.
    pub fn payment_id(&self) -> &str {
        self.payment_id.as_deref().unwrap_or(&self.event_id)
    }

    /// What tells a duplicate (same id, same content) from a conflict (same id, other content). The same on
    /// every machine; not a commitment that a third party could rely on: evidence hashes bytes instead.
    pub fn content_hash(&self) -> u64 {
        // `DefaultHasher::new()` is SipHash-1-3 with fixed keys; snapshots carry a format version should that
        // ever change.
        #[expect(deprecated, reason = "the stable SipHasher is wanted: its output is specified")]
        let mut hasher = std::hash::SipHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }
}
