//! One stream of one key: its samples, and what outlives them.

use serde::{Deserialize, Serialize};
use sluice_model::{EventTime, WindowValue};

use super::{
    cursor::Cursor,
    measure::View,
    memory::{Memory, Past, Sighted},
    packed,
    plan::{StreamPlan, StretchPlan},
    samples::{Sample, Samples},
};

/// One stream of one key.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Series {
    #[serde(with = "packed")]
    samples: Samples,
    memory: Option<Box<Memory>>,
}

/// One event, as one stream meets it.
#[derive(Clone, Copy)]
pub struct Arrival {
    pub at: EventTime,
    /// Its sample, if it enters.
    pub value: Option<i64>,
    /// The time of the key's newest event, this one included.
    pub latest: EventTime,
    /// Whether the key had seen a later event.
    pub late: bool,
}

impl Series {
    /// Whether nothing is held, and nothing remembered.
    #[inline]
    pub fn is_untouched(&self) -> bool {
        self.samples.len() == 0 && self.memory.is_none()
    }

    /// Read the windows that leave the event out, take its sample in, read the others.
    pub fn observe(
        &mut self,
        stream: &StreamPlan,
        stretches: &[StretchPlan],
        cursors: &mut [Cursor],
        arrival: Arrival,
        values: &mut [WindowValue],
    ) {
        let Arrival { at, value, latest, late } = arrival;
        for (stretch, cursor) in stretches.iter().zip(&mut *cursors) {
            let view = self.view(stretch, arrival);
            if !late {
                cursor.advance(view.samples, stretch.opens(at));
            }
            if !stretch.without_event.is_empty() {
                cursor.read(stretch, &stretch.without_event, view, late, values);
            }
        }
        let sample = value.map(|value| Sample { at, value });
        let sighted = sample.map_or(Sighted::Before, |sample| self.insert(stream, sample));
        for (stretch, cursor) in stretches.iter().zip(cursors) {
            if let Some(sample) = sample
                && (!late || at > stretch.opens(latest))
            {
                match stretch.counts_sightings {
                    true => cursor.follow(sighted, stretch.opens(latest)),
                    false => cursor.admit(&self.samples, sample, &stretch.tallies),
                }
            }
            if !stretch.with_event.is_empty() {
                cursor.read(stretch, &stretch.with_event, self.view(stretch, arrival), late, values);
            }
        }
    }

    /// Let go of samples that no window can need again.
    pub fn forget(
        &mut self,
        stream: &StreamPlan,
        stretches: &[StretchPlan],
        cursors: &mut [Cursor],
        latest: EventTime,
    ) {
        let Some(reach) = stream.reach else { return };
        while let Some(gone) = self.samples.pop_until(latest.minus(reach)) {
            if !stream.past {
                continue;
            }
            self.memory.get_or_insert_default().fold(gone);
            for (stretch, cursor) in stretches.iter().zip(&mut *cursors) {
                if stretch.includes_past() {
                    cursor.let_go(gone);
                }
            }
        }
    }

    /// Make the memory what the plan asks for.
    pub fn fit(&mut self, stream: &StreamPlan) {
        let Self { samples, memory } = self;
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

    /// What a stretch's cursor runs over.
    #[inline]
    pub fn source(&self, stretch: &StretchPlan) -> &Samples {
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

    fn past(&self) -> Option<&Past> {
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
