//! The records of the evidence log: a leaf that commits to a body, and the body, kept apart so that it can be
//! erased in part or whole while the leaf still proves what was logged, and when.

use std::{borrow::Cow, collections::BTreeMap, fmt, iter, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use sluice_model::{EventTime, Hash256};

use crate::{canonical::canonical, merkle::leaf_hash};

/// The version of the leaf's encoding.
const LEAF_VERSION: u8 = 1;

/// What a leaf records.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// An alert, as the engine raised it.
    Alert,
    /// A payment held, rejected or released.
    Hold,
    /// The answer to a payment service that waited.
    Decision,
    /// What an officer did: an assignment, a comment, a freeze, a closing disposition.
    Act,
    /// A change of rules, lists, parameters, users.
    Configuration,
    /// A sealed stretch of the payments log: see [`Stretch`](crate::Stretch).
    Stretch,
}

impl Kind {
    /// The lower-case name, as leaves carry it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Hold => "hold",
            Self::Decision => "decision",
            Self::Act => "act",
            Self::Configuration => "configuration",
            Self::Stretch => "stretch",
        }
    }
}

/// One leaf of the evidence log. It holds no personal data: `id` is an alert's or act's own id.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leaf {
    // In the order of the canonical encoding: by name.
    /// When it happened, as the caller says.
    pub at: EventTime,
    /// The body's commitment.
    pub commitment: Hash256,
    /// The id of what is recorded.
    pub id: String,
    /// What is recorded.
    pub kind: Kind,
    /// The version of this encoding.
    v: u8,
}

impl Leaf {
    /// The leaf that commits to `body`.
    pub fn new(kind: Kind, id: impl Into<String>, at: EventTime, body: &Body) -> Self {
        Self { at, commitment: body.commitment(), id: id.into(), kind, v: LEAF_VERSION }
    }

    /// The canonical encoding: what is hashed into the tree.
    pub fn encode(&self) -> String {
        format!(
            r#"{{"at":"{}","commitment":"{}","id":{},"kind":"{}","v":{}}}"#,
            self.at,
            self.commitment,
            serde_json::Value::from(self.id.as_str()),
            self.kind.name(),
            self.v
        )
    }

    /// The leaf's hash in the tree.
    pub fn hash(&self) -> Hash256 {
        leaf_hash(self.encode().as_bytes())
    }

    /// Whether this program knows the leaf's encoding.
    pub(crate) fn is_known(&self) -> bool {
        self.v == LEAF_VERSION
    }
}

/// Random bytes that keep a commitment from being guessed. From the caller, fresh for each body.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Salt(pub [u8; 16]);

impl Salt {
    /// The salt of one field, which reveals nothing of the others'.
    fn of_field(&self, name: &str) -> Self {
        let digest: [u8; 32] = Sha256::new_with_prefix(self.0).chain_update(name).finalize().into();
        let mut salt = [0; 16];
        salt.copy_from_slice(&digest[..16]);
        Self(salt)
    }
}

/// Why a value is not a body.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// Only objects have fields to commit to.
    #[error("the body of an evidence record must be a JSON object")]
    NotAnObject,
    /// It has no JSON form.
    #[error("the body of an evidence record has no JSON form: {0}")]
    Json(#[from] serde_json::Error),
}

/// The body of a record: an object whose fields are each committed to under a salt of their own, so that one
/// can be erased and the rest still proved. Its JSON form is what the caller stores and what bundles carry.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Body {
    // In the order of the canonical encoding: by name.
    /// What is left of erased fields: the digest that the commitment is made of.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    erased: BTreeMap<String, Hash256>,
    fields: Fields,
    /// The body's salt, from which each field's is derived. Gone once a field is erased: it would let whoever
    /// has it guess what the field was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    salt: Option<Salt>,
    /// Then, the salt of each field that is left.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    salts: BTreeMap<String, Salt>,
}

impl Body {
    /// The body that `value`, a JSON object, makes.
    pub fn new<T: Serialize + ?Sized>(value: &T, salt: Salt) -> Result<Self, BodyError> {
        let serde_json::Value::Object(map) = serde_json::to_value(value)? else {
            return Err(BodyError::NotAnObject);
        };
        let fields = Fields(RawValue::from_string(canonical(&map)?)?);
        Ok(Self { erased: BTreeMap::new(), fields, salt: Some(salt), salts: BTreeMap::new() })
    }

    /// This body with one more field, which replaces one of the same name. For a body that is not logged yet:
    /// its commitment changes.
    pub fn with<T: Serialize + ?Sized>(mut self, name: &str, value: &T) -> Result<Self, BodyError> {
        let value = RawValue::from_string(canonical(value)?)?;
        let mut entries: BTreeMap<_, _> = self.fields.entries().into_iter().collect();
        entries.insert(Cow::Borrowed(name), &value);
        self.fields = Fields::from_entries(&entries)?;
        Ok(self)
    }

    /// The JSON text of a field, unless it is absent or erased.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.entries().into_iter().find(|(n, _)| n == name).map(|(_, value)| value.get())
    }

    /// The fields that are left, as one JSON text.
    pub fn json(&self) -> &str {
        self.fields.0.get()
    }

    /// The names of erased fields.
    pub fn erased(&self) -> impl Iterator<Item = &str> {
        self.erased.keys().map(String::as_str)
    }

    /// Erase a field for good; its digest stays, so the commitment does. Whether there was such a field.
    pub fn erase(&mut self, name: &str) -> Result<bool, BodyError> {
        let mut entries: BTreeMap<_, _> = self.fields.entries().into_iter().collect();
        let Some(digest) = entries.get(name).and_then(|value| self.digest(name, value)) else {
            return Ok(false);
        };
        if let Some(salt) = self.salt.take() {
            self.salts = entries.keys().map(|name| (name.to_string(), salt.of_field(name))).collect();
        }
        entries.remove(name);
        self.fields = Fields::from_entries(&entries)?;
        self.salts.remove(name);
        self.erased.insert(name.to_owned(), digest);
        Ok(true)
    }

    /// What a leaf commits to: the hash over every field's name and digest, in order of the names.
    pub fn commitment(&self) -> Hash256 {
        let entries = self.fields.entries();
        let kept = entries.iter().filter_map(|(name, value)| Some((&**name, self.digest(name, value)?)));
        let mut digests: Vec<(&str, Hash256)> =
            kept.chain(self.erased.iter().map(|(name, digest)| (name.as_str(), *digest))).collect();
        digests.sort_unstable();
        let parts = digests.iter().flat_map(|(name, digest)| [name.as_bytes(), digest.0.as_slice()]);
        Hash256::of_parts(iter::once(b"sluice/body/v1".as_slice()).chain(parts))
    }

    /// Whether the fields, erased fields and salts fit each other: each field has one salt, and none is there
    /// that would open an erased one.
    pub(crate) fn is_consistent(&self) -> bool {
        if self.salt.is_some() {
            return self.erased.is_empty() && self.salts.is_empty();
        }
        let entries = self.fields.entries();
        let names = entries.iter().map(|(name, _)| &**name);
        self.salts.keys().eq(names.clone()) && !names.into_iter().any(|name| self.erased.contains_key(name))
    }

    /// SHA-256(value ‖ salt); `None` only for a body that is not consistent.
    fn digest(&self, name: &str, value: &RawValue) -> Option<Hash256> {
        let salt = match &self.salt {
            Some(salt) => salt.of_field(name),
            None => *self.salts.get(name)?,
        };
        Some(Hash256(Sha256::new_with_prefix(value.get()).chain_update(salt.0).finalize().into()))
    }
}

/// A JSON object's text with its names in order, each once. Kept as text: its bytes are what is hashed.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
struct Fields(Box<RawValue>);

/// Names and values, in order.
type Entries<'a> = Vec<(Cow<'a, str>, &'a RawValue)>;

impl Fields {
    fn from_entries(entries: &BTreeMap<Cow<'_, str>, &RawValue>) -> serde_json::Result<Self> {
        Ok(Self(RawValue::from_string(serde_json::to_string(entries)?)?))
    }

    fn entries(&self) -> Entries<'_> {
        Self::read(&self.0).unwrap_or_default() // it was read when it was made
    }

    fn read(text: &RawValue) -> serde_json::Result<Entries<'_>> {
        let mut json = serde_json::Deserializer::from_str(text.get());
        let entries = json.deserialize_map(InOrder)?;
        json.end()?;
        Ok(entries)
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(d)?;
        Self::read(&text).map_err(de::Error::custom)?;
        Ok(Self(text))
    }
}

struct InOrder;

impl<'de> de::Visitor<'de> for InOrder {
    type Value = Entries<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with its names in order")
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Entries<'de>, A::Error> {
        #[derive(Deserialize)]
        struct Name<'a>(#[serde(borrow)] Cow<'a, str>);
        let mut entries = Entries::with_capacity(map.size_hint().unwrap_or(16));
        while let Some((Name(name), value)) = map.next_entry()? {
            if entries.last().is_some_and(|(before, _)| *before >= name) {
                return Err(de::Error::custom("the names of a body are not in order"));
            }
            entries.push((name, value));
        }
        Ok(entries)
    }
}

impl fmt::Display for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Salt {
    /// A salt is a secret once a body has been erased.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt")
    }
}

impl FromStr for Salt {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

impl Serialize for Salt {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Salt {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body() -> Body {
        Body::new(&json!({"reason": "a name", "score": 0.9123, "rule_id": "R60"}), Salt([5; 16])).unwrap()
    }

    #[test]
    fn a_leaf_encodes_canonically() {
        let leaf = Leaf::new(Kind::Act, "an \"id\"\n", EventTime::from_micros(1), &body());
        assert_eq!(leaf.encode(), canonical(&leaf).unwrap());
        assert_eq!(serde_json::from_str::<Leaf>(&leaf.encode()).unwrap(), leaf);
    }

    #[test]
    fn every_field_and_the_salt_are_committed_to() {
        let commitment = body().commitment();
        let other = |value, salt| Body::new(&value, Salt(salt)).unwrap().commitment();
        assert_ne!(
            commitment,
            other(json!({"reason": "a namf", "score": 0.9123, "rule_id": "R60"}), [5; 16])
        );
        assert_ne!(
            commitment,
            other(json!({"reason": "a name", "score": 0.9123, "rule-id": "R60"}), [5; 16])
        );
        assert_ne!(commitment, other(json!({"reason": "a name", "score": 0.9123}), [5; 16]));
        assert_ne!(
            commitment,
            other(json!({"reason": "a name", "score": 0.9123, "rule_id": "R60"}), [6; 16])
        );
    }

    #[test]
    fn erasing_fields_keeps_the_commitment_and_drops_what_would_open_them() {
        let mut erased = body();
        for (name, was_there) in [("reason", true), ("reason", false), ("other", false), ("score", true)] {
            assert_eq!(erased.erase(name).unwrap(), was_there, "{name}");
        }
        assert_eq!(erased.commitment(), body().commitment());
        assert_eq!(erased.field("rule_id"), Some("\"R60\""));
        assert_eq!((erased.field("reason"), erased.erased().count()), (None, 2));
        let text = serde_json::to_string(&erased).unwrap();
        for secret in [Salt([5; 16]), Salt([5; 16]).of_field("reason")] {
            assert!(!text.contains(&secret.to_string()));
        }
        assert!(!text.contains("a name"));
        let again: Body = serde_json::from_str(&text).unwrap();
        assert!(again.is_consistent());
        assert_eq!(again.commitment(), body().commitment());
    }

    #[test]
    fn fields_are_in_order_and_each_once() {
        let body = |fields: &str| {
            serde_json::from_str::<Body>(&format!(r#"{{"fields":{fields},"salt":"{}"}}"#, Salt([5; 16])))
        };
        assert_eq!(body(r#"{"a":1,"é\"":[{}]}"#).unwrap().field("é\""), Some("[{}]"));
        for bad in [r#"{"b":1,"a":2}"#, r#"{"a":1,"a":2}"#, "[]", "1"] {
            assert!(body(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_body_whose_salts_do_not_fit_is_told() {
        for text in [
            r#"{"fields":{"a":1}}"#,
            r#"{"fields":{},"salts":{"a":"00000000000000000000000000000000"}}"#,
            r#"{"erased":{"b":"0000000000000000000000000000000000000000000000000000000000000000"},"fields":{},"salt":"00000000000000000000000000000000"}"#,
        ] {
            assert!(!serde_json::from_str::<Body>(text).unwrap().is_consistent(), "{text}");
        }
    }
}
