//! Proxies of FPS: a mobile number, an address of mail, an FPS identifier or a Hong Kong identity card's number.
//! Which of them it is, is recognised from the proxy itself where a source does not say.

use std::borrow::Cow;

use crate::{Proxy, identifier};

/// The types, as events carry them, with the words of sources for each, in small letters without separators.
const TYPES: [(&str, &[&str]); 4] = [
    (
        MOBILE,
        &["mobile", "mobilenumber", "mobileno", "mobn", "mbno", "phone", "phonenumber", "tele", "msisdn"],
    ),
    (EMAIL, &["email", "emailaddress", "emal", "mail"]),
    (FPS_ID, &["fpsid", "fpsidentifier", "svid", "merchantid"]),
    (HKID, &["hkid", "hkidnumber", "hkic", "idnumber"]),
];

const MOBILE: &str = "mobile";
const EMAIL: &str = "email";
const FPS_ID: &str = "fps_id";
const HKID: &str = "hkid";
/// The country code of a number that is written without one.
const HONG_KONG_CODE: &str = "852";

/// The type that a proxy shows by itself, if it shows one.
fn recognised(id: &str) -> Option<&'static str> {
    let plain = identifier::account(id);
    if plain.contains('@') {
        let (name, domain) = plain.split_once('@')?;
        return (!name.is_empty() && domain.contains('.') && !domain.contains('@')).then_some(EMAIL);
    }
    if is_hkid(&plain) {
        return Some(HKID);
    }
    if !plain.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let international = id.trim_start().starts_with('+') || plain.starts_with("00");
    match plain.len() {
        7 | 9 => Some(FPS_ID),
        8 => is_hong_kong_mobile(&plain).then_some(MOBILE),
        10..=15 if international => Some(MOBILE),
        11 => plain.strip_prefix(HONG_KONG_CODE).is_some_and(is_hong_kong_mobile).then_some(MOBILE),
        _ => None,
    }
}

/// Whether a text is the number of a Hong Kong identity card, without separators: one letter or two, six digits, and
/// a check digit that agrees.
fn is_hkid(text: &str) -> bool {
    /// What a blank before a single letter weighs.
    const BLANK: u32 = 36;
    let letters = text.bytes().take_while(u8::is_ascii_uppercase).count();
    if !text.is_ascii() || !(1..=2).contains(&letters) || text.len() != letters + 7 {
        return false;
    }
    let (body, check) = text.split_at(text.len() - 1);
    if !body.bytes().skip(letters).all(|b| b.is_ascii_digit())
        || !check.bytes().all(|b| b.is_ascii_digit() || b == b'A')
    {
        return false;
    }
    // Base 36 gives letters 10 to 35, and the check digit A the ten that it stands for.
    let values = text.chars().filter_map(|c| c.to_digit(36));
    let padded = std::iter::repeat_n(BLANK, 2 - letters).chain(values);
    padded.zip((1..=9).rev()).map(|(value, weight)| value * weight).sum::<u32>() % 11 == 0
}

/// Eight digits of which the first says that it moves: 4 to 9.
fn is_hong_kong_mobile(digits: &str) -> bool {
    digits.len() == 8 && digits.starts_with(|c: char| ('4'..='9').contains(&c))
}

impl Proxy {
    /// A proxy whose source does not say its type, if it shows one.
    pub fn of(id: String) -> Option<Self> {
        let proxy_type = recognised(&id)?.to_owned();
        Some(Self { proxy_type, id })
    }

    /// The proxy with its type and itself written one way.
    #[must_use]
    pub fn normalised(mut self) -> Self {
        self.normalise();
        self
    }

    pub(crate) fn normalise(&mut self) {
        let folded: String =
            self.proxy_type.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        let said = TYPES.iter().find(|(_, words)| words.contains(&folded.as_str())).map(|(name, _)| *name);
        let unsaid = folded.is_empty() || identifier::is_placeholder(&folded);
        let shown = if unsaid { recognised(&self.id) } else { None };
        if let Some(name) = said.or(shown) {
            self.proxy_type = name.to_owned();
        }
        let written = identifier::account(&self.id);
        let written = if self.proxy_type == MOBILE { with_country_code(written) } else { written };
        if let Cow::Owned(written) = written {
            self.id = written;
        }
    }
}

/// The digits of a number with its country code: 85251234567.
fn with_country_code(number: Cow<'_, str>) -> Cow<'_, str> {
    if is_hong_kong_mobile(&number) && number.bytes().all(|b| b.is_ascii_digit()) {
        return Cow::Owned(format!("{HONG_KONG_CODE}{number}"));
    }
    match number.strip_prefix("00") {
        Some(bare) if bare.len() > 8 => Cow::Owned(bare.to_owned()),
        _ => number,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(proxy_type: &str, id: &str) -> (String, String) {
        let mut proxy = Proxy { proxy_type: proxy_type.to_owned(), id: id.to_owned() };
        proxy.normalise();
        let once = proxy.clone();
        proxy.normalise();
        assert_eq!(proxy, once, "once is enough");
        (proxy.proxy_type, proxy.id)
    }

    #[test]
    fn a_proxy_shows_its_type() {
        for (id, of) in [
            ("+852-51234567", Some(MOBILE)),
            ("5123 4567", Some(MOBILE)),
            ("85291234567", Some(MOBILE)),
            ("+86 138 0013 8000", Some(MOBILE)),
            ("Someone@Example.com", Some(EMAIL)),
            ("1234567", Some(FPS_ID)),
            ("123456789", Some(FPS_ID)),
            ("A123456(3)", Some(HKID)),
            ("A123456(4)", None),
            ("21234567", None),
            ("a@b@c.d", None),
            ("@example.com", None),
            ("shop", None),
            ("", None),
        ] {
            assert_eq!(recognised(id), of, "{id}");
        }
    }

    #[test]
    fn check_digits_of_identity_cards_are_checked() {
        // Published examples, the last with the check digit of ten.
        for good in ["A1234563", "G1234560", "AB9876543", "Z6833653"] {
            let digits = |check: u32| {
                format!(
                    "{}{}",
                    &good[..good.len() - 1],
                    if check == 10 { "A".to_owned() } else { check.to_string() }
                )
            };
            assert_eq!(
                (0..=10).filter(|check| is_hkid(&digits(*check))).count(),
                1,
                "{good}: one check digit fits"
            );
        }
        assert!(is_hkid("A1234563") && is_hkid("AB9876543"));
        for bad in
            ["A123456", "1234563", "ABC1234563", "a1234563", "A12345633", "A12345B3", "Ä1234563", "A123456B"]
        {
            assert!(!is_hkid(bad), "{bad}");
        }
    }

    #[test]
    fn a_proxy_is_written_one_way() {
        let mobile = (MOBILE.to_owned(), "85251234567".to_owned());
        for (of, id) in [
            ("mobile", "+852-51234567"),
            ("MOBN", "51234567"),
            ("Mobile Number", "0085251234567"),
            ("unknown", "5123-4567"),
            ("unknown", "852 5123 4567"),
        ] {
            assert_eq!(normal(of, id), mobile, "{of} {id}");
        }
        assert_eq!(normal("EMAL", "A@Example.com"), (EMAIL.to_owned(), "a@example.com".to_owned()));
        assert_eq!(normal("FPS ID", "123 4567"), (FPS_ID.to_owned(), "1234567".to_owned()));
        assert_eq!(normal("unknown", "a123456(3)"), (HKID.to_owned(), "A1234563".to_owned()));
        assert_eq!(normal("TWIT", "@x"), ("TWIT".to_owned(), "@x".to_owned()), "another scheme's own");
        assert_eq!(normal("unknown", "?"), ("unknown".to_owned(), "?".to_owned()));
    }
}
