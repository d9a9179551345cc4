//! Why a document is not read on.

/// What is wrong with a document. It repeats nothing of the document but in [`Fault::NotWellFormed`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// A document type, which could define entities.
    DocumentType,
    /// An entity that XML itself does not define.
    UnknownEntity,
    /// Elements lie deeper within each other than this limit.
    TooDeep(usize),
    /// There are more elements than this limit.
    TooMany(usize),
    /// The document ends before its root element does, or before anything began.
    CutShort,
    /// No XML; the words are the library's and may repeat what is in the document.
    NotWellFormed(String),
}

/// What is wrong with a document, and on which line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// What is wrong.
    pub fault: Fault,
    /// The line, counted from 1.
    pub line: u64,
}
