//! A small tree over an XML document, by local names: ISO 20022 tells its versions apart by namespace, and the
//! parts that Sluice reads keep their names from one version to the next.
//!
//! What a hostile document could do is shut out by `sluice_xml`; how large one may be is said here. A document that
//! is cut short is refused, never read in part.

use sluice_model::limits::BODY_BYTES_MAX;
use sluice_xml::{Fault, Limits, Reader, Refusal, Tag, Token};

use crate::DecodeError;

/// How deep elements may lie within each other; ISO 20022 with an envelope needs about 15.
const DEPTH_MAX: usize = 64;
/// How many elements a document may have: at about 60 a transaction, more than fit in the largest body.
const ELEMENTS_MAX: usize = 500_000;
const LIMITS: Limits = Limits { depth: DEPTH_MAX, elements: Some(ELEMENTS_MAX) };

/// An element: its local name, its own text, its children in order.
#[derive(Debug, Default)]
pub(crate) struct Element {
    pub name: String,
    pub text: String,
    /// The `Ccy` attribute, which amounts carry; no other attribute of ISO 20022 holds data.
    pub currency: Option<String>,
    /// The namespace of the element, where it is declared on this very element.
    pub namespace: Option<String>,
    pub children: Vec<Element>,
}

impl Element {
    /// The first child of a name.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Every child of a name, in order.
    pub(crate) fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first element on a path of names parted by `/`.
    pub(crate) fn at(&self, path: &str) -> Option<&Self> {
        path.split('/').try_fold(self, |element, name| element.child(name))
    }

    /// The text on a path, unless it is blank.
    pub(crate) fn text_at(&self, path: &str) -> Option<&str> {
        self.at(path).map(Self::text)?
    }

    /// The element's own text, unless it is blank.
    pub(crate) fn text(&self) -> Option<&str> {
        Some(self.text.trim()).filter(|text| !text.is_empty())
    }
}

/// The root element of a document.
pub(crate) fn parse(bytes: &[u8]) -> Result<Element, DecodeError> {
    if bytes.len() > BODY_BYTES_MAX {
        return Err(DecodeError::too_large(format!("the document is larger than {BODY_BYTES_MAX} bytes")));
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|error| DecodeError::malformed(format!("not UTF-8 from byte {} on", error.valid_up_to())))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    Builder { reader: Reader::new(text, LIMITS), open: Vec::new(), root: None }.build()
}

struct Builder<'a> {
    reader: Reader<'a>,
    open: Vec<Element>,
    root: Option<Element>,
}

impl Builder<'_> {
    fn build(mut self) -> Result<Element, DecodeError> {
        while let Some(token) = self.reader.read().map_err(refused)? {
            match token {
                Token::Start(tag) => self.start(&tag)?,
                Token::End => self.end(),
                Token::Text(text) => self.text(&text)?,
                Token::Encoding(encoding) if encoding.eq_ignore_ascii_case("utf-8") => {}
                Token::Encoding(_) => {
                    return Err(DecodeError::unsupported("an encoding other than UTF-8 is declared"));
                }
            }
        }
        self.root.take().ok_or_else(|| self.refuse(CUT_SHORT))
    }

    fn start(&mut self, tag: &Tag<'_>) -> Result<(), DecodeError> {
        if self.root.is_some() {
            return Err(self.refuse("more than one root element"));
        }
        let mut element = Element { name: tag.name().to_owned(), ..Element::default() };
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|_| self.refuse(ATTRIBUTE))?;
            let place = match attribute.qualified_name() {
                "Ccy" => &mut element.currency,
                _ if tag.is_declared_by(&attribute) => &mut element.namespace,
                _ => continue,
            };
            *place = Some(attribute.value().map_err(|_| self.refuse(ATTRIBUTE))?.into_owned());
        }
        self.open.push(element);
        Ok(())
    }

    fn end(&mut self) {
        let Some(mut element) = self.open.pop() else { return };
        if !element.children.is_empty() {
            element.text = String::new();
        }
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
    }

    fn text(&mut self, text: &str) -> Result<(), DecodeError> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(self.refuse("text outside the root element")),
        }
        Ok(())
    }

    /// A refusal at the line that the reader has come to.
    fn refuse(&self, why: &str) -> DecodeError {
        malformed(self.reader.line(), why)
    }
}

const CUT_SHORT: &str = "the XML ends too early";
const ATTRIBUTE: &str = "an attribute is not well-formed";

/// What the reader refused, in words that repeat nothing of the document.
fn refused(refusal: Refusal) -> DecodeError {
    let why = match refusal.fault {
        Fault::TooMany(max) => return DecodeError::too_large(format!("more than {max} elements")),
        Fault::TooDeep(max) => return DecodeError::too_large(format!("elements lie more than {max} deep")),
        Fault::DocumentType => "a document type (DTD) is never read: it could define entities",
        Fault::UnknownEntity => "an entity that XML itself does not define",
        Fault::CutShort => CUT_SHORT,
        Fault::NotWellFormed(_) => "not well-formed XML",
    };
    malformed(refusal.line, why)
}

fn malformed(line: u64, why: &str) -> DecodeError {
    DecodeError::malformed(format!("line {line}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> (&'static str, String) {
        let error = parse(text.as_bytes()).unwrap_err();
        (error.code(), error.to_string())
    }

    #[test]
    fn names_texts_and_currencies_are_read() {
        let root = parse("\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><p:a xmlns:p='urn:x'><b Ccy=\"HKD\"> 1<!-- c -->0 </b><b><![CDATA[x<y]]> &amp; &#x9673;</b></p:a>\n".as_bytes()).unwrap();
        assert_eq!((root.name.as_str(), root.namespace.as_deref()), ("a", Some("urn:x")));
        let texts: Vec<_> = root.children("b").map(Element::text).collect();
        assert_eq!(texts, [Some("10"), Some("x<y & 陳")]);
        assert_eq!(root.at("b").unwrap().currency.as_deref(), Some("HKD"));
    }

    #[test]
    fn bombs_entities_and_halves_are_refused() {
        let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;\">]>\n<x>&b;</x>";
        assert_eq!(refused(bomb).0, "malformed");
        assert!(refused(bomb).1.contains("document type"));
        assert!(refused("<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><x/>").1.contains("document type"));
        assert!(refused("<x>\n&secret;</x>").1.starts_with("line 2: an entity"));
        for half in [
            "",
            " ",
            "<a>",
            "<a><b></b>",
            "<a",
            "<a><b></a>",
            "<a/><b/>",
            "<a/>x",
            "</a>",
            "plain",
            "<a>&#0;</a>",
            "<a>&lt</a>",
        ] {
            assert_eq!(refused(half).0, "malformed", "{half}");
        }
        let deep = format!("{}{}", "<a>".repeat(65), "</a>".repeat(65));
        assert_eq!(refused(&deep).0, "too_large");
        assert_eq!(refused(&format!("<a>{}</a>", "<b/>".repeat(ELEMENTS_MAX))).0, "too_large");
        assert_eq!(refused(&format!("<a>{}</a>", "x".repeat(BODY_BYTES_MAX))).0, "too_large");
        assert_eq!(refused("<?xml version=\"1.0\" encoding=\"UTF-16\"?><a/>").0, "unsupported");
    }
}
