//! The fields that a rule may name: their types, where they stand in an event, and how they are read.
//! One table of names ([`Schema::field`]), so that a field that no event has cannot be written.

use std::{borrow::Cow, fmt};

use serde_json::Value;
use sluice_model::{
    Currency, Direction, EntryKind, EventTime, EventType, KeyKind, Money, Party, PaymentEvent,
};

use crate::{
    EvalError, Facts,
    reference::Reference,
    types::{Type, Unit},
};

/// The hours by which Hong Kong is ahead of UTC; it has had no daylight saving since 1979.
pub const HONG_KONG_OFFSET_HOURS: i64 = 8;

/// A field of an event, as one key sees it.
#[derive(Clone, PartialEq, Debug)]
pub struct Field {
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
pub enum Side {
    /// Pays.
    Debtor,
    /// Is paid.
    Creditor,
    /// The side on which the key stands; the debtor's, where it stands on both.
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
pub type TextOf<T> = fn(&T) -> Option<&str>;

#[derive(Clone, PartialEq, Debug)]
enum Reader {
    Text(Spelled<TextOf<PaymentEvent>>),
    PartyText(Side, Spelled<TextOf<Party>>),
    Amount,
    AmountIn(Currency),
    Balance(Side),
    Age(Side),
    ProfileAge,
    Network,
    Now,
    Hour,
    Weekday,
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

/// A function that is known by the field's path, so that readers compare and print without it.
#[derive(Clone, Copy)]
struct Spelled<F>(F);

impl<F> PartialEq for Spelled<F> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<F> fmt::Debug for Spelled<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("fn")
    }
}

const STATUSES: &[&str] = &[
    "initiated",
    "processing",
    "authorized",
    "captured",
    "completed",
    "failed",
    "declined",
    "refunded",
    "disputed",
    "cancelled",
    "expired",
];
const EVENT_TYPES: &[&str] = &[
    "payment",
    "payout",
    "topup",
    "withdrawal",
    "refund",
    "chargeback",
    "fx",
    "customer",
    "account",
    "authentication",
];
const DIRECTIONS: &[&str] = &["inbound", "outbound", "internal"];
const WEEKDAYS: &[&str] = &["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const ENTRY_KINDS: &[&str] = &["person", "organisation", "vessel", "aircraft"];

/// Every field, with words for the guide and for suggestions.
const EVENT_FIELDS: &[(&str, &str)] = &[
    (
        "type",
        "what sort of event: payment, payout, topup, withdrawal, refund, chargeback, fx, customer, account, authentication",
    ),
    ("status", "where the payment stands: initiated … completed, failed, declined …"),
    ("amount", "how much, in HKD at the rate of the day"),
    ("currency", "the currency that the amount was in"),
    ("direction", "inbound, outbound or internal"),
    ("method", "fps, card, octopus, wire …"),
    ("channel", "mobile, web, branch, atm …"),
    ("purpose", "the stated purpose"),
    ("remittance", "free text to the creditor"),
    ("uetr", "the unique end-to-end reference"),
    ("end_to_end_id", "the debtor's reference"),
    ("original_payment_id", "the payment that a refund or chargeback undoes"),
    ("device.id", "the device"),
    ("device.ip", "its internet address"),
    ("device.network", "the address without its last part (IPv4 /24)"),
    ("device.country", "where it is"),
    ("card.token", "the card's token"),
    ("card.bin", "the card's issuer number"),
    ("card.country", "the card's country"),
    ("merchant.id", "the merchant"),
    ("merchant.mcc", "its category code"),
    ("merchant.domain", "its web domain"),
    ("now", "the moment of the event"),
    ("hour", "the hour in Hong Kong, 0 to 23"),
    ("weekday", "the day of the week in Hong Kong: monday …"),
    ("date", "the day in Hong Kong: 2026-11-20"),
    ("date_before", "the day before, in Hong Kong"),
    ("is_debtor", "whether the watched key pays"),
    ("is_creditor", "whether the watched key is paid"),
    ("countries", "every country that the event names; of an institution, else its BIC's"),
    ("intermediary_count", "how many institutions stand between"),
    ("related_party_count", "how many other parties are named"),
    ("screening.score", "the best list match, from 0 to 1; 0 without one"),
    ("screening.matches", "how many parties met a list entry"),
    ("screening.list", "the list of the best match"),
];

/// The fields of a party, after the name of one of [`SIDES`] and a dot.
const PARTY_FIELDS: &[(&str, &str)] = &[
    ("customer_id", "the customer number, where the party is a customer"),
    ("name", "the name in Latin letters, or as given"),
    ("name_local", "the name in its own script"),
    ("kind", "person, organisation, vessel or aircraft"),
    ("account", "the account, IBAN or wallet"),
    ("country", "ISO code: HK"),
    ("birth_date", "2000-01-31, or less exact"),
    ("age", "full years on the day of the event"),
    ("gender", "male or female"),
    ("id_number", "the identity document's number"),
    ("address", "the postal address"),
    ("agent_bic", "the BIC of the party's institution"),
    ("agent_name", "its name"),
    ("agent_member_id", "its clearing number"),
    ("agent_country", "its country"),
    ("balance_after", "what the account held once the payment was made, in HKD"),
    ("proxy.type", "mobile, email, fps_id"),
    ("proxy.id", "the proxy itself"),
];

const SIDES: &[(&str, Side)] = &[
    ("debtor", Side::Debtor),
    ("creditor", Side::Creditor),
    ("own", Side::Own),
    ("counterparty", Side::Counterparty),
    ("ultimate_debtor", Side::UltimateDebtor),
    ("ultimate_creditor", Side::UltimateCreditor),
    ("intermediary", Side::Intermediary),
];

/// What may be named in rules on one kind of key.
#[derive(Clone, Copy, Debug)]
pub struct Schema<'a> {
    /// The kind of key.
    pub key: KeyKind,
    /// Where attributes and profile fields are declared.
    pub reference: &'a Reference,
}

impl Schema<'_> {
    /// The field of that path.
    pub fn field(&self, path: &str) -> Option<Field> {
        let (of, optional, reader) = self.read(path)?;
        Some(Field { path: path.to_owned(), of, optional, reader })
    }

    /// Every path there is, for suggestions.
    pub fn paths(&self) -> Vec<String> {
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
    pub fn is_root(word: &str) -> bool {
        matches!(word, "attributes" | "profile" | "device" | "card" | "merchant" | "screening")
            || SIDES.iter().any(|(side, _)| *side == word)
    }

    /// Why a path that looks like a field is none, where there is more to say than a likeness.
    pub fn why_not(&self, path: &str) -> Option<String> {
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
            |optional, of: TextOf<PaymentEvent>| Some((Type::Text, optional, Reader::Text(Spelled(of))));
        let choice = |words, optional, of: TextOf<PaymentEvent>| {
            Some((Type::Choice(words), optional, Reader::Text(Spelled(of))))
        };
        let sure = |of, reader| Some((of, false, reader));
        match path {
            "type" => choice(EVENT_TYPES, false, |e| Some(e.event_type.name())),
            "status" => choice(STATUSES, false, |e| Some(e.status.name())),
            "direction" => choice(DIRECTIONS, true, |e| e.direction.map(Direction::name)),
            "amount" => sure(Type::HKD, Reader::Amount),
            "currency" => text(false, |e| e.amount.as_ref().map(|a| a.currency.code())),
            "method" => text(true, |e| e.method.as_deref()),
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
            |optional, of: TextOf<Party>| Some((Type::Text, optional, Reader::PartyText(side, Spelled(of))));
        match field {
            "customer_id" => text(own(KeyKind::Customer), |p| p.customer_id.as_deref()),
            "name" => text(true, |p| p.name.as_deref()),
            "name_local" => text(true, |p| p.name_local.as_deref()),
            "kind" => Some((
                Type::Choice(ENTRY_KINDS),
                true,
                Reader::PartyText(side, Spelled(|p| p.kind.map(kind_name))),
            )),
            "account" => text(own(KeyKind::Account), |p| p.account.as_deref()),
            "country" => text(true, |p| p.country.as_deref()),
            "birth_date" => text(true, |p| p.birth_date.as_deref()),
            "age" => Some((Type::WHOLE, true, Reader::Age(side))),
            "gender" => text(true, |p| p.gender.as_deref()),
            "id_number" => text(true, |p| p.id_number.as_deref()),
            "address" => text(true, |p| p.address.as_deref()),
            "agent_bic" => text(true, |p| p.agent_bic.as_deref()),
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

const fn kind_name(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Person => "person",
        EntryKind::Organisation => "organisation",
        EntryKind::Vessel => "vessel",
        EntryKind::Aircraft => "aircraft",
    }
}

fn party<'a>(facts: &Facts<'a>, side: Side) -> Option<&'a Party> {
    let related = |role: &str| facts.event.related_parties.iter().find(|r| r.role == role).map(|r| &r.party);
    let (debtor, creditor) = (facts.event.debtor.as_ref(), facts.event.creditor.as_ref());
    let pays = facts.role.is_debtor();
    match side {
        Side::Debtor => debtor,
        Side::Creditor => creditor,
        Side::Own => {
            if pays {
                debtor
            } else {
                creditor
            }
        }
        Side::Counterparty => {
            if pays {
                creditor
            } else {
                debtor
            }
        }
        Side::UltimateDebtor => related("ultimate_debtor"),
        Side::UltimateCreditor => related("ultimate_creditor"),
        Side::Intermediary => facts.event.intermediaries.first(),
    }
}

/// The amount of an event in a currency that was no field of its own: `amount_in("USD")`.
pub fn amount_in(currency: Currency) -> Field {
    Field {
        path: format!("amount_in({currency})"),
        of: Type::Number { unit: Unit::Money(currency), whole: true },
        optional: false,
        reader: Reader::AmountIn(currency),
    }
}

/// A text that stands in the event as it is: the common case, read without a detour.
#[derive(Clone, Copy)]
pub enum PlainText {
    /// A field of the event.
    Event(TextOf<PaymentEvent>),
    /// A field of a party.
    Party(Side, TextOf<Party>),
}

impl PlainText {
    /// The text, if the event has it.
    pub fn get<'a>(&self, facts: &Facts<'a>) -> Option<&'a str> {
        match self {
            Self::Event(of) => of(facts.event),
            Self::Party(side, of) => party(facts, *side).and_then(of),
        }
    }
}

impl Field {
    /// The text as it stands in the event, if the field is one that does.
    pub fn plain_text(&self) -> Option<PlainText> {
        match &self.reader {
            Reader::Text(of) => Some(PlainText::Event(of.0)),
            Reader::PartyText(side, of) => Some(PlainText::Party(*side, of.0)),
            _ => None,
        }
    }

    /// Whether it is the event's amount in HKD.
    pub fn is_amount(&self) -> bool {
        self.reader == Reader::Amount
    }

    /// A text.
    pub fn text<'a>(&self, facts: &Facts<'a>) -> Result<Option<Cow<'a, str>>, EvalError> {
        let owned = |text: String| Ok(Some(Cow::Owned(text)));
        match &self.reader {
            Reader::Text(of) => Ok(of.0(facts.event).map(Cow::Borrowed)),
            Reader::PartyText(side, of) => Ok(party(facts, *side).and_then(|p| of.0(p)).map(Cow::Borrowed)),
            Reader::Network => {
                let ip = facts.event.device.as_ref().and_then(|d| d.ip.as_deref());
                Ok(ip.map(|ip| Cow::Borrowed(ip.rsplit_once('.').map_or(ip, |(network, _)| network))))
            }
            Reader::Weekday => Ok(Some(Cow::Borrowed(WEEKDAYS[weekday(facts.event.occurred_at)]))),
            Reader::Date { days_before } => owned(date(facts.event.occurred_at, *days_before)),
            Reader::ScreeningList => {
                screened(facts)?;
                let best = facts.matches.iter().flat_map(|m| m.matches.first());
                Ok(best.max_by(|a, b| a.score.total_cmp(&b.score)).map(|m| Cow::Borrowed(m.list.as_str())))
            }
            Reader::Attribute(_) | Reader::Profile(_) => match self.value(facts) {
                None => Ok(None),
                Some(Value::String(text)) => Ok(Some(Cow::Borrowed(text))),
                Some(_) => Err(self.mistyped()),
            },
            _ => Err(self.mistyped()),
        }
    }

    /// A whole number, a moment, an amount.
    pub fn whole(&self, facts: &Facts<'_>, reference: &Reference) -> Result<Option<i64>, EvalError> {
        let at = facts.event.occurred_at;
        let hkd = |money: &Money| reference.convert(money.minor, money.currency, Currency::HKD, at).map(Some);
        match &self.reader {
            Reader::Amount => match &facts.event.amount {
                Some(money) if money.currency == Currency::HKD => Ok(Some(money.minor)),
                Some(money) => hkd(money),
                None => Ok(None),
            },
            Reader::AmountIn(currency) => facts
                .event
                .amount
                .as_ref()
                .map(|money| reference.convert(money.minor, money.currency, *currency, at))
                .transpose(),
            Reader::Balance(side) => {
                party(facts, *side).and_then(|p| p.balance_after.as_ref()).map_or(Ok(None), hkd)
            }
            Reader::Age(_) | Reader::ProfileAge => {
                let birth = self.birth_date(facts);
                birth.map(|text| age(text, &date(at, 0)).ok_or_else(|| self.mistyped())).transpose()
            }
            Reader::Now => Ok(Some(at.micros().div_euclid(1_000_000))),
            Reader::Hour => Ok(Some(local_seconds(at).rem_euclid(86_400) / 3_600)),
            Reader::Awaits(Count::Intermediaries) => Ok(i64::try_from(facts.event.intermediaries.len()).ok()),
            Reader::Awaits(Count::RelatedParties) => {
                Ok(i64::try_from(facts.event.related_parties.len()).ok())
            }
            Reader::Awaits(Count::Matches) => {
                screened(facts)?;
                Ok(i64::try_from(facts.matches.iter().filter(|m| !m.matches.is_empty()).count()).ok())
            }
            Reader::Attribute(_) | Reader::Profile(_) => {
                self.value(facts).map(|value| self.whole_of(value).ok_or_else(|| self.mistyped())).transpose()
            }
            _ => Err(self.mistyped()),
        }
    }

    /// A decimal number.
    pub fn decimal(&self, facts: &Facts<'_>) -> Result<Option<f64>, EvalError> {
        match &self.reader {
            Reader::ScreeningScore => {
                screened(facts)?;
                let best = facts.matches.iter().flat_map(|m| m.matches.first()).map(|m| m.score);
                Ok(Some(best.fold(0.0, f64::max)))
            }
            _ => self.value(facts).map(|v| v.as_f64().ok_or_else(|| self.mistyped())).transpose(),
        }
    }

    /// Yes or no.
    pub fn truth(&self, facts: &Facts<'_>) -> Result<Option<bool>, EvalError> {
        match &self.reader {
            Reader::Stands(Side::Debtor) => Ok(Some(facts.role.is_debtor())),
            Reader::Stands(_) => Ok(Some(facts.role.is_creditor())),
            _ => self.value(facts).map(|v| v.as_bool().ok_or_else(|| self.mistyped())).transpose(),
        }
    }

    /// Several texts, one after the other, until `each` says that it has seen enough.
    pub fn any_text(
        &self,
        facts: &Facts<'_>,
        mut each: impl FnMut(&str) -> Result<bool, EvalError>,
    ) -> Result<bool, EvalError> {
        let event = facts.event;
        let parties = event
            .debtor
            .iter()
            .chain(&event.creditor)
            .chain(&event.intermediaries)
            .chain(event.related_parties.iter().map(|r| &r.party))
            .flat_map(|p| [p.country.as_deref(), p.agent_country.as_deref().or_else(|| country_of_bic(p))]);
        let device = event.device.as_ref().and_then(|d| d.country.as_deref());
        let card = event.card.as_ref().and_then(|c| c.country.as_deref());
        for country in parties.chain([device, card]).flatten() {
            if each(country)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the event has the field; a value of the wrong type is there, and fails when it is read.
    pub fn present(&self, facts: &Facts<'_>) -> Result<bool, EvalError> {
        match &self.reader {
            Reader::Attribute(_) | Reader::Profile(_) => Ok(self.value(facts).is_some()),
            Reader::Amount | Reader::AmountIn(_) => Ok(facts.event.amount.is_some()),
            Reader::Balance(side) => Ok(party(facts, *side).is_some_and(|p| p.balance_after.is_some())),
            Reader::Age(_) | Reader::ProfileAge => Ok(self.birth_date(facts).is_some()),
            _ if self.of.is_text() => Ok(self.text(facts)?.is_some()),
            _ => Ok(true),
        }
    }

    /// The error of a field that is not there.
    pub fn missing(&self) -> EvalError {
        EvalError::Missing(self.path.clone())
    }

    fn mistyped(&self) -> EvalError {
        EvalError::Mistyped(self.path.clone())
    }

    /// The birth date that an age counts from.
    fn birth_date<'a>(&self, facts: &Facts<'a>) -> Option<&'a str> {
        let who = match &self.reader {
            Reader::Age(side) => party(facts, *side),
            Reader::ProfileAge => facts.profile?.debtor.as_ref(),
            _ => None,
        };
        who?.birth_date.as_deref()
    }

    /// The value of an attribute or profile field; `null` is absent.
    fn value<'a>(&self, facts: &Facts<'a>) -> Option<&'a Value> {
        let attributes = match &self.reader {
            Reader::Attribute(name) => facts.event.attributes.get(name),
            Reader::Profile(name) => facts.profile?.attributes.get(name),
            _ => None,
        };
        attributes.filter(|v| !v.is_null())
    }

    fn whole_of(&self, value: &Value) -> Option<i64> {
        match (&self.of, value) {
            (Type::Number { unit: Unit::Money(currency), .. }, Value::Object(_)) => {
                let money = serde_json::from_value::<Money>(value.clone()).ok()?;
                (money.currency == *currency).then_some(money.minor)
            }
            (Type::Number { unit: Unit::Money(currency), .. }, Value::String(text)) => {
                Some(Money::parse(text, *currency).ok()?.minor)
            }
            (Type::Number { unit: Unit::Money(currency), .. }, Value::Number(number)) => {
                Some(Money::parse(&number.to_string(), *currency).ok()?.minor)
            }
            (Type::Moment, Value::String(text)) => {
                Some(text.parse::<EventTime>().ok()?.micros().div_euclid(1_000_000))
            }
            (_, value) => value.as_i64(),
        }
    }
}

/// The country that the BIC of a party's institution names, in its fifth and sixth letters.
fn country_of_bic(party: &Party) -> Option<&str> {
    party.agent_bic.as_deref()?.get(4..6)
}

fn screened(facts: &Facts<'_>) -> Result<(), EvalError> {
    if facts.screening_failed { Err(EvalError::ScreeningFailed) } else { Ok(()) }
}

/// Seconds since 1970, as Hong Kong's clocks would count them.
fn local_seconds(at: EventTime) -> i64 {
    at.micros().div_euclid(1_000_000) + HONG_KONG_OFFSET_HOURS * 3_600
}

/// From 0 for Monday; 1970 began on a Thursday.
fn weekday(at: EventTime) -> usize {
    usize::try_from((local_seconds(at).div_euclid(86_400) + 3).rem_euclid(7)).unwrap_or_default()
}

fn date(at: EventTime, days_before: i64) -> String {
    let seconds = local_seconds(at) - days_before * 86_400;
    match jiff::Timestamp::from_second(seconds) {
        Ok(moment) => jiff::tz::Offset::UTC.to_datetime(moment).date().to_string(),
        Err(_) => String::new(),
    }
}

/// Full years between a birth date, exact to the year at least, and a day. A date exact to the year or month
/// only counts from its end: younger, never older, than the person is.
fn age(birth: &str, today: &str) -> Option<i64> {
    let year = |text: &str| text.get(..4)?.parse::<i64>().ok();
    let had_birthday = match (birth.len(), birth.get(5..), today.get(5..)) {
        (10, Some(birth), Some(today)) => birth <= today,
        (7, Some(birth), Some(today)) => birth < today.get(..2)?,
        (4, ..) => false,
        _ => return None,
    };
    Some(year(today)? - year(birth)? - i64::from(!had_birthday))
}

/// The event types of those names, or the first name that is none.
pub fn event_type_named(name: &str) -> Option<EventType> {
    const ALL: [EventType; 10] = [
        EventType::Payment,
        EventType::Payout,
        EventType::Topup,
        EventType::Withdrawal,
        EventType::Refund,
        EventType::Chargeback,
        EventType::Fx,
        EventType::Customer,
        EventType::Account,
        EventType::Authentication,
    ];
    ALL.into_iter().find(|t| t.name() == name)
}

/// The names of every event type and status, for suggestions.
pub const fn vocabularies() -> (&'static [&'static str], &'static [&'static str]) {
    (EVENT_TYPES, STATUSES)
}

#[cfg(test)]
mod tests {
    use sluice_model::PaymentStatus;

    use super::*;

    #[test]
    fn vocabularies_are_those_of_the_model() {
        let statuses: Vec<_> = PaymentStatus::ALL.iter().map(|s| s.name()).collect();
        assert_eq!(statuses, STATUSES);
        for name in EVENT_TYPES {
            assert_eq!(event_type_named(name).map(EventType::name), Some(*name));
        }
    }

    #[test]
    fn every_documented_field_can_be_read() {
        let reference = Reference::default();
        let schema = Schema { key: KeyKind::Customer, reference: &reference };
        for path in schema.paths() {
            assert!(schema.field(&path).is_some(), "{path}");
        }
    }

    #[test]
    fn ages_never_overstate() {
        assert_eq!(age("2000-11-20", "2026-11-20"), Some(26));
        assert_eq!(age("2000-11-21", "2026-11-20"), Some(25));
        assert_eq!(age("2000-11", "2026-11-20"), Some(25));
        assert_eq!(age("2000", "2026-11-20"), Some(25));
        assert_eq!(age("unknown", "2026-11-20"), None);
    }

    #[test]
    fn weekdays_and_dates_are_hong_kongs() {
        let at: EventTime = "2026-11-19T17:00:00Z".parse().unwrap();
        assert_eq!(
            (WEEKDAYS[weekday(at)], date(at, 0), date(at, 1)),
            ("friday", "2026-11-20".into(), "2026-11-19".into())
        );
    }
}
