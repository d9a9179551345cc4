//! How a column's text becomes the canonical event's.

use std::borrow::Cow;

use super::{
    amount::{Amount, Amounts, Sign},
    times::Times,
};

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

impl Reading {
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
