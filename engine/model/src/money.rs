//! Money as integer minor units with a currency; decimal text at the edges only.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize, de, ser::SerializeStruct};

/// An ISO 4217 currency code. Only codes of the standard exist as values.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// An amount in minor units (cents for HKD, yen for JPY) of a currency.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Money {
    /// Minor units: `minor / 10^currency.exponent()` is the amount.
    pub minor: i64,
    /// The currency of the amount.
    pub currency: Currency,
}

/// Why a text is not an amount of a currency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a code of ISO 4217.
    #[error("unknown currency code")]
    UnknownCurrency,
    /// Not digits with at most one decimal point.
    #[error("not a decimal amount (such as 7800.00)")]
    NotAnAmount,
    /// More decimals than the currency has.
    #[error("more than {0} decimals, which {1} does not have")]
    TooManyDecimals(u8, Currency),
    /// Larger than 64 bits of minor units.
    #[error("amount too large")]
    TooLarge,
    /// Less than nothing.
    #[error("amount is negative")]
    Negative,
}

/// Active ISO 4217 codes whose exponent is two, in order.
const EXPONENT_2: &[u8] = b"AEDAFNALLAMDAOAARSAUDAWGAZNBAMBBDBDTBGNBMDBNDBOBBOVBRLBSDBTNBWPBYNBZDCADCDFCHECHFCHWCNHCNYCOPCOUCRCCUPCVECZKDKKDOPDZDEGPERNETBEURFJDFKPGBPGELGHSGIPGMDGTQGYDHKDHNLHTGHUFIDRILSINRIRRJMDKESKGSKHRKPWKYDKZTLAKLBPLKRLRDLSLMADMDLMGAMKDMMKMNTMOPMRUMURMVRMWKMXNMXVMYRMZNNADNGNNIONOKNPRNZDPABPENPGKPHPPKRPLNQARRONRSDRUBSARSBDSCRSDGSEKSGDSHPSLESOSSRDSSPSTNSVCSYPSZLTHBTJSTMTTOPTRYTTDTWDTZSUAHUSDUSNUYUUZSVEDVESWSTXCDXCGYERZARZMWZWG";
const EXPONENT_0: &[u8] = b"BIFCLPDJFGNFISKJPYKMFKRWPYGRWFUGXUYIVNDVUVXAFXOFXPF";
const EXPONENT_3: &[u8] = b"BHDIQDJODKWDLYDOMRTND";
/// Beside CLF and UYW: what ISO 4217 gives no minor unit at all, metals by the troy ounce and two units of account. Four
/// decimals, the most that any currency has, keep fractions of an ounce.
const EXPONENT_4: &[u8] = b"CLFUYWXAGXAUXDRXPDXPTXUA";
const CODES: [&[u8]; 4] = [EXPONENT_2, EXPONENT_0, EXPONENT_3, EXPONENT_4];

fn holds(codes: &[u8], code: [u8; 3]) -> bool {
    codes.chunks_exact(3).any(|known| known == code)
}

impl Currency {
    /// Hong Kong dollar, the currency that rules compare in.
    pub const HKD: Self = Self(*b"HKD");
    /// US dollar.
    pub const USD: Self = Self(*b"USD");
    /// Renminbi.
    pub const CNY: Self = Self(*b"CNY");

    /// Every currency there is, by its number of decimals and then in order.
    pub fn all() -> impl Iterator<Item = Self> {
        CODES.into_iter().flat_map(|codes| codes.as_chunks::<3>().0).map(|code| Self(*code))
    }

    /// How many decimals the currency has.
    pub fn exponent(self) -> u8 {
        match self.0 {
            code if holds(EXPONENT_0, code) => 0,
            code if holds(EXPONENT_3, code) => 3,
            code if holds(EXPONENT_4, code) => 4,
            _ => 2,
        }
    }

    /// The three letters. Always ASCII; `XXX`, which ISO 4217 has for no currency, is never reached.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let code: [u8; 3] = text.as_bytes().try_into().map_err(|_| MoneyError::UnknownCurrency)?;
        match code {
            _ if CODES.iter().any(|codes| holds(codes, code)) => Ok(Self(code)),
            _ => Err(MoneyError::UnknownCurrency),
        }
    }
}

impl Money {
    /// From minor units.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// From decimal text such as `7800.00`: digits and at most one point, exactly, never rounded. Trailing
    /// zeros beyond the currency's decimals are taken (`5.00` JPY is five yen).
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        if text.starts_with('-') {
            return Err(MoneyError::Negative);
        }
        let exponent = usize::from(currency.exponent());
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) {
            return Err(MoneyError::NotAnAmount);
        }
        let kept = fraction.trim_end_matches('0');
        if kept.len() > exponent {
            return Err(MoneyError::TooManyDecimals(currency.exponent(), currency));
        }
        let mut minor: i64 = 0;
        let padding = std::iter::repeat_n(b'0', exponent - kept.len());
        for digit in whole.bytes().chain(kept.bytes()).chain(padding) {
            minor = minor
                .checked_mul(10)
                .and_then(|m| m.checked_add(i64::from(digit - b'0')))
                .ok_or(MoneyError::TooLarge)?;
        }
        Ok(Self { minor, currency })
    }

    /// As [`Money::parse`], below zero too: a balance, not a payment.
    pub fn parse_signed(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let (sign, text) = text.strip_prefix('-').map_or((1, text), |positive| (-1, positive));
        Self::parse(text, currency).map(|money| Self { minor: sign * money.minor, ..money })
    }

    /// The decimal text with all the currency's decimals: `7800.00`.
    pub fn decimal(&self) -> String {
        let exponent = usize::from(self.currency.exponent());
        let sign = if self.minor < 0 { "-" } else { "" };
        let digits = format!("{:0width$}", self.minor.unsigned_abs(), width = exponent + 1);
        let (whole, fraction) = digits.split_at(digits.len() - exponent);
        if exponent == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.currency, self.decimal())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<str>::deserialize(d)?.parse().map_err(de::Error::custom)
    }
}

impl Serialize for Money {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut wire = s.serialize_struct("Money", 2)?;
        wire.serialize_field("value", &self.decimal())?;
        wire.serialize_field("currency", &self.currency)?;
        wire.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_exactly_or_refused() {
        let read = |text: &str, code: &str| Money::parse(text, code.parse().unwrap()).map(|m| m.minor);
        assert_eq!(read("7800.00", "HKD"), Ok(780_000));
        assert_eq!(read("7800", "HKD"), Ok(780_000));
        assert_eq!(read("7800.5", "HKD"), Ok(780_050));
        assert_eq!(read("5.00", "JPY"), Ok(5));
        assert_eq!(read("1.234", "KWD"), Ok(1_234));
        assert_eq!(read("1.005", "HKD"), Err(MoneyError::TooManyDecimals(2, Currency::HKD)));
        assert_eq!(read("99999999999999999999", "HKD"), Err(MoneyError::TooLarge));
        assert_eq!(read("-1", "HKD"), Err(MoneyError::Negative));
        for bad in ["", ".", "1e3", "1,000", "NaN", " 1", "1.2.3", "٣"] {
            assert_eq!(read(bad, "HKD"), Err(MoneyError::NotAnAmount), "{bad}");
        }
    }

    #[test]
    fn only_codes_of_the_standard_are_currencies() {
        for code in ["HKD", "CNY", "USD", "JPY", "BHD"] {
            assert_eq!(code.parse::<Currency>().unwrap().code(), code);
        }
        // `XTS` is for tests and `XXX` for no currency.
        for bad in ["", "HK", "hkd", "XXZ", "KDH", "HKDD", "XTS", "XXX"] {
            assert!(bad.parse::<Currency>().is_err(), "{bad}");
        }
    }

    #[test]
    fn every_currency_is_named_once_with_the_decimals_of_the_standard() {
        let all: Vec<Currency> = Currency::all().collect();
        assert_eq!(all.iter().collect::<std::collections::HashSet<_>>().len(), all.len());
        assert!(all.iter().all(|currency| currency.code().parse() == Ok(*currency)));
        let with = |exponent: u8| all.iter().filter(|c| c.exponent() == exponent).count();
        assert_eq!([0, 1, 2, 3, 4].map(with), [17, 0, 140, 7, 8]);
        for (code, exponent) in
            [("VND", 0), ("UGX", 0), ("UYI", 0), ("TND", 3), ("IQD", 3), ("CLF", 4), ("XAU", 4), ("MGA", 2)]
        {
            assert_eq!(code.parse::<Currency>().map(Currency::exponent), Ok(exponent), "{code}");
        }
    }

    #[test]
    fn decimals_are_written_as_they_are_read() {
        for (text, code) in
            [("0.00", "HKD"), ("0.05", "HKD"), ("12345.67", "USD"), ("5", "JPY"), ("1.234", "BHD")]
        {
            assert_eq!(Money::parse(text, code.parse().unwrap()).unwrap().decimal(), text);
        }
    }
}
