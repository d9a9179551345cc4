//! A file or a body whose own first bytes say what it is: an ISO 20022 document, SWIFT MT messages, or canonical JSON.

use std::io::{self, BufRead, Read as _};

use sluice_model::PaymentEvent;

use crate::{
    DecodeError, NdjsonEvents, Refused, Zone, decode_iso20022, decode_mt, iso20022::Decoded, mt::is_mt,
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

/// One event of a file, or why there is none at that place.
type Read = io::Result<Result<PaymentEvent, Refused>>;

/// The events of a file, as what its first bytes say it is. Lines of JSON are read one after another; a document or messages
/// are taken into memory, within the limit of a document, and their times without an offset belong to `zone`.
///
/// # Errors
/// When the file cannot be read.
pub fn file_events<R: BufRead + Send + 'static>(
    mut reader: R,
    zone: &Zone,
) -> io::Result<Box<dyn Iterator<Item = Read> + Send>> {
    let form = Form::of(reader.fill_buf()?);
    if form == Form::Json {
        return Ok(Box::new(NdjsonEvents::new(reader)));
    }
    let mut bytes = Vec::new();
    // A byte beyond the limit is refused by it.
    reader.take(DOCUMENT_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    let (events, refused) = match form {
        Form::Mt => match decode_mt(&bytes, zone) {
            Ok(events) => (events, Vec::new()),
            Err(error) => (Vec::new(), vec![whole(error, &bytes)]),
        },
        _ => match decode_iso20022(&bytes, zone) {
            Ok(Decoded { events, refused, .. }) => (events, refused),
            Err(error) => (Vec::new(), vec![whole(error, &bytes)]),
        },
    };
    Ok(Box::new(events.into_iter().map(Ok).chain(refused.into_iter().map(Err)).map(Ok)))
}

fn whole(error: DecodeError, bytes: &[u8]) -> Refused {
    Refused::new(1, error, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACS: &str = "<FIToFICstmrCdtTrf><GrpHdr><MsgId>M</MsgId><CreDtTm>2026-11-27T03:00:00Z</CreDtTm></GrpHdr>\
        <CdtTrfTxInf><PmtId><TxId>T</TxId></PmtId><IntrBkSttlmAmt Ccy=\"HKD\">1.00</IntrBkSttlmAmt></CdtTrfTxInf>\
        <CdtTrfTxInf><PmtId><TxId>U</TxId></PmtId></CdtTrfTxInf></FIToFICstmrCdtTrf>";

    fn read(bytes: &[u8]) -> (Vec<String>, usize) {
        let all: Vec<_> = file_events(io::Cursor::new(bytes.to_vec()), &Zone::default())
            .unwrap()
            .map(Result::unwrap)
            .collect();
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
