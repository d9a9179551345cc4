//! The blocks of messages: `{1:…}{2:…}{3:{…}}{4:…-}{5:{…}}`.

/// One block: its number or letter, and what stands in it.
#[derive(Clone, Copy)]
pub(super) struct Block<'a> {
    pub id: &'a str,
    pub text: &'a str,
}

/// The most blocks of a message: five, and those that a terminal adds.
const BLOCKS_MAX: usize = 16;
/// The most fields of a block of headers.
const SUBFIELDS_MAX: usize = 64;
/// How block 4 ends: a hyphen at the beginning of a line, and the brace.
const TEXT_END: &str = "\n-}";

/// What may stand between messages: blanks, the `$` of a batch, the marks of a terminal's file.
pub(super) const fn is_between(c: char) -> bool {
    c.is_ascii_whitespace() || matches!(c, '$' | '\u{1}' | '\u{3}' | '\u{feff}')
}

/// The messages of a file, each from one block 1 to the next; ends with the first that is broken.
pub(super) fn messages(text: &str) -> impl Iterator<Item = Result<Vec<Block<'_>>, &'static str>> {
    let mut rest = text.trim_matches(is_between);
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (message, after) = match message(rest) {
            Ok((blocks, after)) => (Ok(blocks), after),
            Err(why) => (Err(why), ""),
        };
        rest = after;
        Some(message)
    })
}

/// The blocks of one message, and what follows it.
fn message(text: &str) -> Result<(Vec<Block<'_>>, &str), &'static str> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut rest = text;
    while !rest.is_empty() && (blocks.is_empty() || !rest.starts_with("{1:")) {
        let (block, after) = block(rest)?;
        if blocks.iter().any(|known| known.id == block.id) {
            return Err("a block is given twice");
        }
        if blocks.len() == BLOCKS_MAX {
            return Err("has too many blocks");
        }
        blocks.push(block);
        rest = after.trim_start_matches(is_between);
    }
    Ok((blocks, rest))
}

/// The block that a text begins with, and what follows it.
fn block(text: &str) -> Result<(Block<'_>, &str), &'static str> {
    let inner = text.strip_prefix('{').ok_or("a block does not begin with a brace")?;
    let (id, inner) = inner.split_once(':').ok_or("a block has no number")?;
    if id.len() > 3 || id.is_empty() || !id.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err("a block has no number");
    }
    // In the text of a message braces mean nothing; in an acknowledgement it is made of them, as headers are.
    if id == "4" && !inner.starts_with('{') {
        let (text, after) = inner.split_once(TEXT_END).ok_or("block 4 does not end with a line -}")?;
        return Ok((Block { id, text: text.trim_end_matches('\r') }, after));
    }
    let mut depth = 1;
    let end = inner.find(|c: char| {
        depth += match c {
            '{' => 1,
            '}' => -1,
            _ => 0,
        };
        depth == 0
    });
    let (text, after) = end.and_then(|end| inner.split_at_checked(end)).ok_or("a block does not end")?;
    Ok((Block { id, text }, after.strip_prefix('}').unwrap_or(after)))
}

/// The fields of a block of headers: `{108:…}{121:…}`.
pub(super) fn subfields(text: &str) -> Vec<(&str, &str)> {
    let parts = text.split('{').skip(1).take(SUBFIELDS_MAX);
    parts.filter_map(|part| part.split('}').next()?.split_once(':')).collect()
}
