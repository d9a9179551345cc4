//! Canonical JSON: one text for one value.

use serde::Serialize;
use serde_json::{Map, Value};

/// `value` as JSON with the keys of every object in order of their bytes, and no white space. Numbers are
/// written as `serde_json` writes them: integers as they are, floats in the shortest form that reads back.
pub fn canonical<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<String> {
    serde_json::to_string(&sorted(serde_json::to_value(value)?))
}

/// Sorted whatever order `serde_json`'s maps keep: another crate's features must not change a hash.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(String, Value)> = map.into_iter().map(|(k, v)| (k, sorted(v))).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(Map::from_iter(entries))
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        plain => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_at_every_depth() {
        let value: Value = serde_json::from_str(r#"{"b":[{"z":1,"a":null}],"a":0.1,"Z":"é\n"}"#).unwrap();
        assert_eq!(canonical(&value).unwrap(), r#"{"Z":"é\n","a":0.1,"b":[{"a":null,"z":1}]}"#);
    }
}
