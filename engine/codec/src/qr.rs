//! EMV merchant-presented QR payloads, as FPS uses them: read out of `attributes.qr_payload` into the payment.
//!
//! What the event lacks is filled. Where the event says otherwise than the code (another amount, another payee) the
//! event stands and `attributes.qr_contradicts` names the fields. A payload that is damaged loses no payment: nothing
//! of it is taken, and `attributes.qr_error` says why.

use std::collections::BTreeMap;

use crc::{CRC_16_IBM_3740, Crc};
use serde_json::Value;
use sluice_model::{
    Attributes, Currency, Merchant, Money, Party, PaymentEvent, Proxy, identifier::is_placeholder,
};

use crate::iso20022::split_scripts;

/// Where a source puts the payload.
const PAYLOAD: &str = "qr_payload";
/// Why nothing was taken from the payload: `too_long`, `malformed`, `checksum`.
const ERROR: &str = "qr_error";
/// The fields in which event and code differ: `amount creditor.proxy`.
const CONTRADICTS: &str = "qr_contradicts";

/// The longest payload that EMVCo allows.
const PAYLOAD_BYTES_MAX: usize = 512;
/// How EMVCo's "CRC-16/CCITT-FALSE" is called today.
const CHECKSUM: Crc<u16> = Crc::<u16>::new(&CRC_16_IBM_3740);
/// The checksum's own number and length, which it covers too.
const CHECKSUM_HEAD: &str = "6304";
/// The application id of FPS in a merchant account template.
const FPS: &str = "hk.com.hkicl";

/// The objects of one level, by their numbers. Templates have one level more and no other: nothing here recurses.
type Objects<'a> = BTreeMap<u8, &'a str>;

/// The objects of a text: two digits of number, two of length in characters, the value.
fn objects(text: &str) -> Option<Objects<'_>> {
    let mut objects = Objects::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (head, value) = rest.split_at_checked(4)?;
        let digits = head.bytes().all(|b| b.is_ascii_digit());
        let (number, length) = head.split_at_checked(2).filter(|_| digits)?;
        let characters: usize = length.parse().ok()?;
        let mut ends = value.char_indices().map(|(at, _)| at).chain([value.len()]);
        let (value, after) = value.split_at_checked(ends.nth(characters)?)?;
        if objects.insert(number.parse().ok()?, value).is_some() {
            return None;
        }
        rest = after;
    }
    Some(objects)
}

/// What a payload says.
#[derive(PartialEq, Debug)]
struct Code<'a> {
    top: Objects<'a>,
    fps: Objects<'a>,
    details: Objects<'a>,
    language: Objects<'a>,
}

impl<'a> Code<'a> {
    /// Read a payload whole, or say in a word why not.
    fn read(payload: &'a str) -> Result<Self, &'static str> {
        if payload.len() > PAYLOAD_BYTES_MAX {
            return Err("too_long");
        }
        let (covered, checksum) =
            payload.len().checked_sub(4).and_then(|at| payload.split_at_checked(at)).ok_or("malformed")?;
        let top = objects(payload).ok_or("malformed")?;
        if !payload.starts_with("000201") || !covered.ends_with(CHECKSUM_HEAD) {
            return Err("malformed");
        }
        let expected = format!("{:04X}", CHECKSUM.checksum(covered.as_bytes()));
        if !checksum.eq_ignore_ascii_case(&expected) {
            return Err("checksum");
        }
        let template = |number: u8| match top.get(&number).copied() {
            Some(text) => objects(text).ok_or("malformed"),
            None => Ok(Objects::new()),
        };
        let accounts = (26..=51).filter_map(|number| objects(top.get(&number).copied()?));
        let fps = accounts
            .into_iter()
            .find(|account| account.get(&0).is_some_and(|id| id.eq_ignore_ascii_case(FPS)));
        let (details, language) = (template(62)?, template(64)?);
        Ok(Self { fps: fps.unwrap_or_default(), details, language, top })
    }

    /// A text that says something.
    fn text(objects: &Objects<'a>, number: u8) -> Option<&'a str> {
        objects.get(&number).copied().map(str::trim).filter(|text| !text.is_empty() && !is_placeholder(text))
    }

    /// Whom FPS pays: by FPS identifier, mobile number or address of mail.
    fn proxy(&self) -> Option<Proxy> {
        let found = [(2, "fps_id"), (3, "mobile"), (4, "email")]
            .into_iter()
            .find_map(|(number, of)| Some((of, Self::text(&self.fps, number)?)));
        found.map(|(of, id)| Proxy { proxy_type: of.to_owned(), id: id.to_owned() }.normalised())
    }

    /// The currencies of FPS, by their numbers in ISO 4217.
    fn currency(&self) -> Option<Currency> {
        match *self.top.get(&53)? {
            "344" => "HKD".parse().ok(),
            "156" => "CNY".parse().ok(),
            _ => None,
        }
    }

    fn amount(&self) -> Option<Money> {
        Money::parse(self.top.get(&54)?, self.currency()?).ok()
    }

    /// The merchant as a party: its name in Latin letters and in its own.
    fn merchant(&self) -> Party {
        let name = Self::text(&self.top, 59).map(split_scripts);
        let (name, other_script) = name.map_or((None, None), |(name, other)| (Some(name), other));
        let local = Self::text(&self.language, 1).map(str::to_owned).or(other_script);
        let country = self.top.get(&58).filter(|c| c.len() == 2 && c.bytes().all(|b| b.is_ascii_uppercase()));
        Party { name, name_local: local, country: country.map(|c| (*c).to_owned()), ..Party::default() }
    }
}

/// Fill an event from the payload that it carries, and say where they differ.
pub(crate) fn fill(event: &mut PaymentEvent) {
    let Some(Value::String(payload)) = event.attributes.get(PAYLOAD) else { return };
    let payload = payload.clone();
    let code = match Code::read(payload.trim()) {
        Ok(code) => code,
        Err(why) => {
            note(&mut event.attributes, ERROR, Some(why));
            return;
        }
    };
    let mut contradicts = Vec::new();
    // A tip comes on top of the amount; then the event knows better.
    let has_tip = code.top.contains_key(&55);
    match (event.amount, code.amount()) {
        (None, said) => event.amount = said,
        (Some(paid), Some(said)) if paid != said && !has_tip => contradicts.push("amount"),
        (Some(paid), None) if code.currency().is_some_and(|currency| currency != paid.currency) => {
            contradicts.push("amount.currency");
        }
        _ => {}
    }
    let creditor = event.creditor.get_or_insert_default();
    let said = code.proxy();
    if creditor.proxy.is_none() {
        creditor.proxy = said;
    } else if said.is_some() && creditor.proxy != said {
        contradicts.push("creditor.proxy");
    }
    let merchant = code.merchant();
    // A name that is there is the institution's; the other script alone may be wanting.
    creditor.name_local = creditor.name_local.take().or(merchant.name_local);
    creditor.name = creditor.name.take().or(merchant.name);
    creditor.country = creditor.country.take().or(merchant.country);
    event.creditor.take_if(|creditor| *creditor == Party::default());
    if let Some(mcc) = Code::text(&code.top, 52) {
        let merchant = event.merchant.get_or_insert_with(Merchant::default);
        match &merchant.mcc {
            None => merchant.mcc = Some(mcc.to_owned()),
            Some(paid) if paid != mcc => contradicts.push("merchant.mcc"),
            Some(_) => {}
        }
    }
    if event.method.is_none() && !code.fps.is_empty() {
        event.method = Some("fps".to_owned());
    }
    let kept = &mut event.attributes;
    note(kept, CONTRADICTS, Some(contradicts.join(" ").as_str()).filter(|fields| !fields.is_empty()));
    let kind = code.top.get(&1).and_then(|kind| match *kind {
        "11" => Some("static"),
        "12" => Some("dynamic"),
        _ => None,
    });
    note(kept, "qr_kind", kind);
    note(kept, "qr_city", Code::text(&code.top, 60));
    note(kept, "qr_expires", Code::text(&code.fps, 5));
    note(kept, "qr_bill_number", Code::text(&code.details, 1));
    note(kept, "qr_reference", Code::text(&code.details, 5));
}

fn note(attributes: &mut Attributes, name: &str, text: Option<&str>) {
    if let Some(text) = text {
        attributes.insert(name.to_owned(), Value::String(text.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn object(number: u8, value: &str) -> String {
        format!("{number:02}{:02}{value}", value.chars().count())
    }

    /// A payload of these objects with the checksum that belongs to it.
    fn payload(objects: &str) -> String {
        let covered = format!("000201{objects}{CHECKSUM_HEAD}");
        let checksum = CHECKSUM.checksum(covered.as_bytes());
        format!("{covered}{checksum:04X}")
    }

    fn shop(amount: &str) -> String {
        let fps = object(0, FPS) + &object(3, "+852-51234567") + &object(5, "20260801120000");
        let objects = [
            object(1, "12"),
            object(26, &fps),
            object(52, "5411"),
            object(53, "344"),
            object(54, amount),
            object(58, "HK"),
            object(59, "DEMO MERCHANT LTD"),
            object(60, "HK"),
            object(62, &(object(1, "BILL-7") + &object(5, "REF-9"))),
            object(64, &(object(0, "ZH") + &object(1, "示範商戶有限公司"))),
        ];
        payload(&objects.concat())
    }

    fn event(fields: &str, payload: &str) -> PaymentEvent {
        let payload = serde_json::to_string(payload).unwrap();
        let text = format!(
            r#"{{"event_id":"E","occurred_at":"2026-08-01T02:15:30Z","attributes":{{"qr_payload":{payload}}}{fields}}}"#
        );
        crate::decode_json(text.as_bytes()).unwrap()
    }

    #[test]
    fn what_the_event_lacks_is_filled() {
        let read = event("", &shop("88.50"));
        assert_eq!(read.amount.unwrap().to_string(), "HKD 88.50");
        assert_eq!(read.method.as_deref(), Some("fps"));
        let creditor = read.creditor.as_ref().unwrap();
        let proxy = creditor.proxy.as_ref().unwrap();
        assert_eq!((proxy.proxy_type.as_str(), proxy.id.as_str()), ("mobile", "85251234567"));
        assert_eq!(creditor.name.as_deref(), Some("DEMO MERCHANT LTD"));
        assert_eq!(creditor.name_local.as_deref(), Some("示範商戶有限公司"));
        assert_eq!(read.merchant.as_ref().unwrap().mcc.as_deref(), Some("5411"));
        for (name, value) in [
            ("qr_kind", "dynamic"),
            ("qr_bill_number", "BILL-7"),
            ("qr_reference", "REF-9"),
            ("qr_expires", "20260801120000"),
        ] {
            assert_eq!(read.attributes[name], value);
        }
        assert!(!read.attributes.contains_key(CONTRADICTS) && !read.attributes.contains_key(ERROR));
        let mut written = Vec::new();
        crate::encode_json(&read, &mut written).unwrap();
        assert_eq!(crate::decode_json(&written).unwrap(), read, "read again, it is the same");
    }

    #[test]
    fn what_the_event_says_stands_and_contradictions_are_named() {
        let paid = r#","amount":{"value":"88.50","currency":"HKD"},"creditor":{"name":"X","proxy":{"type":"MOBN","id":"51234567"}}"#;
        let read = event(paid, &shop("88.50"));
        assert!(!read.attributes.contains_key(CONTRADICTS), "the same payee, written otherwise");
        assert_eq!(read.creditor.unwrap().name.as_deref(), Some("X"));
        let paid = paid.replace("88.50", "8850.00").replace("51234567", "61234567");
        let read = event(&paid, &shop("88.50"));
        assert_eq!(read.attributes[CONTRADICTS], "amount creditor.proxy");
        assert_eq!(read.amount.unwrap().to_string(), "HKD 8850.00");
        assert_eq!(read.creditor.unwrap().proxy.unwrap().id, "85261234567");
    }

    #[test]
    fn a_damaged_payload_is_noted_and_nothing_of_it_taken() {
        let whole = shop("88.50");
        for (damaged, why) in [
            (whole.replace("88.50", "98.50"), "checksum"),
            (whole[..whole.len() - 1].to_owned(), "malformed"),
            (payload(&(object(53, "344") + &object(53, "156"))), "malformed"),
            (payload(&object(62, "0199X")), "malformed"),
            ("x".repeat(PAYLOAD_BYTES_MAX + 1), "too_long"),
            ("示".to_owned(), "malformed"),
        ] {
            let read = event("", &damaged);
            assert_eq!(read.attributes[ERROR], why);
            assert_eq!((read.amount, read.creditor, read.attributes.len()), (None, None, 2));
        }
    }

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        assert_eq!(CHECKSUM.checksum(b"123456789"), 0x29B1, "the check value of CRC-16/CCITT-FALSE");
    }

    proptest! {
        /// Whatever stands in them, objects are read as they were written.
        #[test]
        fn objects_are_read_as_they_were_written(
            written in prop::collection::btree_map(0..100_u8, "\\PC{0,30}", 0..8)
        ) {
            let text: String = written.iter().map(|(number, value)| object(*number, value)).collect();
            let read = objects(&text).unwrap();
            let read: BTreeMap<u8, String> = read.into_iter().map(|(n, v)| (n, v.to_owned())).collect();
            prop_assert_eq!(read, written);
        }

        /// One character that is another breaks the checksum or the shape, wherever it stands.
        #[test]
        fn one_changed_character_is_noticed(at in any::<prop::sample::Index>(), put in "[0-9A-Za-z]") {
            let whole = payload(&(object(26, &(object(0, FPS) + &object(2, "1234567"))) + &object(53, "344")));
            let at = at.index(whole.len());
            let mut changed = whole.clone();
            changed.replace_range(at..=at, &put);
            prop_assume!(!changed.eq_ignore_ascii_case(&whole));
            prop_assert!(Code::read(&changed).is_err());
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,80}") {
            drop(Code::read(&text));
            drop(Code::read(&payload(&text)));
        }
    }
}
