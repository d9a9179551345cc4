//! A body's events on their way in. A large document is never there as events whole: a thread of its own reads on
//! while what it has read is taken in, and waits where that has to wait.

use std::{mem, ops::ControlFlow, vec};

use sluice_codec::{Refused, Zone, iso20022::Document};
use sluice_model::{EventTime, PaymentEvent, PaymentRecord};
use tokio::sync::mpsc;

use crate::{
    RuntimeError,
    gateway::Piece,
    ingest::{Contents, record},
    limits::PARTS_AHEAD_MAX,
};

/// What a body holds, as it comes.
pub(crate) struct Incoming {
    /// As many events will come, or fewer.
    pub events_max: usize,
    /// What could not be read so far.
    pub refused: Vec<Refused>,
    /// What the body says of itself that is not so, without personal data.
    pub notes: Vec<String>,
    rest: Rest,
}

enum Rest {
    Read(vec::IntoIter<PaymentRecord>),
    Coming(mpsc::Receiver<Result<Part, RuntimeError>>),
}

/// A part of a document.
enum Part {
    Events(Piece),
    Refused(Refused),
    /// There is no more.
    End,
}

impl Incoming {
    /// A body that is read.
    pub(crate) fn read(contents: Contents, received_at: EventTime) -> Self {
        let Contents { events, refused, notes } = contents;
        let records: Vec<_> = events.into_iter().map(|event| payment(event, received_at)).collect();
        Self { events_max: records.len(), refused, notes, rest: Rest::Read(records.into_iter()) }
    }

    /// The next events; none at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Piece>, RuntimeError> {
        let coming = match &mut self.rest {
            Rest::Read(records) => return Piece::cut(records),
            Rest::Coming(coming) => coming,
        };
        loop {
            match coming.recv().await.ok_or(RuntimeError::Unread)?? {
                Part::Events(piece) => return Ok(Some(piece)),
                Part::Refused(refused) => self.refused.push(refused),
                Part::End => return Ok(None),
            }
        }
    }
}

/// Read an ISO 20022 document, whose times without an offset belong to a zone. `found` is told of it once it was looked
/// through; its events come from then on, for as long as they are wanted. Blocks while they are not wanted yet.
pub(crate) fn read_document(bytes: &[u8], zone: &Zone, received_at: EventTime, found: impl FnOnce(Incoming)) {
    let refused = |error| {
        let mut contents = Contents::default();
        contents.one(1, bytes, Err(error));
        Incoming::read(contents, received_at)
    };
    let document = match Document::parse(bytes) {
        Ok(document) => document,
        Err(error) => return found(refused(error)),
    };
    let messages = match document.messages(zone) {
        Ok(messages) => messages,
        Err(error) => return found(refused(error)),
    };
    let (parts, coming) = mpsc::channel(PARTS_AHEAD_MAX);
    let (events_max, notes) = (messages.transactions(), messages.notes());
    found(Incoming { events_max, refused: Vec::new(), notes, rest: Rest::Coming(coming) });
    let send = |part| match parts.blocking_send(part) {
        Ok(()) => ControlFlow::Continue(()),
        Err(_) => ControlFlow::Break(()),
    };
    let mut piece = Piece::default();
    messages.each(|read| match read {
        Err(refused) => send(Ok(Part::Refused(refused))),
        Ok(event) => match piece.add(payment(event, received_at)) {
            Err(error) => send(Err(error)),
            Ok(()) if piece.is_full() => send(Ok(Part::Events(mem::take(&mut piece)))),
            Ok(()) => ControlFlow::Continue(()),
        },
    });
    if piece.count() > 0 {
        let _ = send(Ok(Part::Events(piece)));
    }
    let _ = send(Ok(Part::End));
}

fn payment(event: PaymentEvent, received_at: EventTime) -> PaymentRecord {
    PaymentRecord::Event(record(event, received_at))
}
