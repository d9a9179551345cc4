//! The fields that a rule may name: their types, and where they are in an event.
//! One table of names ([`Schema::field`]), so that a field that no event has cannot be written.

mod calendar;
mod reading;
mod vocabulary;
mod words;

use std::fmt;

use sluice_model::{Currency, Direction, EntryKind, KeyKind, MethodGroup, Party, PaymentEvent};

pub(crate) use self::calendar::HONG_KONG_OFFSET_HOURS;
use self::{
    calendar::WEEKDAYS,
    vocabulary::{DIRECTIONS, ENTRY_KINDS, EVENT_TYPES, METHOD_GROUPS, STATUSES},
    words::{EVENT_FIELDS, PARTY_FIELDS, SIDES},
};
use crate::{
    reference::Reference,
    types::{Type, Unit},
};

/// A field of an event, as one key sees it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Field {
    /// As the rule writes it: `debtor.country`.
    pub path: String,
    /// What it holds.
    pub of: Type,
    /// Whether an event may lack it, so that a rule must say what then.
    pub optional: bool,
    reader: Reader,
}

/// Which party of an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Side {
    /// Pays.
    Debtor,
    /// Is paid.
    Creditor,
    /// The side on which the key is; the debtor's, where it is on both.
    Own,
    /// The side across from [`Side::Own`].
    Counterparty,
    /// On whose behalf the debtor pays.
    UltimateDebtor,
    /// For whom the creditor is paid.
    UltimateCreditor,
    /// The first institution between the debtor's and the creditor's.
    Intermediary,
}

/// Reads a text.
pub(crate) type TextOf<T> = fn(&T) -> Option<&str>;

#[derive(Clone, PartialEq, Debug)]
enum Reader {
    Text(Getter<TextOf<PaymentEvent>>),
    PartyText(Side, Getter<TextOf<Party>>),
    Amount,
    AmountIn(Currency),
    Balance(Side),
    Age(Side),
    ProfileAge,
    Network,
    Now,
    Hour,
    Weekday,
    IllegalAfter,
    Date { days_before: i64 },
    Stands(Side),
    Awaits(Count),
    ScreeningScore,
    ScreeningList,
    Countries,
    Attribute(String),
    Profile(String),
}

/// How many of something an event names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Count {
    Matches,
    Intermediaries,
    RelatedParties,
}

/// The function that reads a field: the field's path says which, so that readers compare and print without it.
#[derive(Clone, Copy)]
struct Getter<F>(F);

impl<F> PartialEq for Getter<F> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<F> fmt::Debug for Getter<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("fn")
    }
}

/// What may be named in rules on one kind of key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schema<'a> {
    /// The kind of key.
    pub key: KeyKind,
    /// Where attributes and profile fields are declared.
    pub reference: &'a Reference,
}

impl Schema<'_> {
    /// The field of that path.
    pub(crate) fn field(&self, path: &str) -> Option<Field> {
        let (of, optional, reader) = self.read(path)?;
        Some(Field { path: path.to_owned(), of, optional, reader })
    }

    /// Every path there is, for suggestions.
    pub(crate) fn paths(&self) -> Vec<String> {
        let declared = |prefix: &'static str, names: &std::collections::BTreeMap<String, Type>| {
            names.keys().map(move |name| format!("{prefix}.{name}")).collect::<Vec<_>>()
        };
        EVENT_FIELDS
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .chain(
                SIDES
                    .iter()
                    .flat_map(|(side, _)| PARTY_FIELDS.iter().map(move |(name, _)| format!("{side}.{name}"))),
            )
            .chain(declared("attributes", &self.reference.attributes))
            .chain(declared("profile", &self.reference.profile))
            .chain((self.key == KeyKind::Customer).then(|| "profile.age".to_owned()))
            .collect()
    }

    /// Whether the word begins a path: `debtor`, `profile`.
    pub(crate) fn is_root(word: &str) -> bool {
        matches!(word, "attributes" | "profile" | "device" | "card" | "merchant" | "screening")
            || SIDES.iter().any(|(side, _)| *side == word)
    }

    /// Why a path that looks like a field is none, where there is more to say than a likeness.
    pub(crate) fn why_not(&self, path: &str) -> Option<String> {
        let (root, rest) = path.split_once('.')?;
        match root {
            "attributes" => Some(format!("declare `{rest}` under [attributes] in reference/schema.toml")),
            "profile" if self.key != KeyKind::Customer => {
                Some("profile fields are read on rules whose key is `customer`".to_owned())
            }
            "profile" => Some(format!("declare `{rest}` under [profile] in reference/schema.toml")),
            "own" | "counterparty" if !self.has_sides() => {
                Some(format!("a {} has no side of its own: write `debtor` or `creditor`", self.key.name()))
            }
            _ => None,
        }
    }

    fn has_sides(&self) -> bool {
        matches!(self.key, KeyKind::Customer | KeyKind::Account | KeyKind::Party)
    }

    fn read(&self, path: &str) -> Option<(Type, bool, Reader)> {
        let text =
            |optional, of: TextOf<PaymentEvent>| Some((Type::Text, optional, Reader::Text(Getter(of))));
        let choice = |words, optional, of: TextOf<PaymentEvent>| {
            Some((Type::Choice(words), optional, Reader::Text(Getter(of))))
        };
        let sure = |of, reader| Some((of, false, reader));
        match path {
            "type" => choice(EVENT_TYPES, false, |e| Some(e.event_type.name())),
            "status" => choice(STATUSES, false, |e| Some(e.status.name())),
            "illegal_after" => Some((Type::Choice(STATUSES), true, Reader::IllegalAfter)),
            "direction" => choice(DIRECTIONS, true, |e| e.direction.map(Direction::name)),
            "amount" => sure(Type::HKD, Reader::Amount),
            "currency" => text(false, |e| e.amount.as_ref().map(|a| a.currency.code())),
            "method" => text(true, |e| e.method.as_deref()),
            "method_group" => choice(METHOD_GROUPS, true, |e| e.method_group().map(MethodGroup::name)),
            "wallet" => text(true, |e| e.wallet()),
            "channel" => text(true, |e| e.channel.as_deref()),
            "purpose" => text(true, |e| e.purpose.as_deref()),
            "remittance" => text(true, |e| e.remittance.as_deref()),
            "uetr" => text(true, |e| e.uetr.as_deref()),
            "end_to_end_id" => text(true, |e| e.end_to_end_id.as_deref()),
            "original_payment_id" => text(true, |e| e.original_payment_id.as_deref()),
            "device.id" => text(self.key != KeyKind::Device, |e| e.device.as_ref()?.id.as_deref()),
            "device.ip" => text(self.key != KeyKind::Ip, |e| e.device.as_ref()?.ip.as_deref()),
            "device.network" => Some((Type::Text, true, Reader::Network)),
            "device.country" => text(true, |e| e.device.as_ref()?.country.as_deref()),
            "card.token" => text(self.key != KeyKind::Card, |e| e.card.as_ref()?.token.as_deref()),
            "card.bin" => text(true, |e| e.card.as_ref()?.bin.as_deref()),
            "card.country" => text(true, |e| e.card.as_ref()?.country.as_deref()),
            "card.network" => text(true, |e| e.card_network()),
            "merchant.id" => text(self.key != KeyKind::Merchant, |e| e.merchant.as_ref()?.id.as_deref()),
            "merchant.mcc" => text(true, |e| e.merchant.as_ref()?.mcc.as_deref()),
            "merchant.domain" => text(true, |e| e.merchant.as_ref()?.domain.as_deref()),
            "now" => sure(Type::Moment, Reader::Now),
            "hour" => sure(Type::WHOLE, Reader::Hour),
            "weekday" => sure(Type::Choice(WEEKDAYS), Reader::Weekday),
            "date" => sure(Type::Text, Reader::Date { days_before: 0 }),
            "date_before" => sure(Type::Text, Reader::Date { days_before: 1 }),
            "is_debtor" if self.has_sides() => sure(Type::Bool, Reader::Stands(Side::Debtor)),
            "is_creditor" if self.has_sides() => sure(Type::Bool, Reader::Stands(Side::Creditor)),
            "countries" => sure(Type::Texts, Reader::Countries),
            "intermediary_count" => sure(Type::WHOLE, Reader::Awaits(Count::Intermediaries)),
            "related_party_count" => sure(Type::WHOLE, Reader::Awaits(Count::RelatedParties)),
            "screening.score" => sure(Type::DECIMAL, Reader::ScreeningScore),
            "screening.matches" => sure(Type::WHOLE, Reader::Awaits(Count::Matches)),
            "screening.list" => Some((Type::Text, true, Reader::ScreeningList)),
            _ => self.read_below(path.split_once('.')?),
        }
    }

    fn read_below(&self, (root, rest): (&str, &str)) -> Option<(Type, bool, Reader)> {
        match root {
            "attributes" => {
                Some((self.reference.attributes.get(rest)?.clone(), true, Reader::Attribute(rest.to_owned())))
            }
            // A profile is a `customer` event; its birth date is its party's, not one of its attributes.
            "profile" if self.key == KeyKind::Customer => match self.reference.profile.get(rest) {
                Some(of) => Some((of.clone(), true, Reader::Profile(rest.to_owned()))),
                None => (rest == "age").then_some((Type::WHOLE, true, Reader::ProfileAge)),
            },
            "own" | "counterparty" if !self.has_sides() => None,
            _ => {
                let side = SIDES.iter().find(|(name, _)| *name == root)?.1;
                self.read_party(side, rest)
            }
        }
    }

    fn read_party(&self, side: Side, field: &str) -> Option<(Type, bool, Reader)> {
        let own = |kind| !(side == Side::Own && self.key == kind);
        let text =
            |optional, of: TextOf<Party>| Some((Type::Text, optional, Reader::PartyText(side, Getter(of))));
        match field {
            "customer_id" => text(own(KeyKind::Customer), |p| p.customer_id.as_deref()),
            "name" => text(true, |p| p.name.as_deref()),
            "name_local" => text(true, |p| p.name_local.as_deref()),
            "kind" => Some((
                Type::Choice(ENTRY_KINDS),
                true,
                Reader::PartyText(side, Getter(|p| p.kind.map(EntryKind::name))),
            )),
            "account" => text(own(KeyKind::Account), |p| p.account.as_deref()),
            "country" => text(true, |p| p.country.as_deref()),
            "birth_date" => text(true, |p| p.birth_date.as_deref()),
            "age" => Some((Type::WHOLE, true, Reader::Age(side))),
            "gender" => text(true, |p| p.gender.as_deref()),
            "id_number" => text(true, |p| p.id_number.as_deref()),
            "address" => text(true, |p| p.address.as_deref()),
            "agent_bic" => text(true, |p| p.agent_bic.as_deref()),
            "agent_lei" => text(true, |p| p.agent_lei.as_deref()),
            "agent_name" => text(true, |p| p.agent_name.as_deref()),
            "agent_member_id" => text(true, |p| p.agent_member_id.as_deref()),
            "agent_country" => text(true, |p| p.agent_country.as_deref()),
            "balance_after" => Some((Type::HKD, true, Reader::Balance(side))),
            "proxy.type" => text(true, |p| Some(p.proxy.as_ref()?.proxy_type.as_str())),
            "proxy.id" => text(true, |p| Some(p.proxy.as_ref()?.id.as_str())),
            _ => None,
        }
    }
}

/// The amount of an event in a currency that was no field of its own: `amount_in("USD")`.
pub(crate) fn amount_in(currency: Currency) -> Field {
    Field {
        path: format!("amount_in({currency})"),
        of: Type::Number { unit: Unit::Money(currency), whole: true },
        optional: false,
        reader: Reader::AmountIn(currency),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_field_can_be_read() {
        let reference = Reference::default();
        let schema = Schema { key: KeyKind::Customer, reference: &reference };
        for path in schema.paths() {
            assert!(schema.field(&path).is_some(), "{path}");
        }
    }
}
