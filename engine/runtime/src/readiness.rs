//! Whether the engine can take traffic, and why not.

use std::{collections::VecDeque, time::Duration};

use sluice_model::DeadLetter;

use crate::{
    Status,
    limits::{ENGINE_STILL_MAX, LAG_RECORDS_READY_MAX, REFUSALS_LOOKED_AT, REFUSALS_LOOKED_AT_MIN},
};

/// What the last judged events say of the engine's time: when most are refused for theirs, a clock is or was wrong.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refusals {
    /// How many were judged and how many of them refused, batch by batch.
    batches: VecDeque<(u64, u64)>,
    judged: u64,
    refused: u64,
}

impl Refusals {
    /// How many of these were refused for their time.
    pub(crate) fn of(letters: &[DeadLetter]) -> u64 {
        let is_for_its_time = |letter: &&DeadLetter| matches!(&*letter.code, "too_old" | "far_future");
        letters.iter().filter(is_for_its_time).count() as u64
    }

    /// So many more were judged, and so many of them refused for their time.
    pub(crate) fn applied(&mut self, judged: u64, refused: u64) {
        if judged == 0 {
            return;
        }
        self.batches.push_back((judged, refused));
        self.judged += judged;
        self.refused += refused;
        while let Some((judged, refused)) = self.batches.front().copied()
            && self.judged - judged >= REFUSALS_LOOKED_AT
        {
            self.batches.pop_front();
            self.judged -= judged;
            self.refused -= refused;
        }
    }

    /// Stream time was set back: what was refused before says nothing of what comes.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }

    /// How many were refused and of how many, where that is most of enough.
    pub(crate) fn most(&self) -> Option<(u64, u64)> {
        (self.judged >= REFUSALS_LOOKED_AT_MIN && self.refused * 2 > self.judged)
            .then_some((self.refused, self.judged))
    }
}

/// What keeps the engine from taking traffic. `lag`: durable records before it; `still_for`: how long it has not come
/// further.
pub(crate) fn not_ready(status: &Status, lag: u64, still_for: Duration) -> Vec<String> {
    let mut reasons = Vec::new();
    if let Some(stopped) = &status.stopped {
        reasons.push(format!("the engine has ended: {stopped}"));
    }
    reasons.extend(status.trouble.clone());
    if !status.is_live {
        reasons.push("the engine is recovering".to_owned());
    } else if lag > LAG_RECORDS_READY_MAX {
        reasons.push(format!("the engine is {lag} records behind the log"));
    } else if lag > 0 && still_for > ENGINE_STILL_MAX {
        reasons.push(format!(
            "the engine has not come further for {} seconds, with {lag} records before it",
            still_for.as_secs()
        ));
    }
    if let Some((refused, judged)) = status.refused_for_their_time {
        reasons.push(format!(
            "{refused} of the last {judged} events were refused as too old or too far in the future: a clock is or \
             was wrong; see POST /v1/stream-time"
        ));
    }
    reasons
}

#[cfg(test)]
mod tests {
    use sluice_model::EventTime;

    use super::*;

    fn letters(count: usize, code: &str) -> Vec<DeadLetter> {
        let letter = DeadLetter {
            received_at: EventTime::default(),
            source: "home".into(),
            code: code.into(),
            reason: String::new(),
            original: Vec::new(),
            event: None,
        };
        vec![letter; count]
    }

    #[test]
    fn most_of_enough_is_told_until_it_falls() {
        let mut refusals = Refusals::default();
        refusals.applied(99, Refusals::of(&letters(99, "too_old")));
        assert_eq!(refusals.most(), None, "too few to say");
        refusals.applied(1, Refusals::of(&letters(1, "far_future")));
        assert_eq!(refusals.most(), Some((100, 100)));
        (0..99).for_each(|_| refusals.applied(1, 0));
        assert_eq!(refusals.most(), Some((100, 199)));
        refusals.applied(1, 0);
        assert_eq!(refusals.most(), None, "half is not most");
        (0..200).for_each(|_| refusals.applied(1, 1));
        assert_eq!(refusals.most(), Some((200, 200)), "only the last count");
        refusals.forget();
        assert_eq!(refusals.most(), None);
    }

    #[test]
    fn other_refusals_are_the_senders() {
        let mut refusals = Refusals::default();
        refusals.applied(150, Refusals::of(&letters(150, "conflict")));
        assert_eq!(refusals.most(), None);
    }

    #[test]
    fn each_reason_is_told() {
        let mut status = Status { is_live: true, ..Status::starting() };
        let reasons =
            |status: &Status, lag, still| not_ready(status, lag, Duration::from_secs(still)).join("; ");
        assert_eq!(reasons(&status, 0, 1_000), "", "nothing to do is no standstill");
        assert_eq!(reasons(&status, LAG_RECORDS_READY_MAX, 0), "");
        assert!(reasons(&status, LAG_RECORDS_READY_MAX + 1, 0).contains("50001 records behind"));
        assert!(reasons(&status, 1, 31).contains("has not come further for 31 seconds"));
        status.refused_for_their_time = Some((150, 200));
        assert!(reasons(&status, 0, 0).contains("150 of the last 200"));
        status.trouble = Some("no space".into());
        status.is_live = false;
        let all = reasons(&status, 0, 0);
        assert!(all.contains("no space") && all.contains("recovering"), "{all}");
    }
}
