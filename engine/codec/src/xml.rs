//! A small tree over an XML document, by local names: ISO 20022 tells its versions apart by namespace, and the
//! parts that Sluice reads keep their names from one version to the next.
//!
//! What a hostile document could do is shut out here: no document type (so no entities of its own, none
//! external, no expansion), and limits on size, depth and number of elements. A document that is cut short is
//! refused, never read in part.

use quick_xml::{
    Reader,
    escape::resolve_predefined_entity,
    events::{BytesRef, BytesStart, Event},
};
use sluice_model::limits::BODY_BYTES_MAX;

use crate::DecodeError;

/// How deep elements may lie within each other; ISO 20022 with an envelope needs about 15.
const DEPTH_MAX: usize = 64;
/// How many elements a document may have: at about 60 a transaction, more than fit in the largest body.
const ELEMENTS_MAX: usize = 500_000;

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
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Every child of a name, in order.
    pub fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first element on a path of names parted by `/`.
    pub fn at(&self, path: &str) -> Option<&Self> {
        path.split('/').try_fold(self, |element, name| element.child(name))
    }

    /// The text on a path, unless it is blank.
    pub fn text_at(&self, path: &str) -> Option<&str> {
        self.at(path).map(Self::text)?
    }

    /// The element's own text, unless it is blank.
    pub fn text(&self) -> Option<&str> {
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
    Builder { text, reader: Reader::from_str(text), open: Vec::new(), elements: 0, root: None }.build()
}

struct Builder<'a> {
    text: &'a str,
    reader: Reader<&'a [u8]>,
    open: Vec<Element>,
    elements: usize,
    root: Option<Element>,
}

impl Builder<'_> {
    fn build(mut self) -> Result<Element, DecodeError> {
        loop {
            match self.reader.read_event() {
                Ok(Event::Start(tag)) => self.start(&tag)?,
                Ok(Event::Empty(tag)) => {
                    self.start(&tag)?;
                    self.end()?;
                }
                Ok(Event::End(_)) => self.end()?,
                Ok(Event::Text(text)) => self.text(&text.xml10_content())?,
                Ok(Event::CData(text)) => self.text(&text.xml10_content())?,
                Ok(Event::GeneralRef(reference)) => self.reference(&reference)?,
                Ok(Event::DocType(_)) => {
                    return Err(self.refuse("a document type (DTD) is never read: it could define entities"));
                }
                Ok(Event::Decl(declaration)) => match declaration.encoding() {
                    Some(Ok(encoding)) if !encoding.eq_ignore_ascii_case("utf-8") => {
                        return Err(DecodeError::unsupported("an encoding other than UTF-8 is declared"));
                    }
                    _ => {}
                },
                Ok(Event::Comment(_) | Event::PI(_)) => {}
                Ok(Event::Eof) => break,
                // The library's own words may repeat what stands in the document.
                Err(_) => return Err(self.refuse("not well-formed XML")),
            }
        }
        match (self.root.take(), self.open.is_empty()) {
            (Some(root), true) => Ok(root),
            _ => Err(self.refuse("the XML ends too early")),
        }
    }

    fn start(&mut self, tag: &BytesStart<'_>) -> Result<(), DecodeError> {
        self.elements += 1;
        if self.elements > ELEMENTS_MAX {
            return Err(DecodeError::too_large(format!("more than {ELEMENTS_MAX} elements")));
        }
        if self.open.len() == DEPTH_MAX {
            return Err(DecodeError::too_large(format!("elements lie more than {DEPTH_MAX} deep")));
        }
        if self.root.is_some() {
            return Err(self.refuse("more than one root element"));
        }
        let mut element = Element { name: tag.local_name().as_ref().to_owned(), ..Element::default() };
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|_| self.refuse("an attribute is not well-formed"))?;
            let place = match attribute.key.as_ref() {
                "Ccy" => &mut element.currency,
                name if declares_namespace_of(name, tag) => &mut element.namespace,
                _ => continue,
            };
            *place = Some(attribute.value.into_owned());
        }
        self.open.push(element);
        Ok(())
    }

    fn end(&mut self) -> Result<(), DecodeError> {
        let Some(mut element) = self.open.pop() else {
            return Err(self.refuse("an element ends that never began"));
        };
        if !element.children.is_empty() {
            element.text = String::new();
        }
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), DecodeError> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(self.refuse("text outside the root element")),
        }
        Ok(())
    }

    fn reference(&mut self, reference: &BytesRef<'_>) -> Result<(), DecodeError> {
        if let Ok(Some(character)) = reference.resolve_char_ref() {
            return self.text(character.encode_utf8(&mut [0; 4]));
        }
        match resolve_predefined_entity(reference) {
            Some(text) => self.text(text),
            None => Err(self.refuse("an entity that XML itself does not define")),
        }
    }

    /// A refusal at the line that the reader has come to.
    fn refuse(&self, why: &str) -> DecodeError {
        let read = usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX);
        let line = 1 + self.text.bytes().take(read).filter(|byte| *byte == b'\n').count();
        DecodeError::malformed(format!("line {line}: {why}"))
    }
}

/// Whether an attribute declares the namespace that the tag's own name stands in.
fn declares_namespace_of(attribute: &str, tag: &BytesStart<'_>) -> bool {
    match tag.name().prefix() {
        None => attribute == "xmlns",
        Some(prefix) => attribute.strip_prefix("xmlns:") == Some(prefix.into_inner()),
    }
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
