//! The transactions of a message, one after another: each is opened where it stands, read, and let go. One that
//! cannot be read is refused by itself, with its place and its bytes.
//!
//! A message is gone through twice, since what each transaction is told with depends on all of them: whether its
//! references repeat, and whether the control totals are right. What is read whole the first time is not read again.

use std::{borrow::Cow, ops::ControlFlow};

use sluice_model::PaymentEvent;

use super::{Found, Header, bookings::ENTRY, identity::Ids, keep, totals};
use crate::{
    DecodeError, Refused, Zone, accept,
    xml::{Document, Element, Place, Spot},
};

/// The most transactions of a message: of half a kilobyte each, they fill the largest body.
const TRANSACTIONS_MAX: usize = 200_000;

/// What a transaction says, before it is told from the others.
type Read = Result<PaymentEvent, DecodeError>;

/// A walk through the transactions of a message, which hands them on as they are read.
pub(super) struct Transactions<'a> {
    pub document: &'a Document<'a>,
    header: Header<'a>,
    walk: Walk,
    found: usize,
    wrong_batches: usize,
    take: &'a mut dyn FnMut(&Header<'_>, usize, Place, Read) -> ControlFlow<()>,
    is_over: bool,
}

/// Which transactions a walk reads.
#[derive(Clone, Copy)]
enum Walk {
    /// All of them: so many whole, the rest in brief.
    First { whole: usize },
    /// Whole, those after so many.
    After(usize),
}

impl<'a> Transactions<'a> {
    /// How many there were.
    pub(super) const fn count(&self) -> usize {
        self.found
    }

    /// What holds transactions; none where it cannot be opened, which is told, or nothing more is asked for.
    pub(super) fn open<'e>(&mut self, element: Spot<'e>) -> Option<Cow<'e, Element>> {
        if self.is_over {
            return None;
        }
        self.document.open(element).map_err(|error| self.reject(element, error)).ok()
    }

    /// A batch has so many transactions; it may say otherwise.
    pub(super) fn check_count(&mut self, batch: &Element, transactions: usize) {
        self.wrong_batches += usize::from(totals::says_other_than(batch, transactions));
    }

    /// Read the transaction in an element.
    pub(super) fn add(
        &mut self,
        element: Spot<'_>,
        read: impl FnOnce(&Header<'_>, &Element, usize) -> Result<PaymentEvent, DecodeError>,
    ) {
        let Some(place) = self.next() else { return };
        let opened = self.document.open(element).map_err(|error| self.header.at(place, error));
        let read = opened.and_then(|transaction| read(&self.header, &transaction, place));
        self.hand_on(place, element, read);
    }

    /// Refuse the transaction, or transactions, in an element.
    pub(super) fn reject(&mut self, element: Spot<'_>, error: DecodeError) {
        let Some(place) = self.next() else { return };
        let error = self.header.at(place, error);
        self.hand_on(place, element, Err(error));
    }

    /// The place of the next transaction in the message, from 1, if it is to be read.
    fn next(&mut self) -> Option<usize> {
        self.found += 1;
        let is_asked_for = match self.walk {
            Walk::First { whole } => {
                self.header.is_brief = self.found > whole;
                // Beyond the limit the message is refused in the end.
                self.found <= TRANSACTIONS_MAX
            }
            Walk::After(known) => self.found > known,
        };
        (is_asked_for && !self.is_over).then_some(self.found)
    }

    fn hand_on(&mut self, place: usize, element: Spot<'_>, read: Read) {
        self.is_over = (self.take)(&self.header, place, element.place(), read).is_break();
    }
}

/// A message of which is known what all of its transactions share.
pub(super) struct Surveyed<'a> {
    message: Found<'a>,
    header: Header<'a>,
    pub count: usize,
    ids: Ids,
    payments: Option<Ids>,
    /// The control totals that are not right.
    pub contradictions: Vec<String>,
    /// The first transactions, which are read.
    kept: Vec<(Place, Read)>,
}

impl<'a> Surveyed<'a> {
    /// Go through a message, and keep no more of its transactions than `whole`.
    pub(super) fn of(
        document: &Document<'_>,
        message: Found<'a>,
        zone: &'a Zone,
        whole: usize,
    ) -> Result<Self, DecodeError> {
        let header = Header::read(&message, zone)?;
        let mut ids = Ids::default();
        let mut payments = message.message.makes_payments.then(Ids::default);
        let (mut kept, mut sum) = (Vec::new(), Some(0));
        let mut take = |_: &Header<'_>, number, place, read: Read| {
            if let Ok(event) = &read {
                ids.see(&event.event_id);
                if let (Some(payments), Some(id)) = (&mut payments, &event.payment_id) {
                    payments.see(id);
                }
            }
            sum = totals::add(sum, read.as_ref().ok());
            if number <= whole {
                kept.push((place, read));
            }
            ControlFlow::Continue(())
        };
        let mut walk = Transactions {
            document,
            header: header.clone(),
            walk: Walk::First { whole },
            found: 0,
            wrong_batches: 0,
            take: &mut take,
            is_over: false,
        };
        (message.message.read)(message.element, &mut walk);
        let (count, wrong_batches) = (walk.found, walk.wrong_batches);
        let name = message.message.name;
        // A report may be empty: nothing was booked.
        if count == 0 && message.message.transaction != ENTRY {
            return Err(DecodeError::malformed(format!("{name}: the message has no transaction")));
        }
        if count > TRANSACTIONS_MAX {
            return Err(DecodeError::too_large(format!("more than {TRANSACTIONS_MAX} transactions")));
        }
        let contradictions = totals::contradictions(message.element, count, sum, wrong_batches);
        Ok(Self { message, header, count, ids, payments, contradictions, kept })
    }

    /// How many transactions are kept.
    pub(super) const fn kept(&self) -> usize {
        self.kept.len()
    }

    /// The name of the message.
    pub(super) const fn name(&self) -> &'static str {
        self.message.message.name
    }

    /// Every transaction, told from the others, in the order of the message.
    pub(super) fn each(
        self,
        document: &Document<'_>,
        mut take: impl FnMut(Result<PaymentEvent, Refused>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let Self { message, header, count, mut ids, mut payments, contradictions, kept } = self;
        let contradictions = contradictions.join("; ");
        let contradictions = Some(contradictions.as_str()).filter(|text| !text.is_empty());
        let mut tell = |header: &Header<'_>, number: usize, place: Place, read: Read| {
            let at = |error| header.at(number, error);
            let told = read.and_then(|event| {
                let mut event = accept(event).map_err(at)?;
                event.normalise();
                ids.tell_apart(&mut event.event_id, number);
                if let (Some(payments), Some(id)) = (&mut payments, &mut event.payment_id) {
                    payments.tell_apart(id, number);
                }
                let mut event = accept(event).map_err(at)?;
                keep(&mut event.attributes, "control_totals", contradictions);
                Ok(event)
            });
            let original = |place: Place| document.source(place.span).as_bytes();
            take(told.map_err(|error| Refused::new(place.line, error, original(place))))
        };
        let known = kept.len();
        for (number, (place, read)) in (1..).zip(kept) {
            tell(&header, number, place, read)?;
        }
        if known == count {
            return ControlFlow::Continue(());
        }
        let mut walk = Transactions {
            document,
            header,
            walk: Walk::After(known),
            found: 0,
            wrong_batches: 0,
            take: &mut tell,
            is_over: false,
        };
        (message.message.read)(message.element, &mut walk);
        if walk.is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
