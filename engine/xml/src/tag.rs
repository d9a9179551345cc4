//! The tag that an element begins with.

use std::borrow::Cow;

use quick_xml::{
    XmlVersion,
    events::{BytesStart, attributes},
};

use crate::{Fault, Refusal};

/// The tag that an element begins with.
#[derive(Debug)]
pub struct Tag<'a> {
    inner: BytesStart<'a>,
    line: u64,
}

impl<'a> Tag<'a> {
    pub(crate) const fn new(inner: BytesStart<'a>, line: u64) -> Self {
        Self { inner, line }
    }

    /// The element's name, without a namespace's prefix.
    pub fn name(&self) -> &str {
        self.inner.local_name().into_inner()
    }

    /// The attributes, in order.
    pub fn attributes(&self) -> impl Iterator<Item = Result<Attribute<'_>, Refusal>> {
        self.inner.attributes().map(|attribute| {
            attribute
                .map(|inner| Attribute { inner, line: self.line })
                .map_err(|error| refuse(&error, self.line))
        })
    }

    /// Whether an attribute declares the namespace that the element's own name is in.
    pub fn is_declared_by(&self, attribute: &Attribute<'_>) -> bool {
        let attribute = attribute.qualified_name();
        match self.inner.name().prefix() {
            None => attribute == "xmlns",
            Some(prefix) => attribute.strip_prefix("xmlns:") == Some(prefix.into_inner()),
        }
    }
}

/// An attribute of an element.
#[derive(Debug)]
pub struct Attribute<'a> {
    inner: attributes::Attribute<'a>,
    line: u64,
}

impl Attribute<'_> {
    /// Its name, without a namespace's prefix.
    pub fn name(&self) -> &str {
        self.inner.key.local_name().into_inner()
    }

    /// Its name with its prefix, if it has one.
    pub fn qualified_name(&self) -> &str {
        self.inner.key.into_inner()
    }

    /// How many bytes its value has as written.
    pub fn size(&self) -> usize {
        self.inner.value.len()
    }

    /// Its value, with entities resolved.
    pub fn value(&self) -> Result<Cow<'_, str>, Refusal> {
        self.inner.normalized_value(XmlVersion::Implicit1_0).map_err(|error| refuse(&error, self.line))
    }
}

fn refuse(error: &dyn std::fmt::Display, line: u64) -> Refusal {
    Refusal { fault: Fault::NotWellFormed(error.to_string()), line }
}
