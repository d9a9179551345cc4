//! What a parser's refusal may report: the field and what is allowed there, never what was sent.

/// What is reported of a refusal that cannot be reported without what was sent.
const NOT_ALLOWED: &str = "what stands there is not allowed there";

/// What a library says before a parser's message.
const BEFORE: &[&str] = &[
    "Failed to deserialize the JSON body into the target type: ",
    "Failed to parse the request body as JSON: ",
    "Failed to deserialize form: ",
    "Failed to deserialize form body: ",
    "Failed to deserialize query string: ",
];

/// Messages of parsers that are the same whatever was sent; positions may follow.
const FIXED: &[&str] = &[
    "invalid digit found in string",
    "cannot parse integer from empty string",
    "number too large to fit in target type",
    "number too small to fit in target type",
    "provided string was not `true` or `false`",
    "trailing characters",
    "trailing comma",
    "expected value",
    "expected ident",
    "expected `:`",
    "expected `,` or `]`",
    "expected `,` or `}`",
    "expected `\"`",
    "EOF while parsing",
    "key must be a string",
    "control character (\\u0000-\\u001F) found while parsing a string",
    "invalid escape",
    "invalid number",
    "number out of range",
    "invalid unicode code point",
    "lone leading surrogate in hex escape",
    "unexpected end of hex escape",
    "recursion limit exceeded",
];

/// A message of serde, or of a parser behind it, with everything in it that may have been sent left out. `path: ` may
/// stand before it, as `serde_path_to_error` says it, and before that what a library says.
pub fn without_values(message: &str) -> String {
    let message = BEFORE.iter().find_map(|before| message.strip_prefix(before)).unwrap_or(message);
    // The first opening is serde's own: what was sent comes after it.
    let openings =
        ["unknown field `", "unknown variant `", "invalid type: ", "invalid value: ", "invalid length "];
    let opening = openings.iter().filter_map(|opening| Some((message.find(opening)?, *opening))).min();
    if let Some((at, opening)) = opening {
        // Where the path is no path of ours, it is not reported.
        let path = path_before(message, at).unwrap_or_default();
        // The last is serde's own, for the same reason.
        let expected = message.rsplit_once(", expected ").map(|(_, expected)| expected);
        // A field that is not known is the path's last step: the sender's own word.
        let path = if opening.starts_with("unknown field") { parent(path) } else { path.to_owned() };
        let what = opening.trim_end_matches([' ', '`', ':']);
        return match expected {
            Some(expected) => format!("{path}{what}, expected {expected}"),
            None => format!("{path}{what}"),
        };
    }
    // These name a field of ours.
    for opening in ["missing field `", "duplicate field `"] {
        if let Some((field, position)) = message.strip_prefix(opening).and_then(|rest| rest.split_once('`'))
            && field.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && (position.is_empty() || position.starts_with(" at line "))
        {
            return message.to_owned();
        }
    }
    let last = message.rsplit(": ").next().unwrap_or_default();
    if FIXED.iter().any(|fixed| last.starts_with(fixed)) { last.to_owned() } else { NOT_ALLOWED.to_owned() }
}

/// The path before a message, with its `: `; `None` where something else does.
fn path_before(message: &str, at: usize) -> Option<&str> {
    let path = &message[..at];
    let is_path = |path: &str| path.bytes().all(|b| b.is_ascii_alphanumeric() || b"._[]?".contains(&b));
    (path.is_empty() || path.strip_suffix(": ").is_some_and(is_path)).then_some(path)
}

/// The path without its last step.
fn parent(path: &str) -> String {
    path.trim_end_matches(": ").rsplit_once('.').map_or_else(String::new, |(parent, _)| format!("{parent}: "))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only refusals are looked at")]
    struct Outer {
        number: u8,
        inner: Option<Inner>,
        kind: Option<Kind>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only refusals are looked at")]
    struct Inner {
        flag: Vec<bool>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        One,
        Two,
    }

    /// As axum words it.
    fn refused(json: &str) -> String {
        let error =
            serde_path_to_error::deserialize::<_, Outer>(&mut serde_json::Deserializer::from_str(json));
        without_values(&error.unwrap_err().to_string())
    }

    #[test]
    fn the_field_and_what_is_allowed_are_told() {
        for (json, told) in [
            (r#"{"number":"S3CRET"}"#, "number: invalid type, expected u8 at line 1 column 18"),
            (r#"{"number":4711}"#, "number: invalid value, expected u8 at line 1 column 14"),
            (
                r#"{"S3CRET":1}"#,
                "unknown field, expected one of `number`, `inner`, `kind` at line 1 column 9",
            ),
            (r#"{"inner":{"S3CRET":1}}"#, "inner: unknown field, expected `flag` at line 1 column 18"),
            (
                r#"{"inner":{"flag":[true,"S3CRET"]}}"#,
                "inner.flag[1]: invalid type, expected a boolean at line 1 column 31",
            ),
            (r#"{"kind":"S3CRET"}"#, "kind: unknown variant, expected `one` or `two` at line 1 column 16"),
            (r#"{"inner":null}"#, "missing field `number` at line 1 column 14"),
            (r#"{"number":1,"number":1}"#, "duplicate field `number` at line 1 column 20"),
            (r#"{"number":S3CRET}"#, "expected value at line 1 column 11"),
            // A sender who knows how this is read gets no further.
            (
                r#"{"kind":"a`, expected S3CRET"}"#,
                "kind: unknown variant, expected `one` or `two` at line 1 column 29",
            ),
            (
                r#"{"missing field `S3CRET":1}"#,
                "unknown field, expected one of `number`, `inner`, `kind` at line 1 column 24",
            ),
        ] {
            assert_eq!(refused(json), told);
        }
    }

    #[test]
    fn what_is_not_known_to_be_harmless_is_left_out() {
        for message in
            ["S3CRET", "field: S3CRET", "S3CRET: unknown field S3CRET", "Mr S3CRET: invalid type: x"]
        {
            assert!(!without_values(message).contains("S3CRET"), "{}", without_values(message));
        }
        assert_eq!(without_values("limit: invalid digit found in string"), "invalid digit found in string");
    }
}
