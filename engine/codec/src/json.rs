//! Canonical JSON: the fast path decodes; only a refusal pays for finding out where.

use serde_json::{Deserializer, error::Category};
use serde_path_to_error::Segment;
use sluice_model::{
    Card, Device, EventOfJson, Merchant, Money, Party, PaymentEvent, Proxy, limits::EVENT_BYTES_MAX,
};

use crate::{DecodeError, accept};

/// One event in canonical JSON.
pub fn decode_json(bytes: &[u8]) -> Result<PaymentEvent, DecodeError> {
    if bytes.len() > EVENT_BYTES_MAX {
        return Err(DecodeError::too_large(format!("the event is larger than {EVENT_BYTES_MAX} bytes")));
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|error| DecodeError::malformed(format!("not UTF-8 from byte {} on", error.valid_up_to())))?;
    match serde_json::from_str(text) {
        Ok(EventOfJson(event)) => accept(event),
        Err(_) => Err(explain(text)),
    }
}

/// The event in canonical JSON, on one line, appended to `out`.
pub fn encode_json(event: &PaymentEvent, out: &mut Vec<u8>) -> Result<(), DecodeError> {
    serde_json::to_writer(out, event).map_err(|error| DecodeError::malformed(error.to_string()))
}

/// Decode once more, following the path, to say where the refusal lies.
fn explain(text: &str) -> DecodeError {
    let mut deserializer = Deserializer::from_str(text);
    let error = match serde_path_to_error::deserialize::<_, EventOfJson>(&mut deserializer) {
        Err(error) => error,
        // The event itself is whole: what follows it is not wanted.
        Ok(_) => return DecodeError::malformed("more than one value: an event is one JSON object"),
    };
    let path = path(error.path());
    let inner = error.inner();
    let message = match inner.classify() {
        Category::Eof => "the JSON ends too early".to_owned(),
        _ => inner.to_string(),
    };
    DecodeError::malformed(if path.is_empty() { message } else { format!("{path}: {message}") })
}

/// The path, with the names of unknown fields left out: they are the source's own words.
fn path(path: &serde_path_to_error::Path) -> String {
    let known = |name: &String| {
        [PaymentEvent::FIELDS, Party::FIELDS, Device::FIELDS, Card::FIELDS, Merchant::FIELDS]
            .into_iter()
            .chain([Money::FIELDS, Proxy::FIELDS, &["role"]])
            .any(|fields| fields.contains(&name.as_str()))
    };
    let mut text = String::new();
    for segment in path.iter() {
        let step = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } if known(key) => key.clone(),
            _ => "?".to_owned(),
        };
        if !text.is_empty() {
            text.push('.');
        }
        text.push_str(&step);
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::Index};
    use sluice_model::limits::{ATTRIBUTES_MAX, PARTIES_MAX};

    use super::*;

    fn with(fields: &str) -> Result<PaymentEvent, DecodeError> {
        decode_json(
            format!(r#"{{"event_id":"E1","occurred_at":"2026-11-20T08:30:00Z",{fields}}}"#).as_bytes(),
        )
    }

    fn refused(fields: &str) -> (&'static str, String) {
        let error = with(fields).unwrap_err();
        (error.code(), error.to_string())
    }

    #[test]
    fn refusals_name_the_field_and_not_the_value() {
        for (fields, start) in [
            (r#""debtor":{"birth_date":"12/31/1980"}"#, "debtor.birth_date: must be a date"),
            (r#""amount":{"value":1.5,"currency":"HKD"}"#, "amount.value: must be a text such as"),
            (r#""amount":{"value":"1","currency":"???"}"#, "amount.currency: must be a currency code"),
            (r#""amount":{"value":"1.005","currency":"HKD"}"#, "amount: more than 2 decimals"),
            (
                r#""related_parties":[{"role":"ubo"},{"name":"A"}]"#,
                "related_parties.1: a related party needs",
            ),
            (r#""debtor":{"proxy":{"id":"1"}}"#, "debtor.proxy: a proxy needs"),
            (r#""Mrs Chan":{"a":1,"a":2}"#, "?: has a field that is given twice"),
        ] {
            let (code, message) = refused(fields);
            assert_eq!(code, "malformed");
            assert!(message.starts_with(start), "{message}");
        }
    }

    #[test]
    fn what_is_not_one_json_object_is_refused() {
        for bad in [
            "",
            " ",
            "{",
            "{}",
            "[]",
            "nonsense",
            r#"{"event_id":"E"#,
            "{\"event_id\":\"E1\"}x",
            "\u{feff}{}",
        ] {
            assert_eq!(decode_json(bad.as_bytes()).unwrap_err().code(), "malformed", "{bad}");
        }
        let whole = r#"{"event_id":"E","occurred_at":"2026-11-20T08:30:00Z"}"#;
        assert!(
            decode_json(format!("{whole}{whole}").as_bytes())
                .unwrap_err()
                .to_string()
                .contains("more than one")
        );
        assert!(decode_json(&[b"{\"event_id\":\"".as_slice(), &[0xff], b"\"}"].concat()).is_err());
        let deep = format!("{}{}", r#"{"x":"#.repeat(100_000), "}".repeat(100_000));
        assert_eq!(decode_json(deep.as_bytes()).unwrap_err().code(), "too_large");
        let deep = format!("\"x\":{}{}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(refused(&deep).1.contains("recursion limit"));
    }

    #[test]
    fn numbers_of_attributes_keep_every_digit() {
        let number = "12345678901234567890.123456789";
        for fields in [
            format!(r#""x":{number}"#),
            format!(r#""attributes":{{"x":[1,{{"y":{number}}}]}}"#),
            format!(r#""debtor":{{"name":"A","x":{number}}}"#),
        ] {
            let event = with(&fields).unwrap();
            let mut written = Vec::new();
            encode_json(&event, &mut written).unwrap();
            assert!(String::from_utf8_lossy(&written).contains(number), "{fields}");
            assert_eq!(decode_json(&written).unwrap(), event);
            let other = with(&fields.replace(number, "12345678901234567890.123456788")).unwrap();
            assert_ne!(other.content_hash(), event.content_hash(), "{fields}");
        }
        let event = with(r#""big":1e400,"small":1.5,"count":18446744073709551615"#).unwrap();
        assert_eq!(event.attributes["big"], "1e400");
        assert_eq!(event.attributes["small"], 1.5);
        assert_eq!(event.attributes["count"], u64::MAX);
        // No field takes a number for a text.
        assert!(refused(r#""amount":{"value":1e400,"currency":"HKD"}"#).1.starts_with("amount.value"));
    }

    #[test]
    fn limits_hold_at_both_of_their_sides() {
        assert!(with(&format!(r#""payment_id":"{}""#, "x".repeat(256))).is_ok());
        assert_eq!(refused(&format!(r#""payment_id":"{}""#, "x".repeat(257))).0, "too_large");
        // A name too long to screen is screening's to refuse; only one beyond every text's limit is ours.
        assert!(with(&format!(r#""debtor":{{"name":"{}"}}"#, "x".repeat(16_384))).is_ok());
        let (code, message) = refused(&format!(r#""debtor":{{"name":"{}"}}"#, "x".repeat(16_385)));
        assert_eq!((code, message.as_str()), ("too_large", "a party's name is longer than 16384 bytes"));
        let list = |n: usize| format!(r#""intermediaries":[{}]"#, vec![r#"{"name":"B"}"#; n].join(","));
        assert!(with(&list(PARTIES_MAX)).is_ok());
        assert_eq!(refused(&list(PARTIES_MAX + 1)).0, "too_large");
        let many = |n: usize| (0..n).map(|i| format!("\"a{i}\":1")).collect::<Vec<_>>().join(",");
        assert!(with(&many(ATTRIBUTES_MAX)).is_ok());
        assert_eq!(refused(&many(ATTRIBUTES_MAX + 1)).0, "too_large");
    }

    proptest! {
        #[test]
        fn every_digit_of_a_number_counts(
            whole in "-?[1-9][0-9]{0,24}",
            mut fraction in "[0-9]{1,24}",
            exponent in prop::option::of(-400..400_i32),
            (at, by) in (any::<Index>(), 1..10_u8),
        ) {
            let event = |fraction: &str| {
                let exponent = exponent.map_or(String::new(), |exponent| format!("e{exponent}"));
                with(&format!(r#""x":{{"y":[{whole}.{fraction}{exponent}]}}"#)).unwrap()
            };
            let first = event(&fraction);
            let mut written = Vec::new();
            encode_json(&first, &mut written).unwrap();
            prop_assert_eq!(&decode_json(&written).unwrap(), &first);
            let at = at.index(fraction.len());
            let digit = (fraction.as_bytes()[at] - b'0' + by) % 10;
            fraction.replace_range(at..=at, &digit.to_string());
            prop_assert_ne!(event(&fraction).content_hash(), first.content_hash());
        }
    }
}
