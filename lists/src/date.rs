//! Dates as lists give them: a year, a month, a span, "about". Read from many notations, written in one:
//! ISO 8601 with the marks of EDTF (`1962`, `1962-03`, `1951/1953`, `1951~`).

use std::{fmt, str::FromStr};

use jiff::civil::Date;
use serde::{Deserialize, Serialize, de};

/// A date of which the month and day, or the day, may be unknown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartialDate {
    year: i16,
    /// 0: unknown.
    month: i8,
    /// 0: unknown.
    day: i8,
}

/// A date of birth: exact, partial, a span of years, or about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BirthDate {
    /// The date, or the beginning of the span.
    pub from: PartialDate,
    /// The end of the span, where it is one.
    pub to: Option<PartialDate>,
    /// The source says "circa".
    pub circa: bool,
}

/// Why a text is not a date.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a date (such as 1962, Mar 1962, 05 Mar 1962 or 1962-03-05)")]
pub struct DateError;

impl PartialDate {
    /// A year, with month and day where they are known; `None` where there is no such date.
    pub fn new(year: i16, month: Option<i8>, day: Option<i8>) -> Option<Self> {
        let date = Self { year, month: month.unwrap_or(0), day: day.unwrap_or(0) };
        let whole = Date::new(year, month.unwrap_or(1), day.unwrap_or(1)).ok()?;
        (whole.year() >= 1 && (month.is_some() || day.is_none())).then_some(date)
    }

    /// The year.
    pub fn year(&self) -> i16 {
        self.year
    }

    /// The month, where it is known.
    pub fn month(&self) -> Option<i8> {
        (self.month > 0).then_some(self.month)
    }

    /// The day, where it is known.
    pub fn day(&self) -> Option<i8> {
        (self.day > 0).then_some(self.day)
    }

    /// The first day that it may mean.
    pub fn first_day(&self) -> Date {
        Date::new(self.year, self.month.max(1), self.day.max(1)).unwrap_or_default()
    }

    /// The last day that it may mean.
    pub fn last_day(&self) -> Date {
        let first = self.first_day();
        match (self.month, self.day) {
            (0, _) => first.last_of_year(),
            (_, 0) => first.last_of_month(),
            _ => first,
        }
    }

    /// ISO (`1962`, `1962-03`, `1962-03-05`), OFAC's (`Mar 1962`, `05 Mar 1962`) and British (`05/03/1962`,
    /// with `00` for what is unknown) notation.
    pub fn parse(text: &str) -> Result<Self, DateError> {
        let text = text.trim();
        let iso = || {
            // A time may follow the date: `1962-03-05T00:00:00`.
            let timed = text.as_bytes().get(10).is_some_and(|b| [b'T', b' '].contains(b));
            let date = text.get(..10).filter(|_| timed).unwrap_or(text);
            let mut parts = date.split('-');
            let year = parts.next().filter(|y| y.len() == 4)?;
            Self::from_parts(year, parts.next(), parts.next()).filter(|_| parts.next().is_none())
        };
        let words = || {
            let mut parts = text.split([' ', '-', ',']).filter(|p| !p.is_empty()).rev();
            let (year, month) = (parts.next()?, parts.next()?);
            let month = month_number(month)?;
            let day = parts.next().map(str::parse::<i8>).transpose().ok()?;
            Self::new(four_digits(year)?, Some(month), day).filter(|_| parts.next().is_none())
        };
        let british = || {
            let mut parts = text.split('/').rev();
            let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
            Self::from_parts(year, Some(month), Some(day)).filter(|_| parts.next().is_none())
        };
        iso().or_else(words).or_else(british).ok_or(DateError)
    }

    /// Digits of each part; `00` for what is unknown.
    fn from_parts(year: &str, month: Option<&str>, day: Option<&str>) -> Option<Self> {
        let known = |part: Option<&str>| match part {
            None => Some(None),
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) && digits.len() <= 2 => {
                digits.parse::<i8>().ok().map(|n| (n > 0).then_some(n))
            }
            Some(_) => None,
        };
        let (month, day) = (known(month)?, known(day)?);
        Self::new(four_digits(year)?, month, day.filter(|_| month.is_some()))
    }
}

fn four_digits(text: &str) -> Option<i16> {
    (text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// The month of an English name of at least three letters, in any case.
fn month_number(name: &str) -> Option<i8> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let index = MONTHS.iter().position(|m| name.len() >= 3 && m.starts_with(&name))?;
    i8::try_from(index + 1).ok()
}

impl BirthDate {
    /// A date that is no span.
    pub fn on(date: PartialDate) -> Self {
        Self { from: date, to: None, circa: false }
    }

    /// The first day that it may mean, "about" aside.
    pub fn first_day(&self) -> Date {
        self.from.first_day()
    }

    /// The last day that it may mean, "about" aside.
    pub fn last_day(&self) -> Date {
        self.to.unwrap_or(self.from).last_day()
    }

    /// A date in any notation of [`PartialDate::parse`], a span (`1951 to 1953`, `between 1951 and 1953`,
    /// `1951-1953`), a list's "circa" before it, or this type's own notation.
    pub fn parse(text: &str) -> Result<Self, DateError> {
        let text = text.trim();
        let (text, marked) = text.strip_suffix('~').map_or((text, false), |rest| (rest, true));
        let lower = text.to_ascii_lowercase();
        let prefix = ["approximately ", "circa ", "approx. ", "about ", "c. ", "ca. "];
        let skip = prefix.iter().find(|p| lower.starts_with(*p)).map_or(0, |p| p.len());
        let circa = marked || skip > 0;
        let text = &text[skip..];
        let text = text.strip_prefix("between ").or(text.strip_prefix("Between ")).unwrap_or(text);
        if let Ok(date) = PartialDate::parse(text) {
            return Ok(Self { from: date, to: None, circa });
        }
        let (from, to) = [" to ", " and ", " - ", "/", "-"]
            .iter()
            .filter_map(|between| text.split_once(between))
            .find_map(|(a, b)| {
                let circa_inside = |t: &str| t.trim().trim_start_matches("circa ").to_owned();
                Some((PartialDate::parse(&circa_inside(a)).ok()?, PartialDate::parse(&circa_inside(b)).ok()?))
            })
            .ok_or(DateError)?;
        let (from, to) = if from <= to { (from, to) } else { (to, from) };
        Ok(Self { from, to: Some(to), circa: circa || text.contains("circa") })
    }
}

impl fmt::Display for PartialDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.month(), self.day()) {
            (None, _) => write!(f, "{:04}", self.year),
            (Some(month), None) => write!(f, "{:04}-{month:02}", self.year),
            (Some(month), Some(day)) => write!(f, "{:04}-{month:02}-{day:02}", self.year),
        }
    }
}

impl fmt::Display for BirthDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.from)?;
        if let Some(to) = self.to {
            write!(f, "/{to}")?;
        }
        if self.circa { f.write_str("~") } else { Ok(()) }
    }
}

impl FromStr for PartialDate {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        Self::parse(text)
    }
}

impl FromStr for BirthDate {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        Self::parse(text)
    }
}

/// Debug and serde by the one notation.
macro_rules! as_text {
    ($t:ident) => {
        impl fmt::Debug for $t {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }
        impl Serialize for $t {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $t {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                std::borrow::Cow::<str>::deserialize(d)?.parse().map_err(de::Error::custom)
            }
        }
    };
}
as_text!(PartialDate);
as_text!(BirthDate);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_notation_is_read() {
        for (text, written) in [
            ("1962", "1962"),
            ("Mar 1962", "1962-03"),
            ("05 Mar 1962", "1962-03-05"),
            ("1962-03-05", "1962-03-05"),
            ("1962-03-05T00:00:00Z", "1962-03-05"),
            ("05/03/1962", "1962-03-05"),
            ("00/00/1962", "1962"),
            ("circa 1951", "1951~"),
            ("circa Mar 1951", "1951-03~"),
            ("1951 to 1953", "1951/1953"),
            ("Between 1951 and 1953", "1951/1953"),
            ("1951-1953", "1951/1953"),
            ("circa 1951-1953", "1951/1953~"),
            ("01 Jan 1980 to 31 Dec 1989", "1980-01-01/1989-12-31"),
        ] {
            assert_eq!(BirthDate::parse(text).map(|d| d.to_string()), Ok(written.to_owned()), "{text}");
        }
        for bad in ["", "unknown", "31 Feb 1962", "1962-13", "Ma 1962", "0000", "62", "05/1962/03"] {
            assert_eq!(BirthDate::parse(bad), Err(DateError), "{bad}");
        }
    }

    #[test]
    fn a_partial_date_spans_its_days() {
        let span = |text: &str| {
            let date = BirthDate::parse(text).unwrap();
            format!("{}..{}", date.first_day(), date.last_day())
        };
        assert_eq!(span("1960"), "1960-01-01..1960-12-31");
        assert_eq!(span("Feb 1960"), "1960-02-01..1960-02-29");
        assert_eq!(span("1951 to 1953"), "1951-01-01..1953-12-31");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(year in 1i16..=9999, month in 0i8..=12, day in 0i8..=28, circa: bool, span in 0i16..10) {
            let known = |n: i8| (n > 0).then_some(n);
            let day = known(day).filter(|_| month > 0);
            let from = PartialDate::new(year, known(month), day).unwrap();
            let to = (span > 0).then(|| PartialDate::new((year + span).min(9999), None, None).unwrap()).filter(|t| *t > from);
            let date = BirthDate { from, to, circa };
            prop_assert_eq!(BirthDate::parse(&date.to_string()), Ok(date));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _ = BirthDate::parse(&text);
        }
    }
}
