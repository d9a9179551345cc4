//! How the value of a field is read from what is known of an event.

use std::borrow::Cow;

use serde_json::Value;
use sluice_model::{Currency, EventTime, Money, Party, PaymentEvent};

use super::{
    Count, Field, Reader, Side, TextOf,
    calendar::{WEEKDAYS, age, date, local_seconds, weekday},
};
use crate::{
    EvalError, Facts,
    reference::Reference,
    types::{Type, Unit},
};

/// A text that is in the event as it is read: the common case, read without a detour.
#[derive(Clone, Copy)]
pub(crate) enum PlainText {
    /// A field of the event.
    Event(TextOf<PaymentEvent>),
    /// A field of a party.
    Party(Side, TextOf<Party>),
}

impl PlainText {
    /// The text, if the event has it.
    pub(crate) fn get<'a>(&self, facts: &Facts<'a>) -> Option<&'a str> {
        match self {
            Self::Event(of) => of(facts.event),
            Self::Party(side, of) => party(facts, *side).and_then(of),
        }
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

impl Field {
    /// The text as it is in the event, if the field is one that is read so.
    pub(crate) fn plain_text(&self) -> Option<PlainText> {
        match &self.reader {
            Reader::Text(of) => Some(PlainText::Event(of.0)),
            Reader::PartyText(side, of) => Some(PlainText::Party(*side, of.0)),
            _ => None,
        }
    }

    /// Whether it is the event's amount in HKD.
    pub(crate) fn is_amount(&self) -> bool {
        self.reader == Reader::Amount
    }

    /// A text.
    pub(crate) fn text<'a>(&self, facts: &Facts<'a>) -> Result<Option<Cow<'a, str>>, EvalError> {
        let owned = |text: String| Ok(Some(Cow::Owned(text)));
        match &self.reader {
            Reader::Text(of) => Ok(of.0(facts.event).map(Cow::Borrowed)),
            Reader::PartyText(side, of) => Ok(party(facts, *side).and_then(|p| of.0(p)).map(Cow::Borrowed)),
            Reader::Network => {
                let ip = facts.event.device.as_ref().and_then(|d| d.ip.as_deref());
                Ok(ip.map(|ip| Cow::Borrowed(ip.rsplit_once('.').map_or(ip, |(network, _)| network))))
            }
            Reader::IllegalAfter => Ok(facts.past.illegal_after.map(|status| Cow::Borrowed(status.name()))),
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
    pub(crate) fn whole(&self, facts: &Facts<'_>, reference: &Reference) -> Result<Option<i64>, EvalError> {
        let at = facts.event.occurred_at;
        let hkd = |money: &Money| reference.convert(money.minor, money.currency, Currency::HKD, at).map(Some);
        match &self.reader {
            Reader::Amount => match &facts.amount {
                Some(money) if money.currency == Currency::HKD => Ok(Some(money.minor)),
                Some(money) => hkd(money),
                None => Ok(None),
            },
            Reader::AmountIn(currency) => facts
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
    pub(crate) fn decimal(&self, facts: &Facts<'_>) -> Result<Option<f64>, EvalError> {
        match &self.reader {
            Reader::ScreeningScore => {
                screened(facts)?;
                let best = facts.matches.iter().flat_map(|m| m.matches.first()).map(|m| m.score);
                Ok(Some(best.fold(0.0, f64::max)))
            }
            _ => self.value(facts).map(|v| decimal_of(v).ok_or_else(|| self.mistyped())).transpose(),
        }
    }

    /// Yes or no.
    pub(crate) fn truth(&self, facts: &Facts<'_>) -> Result<Option<bool>, EvalError> {
        match &self.reader {
            Reader::Stands(Side::Debtor) => Ok(Some(facts.role.is_debtor())),
            Reader::Stands(_) => Ok(Some(facts.role.is_creditor())),
            _ => self.value(facts).map(|v| v.as_bool().ok_or_else(|| self.mistyped())).transpose(),
        }
    }

    /// Several texts, one after the other, until `each` says that it has seen enough.
    pub(crate) fn any_text(
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
    pub(crate) fn present(&self, facts: &Facts<'_>) -> Result<bool, EvalError> {
        match &self.reader {
            Reader::Attribute(_) | Reader::Profile(_) => Ok(self.value(facts).is_some()),
            Reader::Amount | Reader::AmountIn(_) => Ok(facts.amount.is_some()),
            Reader::Balance(side) => Ok(party(facts, *side).is_some_and(|p| p.balance_after.is_some())),
            Reader::Age(_) | Reader::ProfileAge => Ok(self.birth_date(facts).is_some()),
            _ if self.of.is_text() => Ok(self.text(facts)?.is_some()),
            _ => Ok(true),
        }
    }

    /// The error of a field that is not there.
    pub(crate) fn missing(&self) -> EvalError {
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

/// A decimal number; one whose digits floating point would have altered comes as a text.
fn decimal_of(value: &Value) -> Option<f64> {
    let exact = || value.as_str()?.parse().ok().filter(|number: &f64| number.is_finite());
    value.as_f64().or_else(exact)
}
