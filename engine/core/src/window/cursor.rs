//! One stretch of one key's stream: how many of the newest samples are inside, and tallies of them once they are
//! many.

use std::ops::Range;

use sluice_model::{EventTime, WindowValue};

use super::{
    measure::{PastTally, SMALL, Tally, TallyKind, View, read_runs},
    memory::Sighted,
    plan::{StretchPlan, WindowPlace},
    samples::{Sample, Samples},
};

/// So many samples are walked sooner than they are summed up.
const FEW: usize = if cfg!(test) { 8 } else { 128 };

/// One stretch. Once advanced to the key's latest event, exactly the samples of `(latest − W, latest]` are inside.
#[derive(Clone, Debug, Default)]
pub(super) struct Cursor {
    /// How many of the newest samples are inside.
    inside: u32,
    /// One for each of the stretch's kinds of tally; none while samples are few.
    tallies: Box<[Tally]>,
}

impl Cursor {
    /// The cursor of a stretch that opens after `opens` and includes all samples since.
    pub(super) fn over(samples: &Samples, opens: EventTime, kinds: &[TallyKind]) -> Self {
        let inside = samples.len() - samples.place(opens);
        let mut cursor = Self { inside: inside as u32, tallies: Box::default() };
        if cursor.inside > SMALL {
            cursor.keep_tallies(samples, kinds);
        }
        cursor
    }

    /// Let go of what is no longer after `opens`.
    pub(super) fn advance(&mut self, samples: &Samples, opens: EventTime) {
        while self.inside > 0
            && let Some(oldest) = samples.get(self.start(samples))
            && oldest.at <= opens
        {
            self.let_go(oldest);
        }
    }

    /// Let go of the oldest sample inside.
    pub(super) fn let_go(&mut self, oldest: Sample) {
        self.inside -= 1;
        if self.tallies.is_empty() {
            return;
        }
        if self.inside <= SMALL / 4 {
            self.tallies = Box::default();
        } else {
            self.tallies.iter_mut().for_each(|tally| tally.remove(oldest));
        }
    }

    /// Let go of the sample in this place, which is still held.
    pub(super) fn take_back(&mut self, samples: &Samples, place: usize, kinds: &[TallyKind]) {
        let start = self.start(samples);
        let Some(sample) = samples.get(place).filter(|_| place >= start) else { return };
        self.inside -= 1;
        for (tally, kind) in self.tallies.iter_mut().zip(kinds) {
            match tally {
                // A queue of extremes has forgotten what the sample hid.
                Tally::Extremes(_) => {
                    let others = samples.range(start..place).chain(samples.range(place + 1..samples.len()));
                    *tally = kind.over(others);
                }
                tally => tally.remove(sample),
            }
        }
    }

    /// Take in a sample that has just been inserted.
    pub(super) fn admit(&mut self, samples: &Samples, sample: Sample, kinds: &[TallyKind]) {
        self.inside += 1;
        if !self.tallies.is_empty() {
            self.tallies.iter_mut().for_each(|tally| tally.add(sample));
        } else if self.inside > SMALL {
            self.keep_tallies(samples, kinds);
        }
    }

    /// Follow a change in the first sightings of values; what moved here, moved from within or from before.
    pub(super) fn follow(&mut self, sighted: Sighted, opens: EventTime) {
        let came = sighted != Sighted::Before;
        let left = matches!(sighted, Sighted::Moved(from) if from > opens);
        self.inside = self.inside + u32::from(came) - u32::from(left);
    }

    /// The value of one of the stretch's windows at an event.
    #[inline]
    pub(super) fn read(
        &mut self,
        stretch: &StretchPlan,
        window: &WindowPlace,
        mut view: View<'_>,
        past: Option<&mut Option<PastTally>>,
    ) -> WindowValue {
        if let Some(past) = past {
            return self.read_late(window, stretch.opens(view.at), view, past);
        }
        view.range = self.start(view.samples)..view.samples.len();
        view.read(window.measure, self.tallies.get(window.tally))
    }

    /// Whether many samples lie between the window at a late event and both the cursor and nothing.
    pub(super) fn is_far(&self, samples: &Samples, opens: EventTime, at: EventTime) -> bool {
        let range = past_range(samples, opens, at);
        self.walk(samples, &range).min(range.len()) > FEW
    }

    /// How many samples lie between the cursor and others.
    fn walk(&self, samples: &Samples, range: &Range<usize>) -> usize {
        self.start(samples).abs_diff(range.start) + (samples.len() - range.end)
    }

    /// The value at a late event: over those samples of its own window that are not later than it.
    fn read_late(
        &mut self,
        window: &WindowPlace,
        opens: EventTime,
        view: View<'_>,
        past: &mut Option<PastTally>,
    ) -> WindowValue {
        let samples = view.samples;
        let held = self.start(samples)..samples.len();
        let Range { start, end } = past_range(samples, opens, view.at);
        let walk = self.walk(samples, &(start..end));
        let view = View { range: start..end, ..view };
        if (past.is_some() || walk.min(view.range.len()) > FEW)
            && let Some(value) = read_runs(past, window.measure, &view)
        {
            return value;
        }
        match self.tallies.get_mut(window.tally) {
            Some(Tally::Extremes(extremes)) => extremes.read_late(held.start, window.measure, &view),
            Some(tally) if walk < view.range.len() => {
                // Nearer to the tally than to nothing, so the ranges overlap: `start ≤ held.start < end`.
                samples.range(end..held.end).for_each(|later| tally.remove(later));
                samples.range(start..held.start).for_each(|older| tally.add(older));
                let value = view.read(window.measure, Some(tally));
                samples.range(start..held.start).for_each(|older| tally.remove(older));
                samples.range(end..held.end).for_each(|later| tally.add(later));
                value
            }
            _ => view.read(window.measure, None),
        }
    }

    fn start(&self, samples: &Samples) -> usize {
        samples.len() - self.inside as usize
    }

    fn keep_tallies(&mut self, samples: &Samples, kinds: &[TallyKind]) {
        let inside = || samples.range(self.start(samples)..samples.len());
        self.tallies = kinds.iter().map(|kind| kind.over(inside())).collect();
    }
}

/// The samples after `opens` that are not later than `at`.
fn past_range(samples: &Samples, opens: EventTime, at: EventTime) -> Range<usize> {
    let end = samples.place(at);
    samples.place(opens).min(end)..end
}
