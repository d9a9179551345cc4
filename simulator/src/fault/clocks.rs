//! What the clocks of those who take events in may say: nothing that anybody is told of a payment.

use std::sync::Arc;

use sluice_core::{Engine, EngineConfig, Home, Library, Offset, Publication, Published};
use sluice_model::{EventTime, PaymentRecord};

use super::{Topology, history::History, oracle, oracle::Broken, stages::SimStage};

/// Replay what was taken in as if one clock had stamped it all, and compare what is said. Within what is tolerated it is the
/// same, but for the stamp that a dead letter shows. How many events were stamped otherwise.
pub(super) fn change_nothing(
    log: &History,
    topology: Topology,
    library: &Arc<dyn Library>,
) -> Result<usize, Broken> {
    let stage = |library: &Arc<dyn Library>| Home::new(Arc::clone(library));
    let engine = |library: &Arc<dyn Library>| Engine::new(EngineConfig { shards: 1 }, Arc::clone(library));
    log.payments.iter().try_fold(0, |skewed, records| {
        let (agreed, otherwise) = by_one_clock(records);
        let (said, agreed) = match topology {
            Topology::Distributed => both(log, (records, &agreed), || stage(library)),
            Topology::Embedded => both(log, (records, &agreed), || engine(library)),
        };
        if let Some(at) = (0..said.len().max(agreed.len())).find(|at| said.get(*at) != agreed.get(*at)) {
            let (said, agreed) = (said.get(at), agreed.get(at));
            return Err(Broken(format!(
                "clocks that disagree within what is tolerated change what is said:\n  by one clock: {agreed:?}\n  said: {said:?}"
            )));
        }
        Ok(skewed + otherwise)
    })
}

type Payments = [(Offset, PaymentRecord)];

fn both<S: SimStage<Record = PaymentRecord>>(
    log: &History,
    (records, agreed): (&Payments, &Payments),
    fresh: impl Fn() -> S,
) -> (Vec<Publication>, Vec<Publication>) {
    let say = |records| oracle::replay(records, &log.layout(), fresh()).into_iter().map(unstamped).collect();
    (say(records), say(agreed))
}

/// The records as a clock stamps them that is right by each event, where the one that did is off by no more than is tolerated.
/// How many are stamped otherwise.
fn by_one_clock(records: &Payments) -> (Vec<(Offset, PaymentRecord)>, usize) {
    let mut otherwise = 0;
    let agreed = records.iter().map(|(offset, record)| {
        let mut record = record.clone();
        if let PaymentRecord::Event(record) = &mut record {
            let at = record.event.occurred_at;
            let is_tolerated = at <= record.received_at.plus(record.event.future_tolerance());
            if is_tolerated && record.received_at != at {
                record.received_at = at;
                otherwise += 1;
            }
        }
        (*offset, record)
    });
    (agreed.collect(), otherwise)
}

fn unstamped(mut publication: Publication) -> Publication {
    if let Published::DeadLetter(letter) = &mut publication.record {
        letter.received_at = EventTime::default();
    }
    publication
}
