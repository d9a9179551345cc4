//! The transactions of a message, one after another: each is opened where it stands, read, and let go. One that
//! cannot be read is refused by itself, with its place and its bytes.

use std::ops::Range;

use sluice_model::PaymentEvent;

use super::{Header, Message, bookings::ENTRY, identity, keep, totals};
use crate::{
    DecodeError, Refused, accept,
    xml::{Document, Element},
};

/// The most transactions of a message: of half a kilobyte each, they fill the largest body.
const TRANSACTIONS_MAX: usize = 200_000;

/// What was read of a message so far.
pub(super) struct Transactions<'a> {
    pub document: &'a Document<'a>,
    pub header: Header<'a>,
    places: usize,
    events: Vec<(Place, PaymentEvent)>,
    /// With the number of each one's place.
    refused: Vec<(usize, Refused)>,
}

/// Where a transaction stands.
struct Place {
    /// In the message, from 1.
    number: usize,
    line: u64,
    span: Range<usize>,
}

/// What a message holds.
pub(super) struct Contents {
    pub events: Vec<PaymentEvent>,
    pub refused: Vec<Refused>,
    pub notes: Vec<String>,
}

impl<'a> Transactions<'a> {
    pub(super) const fn new(document: &'a Document<'a>, header: Header<'a>) -> Self {
        Self { document, header, places: 0, events: Vec::new(), refused: Vec::new() }
    }

    /// How many there were.
    pub(super) const fn count(&self) -> usize {
        self.places
    }

    /// Read the transaction in an element, which may be set apart.
    pub(super) fn add(
        &mut self,
        element: &Element,
        read: impl FnOnce(&Header<'_>, &Element, usize) -> Result<PaymentEvent, DecodeError>,
    ) {
        let Some(place) = self.next(element) else { return };
        let opened = self.document.open(element).map_err(|error| self.header.at(place.number, error));
        let read = opened.and_then(|transaction| read(&self.header, &transaction, place.number));
        // Accepted before it is kept, so that what is too long is not kept a thousand times.
        match read.and_then(|event| accept(event).map_err(|error| self.header.at(place.number, error))) {
            Ok(mut event) => {
                event.normalise();
                self.events.push((place, event));
            }
            Err(error) => self.refuse(&place, error),
        }
    }

    /// Refuse the transaction, or transactions, in an element.
    pub(super) fn reject(&mut self, element: &Element, error: DecodeError) {
        let Some(place) = self.next(element) else { return };
        let error = self.header.at(place.number, error);
        self.refuse(&place, error);
    }

    /// The place of the next transaction; none beyond the limit, which refuses the message in the end.
    fn next(&mut self, element: &Element) -> Option<Place> {
        self.places += 1;
        let place = Place { number: self.places, line: element.line, span: element.span.clone() };
        (self.places <= TRANSACTIONS_MAX).then_some(place)
    }

    fn refuse(&mut self, place: &Place, error: DecodeError) {
        let original = self.document.source(place.span.clone());
        self.refused.push((place.number, Refused::new(place.line, error, original.as_bytes())));
    }

    /// All of them, told apart and within the limits of an event.
    pub(super) fn finish(mut self, message: &Message, element: &Element) -> Result<Contents, DecodeError> {
        // A report may be empty: nothing was booked.
        if self.places == 0 && message.transaction != ENTRY {
            return Err(DecodeError::malformed(format!("{}: the message has no transaction", message.name)));
        }
        if self.places > TRANSACTIONS_MAX {
            return Err(DecodeError::too_large(format!("more than {TRANSACTIONS_MAX} transactions")));
        }
        let mut read = std::mem::take(&mut self.events);
        let mut ids: Vec<_> =
            read.iter_mut().map(|(place, event)| (&mut event.event_id, place.number)).collect();
        identity::tell_apart(&mut ids);
        if message.makes_payments {
            let payments = read.iter_mut().filter_map(|(place, event)| {
                event.payment_id.as_mut().map(|payment_id| (payment_id, place.number))
            });
            identity::tell_apart(&mut payments.collect::<Vec<_>>());
        }
        let mut events = Vec::with_capacity(read.len());
        for (place, event) in read {
            match accept(event) {
                Ok(event) => events.push(event),
                Err(error) => {
                    let error = self.header.at(place.number, error);
                    self.refuse(&place, error);
                }
            }
        }
        let found = totals::contradictions(element, self.places, &events, message.transaction);
        if !found.is_empty() {
            let found = found.join("; ");
            events.iter_mut().for_each(|event| keep(&mut event.attributes, "control_totals", Some(&found)));
        }
        self.refused.sort_by_key(|(place, _)| *place);
        let refused = self.refused.into_iter().map(|(_, refused)| refused).collect();
        let notes = found.into_iter().map(|found| format!("{}: {found}", message.name)).collect();
        Ok(Contents { events, refused, notes })
    }
}
