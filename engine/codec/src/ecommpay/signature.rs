//! What ecommpay signs, and the orders in which its libraries sort it.

use base64::{Engine, prelude::BASE64_STANDARD};

use super::natural;
use crate::{
    document::Document,
    webhook::{Algorithm, Secrets, Unverified},
};

/// Where the signature stands: the name of its field, at the top or in [`GENERAL`].
const SIGNATURE: &str = "signature";
const GENERAL: &str = "general";
/// The field at the top that is not signed.
const FRAME_MODE: &str = "frame_mode";

/// One value that is signed.
struct Line {
    path: String,
    /// `path:value`.
    text: String,
}

/// Whether one of the secrets signed the callback.
pub(super) fn verify(callback: &Document, secrets: &Secrets) -> Result<(), Unverified> {
    let held = callback.get(SIGNATURE).or_else(|| callback.get(GENERAL)?.get(SIGNATURE));
    let Some(Document::Text(held)) = held else { return Err(Unverified::Missing(SIGNATURE.into())) };
    let given = BASE64_STANDARD
        .decode(held)
        .map_err(|_| Unverified::Malformed { place: SIGNATURE.into(), expected: "a signature in base64" })?;
    let lines = lines(callback);
    let matches = |signed: &String| secrets.made(&given, Algorithm::HmacSha512, &[signed.as_bytes()]);
    if signed(lines).iter().any(matches) { Ok(()) } else { Err(Unverified::Mismatch) }
}

/// What may have been signed: the same lines in each order that a library of ecommpay sorts in. They differ where lists
/// are longer than ten, and where names of fields end in digits or hold signs.
fn signed(mut lines: Vec<Line>) -> [String; 3] {
    lines.sort_by(|a, b| natural::pieces(&a.path).cmp(&natural::pieces(&b.path)));
    let natural = joined(&lines);
    lines.sort_by(|a, b| a.path.cmp(&b.path));
    let by_path = joined(&lines);
    lines.sort_by(|a, b| a.text.cmp(&b.text));
    [natural, by_path, joined(&lines)]
}

fn joined(lines: &[Line]) -> String {
    lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join(";")
}

fn lines(callback: &Document) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Document::Object(fields) = callback {
        for (name, value) in fields.iter().filter(|(name, _)| name != FRAME_MODE) {
            field(name, "", value, &mut lines);
        }
    }
    lines
}

fn field(name: &str, above: &str, value: &Document, lines: &mut Vec<Line>) {
    if name != SIGNATURE {
        flatten(format!("{above}{}", name.replace(':', "::")), value, lines);
    }
}

fn flatten(path: String, value: &Document, lines: &mut Vec<Line>) {
    let text = match value {
        Document::Object(fields) => {
            let above = format!("{path}:");
            return fields.iter().for_each(|(name, value)| field(name, &above, value, lines));
        }
        Document::List(items) => {
            let places = items.iter().enumerate();
            return places.for_each(|(at, item)| flatten(format!("{path}:{at}"), item, lines));
        }
        Document::Null => "",
        Document::Bool(true) => "1",
        Document::Bool(false) => "0",
        Document::Number(text) | Document::Text(text) => text,
    };
    let text = format!("{path}:{text}");
    lines.push(Line { path, text });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Document {
        Document::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn lines_hold_paths_and_values_and_nothing_that_is_not_signed() {
        let text = r#"{"k:x":"v;w:1","b":false,"t":true,"z":null,"e":[],"o":{},"frame_mode":"popup","n":1.50,
            "signature":"s","general":{"signature":"s","id":7,"frame_mode":"kept"},"l":[{"signature":1,"a":[2]}]}"#;
        let lines: Vec<String> = lines(&document(text)).into_iter().map(|line| line.text).collect();
        assert_eq!(
            lines.join("|"),
            "k::x:v;w:1|b:0|t:1|z:|n:1.50|general:id:7|general:frame_mode:kept|l:0:a:0:2"
        );
    }

    #[test]
    fn the_orders_differ_where_libraries_do() {
        let text = r#"{"a":{"10":1,"9":2},"a1":3,"A":4}"#;
        let [natural, by_path, by_line] = signed(lines(&document(text)));
        assert_eq!(natural, "A:4;a1:3;a:9:2;a:10:1");
        assert_eq!(by_path, "A:4;a1:3;a:10:1;a:9:2");
        assert_eq!(by_line, "A:4;a1:3;a:10:1;a:9:2");
        let [natural, by_path, by_line] = signed(lines(&document(r#"{"a":1,"a1":2,"a_":3}"#)));
        assert_eq!([natural, by_path], ["a:1;a1:2;a_:3"; 2].map(String::from));
        assert_eq!(by_line, "a1:2;a:1;a_:3");
    }
}
