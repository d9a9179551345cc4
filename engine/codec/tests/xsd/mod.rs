//! As much of XML Schema as ISO 20022 uses: which elements a message may have, and the smallest message that has a text
//! at a place.

use std::collections::BTreeMap;

use sluice_xml::{Limits, Reader, Token};

/// What is sought in a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Sought {
    Name,
    Bic,
    Lei,
    Text,
}

impl Sought {
    /// What stands where it is sought: nothing else in a message is like it.
    pub(crate) const fn sentinel(self) -> &'static str {
        match self {
            Self::Name => "ZORBLAX QUIMBY",
            Self::Bic => "ZQXWHKHH",
            Self::Lei => "ZQXW00SENTINEL000099",
            Self::Text => "zorblax quimby text",
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Name => "names",
            Self::Bic => "BICs",
            Self::Lei => "LEIs",
            Self::Text => "texts",
        }
    }

    fn of(element: &Element) -> Option<Self> {
        match element.name.as_str() {
            "Nm" => Some(Self::Name),
            "BICFI" | "AnyBIC" => Some(Self::Bic),
            "LEI" => Some(Self::Lei),
            _ => {
                let length = element.of.strip_prefix("Max")?.strip_suffix("Text")?;
                (length.parse::<usize>().ok()? >= TEXT_LEN_MIN).then_some(Self::Text)
            }
        }
    }
}

/// A type of shorter text holds a code.
const TEXT_LEN_MIN: usize = 35;

/// Elements without which these messages carry no transaction, though the schemas let them be absent.
const NEEDED: [&str; 8] =
    ["CxlDtls", "TxInfAndSts", "TxInf", "TxSts", "OrgnlUETR", "OrgnlGrpInf", "OrgnlEndToEndId", "Ntry"];

struct Element {
    name: String,
    of: String,
    required: bool,
}

/// A type that has elements.
struct Complex {
    is_choice: bool,
    elements: Vec<Element>,
}

pub(crate) struct Xsd {
    namespace: String,
    /// The outermost element and its type.
    root: [String; 2],
    types: BTreeMap<String, Complex>,
}

impl Xsd {
    pub(crate) fn read(text: &str) -> Self {
        let mut xsd = Self { namespace: String::new(), root: Default::default(), types: BTreeMap::new() };
        let mut reader = Reader::new(text, Limits { depth: 64, elements: None });
        let mut within: Option<String> = None;
        while let Some(token) = reader.read().unwrap() {
            let Token::Start(tag) = token else { continue };
            let attributes: BTreeMap<String, String> = tag
                .attributes()
                .map(Result::unwrap)
                .map(|a| (a.qualified_name().to_owned(), a.value().unwrap().into_owned()))
                .collect();
            let attribute = |name: &str| attributes.get(name).cloned().unwrap_or_default();
            match tag.name() {
                "schema" => xsd.namespace = attribute("targetNamespace"),
                "complexType" => within = Some(attribute("name")),
                "simpleType" => within = None,
                group @ ("sequence" | "choice") => {
                    let complex = Complex { is_choice: group == "choice", elements: Vec::new() };
                    xsd.types.insert(within.clone().unwrap(), complex);
                }
                "element" if within.is_none() => xsd.root = [attribute("name"), attribute("type")],
                "element" => {
                    let Some(complex) = within.as_ref().and_then(|within| xsd.types.get_mut(within)) else {
                        continue;
                    };
                    let name = attribute("name");
                    let required = attribute("minOccurs") != "0" || NEEDED.contains(&name.as_str());
                    complex.elements.push(Element { name, of: attribute("type"), required });
                }
                _ => {}
            }
        }
        xsd
    }

    /// Every place where something is sought, by the names of the elements that lead there.
    pub(crate) fn places(&self) -> Vec<(Vec<&str>, Sought)> {
        let mut places = Vec::new();
        self.places_of(&self.root[1], &mut Vec::new(), &mut places);
        places
    }

    fn places_of<'a>(&'a self, of: &str, path: &mut Vec<&'a str>, places: &mut Vec<(Vec<&'a str>, Sought)>) {
        let Some(complex) = self.types.get(of) else { return };
        for element in &complex.elements {
            path.push(&element.name);
            match self.types.contains_key(&element.of) {
                true => self.places_of(&element.of, path, places),
                false => places.extend(Sought::of(element).map(|sought| (path.clone(), sought))),
            }
            path.pop();
        }
    }

    /// The smallest message that has a text at a place.
    pub(crate) fn message(&self, path: &[&str], text: &str) -> String {
        let [name, of] = &self.root;
        let mut xml = format!("<{name} xmlns=\"{}\">", self.namespace);
        self.write(of, Some((path, text)), &mut xml);
        xml + &format!("</{name}>")
    }

    fn write(&self, of: &str, at: Option<(&[&str], &str)>, xml: &mut String) {
        let complex = &self.types[of];
        let next = at.and_then(|(path, _)| path.first());
        let leads = |element: &Element| next == Some(&element.name.as_str());
        let chosen = complex.elements.iter().position(leads).unwrap_or(0);
        for (place, element) in complex.elements.iter().enumerate() {
            let wanted = if complex.is_choice { place == chosen } else { element.required || leads(element) };
            if !wanted {
                continue;
            }
            let at = at.filter(|_| leads(element)).map(|(path, text)| (&path[1..], text));
            let currency = if element.of.ends_with("Amount") { " Ccy=\"HKD\"" } else { "" };
            *xml += &format!("<{}{currency}>", element.name);
            match at {
                _ if self.types.contains_key(&element.of) => self.write(&element.of, at, xml),
                Some((_, text)) => *xml += text,
                None => *xml += sample(&element.of),
            }
            *xml += &format!("</{}>", element.name);
        }
    }
}

/// What may stand in an element of a simple type.
fn sample(of: &str) -> &'static str {
    match of {
        "ISODateTime" => "2026-11-27T03:00:00Z",
        "ISODate" => "2026-11-27",
        "CreditDebitCode" => "CRDT",
        "CountryCode" => "HK",
        "UUIDv4Identifier" => "7f0c2f7e-6e6b-4c1d-9f50-0f3a4a1b2c3d",
        "BICFIDec2014Identifier" | "AnyBICDec2014Identifier" => "TESTHKH0",
        "ExternalPaymentTransactionStatus1Code" => "ACSC",
        _ if of.ends_with("Amount") => "1.00",
        _ if of.ends_with("CurrencyCode") => "HKD",
        _ => "1",
    }
}
