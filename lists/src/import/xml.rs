//! XML lists, record by record: each element of a list that is an entry becomes a small tree, whole lists never
//! do. What a hostile document could do is shut out by `sluice_xml`; how large a record may be is said here.

use sluice_xml::{Fault, Limits, Reader, Refusal, Tag, Token};

use super::{Doubt, ImportError, RECORD_BYTES_MAX, Sink, TextFile, text::some};

/// How deep elements may be nested; the deepest real list has 12 levels.
const DEPTH_MAX: usize = 48;
/// A list is read record by record: how many elements it has costs no memory.
const LIMITS: Limits = Limits { depth: DEPTH_MAX, elements: None };

const NOT_CLOSED: &str = "the XML is not closed";

/// An element with all that is in it. Names are without namespace prefixes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub text: String,
    pub children: Vec<Element>,
    pub line: u64,
}

impl Element {
    /// The child elements of that name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |c| c.name == name)
    }

    /// The first child element of that name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|c| c.name == name)
    }

    /// The text of the first child element of that name, where there is any.
    pub(super) fn text_of(&self, name: &str) -> Option<String> {
        self.child(name).and_then(|c| some(&c.text))
    }

    /// The texts of the `item` elements in the `list` elements.
    pub(super) fn texts_in<'a>(&'a self, list: &'a str, item: &'a str) -> impl Iterator<Item = String> + 'a {
        self.all(list).flat_map(move |l| l.all(item)).filter_map(|i| some(&i.text))
    }

    /// An attribute's text, where there is any.
    pub(super) fn attribute(&self, name: &str) -> Option<String> {
        self.attributes.iter().find(|(n, _)| n == name).and_then(|(_, value)| some(value))
    }
}

/// What a document is read for.
pub(super) struct Shape<'a> {
    /// The names that the root element may have.
    pub roots: &'a [&'a str],
    /// The names of the elements that are handed over, wherever they stand.
    pub records: &'a [&'a str],
}

/// Read a document: every record is handed over, whole; the root comes back without its children. A document
/// that ends too early is a doubt, one that is no such document an error.
pub(super) fn read(
    file: &TextFile<'_>,
    shape: &Shape<'_>,
    sink: &mut Sink,
    mut each: impl FnMut(Element, &mut Sink) -> Result<(), ImportError>,
) -> Result<Element, ImportError> {
    let mut reader = Reader::new(&file.text, LIMITS);
    let mut document = Document { file, line: 1, open: Vec::new(), size: 0, root: None };
    loop {
        let token = match reader.read() {
            Ok(Some(token)) => token,
            Ok(None) => break,
            Err(Refusal { fault: Fault::CutShort, line }) => {
                sink.doubt(Doubt::Truncated { file: file.name.to_owned(), line, reason: NOT_CLOSED });
                break;
            }
            Err(refusal) => return Err(document.refused(refusal)),
        };
        document.line = reader.line();
        match token {
            Token::Start(tag) => document.start(&tag, shape)?,
            Token::Text(text) => document.text(&text),
            Token::End => match document.end() {
                Some(RecordEnd::Whole(record)) => each(record, sink)?,
                Some(RecordEnd::TooLarge(line)) => {
                    sink.odd(file.name, line, format!("a record of more than {RECORD_BYTES_MAX} bytes"))?;
                }
                None => {}
            },
            // The bytes are text by now, whatever they say of themselves.
            Token::Encoding(_) => {}
        }
    }
    Ok(document.root.unwrap_or_default())
}

/// How a record ends.
enum RecordEnd {
    Whole(Element),
    /// Larger than the limit; it began on this line.
    TooLarge(u64),
}

/// Where the reading of a document stands.
struct Document<'a> {
    file: &'a TextFile<'a>,
    line: u64,
    /// The open elements of the record that is being read, outermost first.
    open: Vec<Element>,
    /// The bytes of that record so far.
    size: usize,
    root: Option<Element>,
}

impl Document<'_> {
    fn start(&mut self, tag: &Tag<'_>, shape: &Shape<'_>) -> Result<(), ImportError> {
        let name = tag.name().to_owned();
        let inside = !self.open.is_empty();
        let is_root = self.root.is_none();
        if is_root && !shape.roots.contains(&name.as_str()) {
            return Err(self.malformed(format!("the root element is not <{}>", shape.roots.join("> or <"))));
        }
        if !inside && !is_root && !shape.records.contains(&name.as_str()) {
            return Ok(());
        }
        let mut element = Element { name, line: self.line, ..Element::default() };
        self.size += element.name.len();
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|refusal| self.refused(refusal))?;
            self.size += attribute.size();
            if self.size <= RECORD_BYTES_MAX {
                let value = attribute.value().map_err(|refusal| self.refused(refusal))?;
                element.attributes.push((attribute.name().to_owned(), value.into_owned()));
            }
        }
        if is_root {
            self.size = 0;
            self.root = Some(element);
        } else {
            self.open.push(element);
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if let Some(element) = self.open.last_mut() {
            self.size += text.len();
            if self.size <= RECORD_BYTES_MAX {
                element.text.push_str(text);
            }
        }
    }

    fn end(&mut self) -> Option<RecordEnd> {
        let element = self.open.pop()?;
        let large = self.size > RECORD_BYTES_MAX;
        match self.open.last_mut() {
            Some(parent) if large => {
                parent.children.clear();
                None
            }
            Some(parent) => {
                parent.children.push(element);
                None
            }
            None => {
                self.size = 0;
                Some(if large { RecordEnd::TooLarge(element.line) } else { RecordEnd::Whole(element) })
            }
        }
    }

    fn malformed(&self, reason: String) -> ImportError {
        malformed(self.file, self.line, reason)
    }

    /// What the reader refused.
    fn refused(&self, refusal: Refusal) -> ImportError {
        let reason = match refusal.fault {
            Fault::NotWellFormed(error) => format!("not well-formed XML: {error}"),
            Fault::UnknownEntity => "an entity that XML does not define: refused".to_owned(),
            Fault::DocumentType => "a document type definition: refused".to_owned(),
            Fault::TooDeep(max) => format!("elements are nested more than {max} deep"),
            Fault::TooMany(max) => format!("more than {max} elements"),
            Fault::CutShort => NOT_CLOSED.to_owned(),
        };
        malformed(self.file, refusal.line, reason)
    }
}

fn malformed(file: &TextFile<'_>, line: u64, reason: String) -> ImportError {
    ImportError::Malformed { file: file.name.to_owned(), line, reason }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SHAPE: Shape<'_> = Shape { roots: &["list"], records: &["entry"] };

    fn run(text: &str) -> (Result<Vec<Element>, ImportError>, Sink) {
        let file = TextFile { name: "f.xml", text: text.into(), guessed: false };
        let mut sink = Sink::default();
        let mut records = Vec::new();
        let read = read(&file, &SHAPE, &mut sink, |record, _| {
            records.push(record);
            Ok(())
        });
        (read.map(|_| records), sink)
    }

    #[test]
    fn records_are_handed_over_with_their_lines() {
        let (records, sink) = run(
            "<?xml version='1.0'?>\n<x:list xmlns:x='u'>\n<a><entry id='1 &amp; 2'>\n<n>A &lt;&#66;</n><n/></entry></a>\n<b/><entry/></x:list>\n",
        );
        let records = records.unwrap();
        assert_eq!(records.len(), 2);
        assert_eq!(records[0].attribute("id").as_deref(), Some("1 & 2"));
        assert_eq!(records[0].text_of("n").as_deref(), Some("A <B"));
        assert_eq!((records[0].line, records[1].line), (3, 5));
        assert!(sink.doubts.is_empty());
    }

    #[test]
    fn bombs_and_external_entities_are_refused() {
        for text in [
            "<!DOCTYPE list [<!ENTITY a 'b'>]><list/>",
            "<!DOCTYPE list SYSTEM 'file:///etc/passwd'><list><entry>&x;</entry></list>",
            "<list><entry>&lol9;</entry></list>",
            "<other/>",
            "<list></entry></list>",
            &format!("<list>{}", "<entry>".repeat(1_000)),
        ] {
            assert!(matches!(run(text).0, Err(ImportError::Malformed { .. })), "{text}");
        }
    }

    #[test]
    fn a_document_cut_anywhere_is_doubted() {
        let text = "<?xml version='1.0'?><list><!-- c --><entry a='b'>x &amp; y<![CDATA[z]]></entry></list>";
        for cut in 0..text.len() {
            let (read, sink) = run(&text[..cut]);
            assert!(read.is_ok(), "cut at {cut}: {read:?}");
            assert!(matches!(sink.doubts[..], [Doubt::Truncated { .. }]), "cut at {cut}");
        }
    }

    #[test]
    fn a_record_beyond_the_limit_is_skipped_and_the_next_is_not() {
        let long = "n".repeat(RECORD_BYTES_MAX + 1);
        let (records, sink) = run(&format!("<list><entry><n>{long}</n></entry><entry/></list>"));
        assert_eq!(records.unwrap().len(), 1);
        assert_eq!(sink.skipped.len(), 1);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(parts in prop::collection::vec("<list>|</list>|<entry|</entry>|>|&|&amp;|<!|<!\\[CDATA\\[|\\]\\]>|<\\?|\"|=|a|\\PC", 0..40)) {
            let _ = run(&parts.concat());
        }
    }
}
