//! Failed sign-ins on their way into the evidence: counted in memory, written as one leaf for each period, so that
//! whoever sprays passwords takes no turn at the writer.

use std::sync::Mutex;

use sluice_model::EventTime;

use super::Origin;
use crate::{domain::FailedSignIns, limits::SIGN_IN_SUMMARY_EVERY};

/// The period that runs.
#[derive(Default)]
pub(crate) struct Tally(Mutex<Option<FailedSignIns>>);

impl Tally {
    /// Somebody gave a wrong password. `name`: of a user, if there is one.
    pub(crate) fn wrong(&self, name: Option<&str>, origin: &Origin, now: EventTime) {
        self.count(origin, now, |failed| failed.wrong(name));
    }

    /// Somebody tried too often.
    pub(crate) fn limited(&self, origin: &Origin, now: EventTime) {
        self.count(origin, now, |failed| failed.limited += 1);
    }

    /// What is to be written down: a period that is over, or (`all`) whatever there is.
    pub(crate) fn take(&self, now: EventTime, all: bool) -> Option<FailedSignIns> {
        let mut failed = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        failed.take_if(|failed| all || now.since(failed.from) >= SIGN_IN_SUMMARY_EVERY)
    }

    fn count(&self, origin: &Origin, now: EventTime, count: impl FnOnce(&mut FailedSignIns)) {
        let mut failed = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let failed = failed.get_or_insert_with(|| FailedSignIns::none(now));
        failed.from(format!("{origin:?}"), now);
        count(failed);
    }
}

#[cfg(test)]
mod tests {
    use sluice_model::Span;

    use super::*;
    use crate::limits::SIGN_IN_SUMMARY_NAMES_MAX;

    #[test]
    fn a_spray_is_one_summary_of_bounded_size() {
        let (tally, start) = (Tally::default(), EventTime::from_micros(0));
        for n in 0..10_000 {
            let origin = Origin::of(Some([10, 0, 0, u8::try_from(n % 200).unwrap()].into()));
            tally.wrong((n % 2 == 0).then_some(&*format!("u{n}")), &origin, start);
        }
        tally.limited(&Origin::of(None), start);
        assert_eq!(tally.take(start.plus(SIGN_IN_SUMMARY_EVERY).minus(Span::from_micros(1)), false), None);
        let failed = tally.take(start.plus(SIGN_IN_SUMMARY_EVERY), false).unwrap();
        assert_eq!(
            (failed.wrong, failed.limited, failed.names.len()),
            (10_000, 1, SIGN_IN_SUMMARY_NAMES_MAX)
        );
        assert_eq!(failed.names.values().sum::<u64>() + failed.others, 10_000);
        assert!(failed.addresses <= SIGN_IN_SUMMARY_NAMES_MAX);
        assert_eq!(tally.take(start, true), None, "written down once");
    }
}
