//! XML from strangers, token by token. What a hostile document could do is shut out here and nowhere else: no
//! document type (so no entities of its own, none external, no expansion), no entity but the five of XML and
//! characters by number, and limits on depth and number of elements. What a document means, and how large it may
//! be, is for whoever reads it.

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

    /// The line on which the last token begins, or what was refused stands.
    pub const fn line(&self) -> u64 {
        self.line
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
mod tests;
