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
