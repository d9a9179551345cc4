//! Countries: whatever a list calls one becomes its ISO 3166-1 code, so that they can be compared.

use std::{collections::HashMap, fmt, sync::LazyLock};

use serde::{Deserialize, Serialize};

/// A country: its ISO 3166-1 alpha-2 code where it was recognised, otherwise the text as it is listed
/// (`Yugoslavia`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Country(String);

impl Country {
    /// The country of a code (two or three letters) or an English name, in the many ways lists write them;
    /// `None` where the text names none (empty, `Unknown`).
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let name = text.strip_prefix("Region:").unwrap_or(text).trim();
        let key = fold(name);
        if key.is_empty() || ["undetermined", "unknown", "available not"].contains(&key.as_str()) {
            return None;
        }
        let code = Self::of_code(name).or_else(|| NAMES.get(&key).copied());
        Some(Self(code.unwrap_or(text).to_owned()))
    }

    /// The country that a place ends with: `Culiacan, Sinaloa, Mexico`. Only one that is recognised: the last
    /// word of a place is a country by chance too seldom to keep, and a town too often.
    pub fn at_end_of(place: &str) -> Option<Self> {
        let parts = place.match_indices(", ").map(|(at, _)| &place[at + 2..]);
        std::iter::once(place)
            .chain(parts)
            .find_map(|tail| NAMES.get(&fold(tail)).map(|c| Self((*c).to_owned())))
    }

    /// The ISO 3166-1 alpha-2 code, where the country was recognised.
    pub fn code(&self) -> Option<&str> {
        let bytes = self.0.as_bytes();
        (bytes.len() == 2 && bytes.iter().all(u8::is_ascii_uppercase)).then_some(&self.0)
    }

    /// The code, or the text as it is listed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn of_code(text: &str) -> Option<&'static str> {
        let found = match text.len() {
            2 => rust_iso3166::from_alpha2(&text.to_ascii_uppercase()),
            3 => rust_iso3166::from_alpha3(&text.to_ascii_uppercase()),
            _ => None,
        };
        found.map(|c| c.alpha2)
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Every name, folded, with its code.
static NAMES: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let iso = rust_iso3166::ALL.iter().map(|c| (fold(c.name), c.alpha2));
    iso.chain(ALIASES.iter().map(|(name, code)| (fold(name), *code))).collect()
});

/// The words of a name in lower case and in order, small words aside: `Korea, North` is `North Korea`.
fn fold(name: &str) -> String {
    let lower = any_ascii::any_ascii(name).to_ascii_lowercase().replace('\'', "");
    let mut words: Vec<&str> = lower
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|w| !w.is_empty() && !["the", "of", "and"].contains(w))
        .collect();
    words.sort_unstable();
    words.join(" ")
}

/// Names that lists use beside the ISO short names, and former names of countries that live on under another.
const ALIASES: &[(&str, &str)] = &[
    ("Bahamas", "BS"),
    ("Bolivia", "BO"),
    ("Bosnia", "BA"),
    ("British Virgin Islands", "VG"),
    ("Brunei", "BN"),
    ("Burma", "MM"),
    ("Cabo Verde", "CV"),
    ("Cape Verde", "CV"),
    ("Central African Republic", "CF"),
    ("Congo-Brazzaville", "CG"),
    ("Congo-Kinshasa", "CD"),
    ("Congo, Democratic Republic of the", "CD"),
    ("Congo, Republic of the", "CG"),
    ("Cote d'Ivoire", "CI"),
    ("Crimea", "UA"),
    ("Curacao", "CW"),
    ("Czech Republic", "CZ"),
    ("Czechia", "CZ"),
    ("Democratic People's Republic of Korea", "KP"),
    ("DPRK", "KP"),
    ("DRC", "CD"),
    ("East Timor", "TL"),
    ("England", "GB"),
    ("Eswatini", "SZ"),
    ("Federated States of Micronesia", "FM"),
    ("Gambia", "GM"),
    ("Gaza", "PS"),
    ("Gaza Strip", "PS"),
    ("Great Britain", "GB"),
    ("Hong Kong", "HK"),
    ("Hong Kong SAR", "HK"),
    ("Iran", "IR"),
    ("Iran, Islamic Republic of", "IR"),
    ("Ivory Coast", "CI"),
    ("Korea, North", "KP"),
    ("Korea, South", "KR"),
    ("Kosovo", "XK"),
    ("Laos", "LA"),
    ("Macau", "MO"),
    ("Macao", "MO"),
    ("Macedonia", "MK"),
    ("Macedonia, The Former Yugoslav Republic of", "MK"),
    ("Mainland China", "CN"),
    ("Micronesia", "FM"),
    ("Moldova", "MD"),
    ("Netherlands", "NL"),
    ("Niger", "NE"),
    ("North Macedonia", "MK"),
    ("Northern Ireland", "GB"),
    ("Occupied Palestinian Territories", "PS"),
    ("Palestine", "PS"),
    ("Palestinian", "PS"),
    ("Palestinian Territories", "PS"),
    ("People's Republic of China", "CN"),
    ("PRC", "CN"),
    ("Republic of Korea", "KR"),
    ("Reunion", "RE"),
    ("Russia", "RU"),
    ("Saint Helena", "SH"),
    ("Saint Kitts and Nevis", "KN"),
    ("Saint Lucia", "LC"),
    ("Saint Martin", "MF"),
    ("Saint Vincent and the Grenadines", "VC"),
    ("Scotland", "GB"),
    ("Sint Maarten", "SX"),
    ("St. Kitts and Nevis", "KN"),
    ("St. Lucia", "LC"),
    ("St. Vincent and the Grenadines", "VC"),
    ("Swaziland", "SZ"),
    ("Syria", "SY"),
    ("Taiwan", "TW"),
    ("Tanzania", "TZ"),
    ("Turkey", "TR"),
    ("Turkiye", "TR"),
    ("UAE", "AE"),
    ("UK", "GB"),
    ("United Kingdom", "GB"),
    ("United States", "US"),
    ("United States Virgin Islands", "VI"),
    ("US Virgin Islands", "VI"),
    ("USA", "US"),
    ("Vatican", "VA"),
    ("Vatican City", "VA"),
    ("Venezuela", "VE"),
    ("Vietnam", "VN"),
    ("Virgin Islands, British", "VG"),
    ("Virgin Islands, U.S.", "VI"),
    ("Wales", "GB"),
    ("West Bank", "PS"),
    ("Zaire", "CD"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_codes_become_codes() {
        for (text, code) in [
            ("Cuba", Some("CU")),
            ("Korea, North", Some("KP")),
            ("Democratic People's Republic of Korea", Some("KP")),
            ("Korea, Republic of", Some("KR")),
            ("Congo, Democratic Republic of the", Some("CD")),
            ("Democratic Republic of the Congo", Some("CD")),
            ("Iran (Islamic Republic of)", Some("IR")),
            ("Region: Gaza", Some("PS")),
            ("Côte d'Ivoire", Some("CI")),
            ("Türkiye", Some("TR")),
            ("United States of America", Some("US")),
            ("hk", Some("HK")),
            ("na", Some("NA")),
            ("Namibia", Some("NA")),
            ("GBR", Some("GB")),
            ("Yugoslavia", None),
        ] {
            assert_eq!(Country::parse(text).as_ref().and_then(Country::code), code, "{text}");
        }
        assert_eq!(Country::parse("Yugoslavia").unwrap().as_str(), "Yugoslavia");
        assert_eq!(Country::parse("undetermined"), None);
        assert_eq!(Country::parse(" "), None);
    }

    #[test]
    fn a_place_ends_with_its_country() {
        let code = |place| Country::at_end_of(place).map(|c| c.to_string());
        assert_eq!(code("Culiacan, Sinaloa, Mexico").as_deref(), Some("MX"));
        assert_eq!(code("Pyongyang, Korea, North").as_deref(), Some("KP"));
        assert_eq!(code("Colombia").as_deref(), Some("CO"));
        assert_eq!(code("Umm Tuba"), None);
    }
}
