//! A file or a body whose own first bytes say what it is: an ISO 20022 document, SWIFT MT messages, or canonical JSON.

use std::{
    io::{self, BufRead, Read as _},
    ops::ControlFlow,
};

use sluice_model::PaymentEvent;

use crate::{
    DecodeError, NdjsonEvents, Refused, Zone, decode_mt, iso20022::Document, mt::is_mt,
    xml::DOCUMENT_BYTES_MAX,
};

/// What bytes without a declared type are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// Canonical JSON, one event a line.
    Json,
    /// An ISO 20022 document, in whichever encoding: it begins with `<`.
    Iso20022,
    /// SWIFT MT messages: they begin with a block.
    Mt,
}

impl Form {
    /// What these bytes begin.
    pub fn of(bytes: &[u8]) -> Self {
        // Byte order marks, and the other half of UTF-16's letters.
        const MARKS: [u8; 6] = [0xef, 0xbb, 0xbf, 0xff, 0xfe, 0];
        let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace() && !MARKS.contains(byte));
        match first {
            Some(b'<') => Self::Iso20022,
            _ if is_mt(bytes.trim_ascii_start()) => Self::Mt,
            _ => Self::Json,
        }
    }
}

/// What a file holds, as its first bytes say.
pub enum FileEvents<R> {
    /// Lines, read one after another.
    Lines(NdjsonEvents<R>),
    /// A document or messages, read whole.
    Whole(Whole),
}

impl<R: BufRead> FileEvents<R> {
    /// The events of a file of some `size` in bytes. What is no lines is taken into memory, within the limit of a document.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn of(mut reader: R, size: u64) -> io::Result<Self> {
        let form = Form::of(reader.fill_buf()?);
        if form == Form::Json {
            return Ok(Self::Lines(NdjsonEvents::new(reader)));
        }
        // Room for all of it at once: a buffer that grows is there twice.
        let room = usize::try_from(size).unwrap_or(usize::MAX).min(DOCUMENT_BYTES_MAX);
        let mut bytes = Vec::with_capacity(room);
        // A byte beyond the limit is refused by it.
        reader.take(DOCUMENT_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
        Ok(Self::Whole(Whole { form, bytes }))
    }
}

/// A document or messages, as they came.
pub struct Whole {
    form: Form,
    bytes: Vec<u8>,
}

impl Whole {
    /// Hand on each event, or why there is none at its place, until `take` wants no more. Times without an offset belong
    /// to `zone`.
    pub fn each(&self, zone: &Zone, mut take: impl FnMut(Result<PaymentEvent, Refused>) -> ControlFlow<()>) {
        let read = match self.form {
            Form::Mt => self.each_mt(zone, &mut take),
            _ => self.each_iso20022(zone, &mut take),
        };
        if let Err(error) = read {
            let _ = take(Err(Refused::new(1, error, &self.bytes)));
        }
    }

    fn each_mt(&self, zone: &Zone, take: &mut Take<'_>) -> Result<(), DecodeError> {
        let _ = decode_mt(&self.bytes, zone)?.into_iter().try_for_each(|event| take(Ok(event)));
        Ok(())
    }

    fn each_iso20022(&self, zone: &Zone, take: &mut Take<'_>) -> Result<(), DecodeError> {
        let document = Document::parse(&self.bytes)?;
        document.messages(zone)?.each(take);
        Ok(())
    }
}

/// Whoever is handed events.
type Take<'a> = dyn FnMut(Result<PaymentEvent, Refused>) -> ControlFlow<()> + 'a;

#[cfg(test)]
mod tests {
    use super::*;

    const PACS: &str = "<FIToFICstmrCdtTrf><GrpHdr><MsgId>M</MsgId><CreDtTm>2026-11-27T03:00:00Z</CreDtTm></GrpHdr>\
        <CdtTrfTxInf><PmtId><TxId>T</TxId></PmtId><IntrBkSttlmAmt Ccy=\"HKD\">1.00</IntrBkSttlmAmt></CdtTrfTxInf>\
        <CdtTrfTxInf><PmtId><TxId>U</TxId></PmtId></CdtTrfTxInf></FIToFICstmrCdtTrf>";

    fn read(bytes: &[u8]) -> (Vec<String>, usize) {
        let mut all = Vec::new();
        match FileEvents::of(bytes, bytes.len() as u64).unwrap() {
            FileEvents::Lines(lines) => all.extend(lines.map(Result::unwrap)),
            FileEvents::Whole(whole) => whole.each(&Zone::default(), |one| {
                all.push(one);
                ControlFlow::Continue(())
            }),
        }
        let refused = all.iter().filter(|one| one.is_err()).count();
        (all.into_iter().filter_map(Result::ok).map(|event| event.event_id).collect(), refused)
    }

    #[test]
    fn a_file_is_what_its_first_bytes_say() {
        let json = "\u{feff}{\"event_id\":\"1\",\"occurred_at\":\"2026-11-20T08:30:00Z\"}\nno\n";
        assert_eq!(read(json.as_bytes()), (vec!["1".into()], 1));
        let utf_16: Vec<u8> = format!("\u{feff}<?xml version=\"1.0\" encoding=\"UTF-16\"?>{PACS}")
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        for document in [PACS.as_bytes().to_vec(), format!("\n {PACS}").into_bytes(), utf_16] {
            assert_eq!(read(&document), (vec!["pacs.008:M:T".into()], 1));
        }
        assert_eq!(read(b"{1:F01TESTHKH0AXXX0000000000}{2:nothing"), (Vec::new(), 1));
        assert_eq!(read(b""), (Vec::new(), 0));
    }
}
