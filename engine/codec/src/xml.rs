//! A small tree over an XML document, by local names: ISO 20022 tells its versions apart by namespace, and the
//! parts that Sluice reads keep their names from one version to the next.
//!
//! The tree of a large document would be many times its size, so elements that repeat are set apart: beyond the first
//! of them nothing is known but where they stand, and each is opened when its turn comes.
//!
//! What a hostile document could do is shut out by `sluice_xml`; how large one may be is said here. A document that
//! is cut short is refused, never read in part.

use std::{borrow::Cow, ops::Range};

use sluice_model::limits::Bytes;
use sluice_xml::{Fault, Limits, Reader, Refusal, Tag, Token};

use crate::{DecodeError, encoding};

/// The largest document, in bytes: more than 50,000 transactions of a usual length. What comes by HTTP is bounded by
/// its body before.
pub(crate) const DOCUMENT_BYTES_MAX: usize = 128 * 1024 * 1024;
/// How deep elements may lie within each other; ISO 20022 with an envelope needs about 15.
const DEPTH_MAX: usize = 64;
/// How many elements a tree has before what is set apart stays closed: a small document is read once.
const OPEN_ELEMENTS_MAX: usize = 20_000;
/// How many elements a tree may have: a document without what is closed in it, or what was closed.
const ELEMENTS_MAX: usize = 500_000;
const LIMITS: Limits = Limits { depth: DEPTH_MAX, elements: None };
/// The one element that may stand before a document's root: a business application header.
const HEADER: &str = "AppHdr";

/// An element: its local name, its own text, its children in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Element {
    pub name: String,
    pub text: String,
    /// The `Ccy` attribute, which amounts carry; no other attribute of ISO 20022 holds data.
    pub currency: Option<String>,
    /// The namespace of the element, where it is declared on this very element.
    pub namespace: Option<String>,
    /// The children that are not set apart.
    pub children: Vec<Element>,
    /// The children that are set apart.
    apart: Vec<Apart>,
    /// The line it begins on, counted from 1.
    pub line: u64,
    /// Where it stands in the document's text.
    pub span: Range<usize>,
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

    /// Every child of a name that is set apart, in order.
    pub(crate) fn apart<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Spot<'a>> {
        self.all_apart().filter(move |(found, _)| *found == name).map(|(_, spot)| spot)
    }

    /// Every child that is set apart, with its name, in order.
    pub(crate) fn all_apart(&self) -> impl Iterator<Item = (&'static str, Spot<'_>)> {
        self.apart.iter().map(|apart| (apart.name, apart.spot()))
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

/// An element that is set apart.
#[derive(Clone, Debug)]
struct Apart {
    name: &'static str,
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Open(Box<Element>),
    Closed(Place),
}

impl Apart {
    fn spot(&self) -> Spot<'_> {
        match &self.content {
            Content::Open(element) => Spot::Open(element),
            Content::Closed(place) => Spot::Closed(place),
        }
    }
}

/// Where an element stands in a document.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The line it begins on, counted from 1.
    pub line: u64,
    pub span: Range<usize>,
}

/// An element: its tree, or where it stands until it is opened.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Spot<'a> {
    Open(&'a Element),
    Closed(&'a Place),
}

impl Spot<'_> {
    pub(crate) fn place(self) -> Place {
        match self {
            Self::Open(element) => Place { line: element.line, span: element.span.clone() },
            Self::Closed(place) => place.clone(),
        }
    }
}

/// Which elements are set apart, by the name of what holds them and their own: the name, if it is.
pub(crate) type SetApart = fn(&str, &str) -> Option<&'static str>;

/// A document and its tree.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    text: Cow<'a, str>,
    apart: SetApart,
    /// The root element, and before it a header's where there is one.
    pub roots: Vec<Element>,
}

impl<'a> Document<'a> {
    /// The document in those bytes.
    pub(crate) fn parse(bytes: &'a [u8], apart: SetApart) -> Result<Self, DecodeError> {
        if bytes.len() > DOCUMENT_BYTES_MAX {
            let most = Bytes(DOCUMENT_BYTES_MAX);
            return Err(DecodeError::too_large(format!("the document is larger than {most}")));
        }
        let text = encoding::text(bytes)?;
        let roots = Builder::new(&text, (0, 0), apart).build()?;
        Ok(Self { text, apart, roots })
    }

    /// The tree of an element that may be closed.
    pub(crate) fn open<'e>(&self, element: Spot<'e>) -> Result<Cow<'e, Element>, DecodeError> {
        let place = match element {
            Spot::Open(element) => return Ok(Cow::Borrowed(element)),
            Spot::Closed(place) => place,
        };
        let before = (place.span.start, place.line.saturating_sub(1));
        let mut roots = Builder::new(self.source(place.span.clone()), before, self.apart).build()?;
        roots.pop().map(Cow::Owned).ok_or_else(|| malformed(place.line, CUT_SHORT))
    }

    /// The text of an element.
    pub(crate) fn source(&self, span: Range<usize>) -> &str {
        self.text.get(span).unwrap_or_default()
    }
}

struct Builder<'a> {
    reader: Reader<'a>,
    /// How many bytes and lines of the document stand before the reader's text.
    before: (usize, u64),
    apart: SetApart,
    /// The element that stays closed, and how many are open within it, itself counted.
    closed: Option<Apart>,
    depth_closed: usize,
    elements: usize,
    open: Vec<Element>,
    roots: Vec<Element>,
}

impl<'a> Builder<'a> {
    fn new(text: &'a str, before: (usize, u64), apart: SetApart) -> Self {
        let reader = Reader::new(text, LIMITS);
        let (open, roots) = (Vec::new(), Vec::new());
        Self { reader, before, apart, closed: None, depth_closed: 0, elements: 0, open, roots }
    }

    fn build(mut self) -> Result<Vec<Element>, DecodeError> {
        loop {
            let token = self.reader.read().map_err(|refusal| refused(refusal, self.before.1))?;
            match token {
                Some(Token::Start(tag)) if self.depth_closed > 0 => self.pass_over(&tag)?,
                Some(Token::Start(tag)) => self.start(&tag)?,
                Some(Token::End) => self.end(),
                Some(Token::Text(_)) if self.depth_closed > 0 => {}
                Some(Token::Text(text)) => self.text(&text)?,
                Some(Token::Encoding(_)) => {}
                None if self.roots.is_empty() => return Err(self.refuse(CUT_SHORT)),
                None => return Ok(self.roots),
            }
        }
    }

    fn start(&mut self, tag: &Tag<'_>) -> Result<(), DecodeError> {
        if self.open.is_empty() && self.roots.iter().any(|root| root.name != HEADER) {
            return Err(self.refuse("more than one root element"));
        }
        self.elements += 1;
        if self.elements > ELEMENTS_MAX {
            return Err(DecodeError::too_large(format!("more than {ELEMENTS_MAX} elements")));
        }
        let (line, start) = (self.line(), self.before.0 + self.reader.position());
        if self.elements > OPEN_ELEMENTS_MAX
            && let Some(name) = self.set_apart(tag.name())
        {
            self.closed = Some(Apart { name, content: Content::Closed(Place { line, span: start..start }) });
            return self.pass_over(tag);
        }
        let mut element = Element { name: tag.name().to_owned(), line, ..Element::default() };
        element.span.start = start;
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|_| self.refuse(ATTRIBUTE))?;
            let value = attribute.value().map_err(|_| self.refuse(ATTRIBUTE))?;
            let place = match attribute.qualified_name() {
                "Ccy" => &mut element.currency,
                _ if tag.is_declared_by(&attribute) => &mut element.namespace,
                _ => continue,
            };
            *place = Some(value.into_owned());
        }
        self.open.push(element);
        Ok(())
    }

    /// The name under which a child of what is open is set apart.
    fn set_apart(&self, name: &str) -> Option<&'static str> {
        (self.apart)(&self.open.last()?.name, name)
    }

    /// An element that stays closed or stands in one: it must be XML, and is read later.
    fn pass_over(&mut self, tag: &Tag<'_>) -> Result<(), DecodeError> {
        self.depth_closed += 1;
        let mut values = tag.attributes().map(|attribute| attribute?.value().map(drop));
        values.try_for_each(|value| value).map_err(|_| self.refuse(ATTRIBUTE))
    }

    fn end(&mut self) {
        let end = self.before.0 + self.reader.end();
        if self.depth_closed > 0 {
            self.depth_closed -= 1;
            let closed = self.closed.take_if(|_| self.depth_closed == 0);
            if let (Some(mut apart), Some(parent)) = (closed, self.open.last_mut()) {
                if let Content::Closed(place) = &mut apart.content {
                    place.span.end = end;
                }
                parent.apart.push(apart);
            }
            return;
        }
        let Some(mut element) = self.open.pop() else { return };
        element.span.end = end;
        if !element.children.is_empty() {
            element.text = String::new();
        }
        let apart = self.set_apart(&element.name);
        match (self.open.last_mut(), apart) {
            (Some(parent), Some(name)) => {
                parent.apart.push(Apart { name, content: Content::Open(Box::new(element)) });
            }
            (Some(parent), None) => parent.children.push(element),
            (None, _) => self.roots.push(element),
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

    /// The line of the document that the reader has come to.
    const fn line(&self) -> u64 {
        self.before.1 + self.reader.line()
    }

    /// A refusal at the line that the reader has come to.
    fn refuse(&self, why: &str) -> DecodeError {
        malformed(self.line(), why)
    }
}

const CUT_SHORT: &str = "the XML ends too early";
const ATTRIBUTE: &str = "an attribute is not well-formed";

/// What the reader refused, in words that repeat nothing of the document.
fn refused(refusal: Refusal, lines_before: u64) -> DecodeError {
    let why = match refusal.fault {
        Fault::TooMany(max) => return DecodeError::too_large(format!("more than {max} elements")),
        Fault::TooDeep(max) => return DecodeError::too_large(format!("elements lie more than {max} deep")),
        Fault::DocumentType => "a document type (DTD) is never read: it could define entities",
        Fault::UnknownEntity => "an entity that XML itself does not define",
        Fault::CutShort => CUT_SHORT,
        Fault::NotWellFormed(_) => "not well-formed XML",
    };
    malformed(lines_before + refusal.line, why)
}

fn malformed(line: u64, why: &str) -> DecodeError {
    DecodeError::malformed(format!("line {line}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &[u8]) -> Result<Element, DecodeError> {
        Document::parse(bytes, |_, _| None).map(|mut document| document.roots.remove(0))
    }

    fn refused(text: &str) -> (&'static str, String) {
        let error = parse(text.as_bytes()).unwrap_err();
        (error.code(), error.to_string())
    }

    /// `t` is set apart, and `s` where it stands in `a`.
    fn apart(parent: &str, name: &str) -> Option<&'static str> {
        ["t", "s"].into_iter().find(|known| *known == name && (name == "t" || parent == "a"))
    }

    #[test]
    fn what_is_set_apart_is_opened_where_it_stands() {
        let within = "x\n<b>2</b><t><b>3</b></t><t/>";
        let text = format!("<a>\n<b>1</b><t Ccy='HKD'>{within}</t>\n<t/><c>4</c></a>");
        // Once as it is, and once behind so much else that what is set apart stays closed.
        for (before, is_closed) in [(String::new(), false), ("<c/>".repeat(OPEN_ELEMENTS_MAX), true)] {
            let text = text.replacen("<a>", &format!("<a>{before}"), 1);
            let document = Document::parse(text.as_bytes(), apart).unwrap();
            let root = &document.roots[0];
            assert_eq!((root.children("t").count(), root.text_at("b")), (0, Some("1")));
            let sources: Vec<&str> = root.apart("t").map(|t| document.source(t.place().span)).collect();
            assert_eq!(sources, [format!("<t Ccy='HKD'>{within}</t>").as_str(), "<t/>"]);
            let outer = root.apart("t").next().unwrap();
            assert_eq!((outer.place().line, matches!(outer, Spot::Closed(_))), (2, is_closed));
            let opened = document.open(outer).unwrap();
            let read = (opened.line, opened.currency.as_deref(), opened.text_at("b"));
            assert_eq!(read, (2, Some("HKD"), Some("2")));
            let inner = opened.apart("t").next().unwrap();
            let place = inner.place();
            assert_eq!((place.line, document.source(place.span)), (3, "<t><b>3</b></t>"));
            assert_eq!(document.open(inner).unwrap().text_at("b"), Some("3"));
            assert_eq!(document.open(root.apart("t").last().unwrap()).unwrap().line, 4);
            for broken in ["<t><b></t></a>", "<t><b c=1/></t></a>", "<t><b c='&x;'/></t></a>", "<t><b>"] {
                let text = format!("<a>{before}{broken}");
                assert!(Document::parse(text.as_bytes(), apart).is_err(), "{broken}");
            }
        }
    }

    #[test]
    fn what_is_set_apart_in_one_element_is_not_in_another() {
        let document = Document::parse(b"<a><s>1</s><b><s>2</s></b></a>", apart).unwrap();
        let root = &document.roots[0];
        assert_eq!((root.text_at("s"), root.text_at("b/s"), root.all_apart().count()), (None, Some("2"), 1));
    }

    #[test]
    fn a_header_may_stand_before_the_root() {
        let both = Document::parse(b"<AppHdr/>\n<?xml version='1.0'?><a/>", |_, _| None).unwrap();
        assert_eq!(both.roots.len(), 2);
        assert!(refused("<a/><AppHdr/>").1.contains("more than one root"));
        assert!(refused("<AppHdr/><a/><a/>").1.contains("more than one root"));
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
        assert_eq!(refused(&format!("<a>{}</a>", "x".repeat(DOCUMENT_BYTES_MAX))).0, "too_large");
        assert_eq!(refused("<?xml version=\"1.0\" encoding=\"UTF-16\"?><a/>").0, "unsupported");
    }
}
