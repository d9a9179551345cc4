//! The fields of every structure, as tables, and what a draft must have to become a value.

use serde::de::MapAccess;

use super::{
    Fields, FieldsSeen, Object, Reading, Step,
    values::{
        NEVER, as_given, attributes, birth_date, country, currency, decimal, direction, entry_kind,
        event_type, field_names, list, lower_text, object, required_text, status, text, texts, time,
    },
};
use crate::{
    Card, Currency, Device, Merchant, Money, MoneyError, Party, PaymentEvent, Proxy, RelatedParty,
    spelling::Level,
};

/// Declares the fields of a structure, and of which sort they are: the name in JSON, the Rust field, and the reader of
/// its value.
macro_rules! fields {
    ($level:ident $vis:vis $type:ident { $($key:literal $field:ident: $read:expr),* $(,)? }) => {
        impl $type {
            /// The fields, by the names that JSON carries.
            $vis const FIELDS: &'static [&'static str] = &[$($key),*];
        }

        impl Fields for $type {
            const NAMES: &'static [&'static str] = Self::FIELDS;
            const LEVEL: Level = Level::$level;

            fn read<'de, A: MapAccess<'de>>(
                &mut self,
                field: &str,
                seen: &mut FieldsSeen,
                map: &mut A,
                reading: &mut Reading<'_>,
            ) -> Result<bool, A::Error> {
                #[allow(non_camel_case_types, reason = "these are the fields' own names, numbered")]
                enum Number { $($field),* }
                match field {
                    $($key => {
                        seen.once(Number::$field as u32)?;
                        self.$field = $read(map, reading.within(Step::Field($key)))?;
                    })*
                    _ => return Ok(false),
                }
                Ok(true)
            }
        }
    };
}

fields!(Event pub PaymentEvent {
    "event_id" event_id: required_text,
    "payment_id" payment_id: text,
    "original_payment_id" original_payment_id: text,
    "type" event_type: event_type,
    "status" status: status,
    "occurred_at" occurred_at: time,
    "method" method: text,
    "channel" channel: text,
    "direction" direction: direction,
    "amount" amount: object::<_, MoneyDraft>,
    "debtor" debtor: object::<_, Party>,
    "creditor" creditor: object::<_, Party>,
    "intermediaries" intermediaries: list::<_, Party>,
    "related_parties" related_parties: list::<_, RelatedDraft>,
    "purpose" purpose: text,
    "remittance" remittance: text,
    "uetr" uetr: lower_text,
    "end_to_end_id" end_to_end_id: text,
    "device" device: object::<_, Device>,
    "card" card: object::<_, Card>,
    "merchant" merchant: object::<_, Merchant>,
    "attributes" attributes: attributes,
    "as_given" as_given: as_given,
});

fields!(Party pub Party {
    "customer_id" customer_id: text,
    "name" name: text,
    "name_local" name_local: text,
    "kind" kind: entry_kind,
    "account" account: text,
    "country" country: country,
    "birth_date" birth_date: birth_date,
    "gender" gender: lower_text,
    "id_number" id_number: text,
    "other_ids" other_ids: texts,
    "address" address: text,
    "agent_bic" agent_bic: text,
    "agent_lei" agent_lei: text,
    "agent_name" agent_name: text,
    "agent_member_id" agent_member_id: text,
    "agent_country" agent_country: country,
    "balance_after" balance_after: object::<_, BalanceDraft>,
    "proxy" proxy: object::<_, ProxyDraft>,
    "verified" verified: field_names,
});

fields!(Other pub Device { "id" id: text, "ip" ip: text, "country" country: country });
fields!(Other pub Card { "token" token: text, "bin" bin: text, "country" country: country, "network" network: text });
fields!(Other pub Merchant { "id" id: text, "mcc" mcc: text, "domain" domain: text });

/// An amount as it is written: decimal text and a currency.
#[derive(Default, PartialEq)]
pub(super) struct MoneyDraft {
    value: Option<String>,
    currency: Option<Currency>,
}
fields!(Other MoneyDraft { "value" value: decimal, "currency" currency: currency });

impl MoneyDraft {
    fn money(self, parse: fn(&str, Currency) -> Result<Money, MoneyError>) -> Result<Option<Money>, String> {
        match (self.value, self.currency) {
            (None, None) => Ok(None),
            (None, _) => Err("an amount needs a value".into()),
            (_, None) => Err("an amount needs a currency".into()),
            (Some(value), Some(currency)) => {
                parse(&value, currency).map(Some).map_err(|error| error.to_string())
            }
        }
    }
}

/// A balance: an account may be overdrawn.
#[derive(Default, PartialEq)]
pub(super) struct BalanceDraft(MoneyDraft);

impl Fields for BalanceDraft {
    const NAMES: &'static [&'static str] = MoneyDraft::NAMES;
    const LEVEL: Level = MoneyDraft::LEVEL;

    fn read<'de, A: MapAccess<'de>>(
        &mut self,
        field: &str,
        seen: &mut FieldsSeen,
        map: &mut A,
        reading: &mut Reading<'_>,
    ) -> Result<bool, A::Error> {
        self.0.read(field, seen, map, reading)
    }
}

/// A proxy while it is read.
#[derive(Default, PartialEq)]
pub(super) struct ProxyDraft {
    proxy_type: Option<String>,
    id: Option<String>,
}
fields!(Other ProxyDraft { "type" proxy_type: text, "id" id: text });

impl Money {
    /// The fields, by the names that JSON carries.
    pub const FIELDS: &'static [&'static str] = MoneyDraft::FIELDS;
}

impl Proxy {
    /// The fields, by the names that JSON carries.
    pub const FIELDS: &'static [&'static str] = ProxyDraft::FIELDS;
}

/// A party with a role beside its own fields.
#[derive(Default, PartialEq)]
pub(super) struct RelatedDraft {
    role: Option<String>,
    party: Party,
}

/// The bit of `role` in a related party's `FieldsSeen`, beyond those of the party's own fields.
const ROLE: u32 = 63;

impl Fields for RelatedDraft {
    /// Of which nobody spells `role` otherwise.
    const NAMES: &'static [&'static str] = Party::NAMES;
    const LEVEL: Level = Party::LEVEL;

    fn read<'de, A: MapAccess<'de>>(
        &mut self,
        field: &str,
        seen: &mut FieldsSeen,
        map: &mut A,
        reading: &mut Reading<'_>,
    ) -> Result<bool, A::Error> {
        if field != "role" {
            return self.party.read(field, seen, map, reading);
        }
        seen.once(ROLE)?;
        self.role = text(map, reading.within(Step::Field("role")))?;
        Ok(true)
    }
}

/// Structures whose draft is themselves and whose fields may all be absent.
macro_rules! optional_fields {
    ($($type:ident),*) => { $(
        impl Object for $type {
            type Output = Self;

            fn blank() -> Self {
                Self::default()
            }

            fn finish(self) -> Result<Option<Self>, String> {
                Ok((self != Self::default()).then_some(self))
            }
        }
    )* };
}
optional_fields!(Party, Device, Card, Merchant);

impl Object for PaymentEvent {
    type Output = Self;

    fn blank() -> Self {
        Self::new(String::new(), NEVER)
    }

    fn finish(mut self) -> Result<Option<Self>, String> {
        self.normalise();
        if self.event_id.is_empty() {
            return Err("event_id is missing".into());
        }
        if self.occurred_at == NEVER {
            return Err("occurred_at is missing".into());
        }
        Ok(Some(self))
    }
}

impl Object for MoneyDraft {
    type Output = Money;

    fn blank() -> Self {
        Self::default()
    }

    fn finish(self) -> Result<Option<Money>, String> {
        self.money(Money::parse)
    }
}

impl Object for BalanceDraft {
    type Output = Money;

    fn blank() -> Self {
        Self::default()
    }

    fn finish(self) -> Result<Option<Money>, String> {
        self.0.money(Money::parse_signed)
    }
}

impl Object for ProxyDraft {
    type Output = Proxy;

    fn blank() -> Self {
        Self::default()
    }

    fn finish(self) -> Result<Option<Proxy>, String> {
        match (self.proxy_type, self.id) {
            (None, None) => Ok(None),
            (Some(proxy_type), Some(id)) => Ok(Some(Proxy { proxy_type, id })),
            (None, Some(id)) => Proxy::of(id).map(Some).ok_or_else(|| {
                "a proxy needs a type: it is no mobile number, e-mail, FPS id or HKID that can be recognised".into()
            }),
            (Some(_), None) => Err("a proxy needs an id".into()),
        }
    }
}

impl Object for RelatedDraft {
    type Output = RelatedParty;

    fn blank() -> Self {
        Self::default()
    }

    fn finish(self) -> Result<Option<RelatedParty>, String> {
        match self.role {
            Some(role) => Ok(Some(RelatedParty { role, party: self.party })),
            None if self.party == Party::default() => Ok(None),
            None => Err("a related party needs a role".into()),
        }
    }
}
