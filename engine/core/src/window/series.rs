//! One stream of one key: its samples, what outlives them, and where its windows begin and end in them.

use serde::{Deserialize, Serialize};
use sluice_model::{EventTime, WindowValue};
use smallvec::SmallVec;

use super::{
    Values,
    cursor::Cursor,
    measure::{PastTally, View},
    memory::{Memory, SampleSummary, Sighted},
    packed,
    plan::{StreamPlan, StretchPlan, WindowPlace, WindowPlan},
    samples::{Sample, Samples},
};

/// One stream of one key.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Series {
    history: History,
    /// One for each stretch of the stream. Derived: none until the stream is looked at, after a restore or a change
    /// of plan.
    #[serde(skip)]
    cursors: SmallVec<[Cursor; 1]>,
}

/// What has entered.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct History {
    #[serde(with = "packed")]
    samples: Samples,
    memory: Option<Box<Memory>>,
}

/// One event, as one stream takes it.
#[derive(Clone, Copy)]
pub(super) struct Arrival {
    pub at: EventTime,
    /// Its sample, if it enters.
    pub value: Option<i64>,
    /// The time of the key's newest event, this one included.
    pub latest: EventTime,
    /// Whether the key had seen a later event.
    pub late: bool,
}

impl Series {
    /// Read the windows that leave the event out, and take its sample in. The others are read when they are asked
    /// for.
    pub(super) fn enter(
        &mut self,
        plan: &WindowPlan,
        stream: &StreamPlan,
        arrival: Arrival,
        value: i64,
        values: &mut Values,
    ) {
        let Arrival { at, latest, late, .. } = arrival;
        let stretches = plan.stretches_of(stream);
        self.grow_cursors(stretches, latest);
        for (stretch, cursor) in stretches.iter().zip(&mut *self.cursors) {
            cursor.advance(self.history.source(stretch), stretch.opens(latest));
        }
        self.forget(stream, stretches, latest);
        let Self { history, cursors } = self;
        for (stretch, cursor) in stretches.iter().zip(&mut **cursors) {
            for slot in &stretch.without_event {
                let window = &plan.windows()[*slot];
                values.keep(*slot, history.read(stream, (stretch, cursor), window, arrival, &mut None));
            }
        }
        let sample = Sample { at, value };
        let sighted = history.insert(stream, sample);
        for (stretch, cursor) in stretches.iter().zip(&mut **cursors) {
            if late && at <= stretch.opens(latest) {
                continue;
            }
            match stretch.counts_sightings {
                true => cursor.follow(sighted, stretch.opens(latest)),
                false => cursor.admit(&history.samples, sample, &stretch.tallies),
            }
        }
    }

    /// The value of one window at an event that has entered already, if it enters.
    pub(super) fn read(
        &mut self,
        plan: &WindowPlan,
        window: &WindowPlace,
        arrival: Arrival,
        past: &mut Option<PastTally>,
    ) -> WindowValue {
        let stream = &plan.streams()[window.stream];
        let stretches = plan.stretches_of(stream);
        self.grow_cursors(stretches, arrival.latest);
        let (stretch, cursor) = (&stretches[window.stretch], &mut self.cursors[window.stretch]);
        cursor.advance(self.history.source(stretch), stretch.opens(arrival.latest));
        self.history.read(stream, (stretch, cursor), window, arrival, past)
    }

    fn grow_cursors(&mut self, stretches: &[StretchPlan], latest: EventTime) {
        if self.cursors.len() != stretches.len() {
            let cursor = |s: &StretchPlan| Cursor::over(self.history.source(s), s.opens(latest), &s.tallies);
            self.cursors = stretches.iter().map(cursor).collect();
        }
    }

    /// Let go of samples that no window can need again: every cursor has left them.
    fn forget(&mut self, stream: &StreamPlan, stretches: &[StretchPlan], latest: EventTime) {
        let Some(reach) = stream.reach else { return };
        let Self { history, cursors } = self;
        while let Some(gone) = history.samples.pop_until(latest.minus(reach)) {
            if !stream.past {
                continue;
            }
            history.memory.get_or_insert_default().fold(gone);
            for (stretch, cursor) in stretches.iter().zip(&mut **cursors) {
                if stretch.includes_past() {
                    cursor.let_go(gone);
                }
            }
        }
    }

    /// Take out a sample, if it is held.
    pub(super) fn take_back(&mut self, stretches: &[StretchPlan], sample: Sample) {
        let samples = &mut self.history.samples;
        let ties = samples.place(sample.at);
        let same_time = |place: &usize| samples.get(*place).is_some_and(|held| held.at == sample.at);
        let mut places = (0..ties).rev().take_while(same_time);
        let Some(place) = places.find(|place| samples.get(*place) == Some(sample)) else { return };
        for (stretch, cursor) in stretches.iter().zip(&mut *self.cursors) {
            if !stretch.counts_sightings {
                cursor.take_back(samples, place, &stretch.tallies);
            }
        }
        samples.remove(place);
    }

    /// The times of samples that are later than an event, each once, from the earliest on.
    pub(super) fn later(&self, at: EventTime) -> impl Iterator<Item = EventTime> {
        let samples = &self.history.samples;
        let mut before = None;
        let later = samples.range(samples.place(at)..samples.len()).map(|sample| sample.at);
        later.filter(move |time| before.replace(*time) != Some(*time))
    }

    /// Forget what lies after a moment.
    pub(super) fn set_back(&mut self, to: EventTime) {
        self.cursors = SmallVec::new();
        self.history.samples.truncate_after(to);
        if let Some(memory) = &mut self.history.memory {
            memory.sightings.truncate_after(to);
        }
    }

    /// Make the memory what a new plan asks for.
    pub(super) fn fit(&mut self, stream: &StreamPlan) {
        self.cursors = SmallVec::new();
        let History { samples, memory } = &mut self.history;
        samples.forget_runs();
        if let Some(held) = memory {
            held.past = held.past.filter(|_| stream.past);
            if !stream.sightings {
                held.sightings = Default::default();
            }
        }
        let unseen = memory.as_ref().is_none_or(|held| held.sightings.firsts().len() == 0);
        if stream.sightings && unseen {
            samples.iter().for_each(|sample| {
                memory.get_or_insert_default().sightings.see(sample);
            });
        }
        if memory.as_ref().is_some_and(|held| held.past.is_none() && held.sightings.firsts().len() == 0) {
            *memory = None;
        }
    }
}

impl History {
    /// What a stretch's cursor runs over.
    #[inline]
    fn source(&self, stretch: &StretchPlan) -> &Samples {
        static NEVER: Samples = Samples::EMPTY;
        match &self.memory {
            _ if !stretch.counts_sightings => &self.samples,
            Some(memory) => memory.sightings.firsts(),
            None => &NEVER,
        }
    }

    #[inline]
    fn view(&self, stretch: &StretchPlan, arrival: Arrival) -> View<'_> {
        let past = if stretch.includes_past() { self.past() } else { None };
        View { samples: self.source(stretch), range: 0..0, past, at: arrival.at, own: arrival.value }
    }

    /// What one window says. Samples are summed up in runs once an event comes so late that this pays.
    #[inline]
    fn read(
        &mut self,
        stream: &StreamPlan,
        (stretch, cursor): (&StretchPlan, &mut Cursor),
        window: &WindowPlace,
        arrival: Arrival,
        past: &mut Option<PastTally>,
    ) -> WindowValue {
        if arrival.late
            && stretch.keeps(window.tally)
            && cursor.is_far(&self.samples, stretch.opens(arrival.at), arrival.at)
        {
            self.samples.sum_up(stream.counts_values);
        }
        cursor.read(stretch, window, self.view(stretch, arrival), arrival.late.then_some(past))
    }

    fn past(&self) -> Option<&SampleSummary> {
        self.memory.as_ref()?.past.as_ref()
    }

    fn insert(&mut self, stream: &StreamPlan, sample: Sample) -> Sighted {
        self.samples.insert(self.samples.place(sample.at), sample);
        match stream.sightings {
            true => self.memory.get_or_insert_default().sightings.see(sample),
            false => Sighted::Before,
        }
    }
}
