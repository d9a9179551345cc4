//! One way of writing for identifiers, so that an account, a customer or a device is the same key however a source
//! writes it: with blanks, hyphens of any sort, full-width letters or signs that nobody sees.
//!
//! [`PaymentEvent::normalise`] is called once for each event, where it is decoded; what the source wrote is kept in
//! [`PaymentEvent::as_given`] where it differs. Orders about a key write it by [`Key::normalised`].

use std::borrow::Cow;

use unicode_normalization::{UnicodeNormalization, is_nfkc};

use crate::{AsGiven, Key, KeyKind, Party, PaymentEvent, method};

/// An account number with so many digits is written without separators.
const DIGITS_MIN: usize = 6;
/// A text of so many letters and digits in both cases is the address of a wallet, whose case is part of it.
const WALLET_LEN_MIN: usize = 25;
/// How long a BIC is without its branch, and with it.
const BIC_OFFICE_LEN: usize = 8;
const BIC_LEN: usize = 11;
/// So many of the letter x stand for no id; more may be one.
const PLACEHOLDER_XS_MAX: usize = 8;

/// An account number, IBAN, wallet or proxy, without blanks. Where it is letters and digits, six digits
/// or more among them, other separators are dropped and letters are capitals, unless their case may matter. An address of mail is in
/// small letters.
pub fn account(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
        return Cow::Borrowed(text);
    }
    let text = compact(text).into_owned();
    if text.contains('@') {
        return Cow::Owned(text.to_lowercase());
    }
    let bare: String = text.chars().filter(|c| !is_separator(*c)).collect();
    let has = |is: fn(&u8) -> bool| bare.bytes().filter(is).count();
    if bare.bytes().any(|b| !b.is_ascii_alphanumeric()) || has(u8::is_ascii_digit) < DIGITS_MIN {
        return Cow::Owned(text);
    }
    let both_cases = has(u8::is_ascii_lowercase) > 0 && has(u8::is_ascii_uppercase) > 0;
    let is_wallet = bare.len() >= WALLET_LEN_MIN && both_cases;
    Cow::Owned(if is_wallet { bare } else { bare.to_ascii_uppercase() })
}

/// A customer id or a card's token: without blanks.
pub fn compact(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| b.is_ascii_graphic()) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(cleaned(text).chars().filter(|c| !c.is_whitespace()).collect())
}

/// A device, a merchant, an id of an event or payment: as it is written, without blanks around it.
pub fn plain(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| b.is_ascii_graphic()) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(cleaned(text).trim().to_owned())
}

/// A BIC: in capitals, without the three letters that mean the head office.
pub fn bic(text: &str) -> Cow<'_, str> {
    let code: String =
        cleaned(text).chars().filter(|c| !c.is_whitespace()).collect::<String>().to_uppercase();
    match code.strip_suffix("XXX") {
        Some(bic) if bic.len() == 8 => Cow::Owned(bic.to_owned()),
        _ if code == text => Cow::Borrowed(text),
        _ => Cow::Owned(code),
    }
}

/// Whether a text has the form of a BIC (ISO 9362): four letters or digits for the institution, two letters for its
/// country, two for its place, three for a branch; in capitals.
pub fn is_bic(text: &str) -> bool {
    let bytes = text.as_bytes();
    matches!(bytes.len(), BIC_OFFICE_LEN | BIC_LEN)
        && bytes.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        && bytes.iter().skip(4).take(2).all(u8::is_ascii_uppercase)
}

/// The part of a BIC that all branches of one institution at a place share, once it is written as [`bic`] does; none
/// where the text is no BIC.
pub fn bic_office(text: &str) -> Option<&str> {
    text.get(..BIC_OFFICE_LEN).filter(|_| is_bic(text))
}

/// An address of the internet in its canonical form; a version 4 address inside one of version 6 as itself.
pub fn ip(text: &str) -> Cow<'_, str> {
    let text = plain(text);
    match text.parse::<core::net::IpAddr>() {
        Ok(address) => Cow::Owned(address.to_canonical().to_string()),
        Err(_) => text,
    }
}

/// A name as a key: in small letters, with single blanks.
pub fn name(text: &str) -> String {
    cleaned(text).to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a text stands in place of an id that is not known: `NA`, `none`, `NOTPROVIDED`, `-`, zeros.
pub fn is_placeholder(text: &str) -> bool {
    const WORDS: [&str; 18] = [
        "na",
        "nan",
        "none",
        "null",
        "nil",
        "unknown",
        "undefined",
        "notprovided",
        "notavailable",
        "notapplicable",
        "notgiven",
        "nonref",
        "noref",
        "noreference",
        "empty",
        "blank",
        "tbc",
        "tba",
    ];
    let bare = cleaned(text).to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    bare.chars().all(|c| c == '0')
        || (bare.len() <= PLACEHOLDER_XS_MAX && bare.chars().all(|c| c == 'x'))
        || WORDS.contains(&bare.as_str())
}

/// Compatible forms folded, digits of other scripts as ours, one hyphen for all, signs that nobody sees left out.
fn cleaned(text: &str) -> String {
    let sign = |c: char| match c {
        '\u{2010}'..='\u{2015}'
        | '\u{2212}'
        | '\u{2043}'
        | '\u{30fc}'
        | '\u{ff70}'
        | '\u{fe58}'
        | '\u{fe63}' => '-',
        _ => digit(c).unwrap_or(c),
    };
    let signs = |text: &mut dyn Iterator<Item = char>| -> String {
        text.filter(|c| !is_invisible(*c)).map(sign).collect()
    };
    if is_nfkc(text) { signs(&mut text.chars()) } else { signs(&mut text.nfkc()) }
}

/// A decimal digit of another script, as ours.
fn digit(c: char) -> Option<char> {
    const ZEROS: [u32; 12] =
        [0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xe50, 0xed0, 0xf20, 0x1040, 0x17e0];
    let zero = ZEROS.into_iter().find(|zero| (*zero..zero + 10).contains(&u32::from(c)))?;
    char::from_digit(u32::from(c) - zero, 10)
}

fn is_separator(c: char) -> bool {
    matches!(c, '-' | '.' | '/' | '_' | '(' | ')' | '+' | ':')
}

/// Signs without a width of their own: what is written with them looks the same without.
fn is_invisible(c: char) -> bool {
    (c.is_control() && !c.is_whitespace())
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Write a field one way; what the source wrote is kept if it differs. What nobody can see is nothing.
fn write(
    field: &mut Option<String>,
    one_way: fn(&str) -> Cow<'_, str>,
    path: impl FnOnce() -> String,
    as_given: &mut AsGiven,
) {
    let Some(text) = field.as_mut() else { return };
    let Cow::Owned(written) = one_way(text) else { return };
    if written == *text {
        return;
    }
    as_given.0.insert(path(), std::mem::replace(text, written));
    field.take_if(|text| text.is_empty());
}

impl Party {
    fn normalise(&mut self, path: &dyn Fn() -> String, as_given: &mut AsGiven) {
        write(&mut self.account, account, || path() + ".account", as_given);
        write(&mut self.customer_id, compact, || path() + ".customer_id", as_given);
        write(&mut self.agent_bic, bic, || path() + ".agent_bic", as_given);
        if let Some(proxy) = &mut self.proxy {
            let given = proxy.clone();
            proxy.normalise();
            if proxy.id != given.id {
                as_given.0.insert(path() + ".proxy.id", given.id);
            }
            if proxy.proxy_type != given.proxy_type {
                as_given.0.insert(path() + ".proxy.type", given.proxy_type);
            }
        }
    }
}

impl PaymentEvent {
    /// Write every identifier one way, and keep what the source wrote where it differs. An id of a payment that stands
    /// for none is none.
    pub fn normalise(&mut self) {
        let mut as_given = std::mem::take(&mut self.as_given);
        let given = &mut as_given;
        let mut event_id = Some(std::mem::take(&mut self.event_id));
        write(&mut event_id, plain, || "event_id".to_owned(), given);
        self.event_id = event_id.unwrap_or_default();
        for (id, path) in
            [(&mut self.payment_id, "payment_id"), (&mut self.original_payment_id, "original_payment_id")]
        {
            write(id, plain, || path.to_owned(), given);
            if let Some(placeholder) = id.take_if(|id| is_placeholder(id)) {
                given.0.insert(path.to_owned(), placeholder);
            }
        }
        write(&mut self.method, method::canonical, || "method".to_owned(), given);
        for (side, path) in [(&mut self.debtor, "debtor"), (&mut self.creditor, "creditor")] {
            if let Some(party) = side {
                party.normalise(&|| path.to_owned(), given);
            }
        }
        for (at, party) in self.intermediaries.iter_mut().enumerate() {
            party.normalise(&|| format!("intermediaries.{at}"), given);
        }
        for (at, related) in self.related_parties.iter_mut().enumerate() {
            related.party.normalise(&|| format!("related_parties.{at}"), given);
        }
        if let Some(device) = &mut self.device {
            write(&mut device.id, plain, || "device.id".to_owned(), given);
            write(&mut device.ip, ip, || "device.ip".to_owned(), given);
        }
        if let Some(card) = &mut self.card {
            write(&mut card.token, compact, || "card.token".to_owned(), given);
            write(&mut card.network, method::canonical_network, || "card.network".to_owned(), given);
        }
        if let Some(merchant) = &mut self.merchant {
            write(&mut merchant.id, plain, || "merchant.id".to_owned(), given);
        }
        self.as_given = as_given;
    }
}

impl Key {
    /// The key as events carry it, however an order wrote it.
    #[must_use]
    pub fn normalised(&self) -> Self {
        let value = match self.kind {
            KeyKind::Account => account(&self.value),
            KeyKind::Ip => ip(&self.value),
            KeyKind::Customer | KeyKind::Card => compact(&self.value),
            KeyKind::Payment | KeyKind::Device | KeyKind::Merchant | KeyKind::Party => plain(&self.value),
        };
        Self { kind: self.kind, value: value.into_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_one_however_it_is_written() {
        for (one, ways) in [
            (
                "GB33BUKB20201555555555",
                &[
                    "GB33 BUKB 2020 1555 5555 55",
                    "gb33bukb20201555555555",
                    "ＧＢ33BUKB20201555555555",
                    "GB33\u{a0}BUKB\u{200b}2020 1555 5555 55",
                    " GB33-BUKB-2020-1555-5555-55\n",
                ][..],
            ),
            (
                "012345678901",
                &[
                    "012-345-678901",
                    "012\u{2011}345\u{2011}678901",
                    "012 345 678901",
                    "０１２－３４５－６７８９０１",
                    "012–345—678901",
                    "012.345.678901",
                    "012/345/678901",
                    "٠١٢٣٤٥٦٧٨٩٠١",
                ],
            ),
            ("85291234567", &["+852-9123 4567", "(852) 91234567"]),
            ("someone@example.com", &["Someone@Example.com", " someone@example.com "]),
            ("A-1", &["A\u{2011}1", "A -1"]),
            ("acct-17", &["acct\u{ad}-17 "]),
            ("1BoatSLRHtKNngkdXEeobR76b53LETtpyT", &["1BoatSLRHtKNngkdXEeobR76b53LETtpyT "]),
        ] {
            assert_eq!(account(one), one);
            for way in ways {
                assert_eq!(account(way), one, "{way:?}");
            }
        }
        assert_ne!(
            account("A-11"),
            account("A-1-1"),
            "separators count where few digits tell accounts apart"
        );
    }

    #[test]
    fn ids_that_stand_for_none_are_none() {
        for text in [
            "NA",
            "n/a",
            "N.A.",
            "-",
            "0",
            "0000",
            "none",
            "NULL",
            "Unknown",
            "NOTPROVIDED",
            "not provided",
            "xxx",
            "?",
            "ＮＡ",
            "\u{200b}",
        ] {
            assert!(is_placeholder(text), "{text:?}");
        }
        for text in ["P-77", "10", "NAB", "x1", "P0", "陳"] {
            assert!(!is_placeholder(text), "{text:?}");
        }
    }

    #[test]
    fn an_event_is_written_one_way_and_says_what_was_given() {
        let text = r#"{"event_id":" E1 ","payment_id":"N/A","occurred_at":"2026-11-20T08:30:00Z",
            "debtor":{"customer_id":" C‑1 ","account":"012-345-678901","agent_bic":"hsbchkhhxxx"},
            "related_parties":[{"role":"ubo","name":"A","account":"gb33 bukb 2020 1555 5555 55"}],
            "device":{"id":"D1","ip":"::ffff:192.0.2.1"}}"#;
        let event: PaymentEvent = serde_json::from_str(text).unwrap();
        let debtor = event.debtor.as_ref().unwrap();
        assert_eq!((event.event_id.as_str(), event.payment_id()), ("E1", "E1"));
        assert_eq!(debtor.account.as_deref(), Some("012345678901"));
        assert_eq!(debtor.customer_id.as_deref(), Some("C-1"));
        assert_eq!(debtor.agent_bic.as_deref(), Some("HSBCHKHH"));
        assert_eq!(event.related_parties[0].party.account.as_deref(), Some("GB33BUKB20201555555555"));
        assert_eq!(event.device.as_ref().unwrap().ip.as_deref(), Some("192.0.2.1"));
        assert_eq!(event.as_given.0["debtor.account"], "012-345-678901");
        assert_eq!(event.as_given.0["payment_id"], "N/A");
        assert_eq!(event.as_given.0.len(), 7);

        let again: PaymentEvent = serde_json::from_str(&serde_json::to_string(&event).unwrap()).unwrap();
        assert_eq!(again, event);
        let bare = text.replace("012-345-678901", "012345678901");
        let bare: PaymentEvent = serde_json::from_str(&bare).unwrap();
        assert_eq!(bare.content_hash(), event.content_hash(), "the same event, written otherwise");
    }
}
