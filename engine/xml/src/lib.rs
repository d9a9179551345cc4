//! XML from strangers, token by token. What a hostile document could do is shut out here and nowhere else: no
//! document type (so no entities of its own, none external, no expansion), no entity but the five of XML and
//! characters by number, and limits on depth and number of elements. What a document means, and how large it may
//! be, is for whoever reads it.

#![warn(unreachable_pub)]

mod refusal;
mod tag;

use std::borrow::Cow;

use quick_xml::{
    errors::{Error, IllFormedError, SyntaxError},
    escape::resolve_predefined_entity,
    events::{BytesRef, Event},
};

pub use refusal::{Fault, Refusal};
pub use tag::{Attribute, Tag};

/// How far a document may go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// How deep elements may lie within each other.
    pub depth: usize,
    /// How many elements there may be; none where they are not kept.
    pub elements: Option<usize>,
}

/// What comes next in a document. Comments and processing instructions are passed over; an empty element begins
/// and ends.
#[derive(Debug)]
pub enum Token<'a> {
    /// The encoding that the document declares.
    Encoding(String),
    /// An element begins.
    Start(Tag<'a>),
    /// The element that began last, of those that are open, ends.
    End,
    /// Text, its entities resolved; a run of text may come in parts.
    Text(Cow<'a, str>),
}

/// A reader of one document.
pub struct Reader<'a> {
    text: &'a str,
    inner: quick_xml::Reader<&'a [u8]>,
    limits: Limits,
    /// How many elements are open.
    depth: usize,
    elements: usize,
    line: u64,
    /// The byte up to which lines are counted.
    counted: usize,
}

impl<'a> Reader<'a> {
    /// A reader of that document, within those limits.
    pub fn new(text: &'a str, limits: Limits) -> Self {
        let mut inner = quick_xml::Reader::from_str(text);
        inner.config_mut().expand_empty_elements = true;
        Self { text, inner, limits, depth: 0, elements: 0, line: 1, counted: 0 }
    }

    /// The line on which the last token begins, or what was refused is.
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// The byte at which the last token begins.
    pub const fn position(&self) -> usize {
        self.counted
    }

    /// The byte after the last token. The tag of an empty element is both its beginning and its end.
    pub fn end(&self) -> usize {
        usize::try_from(self.inner.buffer_position()).unwrap_or(usize::MAX).min(self.text.len())
    }

    /// The next token; none at the end of a whole document. One that is cut short is refused.
    pub fn read(&mut self) -> Result<Option<Token<'a>>, Refusal> {
        loop {
            self.count_lines(self.inner.buffer_position());
            let event = match self.inner.read_event() {
                Ok(event) => event,
                Err(error) => return Err(self.broken(&error)),
            };
            return match event {
                Event::Start(tag) | Event::Empty(tag) => self.start(Tag::new(tag, self.line)),
                Event::End(_) => {
                    self.depth = self.depth.saturating_sub(1);
                    Ok(Some(Token::End))
                }
                Event::Text(text) => Ok(Some(Token::Text(text.xml10_content()))),
                Event::CData(text) => Ok(Some(Token::Text(text.xml10_content()))),
                Event::GeneralRef(reference) => match resolve(&reference) {
                    Some(text) => Ok(Some(Token::Text(text))),
                    None => Err(self.refuse(Fault::UnknownEntity)),
                },
                Event::DocType(_) => Err(self.refuse(Fault::DocumentType)),
                Event::Decl(declaration) => match declaration.encoding() {
                    Some(Ok(encoding)) => Ok(Some(Token::Encoding(encoding.into_owned()))),
                    _ => continue,
                },
                Event::PI(_) | Event::Comment(_) => continue,
                Event::Eof if self.depth > 0 || self.elements == 0 => Err(self.cut_short()),
                Event::Eof => Ok(None),
            };
        }
    }

    fn start(&mut self, tag: Tag<'a>) -> Result<Option<Token<'a>>, Refusal> {
        self.elements += 1;
        if let Some(max) = self.limits.elements.filter(|max| self.elements > *max) {
            return Err(self.refuse(Fault::TooMany(max)));
        }
        if self.depth == self.limits.depth {
            return Err(self.refuse(Fault::TooDeep(self.limits.depth)));
        }
        self.depth += 1;
        Ok(Some(Token::Start(tag)))
    }

    /// What the library could not read: the end of the document inside markup, or no XML.
    fn broken(&mut self, error: &Error) -> Refusal {
        let position = self.inner.error_position();
        if ends_too_early(error, self.text, position) {
            return self.cut_short();
        }
        self.count_lines(position);
        self.refuse(Fault::NotWellFormed(error.to_string()))
    }

    fn cut_short(&mut self) -> Refusal {
        self.count_lines(self.text.len() as u64);
        self.refuse(Fault::CutShort)
    }

    const fn refuse(&self, fault: Fault) -> Refusal {
        Refusal { fault, line: self.line }
    }

    fn count_lines(&mut self, position: u64) {
        let position = usize::try_from(position).unwrap_or(usize::MAX).min(self.text.len());
        let passed = self.text.as_bytes().get(self.counted..position).unwrap_or_default();
        self.line += passed.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.counted = self.counted.max(position);
    }
}

/// One of XML's own entities, or a character by its number.
fn resolve(reference: &BytesRef<'_>) -> Option<Cow<'static, str>> {
    if reference.is_char_ref() {
        return reference.resolve_char_ref().ok().flatten().map(|c| Cow::Owned(c.to_string()));
    }
    resolve_predefined_entity(reference).map(Cow::Borrowed)
}

/// Whether the text ended inside markup.
fn ends_too_early(error: &Error, text: &str, position: u64) -> bool {
    let rest = usize::try_from(position).ok().and_then(|at| text.get(at..)).unwrap_or_default();
    match error {
        Error::Syntax(SyntaxError::InvalidBangMarkup) => rest.len() < "<![CDATA[".len(),
        Error::Syntax(_) => true,
        Error::IllFormed(IllFormedError::UnclosedReference) => !rest.contains('<'),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: Limits = Limits { depth: 3, elements: Some(5) };

    /// The tokens of a document, in short, with the line of each; and why it was not read on.
    fn tokens(text: &str) -> (Vec<(String, u64)>, Option<Refusal>) {
        let mut reader = Reader::new(text, LIMITS);
        let mut found = Vec::new();
        loop {
            let token = match reader.read() {
                Ok(Some(Token::Encoding(name))) => format!("?{name}"),
                Ok(Some(Token::Start(tag))) => format!("<{}", tag.name()),
                Ok(Some(Token::End)) => ">".to_owned(),
                Ok(Some(Token::Text(text))) => text.into_owned(),
                Ok(None) => return (found, None),
                Err(refusal) => return (found, Some(refusal)),
            };
            found.push((token, reader.line()));
        }
    }

    fn fault(text: &str) -> Option<(Fault, u64)> {
        tokens(text).1.map(|refusal| (refusal.fault, refusal.line))
    }

    #[test]
    fn tokens_come_in_order_with_their_lines() {
        let (found, refusal) =
            tokens("<?xml version='1.0' encoding='utf-8'?>\n<p:a>\n<b/><!-- c -->x&lt;<![CDATA[<]]></p:a>");
        assert_eq!(refusal, None);
        let lines: Vec<(&str, u64)> = found.iter().map(|(token, line)| (token.as_str(), *line)).collect();
        let expected = [
            ("?utf-8", 1),
            ("\n", 1),
            ("<a", 2),
            ("\n", 2),
            ("<b", 3),
            (">", 3),
            ("x", 3),
            ("<", 3),
            ("<", 3),
            (">", 3),
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_limit_is_the_last_that_passes() {
        assert_eq!(fault("<a><a><a/></a></a>"), None);
        assert_eq!(fault("<a><a>\n<a><a/></a></a></a>"), Some((Fault::TooDeep(3), 2)));
        assert_eq!(fault("<a><b/><b/><b/><b/></a>"), None);
        assert_eq!(fault("<a><b/><b/><b/><b/>\n<b/></a>"), Some((Fault::TooMany(5), 2)));
    }

    #[test]
    fn nothing_expands() {
        assert_eq!(fault("\n<!DOCTYPE a [<!ENTITY x 'y'>]>\n<a>&x;</a>"), Some((Fault::DocumentType, 2)));
        assert_eq!(fault("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>"), Some((Fault::DocumentType, 1)));
        for entity in ["&x;", "&#0;", "&#xD800;", "&#99999999999;"] {
            assert_eq!(fault(&format!("<a>\n{entity}</a>")), Some((Fault::UnknownEntity, 2)), "{entity}");
        }
    }

    #[test]
    fn a_document_cut_anywhere_is_cut_short() {
        let text = "<?xml version='1.0'?><a><!-- c --><b c='d'>x &amp; y<![CDATA[z]]></b></a>";
        for cut in 0..text.len() {
            assert_eq!(fault(&text[..cut]), Some((Fault::CutShort, 1)), "cut at {cut}");
        }
        assert_eq!(fault(text), None);
    }

    #[test]
    fn what_is_no_xml_is_not_well_formed() {
        for text in ["<a></b>", "</a>", "<a>&lt</a>", "<a/></a>"] {
            assert!(matches!(fault(text), Some((Fault::NotWellFormed(_), 1))), "{text}");
        }
    }

    #[test]
    fn attributes_and_namespaces_are_read_where_they_stand() {
        let mut reader = Reader::new("<p:a xmlns='x' xmlns:p='urn:y' p:b='1 &amp; 2'/>", LIMITS);
        let Ok(Some(Token::Start(tag))) = reader.read() else { panic!("an element begins") };
        let attributes: Vec<_> = tag.attributes().map(Result::unwrap).collect();
        let declared: Vec<_> = attributes.iter().map(|attribute| tag.is_declared_by(attribute)).collect();
        assert_eq!(declared, [false, true, false]);
        let last = &attributes[2];
        assert_eq!(last.qualified_name(), "p:b");
        assert_eq!((last.name(), last.size(), &*last.value().unwrap()), ("b", "1 &amp; 2".len(), "1 & 2"));
        for text in ["<a b=1/>", "<a b='1' b='2'/>", "<a b/>"] {
            let mut reader = Reader::new(text, LIMITS);
            let Ok(Some(Token::Start(tag))) = reader.read() else { panic!("an element begins") };
            assert!(tag.attributes().any(|attribute| attribute.is_err()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(parts in prop::collection::vec("<a>|</a>|<b|</b>|>|/>|&|&amp;|<!|<!\\[CDATA\\[|\\]\\]>|<\\?|\"|=|a|\n|\\PC", 0..40)) {
            tokens(&parts.concat());
        }
    }
}
