//! Who pays, where a sign or a column says so. A mapping describes a payment that goes out, from the debtor to the
//! creditor; of one that comes in, the two are exchanged.

use serde::Deserialize;
use sluice_model::Direction;

use super::amount::Sign;

/// Who pays, as the mapping's `[sides]` says it.
#[derive(Clone, Debug)]
pub(super) enum Sides {
    /// The amount's sign.
    Sign { negative: Direction },
    /// What a column holds.
    Column { column: String, outbound: Vec<String>, inbound: Vec<String> },
    /// Which of two columns has an amount.
    Amounts { paid_out: String, paid_in: String },
}

/// As it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenSides {
    negative: Option<Direction>,
    column: Option<String>,
    #[serde(default)]
    outbound: Vec<String>,
    #[serde(default)]
    inbound: Vec<String>,
    paid_out: Option<String>,
    paid_in: Option<String>,
}

impl Sides {
    pub(super) fn new(written: WrittenSides) -> Result<Self, &'static str> {
        let WrittenSides { negative, column, outbound, inbound, paid_out, paid_in } = written;
        match (negative, column, paid_out, paid_in) {
            (Some(Direction::Internal), ..) => Err("has a `negative` that is neither outbound nor inbound"),
            (Some(negative), None, None, None) if outbound.is_empty() && inbound.is_empty() => {
                Ok(Self::Sign { negative })
            }
            (None, Some(column), None, None) if !outbound.is_empty() && !inbound.is_empty() => {
                if outbound.iter().any(|value| inbound.contains(value)) {
                    return Err("has a value that is outbound and inbound");
                }
                Ok(Self::Column { column, outbound, inbound })
            }
            (None, None, Some(paid_out), Some(paid_in)) if outbound.is_empty() && inbound.is_empty() => {
                Ok(Self::Amounts { paid_out, paid_in })
            }
            _ => Err(
                "needs `negative` alone, or `column` with `outbound` and `inbound`, or `paid_out` and `paid_in`",
            ),
        }
    }

    /// Whether they fit what the mapping reads the amount from.
    pub(super) fn fit(&self, amount: Option<&[String]>) -> Result<(), &'static str> {
        match (self, amount) {
            (Self::Column { .. }, _) | (Self::Sign { .. }, Some(_)) => Ok(()),
            (Self::Amounts { paid_out, paid_in }, Some(columns))
                if columns.contains(paid_out) && columns.contains(paid_in) =>
            {
                Ok(())
            }
            (Self::Sign { .. }, None) => Err("reads the amount's sign, and the mapping fills no amount"),
            (Self::Amounts { .. }, _) => {
                Err("has amounts in two columns: `amount.value` needs both in `columns`")
            }
        }
    }

    /// The columns that say it.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        let columns = match self {
            Self::Sign { .. } => [None, None],
            Self::Column { column, .. } => [Some(column), None],
            Self::Amounts { paid_out, paid_in } => [Some(paid_out), Some(paid_in)],
        };
        columns.into_iter().flatten().map(String::as_str)
    }
}

/// Which way an amount goes by its sign. Credit and debit are the account's, whatever a minus means.
pub(super) fn by_sign(sign: Sign, negative: Direction) -> Direction {
    match (sign, negative) {
        (Sign::Debit, _) => Direction::Outbound,
        (Sign::Credit, _) => Direction::Inbound,
        (Sign::Minus, negative) => negative,
        (Sign::None | Sign::Plus, Direction::Outbound) => Direction::Inbound,
        (Sign::None | Sign::Plus, _) => Direction::Outbound,
    }
}
