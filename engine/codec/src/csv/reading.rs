//! How a column's text becomes the canonical event's.

use std::borrow::Cow;

use jiff::{Timestamp, tz::Offset};
use sluice_model::{EventTime, Span};

use super::{
    amount::{Amount, Amounts, Sign},
    mapping::WrittenSource,
    times::{Spelling, Times, Wanted},
};
use crate::{UnknownZone, Zone};

#[derive(Clone, Debug)]
pub(super) enum Reading {
    AsIs,
    Time(Times),
    Amount(Amounts, Signs),
}

/// What an amount's sign is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Signs {
    /// It belongs to the amount; what says debit or credit would have to be explained.
    Kept,
    /// It says only the direction.
    Dropped,
    /// The amount is what an account holds: a debit is less than nothing.
    Balance,
}

/// The most digits that an amount in a minor unit is shifted by.
const SHIFT_MAX: u8 = 6;

impl Reading {
    /// How a field's text is read, or what is wrong with what the mapping says of it. `home` is the zone of the whole
    /// mapping; `takes_sign` says that the amount's sign says who pays.
    pub(super) fn new(
        field: &str,
        written: &WrittenSource,
        home: Option<&Zone>,
        takes_sign: bool,
    ) -> Result<Self, String> {
        let is_balance = matches!(field, "debtor.balance_after.value" | "creditor.balance_after.value");
        let is_payment = field == "amount.value";
        let spelling = spelling(written)?;
        let is_amount = is_balance
            || is_payment
            || written.group.is_some()
            || written.grouping.is_some()
            || written.symbols.is_some()
            || written.shift.is_some()
            || written.absolute
            || (written.decimal.is_some() && written.since.is_none());
        if is_amount {
            if spelling.is_some() {
                return Err(EXCLUSIVE.into());
            }
            let signs = if written.absolute || (takes_sign && is_payment) {
                Signs::Dropped
            } else if is_balance {
                Signs::Balance
            } else {
                Signs::Kept
            };
            return Ok(Self::Amount(amounts(written)?, signs));
        }
        let wanted = match field {
            "occurred_at" => Wanted::Moment,
            "debtor.birth_date" | "creditor.birth_date" => Wanted::Date,
            _ => Wanted::Either,
        };
        let zone = own_zone(written)?.or_else(|| home.cloned());
        // What is written by ISO 8601 needs a zone only where it has no offset.
        let is_iso = wanted == Wanted::Moment && zone.is_some();
        let Some(spelling) = spelling.or(is_iso.then_some(Spelling::Iso)) else { return Ok(Self::AsIs) };
        if let Some(fault) = spelling.fault(wanted) {
            return Err(fault.into());
        }
        Ok(Self::Time(Times { spelling, zone: zone.unwrap_or(Zone::UTC), wanted }))
    }

    /// The text that the event's own visitor reads, of a cell; or why there is none.
    pub(super) fn read<'a>(&self, cell: Cow<'a, str>) -> Result<Cow<'a, str>, &'static str> {
        match self {
            Self::AsIs => Ok(cell),
            Self::Time(times) => times.read(&cell).map(Cow::Owned),
            Self::Amount(amounts, signs) => signs.apply(amounts.read(&cell)?).map(Cow::Owned),
        }
    }
}

impl Signs {
    fn apply(self, amount: Amount) -> Result<String, &'static str> {
        match (self, amount.sign) {
            (Self::Kept, Sign::Credit | Sign::Debit) => Err(
                "the column says credit or debit; the mapping's `sides` or `absolute` says what to make of it",
            ),
            (Self::Kept | Self::Balance, Sign::Minus) | (Self::Balance, Sign::Debit) => {
                Ok(format!("-{}", amount.digits))
            }
            _ => Ok(amount.digits),
        }
    }
}

const EXCLUSIVE: &str = "mixes ways of reading: `format`, `since` and amounts exclude each other";

/// How a date or time is written, where the mapping says it.
fn spelling(written: &WrittenSource) -> Result<Option<Spelling>, String> {
    match (&written.format, &written.since) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(EXCLUSIVE.into()),
        (Some(pattern), None) => {
            Ok(Some(Spelling::Pattern { pattern: pattern.clone(), years_from: written.years_from }))
        }
        (None, Some(start)) => {
            let start: EventTime = start.parse().map_err(|error| format!("has a `since` that is {error}"))?;
            let unit = match written.unit.as_deref().unwrap_or("1s") {
                "1ms" => Span::from_micros(1_000),
                unit => unit.parse().map_err(|error| format!("has a `unit` that is {error}"))?,
            };
            let start = Timestamp::from_microsecond(start.micros()).map_err(|error| error.to_string())?;
            let start = Offset::UTC.to_datetime(start);
            Ok(Some(Spelling::Since { start, unit, point: written.decimal.unwrap_or('.') }))
        }
    }
}

fn amounts(written: &WrittenSource) -> Result<Amounts, String> {
    let shift = written.shift.unwrap_or(0);
    if shift > SHIFT_MAX {
        return Err(format!("has a `shift` beyond {SHIFT_MAX}"));
    }
    let symbols = written.symbols.clone().unwrap_or_default();
    if !symbols.iter().all(|symbol| Amounts::may_stand_beside(symbol)) {
        return Err("has `symbols` that would be read as a part of the number".into());
    }
    let grouping = written.grouping.unwrap_or_default();
    let amounts = Amounts { point: written.decimal, group: written.group, grouping, symbols, shift };
    if !amounts.has_clear_signs() {
        return Err(
            "has decimal and grouping signs that cannot be told apart: `decimal` and `group` are two signs, \
                    neither of them a letter or digit, `-`, `+` or a parenthesis"
                .into(),
        );
    }
    Ok(amounts)
}

/// The zone that a field names for itself.
fn own_zone(written: &WrittenSource) -> Result<Option<Zone>, String> {
    match (&written.zone, written.utc_offset_hours) {
        (Some(_), Some(_)) => {
            Err("has a `zone` and `utc_offset_hours`: one of them says where times are at home".into())
        }
        (Some(name), None) => {
            name.parse().map(Some).map_err(|unknown: UnknownZone| format!("has a `zone` that is {unknown}"))
        }
        (None, Some(hours)) => {
            let offset = Offset::from_hours(hours).map_err(|_| "has an offset beyond a day")?;
            Ok(Some(Zone::fixed(offset)))
        }
        (None, None) => Ok(None),
    }
}
