//! Avro, by the schema whose number stands before it, as the same JSON.

use std::{collections::BTreeMap, sync::Once};

use apache_avro::{
    Decimal, Schema, from_avro_datum,
    schema::{DecimalSchema, Name, RecordSchema},
    types::Value,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::{SignedDuration, Timestamp, civil, tz::Offset};
use serde_json::Value as Json;
use sluice_model::limits::EVENT_BYTES_MAX;

use super::{SchemaId, SourceError};
use crate::DecodeError;

/// The most that one text, list or map of a record may ask for at once: a length is read before what has it.
const ALLOCATION_BYTES_MAX: usize = EVENT_BYTES_MAX;

/// The schemas of a topic.
#[derive(Debug)]
pub(super) struct Schemas(BTreeMap<SchemaId, Known>);

#[derive(Debug)]
struct Known {
    schema: Schema,
    /// The types that are named, and may be referred to by name.
    named: Vec<(Name, Schema)>,
}

impl Schemas {
    /// Read the texts of schemas.
    pub(super) fn parse(texts: &BTreeMap<SchemaId, String>) -> Result<Self, SourceError> {
        static LIMITED: Once = Once::new();
        LIMITED.call_once(|| {
            apache_avro::util::max_allocation_bytes(ALLOCATION_BYTES_MAX);
        });
        let parse = |(id, text): (&SchemaId, &String)| {
            let known = Known::parse(text).map_err(|why| SourceError::Schema { id: *id, why });
            known.map(|known| (*id, known))
        };
        texts.iter().map(parse).collect::<Result<_, _>>().map(Self)
    }

    /// The record as JSON. Amounts keep their digits: a decimal is a text.
    pub(super) fn json(&self, id: SchemaId, mut datum: &[u8]) -> Result<Vec<u8>, DecodeError> {
        if datum.len() > EVENT_BYTES_MAX {
            return Err(DecodeError::too_large(format!("the record is larger than {EVENT_BYTES_MAX} bytes")));
        }
        let Some(known) = self.0.get(&id) else {
            return Err(DecodeError::unsupported(format!("there is no schema {id} here")));
        };
        // What the reader says of a value may repeat it.
        let unfit = || DecodeError::malformed(format!("the record does not fit schema {id}"));
        let value = from_avro_datum(&known.schema, &mut datum, None).map_err(|_| unfit())?;
        if !datum.is_empty() {
            return Err(unfit());
        }
        let json = known.json(value, &known.schema);
        let json =
            json.map_err(|what| DecodeError::unsupported(format!("a value of schema {id}: {what}")))?;
        serde_json::to_vec(&json).map_err(|_| unfit())
    }
}

impl Known {
    fn parse(text: &str) -> Result<Self, String> {
        let schema = Schema::parse_str(text).map_err(|error| error.to_string())?;
        let mut known = Self { schema: schema.clone(), named: Vec::new() };
        known.look_through(&schema)?;
        Ok(known)
    }

    /// Learn the named types. A type that contains itself could be as deep as a record likes, and a list of nothings as long:
    /// neither is read.
    fn look_through(&mut self, schema: &Schema) -> Result<(), String> {
        match schema {
            Schema::Record(record) => {
                record.fields.iter().try_for_each(|field| self.look_through(&field.schema))?;
                self.named.push((record.name.clone(), schema.clone()));
            }
            Schema::Enum(named) => self.named.push((named.name.clone(), schema.clone())),
            Schema::Fixed(named) => self.named.push((named.name.clone(), schema.clone())),
            Schema::Array(list) => {
                self.look_through(&list.items)?;
                if self.may_be_empty(&list.items) {
                    return Err("a list of what takes no bytes is not read".into());
                }
            }
            Schema::Map(map) => self.look_through(&map.types)?,
            Schema::Union(union) => union.variants().iter().try_for_each(|one| self.look_through(one))?,
            // It is known once all of it was looked through.
            Schema::Ref { name } if self.named(name).is_none() => {
                return Err(format!("{} contains itself, or is nowhere described", name.name));
            }
            _ => {}
        }
        Ok(())
    }

    fn named(&self, name: &Name) -> Option<&Schema> {
        self.named.iter().find(|(known, _)| known == name).map(|(_, schema)| schema)
    }

    /// Whether a value can take no bytes.
    fn may_be_empty(&self, schema: &Schema) -> bool {
        match schema {
            Schema::Null => true,
            Schema::Record(record) => record.fields.iter().all(|field| self.may_be_empty(&field.schema)),
            Schema::Fixed(fixed) => fixed.size == 0,
            Schema::Ref { name } => self.named(name).is_none_or(|schema| self.may_be_empty(schema)),
            Schema::Decimal(DecimalSchema { inner, .. }) => self.may_be_empty(inner),
            _ => false,
        }
    }

    /// A value as JSON; what it is where it has no such form.
    fn json(&self, value: Value, schema: &Schema) -> Result<Json, &'static str> {
        Ok(match (value, schema) {
            (value, Schema::Ref { name }) => {
                self.json(value, self.named(name).ok_or("a type that is nowhere described")?)?
            }
            (Value::Union(index, value), Schema::Union(union)) => {
                let variant = union.variants().get(index as usize);
                self.json(*value, variant.ok_or("a variant that the union does not have")?)?
            }
            (Value::Record(fields), Schema::Record(record)) => self.object(fields, record)?,
            (Value::Map(entries), Schema::Map(map)) => {
                let entries =
                    entries.into_iter().map(|(name, value)| Ok((name, self.json(value, &map.types)?)));
                Json::Object(entries.collect::<Result<_, &'static str>>()?)
            }
            (Value::Array(items), Schema::Array(list)) => {
                let items = items.into_iter().map(|item| self.json(item, &list.items));
                Json::Array(items.collect::<Result<_, _>>()?)
            }
            (Value::Decimal(decimal), Schema::Decimal(decimals)) => digits(&decimal, decimals.scale)?.into(),
            (Value::Null, _) => Json::Null,
            (Value::Boolean(is), _) => is.into(),
            (Value::Int(number), _) => number.into(),
            (Value::Long(number), _) => number.into(),
            (Value::Float(number), _) => Json::from(number),
            (Value::Double(number), _) => Json::from(number),
            (Value::String(text) | Value::Enum(_, text), _) => text.into(),
            (Value::Bytes(bytes) | Value::Fixed(_, bytes), _) => STANDARD.encode(bytes).into(),
            (Value::Uuid(uuid), _) => uuid.to_string().into(),
            (Value::Date(days), _) => {
                let date =
                    civil::date(1970, 1, 1).checked_add(SignedDuration::from_hours(24 * i64::from(days)));
                date.map_err(|_| OUT_OF_RANGE)?.to_string().into()
            }
            (Value::TimeMillis(millis), _) => time(i64::from(millis) * 1_000)?.to_string().into(),
            (Value::TimeMicros(micros), _) => time(micros)?.to_string().into(),
            (Value::TimestampMillis(at), _) => moment(Timestamp::from_millisecond(at))?,
            (Value::TimestampMicros(at), _) => moment(Timestamp::from_microsecond(at))?,
            (Value::TimestampNanos(at), _) => moment(Timestamp::from_nanosecond(at.into()))?,
            (Value::LocalTimestampMillis(at), _) => local(Timestamp::from_millisecond(at))?,
            (Value::LocalTimestampMicros(at), _) => local(Timestamp::from_microsecond(at))?,
            (Value::LocalTimestampNanos(at), _) => local(Timestamp::from_nanosecond(at.into()))?,
            _ => return Err("a duration or a decimal without a scale, which no field of an event is"),
        })
    }

    fn object(&self, fields: Vec<(String, Value)>, record: &RecordSchema) -> Result<Json, &'static str> {
        let fields = fields.into_iter().zip(&record.fields);
        let fields = fields.map(|((name, value), field)| Ok((name, self.json(value, &field.schema)?)));
        fields.collect::<Result<_, &'static str>>().map(Json::Object)
    }
}

/// What is said of a time that no calendar has.
const OUT_OF_RANGE: &str = "a time that is out of range";

fn moment(at: Result<Timestamp, jiff::Error>) -> Result<Json, &'static str> {
    at.map(|at| at.to_string().into()).map_err(|_| OUT_OF_RANGE)
}

/// A time that is at home where the mapping says.
fn local(at: Result<Timestamp, jiff::Error>) -> Result<Json, &'static str> {
    at.map(|at| Offset::UTC.to_datetime(at).to_string().into()).map_err(|_| OUT_OF_RANGE)
}

/// A time of the day, so many microseconds after midnight.
fn time(micros: i64) -> Result<civil::Time, &'static str> {
    civil::Time::midnight().checked_add(SignedDuration::from_micros(micros)).map_err(|_| "no time of a day")
}

/// A decimal with all its digits.
fn digits(decimal: &Decimal, scale: usize) -> Result<String, &'static str> {
    const WIDTH: &str = "a decimal of more digits than an amount has";
    let bytes = <Vec<u8>>::try_from(decimal).map_err(|_| WIDTH)?;
    let is_negative = bytes.first().is_some_and(|first| *first >= 0x80);
    let mut wide = [if is_negative { 0xff } else { 0 }; size_of::<i128>()];
    let at = wide.len().checked_sub(bytes.len()).ok_or(WIDTH)?;
    wide[at..].copy_from_slice(&bytes);
    let unscaled = i128::from_be_bytes(wide);
    let sign = if is_negative { "-" } else { "" };
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let point = if fraction.is_empty() { "" } else { "." };
    Ok(format!("{sign}{whole}{point}{fraction}"))
}

#[cfg(test)]
mod tests {
    use apache_avro::to_avro_datum;
    use proptest::prelude::*;

    use super::*;

    const PAYMENT: &str = r#"{"type": "record", "name": "Payment", "namespace": "bank", "fields": [
        {"name": "id", "type": {"type": "string", "logicalType": "uuid"}},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "booked", "type": {"type": "int", "logicalType": "date"}},
        {"name": "amount", "type": {"type": "bytes", "logicalType": "decimal", "precision": 18, "scale": 2}},
        {"name": "count", "type": "long"},
        {"name": "state", "type": {"type": "enum", "name": "State", "symbols": ["NEW", "DONE"]}},
        {"name": "payer", "type": {"type": "record", "name": "Party", "fields": [
            {"name": "name", "type": ["null", "string"]}]}},
        {"name": "payee", "type": "Party"},
        {"name": "tags", "type": {"type": "map", "values": {"type": "array", "items": "string"}}}]}"#;

    fn schemas(text: &str) -> Result<Schemas, String> {
        Schemas::parse(&BTreeMap::from([(1, text.to_owned())])).map_err(|error| error.to_string())
    }

    fn party(name: Option<&str>) -> Value {
        let name = name.map_or((0, Value::Null), |name| (1, Value::String(name.into())));
        Value::Record(vec![("name".into(), Value::Union(name.0, Box::new(name.1)))])
    }

    fn payment() -> Vec<u8> {
        let uuid = "67e55044-10b1-426f-9247-bb680e5fe0c8".parse().unwrap();
        let tags = [("k".to_owned(), Value::Array(vec![Value::String("v".into())]))];
        let value = Value::Record(vec![
            ("id".into(), Value::Uuid(uuid)),
            ("at".into(), Value::TimestampMillis(1_795_163_400_500)),
            ("booked".into(), Value::Date(20_777)),
            ("amount".into(), Value::Decimal(Decimal::from((-900_000_005_i64).to_be_bytes().to_vec()))),
            ("count".into(), Value::Long(9_007_199_254_740_993)),
            ("state".into(), Value::Enum(1, "DONE".into())),
            ("payer".into(), party(Some("陳大文"))),
            ("payee".into(), party(None)),
            ("tags".into(), Value::Map(tags.into())),
        ]);
        to_avro_datum(&Schema::parse_str(PAYMENT).unwrap(), value).unwrap()
    }

    #[test]
    fn a_record_is_the_same_as_json_with_all_its_digits() {
        let json = schemas(PAYMENT).unwrap().json(1, &payment()).unwrap();
        let expected = serde_json::json!({
            "id": "67e55044-10b1-426f-9247-bb680e5fe0c8",
            "at": "2026-11-20T08:30:00.5Z",
            "booked": "2026-11-20",
            "amount": "-9000000.05",
            "count": 9_007_199_254_740_993_i64,
            "state": "DONE",
            "payer": {"name": "陳大文"},
            "payee": {"name": null},
            "tags": {"k": ["v"]},
        });
        assert_eq!(serde_json::from_slice::<Json>(&json).unwrap(), expected);
    }

    #[test]
    fn decimals_keep_their_places() {
        let of =
            |unscaled: i128, scale| digits(&Decimal::from(unscaled.to_be_bytes().to_vec()), scale).unwrap();
        assert_eq!(of(0, 2), "0.00");
        assert_eq!(of(5, 3), "0.005");
        assert_eq!(of(-5, 1), "-0.5");
        assert_eq!(of(123, 0), "123");
        assert_eq!(of(i128::MIN, 0), i128::MIN.to_string());
        assert!(digits(&Decimal::from(vec![1; 17]), 2).is_err());
    }

    #[test]
    fn what_does_not_fit_its_schema_is_refused_without_what_stood_there() {
        let (schemas, payment) = (schemas(PAYMENT).unwrap(), payment());
        let refused = |id, datum: &[u8]| schemas.json(id, datum).unwrap_err().to_string();
        assert_eq!(refused(2, &payment), "there is no schema 2 here");
        for len in 0..payment.len() {
            assert_eq!(refused(1, &payment[..len]), "the record does not fit schema 1");
        }
        assert_eq!(refused(1, &[payment.as_slice(), &[0]].concat()), "the record does not fit schema 1");
        assert!(refused(1, &vec![0; EVENT_BYTES_MAX + 1]).contains("larger than"));
    }

    #[test]
    fn schemas_by_which_a_few_bytes_become_many_are_not_read() {
        for (text, reason) in [
            (
                r#"{"type":"record","name":"A","fields":[{"name":"a","type":["null","A"]}]}"#,
                "contains itself",
            ),
            (r#"{"type":"array","items":"null"}"#, "takes no bytes"),
            (
                r#"{"type":"array","items":{"type":"record","name":"E","fields":[{"name":"n","type":"null"}]}}"#,
                "takes no bytes",
            ),
            (
                r#"{"type":"map","values":{"type":"array","items":{"type":"fixed","name":"F","size":0}}}"#,
                "takes no bytes",
            ),
            (r#"{"type":"strin"}"#, "schema 1: "),
        ] {
            let refused = schemas(text).unwrap_err();
            assert!(refused.contains(reason), "{refused}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused(at in 0..200_usize, with: Vec<u8>, cut in 0..200_usize) {
            let (schemas, mut datum) = (schemas(PAYMENT).unwrap(), payment());
            let at = at.min(datum.len());
            datum.splice(at..(at + cut).min(datum.len()), with);
            if let Ok(json) = schemas.json(1, &datum) {
                prop_assert!(serde_json::from_slice::<Json>(&json).is_ok());
            }
        }
    }
}
