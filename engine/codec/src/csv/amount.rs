//! An amount as a table writes it. It follows a grammar: what does not is refused, and nothing is ever scaled.

/// How a column writes amounts.
#[derive(Clone, Debug, Default)]
pub(super) struct Amounts {
    /// The decimal sign; `None` where the mapping does not say, which is a point.
    pub point: Option<char>,
    pub group: Option<char>,
    pub grouping: Grouping,
    /// What may stand before or after the number: `€`, `HKD`.
    pub symbols: Vec<String>,
    /// How many of the last digits are decimals, in an amount without a decimal sign.
    pub shift: u8,
}

/// How many digits stand between the signs that group them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Grouping {
    /// Three everywhere: `1,234,567`.
    #[default]
    Thousands,
    /// Three at the end, two before: `12,34,567`.
    Indian,
}

/// What a cell says beside the number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sign {
    None,
    Plus,
    Minus,
    Credit,
    Debit,
}

/// An amount: digits with at most one point, and its sign.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Amount {
    pub digits: String,
    pub sign: Sign,
}

impl Amount {
    pub(super) fn is_zero(&self) -> bool {
        self.digits.bytes().all(|byte| matches!(byte, b'0' | b'.'))
    }
}

const NO_NUMBER: &str = "the column is not an amount of plain digits";
const BESIDE: &str = "the column has letters or signs beside the number; the mapping's `symbols` names those that may \
                      stand there";
const GROUPS: &str = "the column's digits are not grouped as the mapping says";
const DECIMALS: &str =
    "the column's decimals are not what the mapping says: digits alone, after its decimal sign";
const EITHER: &str =
    "the column's point may part decimals or thousands: the mapping must say `decimal` or `group`";
const MINOR: &str = "the column has decimals; the mapping's `shift` says that it counts minor units";
const SIGNS: &str = "the column has more than one sign";

impl Amounts {
    /// Whether the signs can be told from each other and from the rest of an amount.
    pub(super) fn has_clear_signs(&self) -> bool {
        let is_clear = |c: char| !plain(c).is_alphanumeric() && !matches!(plain(c), '-' | '+' | '(' | ')');
        let group = self.group.map(plain);
        is_clear(self.point()) && group.is_none_or(|group| is_clear(group) && group != self.point())
    }

    /// Whether a text can stand beside a number without being read as a part of it.
    pub(super) fn may_stand_beside(symbol: &str) -> bool {
        let is_mark = |c: char| c == '$' || !(c.is_ascii_punctuation() || c.is_whitespace());
        let is_of_number = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '(' | ')');
        let mut plain = symbol.chars().map(plain);
        plain.clone().any(is_mark) && !plain.any(is_of_number)
    }

    /// The amount that a cell holds, or why it holds none.
    pub(super) fn read(&self, cell: &str) -> Result<Amount, &'static str> {
        let cell: String = cell.chars().map(plain).collect();
        let (number, sign) = self.bare(&cell)?;
        let digits = self.digits(number)?;
        Ok(Amount { digits, sign })
    }

    /// Whether a cell holds something other than zero.
    pub(super) fn is_filled(&self, cell: &str) -> bool {
        !cell.is_empty() && self.read(cell).map_or(true, |amount| !amount.is_zero())
    }

    /// The number without its sign and symbol.
    fn bare<'a>(&self, cell: &'a str) -> Result<(&'a str, Sign), &'static str> {
        let mut rest = cell.trim();
        let mut sign = Sign::None;
        let mut has_symbol = false;
        loop {
            let symbol = self.symbol(rest).filter(|_| !has_symbol);
            let (inner, found) = match symbol {
                Some(inner) => {
                    has_symbol = true;
                    (inner, None)
                }
                None => match signed(rest) {
                    Some((inner, found)) => (inner, Some(found)),
                    None => return Ok((rest, sign)),
                },
            };
            rest = inner.trim();
            if let Some(found) = found {
                if sign != Sign::None {
                    return Err(SIGNS);
                }
                sign = found;
            }
        }
    }

    fn symbol<'a>(&self, text: &'a str) -> Option<&'a str> {
        self.symbols.iter().find_map(|symbol| {
            let symbol: String = symbol.chars().map(plain).collect();
            text.strip_prefix(&symbol).or_else(|| text.strip_suffix(&symbol))
        })
    }

    fn digits(&self, number: &str) -> Result<String, &'static str> {
        if !number.contains(|c: char| c.is_ascii_digit()) {
            return Err(NO_NUMBER);
        }
        if !number.starts_with(|c: char| c.is_ascii_digit() || c == self.point())
            || number.contains(char::is_alphabetic)
        {
            return Err(BESIDE);
        }
        let (whole, fraction) = match number.split_once(self.point()) {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (number, None),
        };
        let whole = self.whole(whole)?;
        match fraction {
            None if self.shift == 0 => Ok(whole),
            None => Ok(shifted(&whole, usize::from(self.shift))),
            Some(_) if self.shift != 0 => Err(MINOR),
            Some(fraction) if !is_digits(fraction) => Err(DECIMALS),
            Some(fraction) if self.is_either(&whole, fraction) => Err(EITHER),
            Some(fraction) => Ok(format!("{whole}.{fraction}")),
        }
    }

    fn point(&self) -> char {
        plain(self.point.unwrap_or('.'))
    }

    /// Whether a point that the mapping does not speak of could as well part thousands.
    fn is_either(&self, whole: &str, fraction: &str) -> bool {
        let is_group = (1..=3).contains(&whole.len()) && !whole.starts_with('0') && fraction.len() == 3;
        self.point.is_none() && self.group.is_none() && is_group
    }

    /// The digits before the decimal sign, without the signs that group them.
    fn whole(&self, text: &str) -> Result<String, &'static str> {
        let groups: Vec<&str> = match self.group {
            Some(group) => text.split(plain(group)).collect(),
            None => vec![text],
        };
        match groups.as_slice() {
            // `.50`: the digits after the sign are looked at there.
            [""] => {}
            [whole] if is_digits(whole) => {}
            [first, middle @ .., last] => {
                let (most, between) = match self.grouping {
                    Grouping::Thousands => (3, 3),
                    Grouping::Indian => (2, 2),
                };
                let fits = groups.iter().all(|group| is_digits(group))
                    && first.len() <= most
                    // Zero comes before decimals, not before thousands.
                    && !first.starts_with('0')
                    && middle.iter().all(|group| group.len() == between)
                    && last.len() == 3;
                if !fits {
                    return Err(GROUPS);
                }
            }
            _ => return Err(GROUPS),
        }
        Ok(groups.concat())
    }
}

/// A sign around a number, and what it is around.
fn signed(text: &str) -> Option<(&str, Sign)> {
    let of_debit = text.len().checked_sub(2).and_then(|at| text.split_at_checked(at));
    match of_debit {
        Some((inner, end)) if end.eq_ignore_ascii_case("CR") => return Some((inner, Sign::Credit)),
        Some((inner, end)) if end.eq_ignore_ascii_case("DR") => return Some((inner, Sign::Debit)),
        _ => {}
    }
    let around = |sign| text.strip_prefix(sign).or_else(|| text.strip_suffix(sign));
    let in_parentheses = text.strip_prefix('(').and_then(|inner| inner.strip_suffix(')'));
    let minus = in_parentheses.or_else(|| around('-')).map(|inner| (inner, Sign::Minus));
    minus.or_else(|| around('+').map(|inner| (inner, Sign::Plus)))
}

/// A character as it is compared: full-width signs, blanks of every width, apostrophes and minus signs are one each.
fn plain(c: char) -> char {
    match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        '\u{2212}' | '\u{2010}' | '\u{2011}' => '-',
        '\u{2019}' => '\'',
        c if c.is_whitespace() => ' ',
        c => c,
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// An amount in a minor unit as a decimal: 12345 shifted by 2 is 123.45.
fn shifted(digits: &str, shift: usize) -> String {
    let padded = format!("{digits:0>width$}", width = shift + 1);
    let (units, fraction) = padded.split_at(padded.len() - shift);
    format!("{units}.{fraction}")
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::Index};

    use super::*;

    fn european() -> Amounts {
        Amounts { point: Some(','), group: Some('.'), ..Amounts::default() }
    }

    fn read(amounts: &Amounts, cell: &str) -> Option<String> {
        let amount = amounts.read(cell).ok()?;
        let sign = match amount.sign {
            Sign::None => "",
            Sign::Plus => "+",
            Sign::Minus => "-",
            Sign::Credit => "C",
            Sign::Debit => "D",
        };
        Some(format!("{sign}{}", amount.digits))
    }

    #[test]
    fn amounts_are_read_as_written_or_refused() {
        for (cell, expected) in [
            ("4.711,98", "4711.98"),
            ("3.000", "3000"),
            ("25.000", "25000"),
            ("1.234,50-", "-1234.50"),
            ("(12,00)", "-12.00"),
            ("+12,00", "+12.00"),
            ("- 7,80", "-7.80"),
            ("\u{2212}7,80", "-7.80"),
            ("12,00 CR", "C12.00"),
            ("12,00dr", "D12.00"),
            ("１．２３４，５０", "1234.50"),
            (",50", ".50"),
        ] {
            assert_eq!(read(&european(), cell).as_deref(), Some(expected), "{cell}");
        }
        for cell in [
            "110.7",
            "-110.7",
            "1.5",
            "7990.00",
            "1.2.3,4",
            "0.123",
            "12,",
            "1,2,3",
            "1 234,50",
            "4.711,98 €",
            "€ 12",
            "",
            "-",
            "--1",
            "-1-",
            "(1",
            "1)",
            "-(1)",
            "CR",
            "1.",
            ".",
            ",",
            "1e3",
            "1E+05",
            "NaN",
            "٣",
            "½",
            "0x1F",
            "12.00CR-",
            "1.0000",
            ".500",
            "1..000",
            "1\u{200b}0",
            "1'000",
        ] {
            assert_eq!(read(&european(), cell), None, "{cell}");
        }
    }

    #[test]
    fn groups_are_those_of_the_mapping() {
        let by = |group, grouping| Amounts { group: Some(group), grouping, ..Amounts::default() };
        let comma = by(',', Grouping::Thousands);
        assert_eq!(read(&comma, "7,800.00").as_deref(), Some("7800.00"));
        for cell in ["7,80", "1,00,000.00", "9.999,00", "7,8000", "0,780", ",780", "1,,000", "1,000,00"] {
            assert_eq!(read(&comma, cell), None, "{cell}");
        }
        let indian = by(',', Grouping::Indian);
        assert_eq!(read(&indian, "1,00,000.00").as_deref(), Some("100000.00"));
        assert_eq!(read(&indian, "12,34,56,789").as_deref(), Some("123456789"));
        assert_eq!([read(&indian, "100,000"), read(&indian, "1,000,000")], [None, None]);
        for blank in [' ', '\u{a0}', '\u{2009}', '\u{202f}', '\u{2007}', '\u{3000}'] {
            let cell = format!("1{blank}234{blank}567.50");
            assert_eq!(read(&by(' ', Grouping::Thousands), &cell).as_deref(), Some("1234567.50"));
            assert_eq!(read(&by(blank, Grouping::Thousands), "1 234").as_deref(), Some("1234"));
            assert_eq!(read(&comma, &cell), None);
            assert_eq!(read(&by(' ', Grouping::Thousands), &cell.replacen(blank, "", 1)), None);
        }
        for apostrophe in ["1'234.50", "1’234.50"] {
            assert_eq!(read(&by('’', Grouping::Thousands), apostrophe).as_deref(), Some("1234.50"));
        }
    }

    #[test]
    fn a_point_that_the_mapping_does_not_speak_of_is_not_guessed_at() {
        let silent = Amounts::default();
        for cell in ["25.000", "1.234"] {
            assert_eq!(silent.read(cell), Err(EITHER), "{cell}");
        }
        for (cell, expected) in [("7.80", "7.80"), ("0.125", "0.125"), ("1234.500", "1234.500"), ("7", "7")] {
            assert_eq!(read(&silent, cell).as_deref(), Some(expected));
        }
        let said = Amounts { point: Some('.'), ..Amounts::default() };
        assert_eq!(read(&said, "25.000").as_deref(), Some("25.000"));
    }

    #[test]
    fn symbols_stand_beside_numbers_where_the_mapping_names_them() {
        let named = Amounts {
            group: Some(','),
            symbols: vec!["€".into(), "HK$".into(), "HKD".into()],
            ..Amounts::default()
        };
        for (cell, expected) in [
            ("€ 12", "12"),
            ("HKD\u{a0}1,234.50", "1234.50"),
            ("-HK$7.80", "-7.80"),
            ("HK$-7.80", "-7.80"),
            ("(€7.80)", "-7.80"),
            ("7.80 € CR", "C7.80"),
        ] {
            assert_eq!(read(&named, cell).as_deref(), Some(expected), "{cell}");
        }
        for cell in ["€€12", "USD 12", "€", "1€2", "€12HKD"] {
            assert_eq!(read(&named, cell), None, "{cell}");
        }
    }

    #[test]
    fn minor_units_are_whole() {
        let cents = Amounts { shift: 2, ..Amounts::default() };
        assert_eq!(read(&cents, "5").as_deref(), Some("0.05"));
        assert_eq!(read(&cents, "-12345").as_deref(), Some("-123.45"));
        assert_eq!(cents.read("123.45"), Err(MINOR));
    }

    fn grammars() -> impl Strategy<Value = Amounts> {
        let signs = prop::sample::select(vec![
            (',', Some('.')),
            ('.', Some(',')),
            (',', Some(' ')),
            ('.', Some('\'')),
            ('.', None),
            (',', None),
        ]);
        let grouping = prop::sample::select(vec![Grouping::Thousands, Grouping::Indian]);
        (signs, grouping, any::<bool>()).prop_map(|((point, group), grouping, has_symbol)| Amounts {
            point: Some(point),
            group,
            grouping,
            symbols: if has_symbol { vec!["€".into()] } else { Vec::new() },
            shift: 0,
        })
    }

    /// A whole number with the mapping's groups.
    fn grouped(amounts: &Amounts, whole: &str) -> String {
        let Some(group) = amounts.group else { return whole.to_owned() };
        let (rest, last) = whole.split_at(whole.len().saturating_sub(3));
        let size = if amounts.grouping == Grouping::Indian { 2 } else { 3 };
        let groups = rest.as_bytes().rchunks(size).rev().map(|digits| std::str::from_utf8(digits).unwrap());
        groups.chain([last]).collect::<Vec<_>>().join(&group.to_string())
    }

    /// Every way to write an amount, without blanks beside it.
    fn spellings(amounts: &Amounts, amount: &Amount) -> Vec<String> {
        let (whole, fraction) =
            amount.digits.split_once('.').map_or((&*amount.digits, None), |(w, f)| (w, Some(f)));
        let numbers = [whole.to_owned(), grouped(amounts, whole)].map(|whole| match fraction {
            Some(fraction) => format!("{whole}{}{fraction}", amounts.point.unwrap_or('.')),
            None => whole,
        });
        let around = |text: String, marks: &[(&str, &str)]| -> Vec<String> {
            marks.iter().map(|(before, after)| format!("{before}{text}{after}")).collect()
        };
        let signs: &[(&str, &str)] = match amount.sign {
            Sign::None => &[("", "")],
            Sign::Plus => &[("+", ""), ("", "+")],
            Sign::Minus => &[("-", ""), ("", "-"), ("(", ")")],
            Sign::Credit => &[("", "CR"), ("", "cr"), ("", "Cr"), ("", "cR")],
            Sign::Debit => &[("", "DR"), ("", "dr"), ("", "Dr"), ("", "dR")],
        };
        let symbols: &[(&str, &str)] =
            if amounts.symbols.is_empty() { &[("", "")] } else { &[("", ""), ("€", ""), ("", "€")] };
        let signed = numbers.iter().flat_map(|number| around(number.clone(), signs));
        let inside = numbers.iter().flat_map(|number| around(number.clone(), symbols));
        let outside = signed.flat_map(|text| around(text, symbols));
        outside.chain(inside.flat_map(|text| around(text, signs))).collect()
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            amounts in grammars(),
            whole in "[1-9][0-9]{0,9}|0",
            fraction in prop::option::of("[0-9]{1,4}"),
            sign in prop::sample::select(vec![Sign::None, Sign::Plus, Sign::Minus, Sign::Credit, Sign::Debit]),
        ) {
            let digits = fraction.map_or(whole.clone(), |fraction| format!("{whole}.{fraction}"));
            let amount = Amount { digits, sign };
            for cell in spellings(&amounts, &amount) {
                prop_assert_eq!(amounts.read(&cell), Ok(amount.clone()), "{}", cell);
            }
        }

        /// Whatever is read of a spelling that was tampered with is a spelling of what it is read as.
        #[test]
        fn what_is_not_a_spelling_is_refused(
            amounts in grammars(),
            whole in "[1-9][0-9]{0,9}|0",
            fraction in prop::option::of("[0-9]{1,4}"),
            which in any::<Index>(),
            (from, gone, put) in (any::<Index>(), 0..2_usize, "[0-9.,' ()€CDRcdr+-]{0,2}"),
        ) {
            let digits = fraction.map_or(whole.clone(), |fraction| format!("{whole}.{fraction}"));
            let written = spellings(&amounts, &Amount { digits, sign: Sign::Minus });
            let mut cell: Vec<char> = which.get(&written).chars().collect();
            let from = from.index(cell.len());
            cell.splice(from..from + gone, put.chars());
            let cell: String = cell.into_iter().collect();
            if let Ok(amount) = amounts.read(&cell) {
                let is_of_number = |c: char| c.is_ascii_digit() || Some(c) == amounts.point || Some(c) == amounts.group;
                let number = cell.trim_matches(|c: char| !is_of_number(c) || c == ' ');
                let around = cell.replacen(number, "#", 1).replace(' ', "");
                let is_written = spellings(&amounts, &amount).iter().any(|spelling| {
                    spelling.contains(number) && spelling.replacen(number, "#", 1) == around
                });
                prop_assert!(is_written, "{cell} is read as {amount:?}");
            }
        }
    }
}
