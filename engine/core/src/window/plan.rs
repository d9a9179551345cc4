//! What the windows of every key of one kind have in common.

use std::ops::Range;

use sluice_model::{EventTime, Hash256, Span, limits::DEDUPE_HORIZON};
use sluice_rules::{Length, Measure, Plan, Window};

use super::measure::TallyKind;

/// The streams and windows of one kind of key, as the keys' state needs them.
#[derive(Clone, Debug, Default)]
pub struct WindowPlan {
    streams: Vec<StreamPlan>,
    /// Grouped by stream.
    stretches: Vec<StretchPlan>,
    /// As the rules' plan has them.
    windows: Vec<WindowPlace>,
}

/// One stream.
#[derive(Clone, Debug)]
pub(super) struct StreamPlan {
    /// The hash of its definition.
    pub id: Hash256,
    /// Into the plan's stretches.
    pub stretches: Range<usize>,
    /// How far behind the latest event a sample is still needed; `None`: for ever.
    pub reach: Option<Span>,
    /// Whether a window asks for something that outlives the samples: a lifetime count, sum, first, last.
    pub past: bool,
    /// Whether a window asks which values are new.
    pub sightings: bool,
    /// Whether a window counts different values.
    pub counts_values: bool,
}

/// All windows of one stream and one length: one cursor serves them.
#[derive(Clone, Debug)]
pub(super) struct StretchPlan {
    length: Length,
    /// Whether its cursor runs over the first sightings of values instead of the samples.
    pub counts_sightings: bool,
    /// What the cursor keeps once samples are many; shared between windows.
    pub tallies: Vec<TallyKind>,
    /// Windows that leave the event itself out, by their place in the plan.
    pub without_event: Vec<usize>,
}

/// One window.
#[derive(Clone, Copy, Debug)]
pub(super) struct WindowPlace {
    /// Into the plan's streams.
    pub stream: usize,
    /// Into the stream's stretches.
    pub stretch: usize,
    /// What is measured.
    pub measure: Measure,
    /// Into the stretch's tallies; beyond them for a measure that needs none.
    pub tally: usize,
}

impl WindowPlan {
    /// The plan for the streams and windows of some rules.
    pub fn new(plan: &Plan) -> Self {
        Self::of(plan.streams.iter().map(|stream| stream.id), &plan.windows)
    }

    /// The plan for streams with these ids, and windows over them.
    pub fn of(streams: impl IntoIterator<Item = Hash256>, windows: &[Window]) -> Self {
        let nowhere = WindowPlace { stream: 0, stretch: 0, measure: Measure::Count, tally: usize::MAX };
        let mut plan = Self { windows: vec![nowhere; windows.len()], ..Self::default() };
        for (stream, id) in streams.into_iter().enumerate() {
            let mine = || windows.iter().enumerate().filter(|(_, window)| window.stream == stream);
            let mut stretches = Vec::new();
            mine().for_each(|(slot, window)| plan.windows[slot] = place(&mut stretches, slot, window));
            let first = plan.stretches.len();
            plan.streams.push(StreamPlan {
                id,
                stretches: first..first + stretches.len(),
                reach: mine().try_fold(DEDUPE_HORIZON, |reach, (_, window)| {
                    Some(reach.max(reach_of(window)?.plus(DEDUPE_HORIZON)))
                }),
                past: stretches.iter().any(StretchPlan::includes_past),
                sightings: stretches.iter().any(|stretch| stretch.counts_sightings),
                counts_values: mine()
                    .any(|(_, window)| window.measure == Measure::Distinct && window.length != Length::Ever),
            });
            plan.stretches.append(&mut stretches);
        }
        plan
    }

    /// Whether a key's state under this plan holds all that the windows of `next` need of the past. If not, they
    /// are filled by replay.
    pub fn covers(&self, next: &Self) -> bool {
        let held = |wanted: &StreamPlan| self.streams.iter().find(|held| held.id == wanted.id);
        next.streams.iter().all(|wanted| held(wanted).is_some_and(|held| held.covers(wanted)))
    }

    /// Whether a window that is read at one time reaches back to an earlier one.
    pub(crate) fn reaches(&self, slot: usize, earlier: EventTime, at: EventTime) -> bool {
        let window = &self.windows[slot];
        self.stretches_of(&self.streams[window.stream])[window.stretch].opens(at) < earlier
    }

    /// How many windows there are.
    pub fn window_count(&self) -> usize {
        self.windows.len()
    }

    pub(super) fn streams(&self) -> &[StreamPlan] {
        &self.streams
    }

    pub(super) fn stretches_of(&self, stream: &StreamPlan) -> &[StretchPlan] {
        &self.stretches[stream.stretches.clone()]
    }

    pub(super) fn windows(&self) -> &[WindowPlace] {
        &self.windows
    }

    pub(super) fn position(&self, id: Hash256) -> Option<usize> {
        self.streams.iter().position(|stream| stream.id == id)
    }
}

impl StreamPlan {
    fn covers(&self, wanted: &Self) -> bool {
        let keeps_all = self.reach.is_none();
        let reaches = keeps_all || wanted.reach.is_some_and(|reach| Some(reach) <= self.reach);
        // What was seen outlives a sample that was taken back: all samples that are held do not say it.
        reaches && (keeps_all || self.past >= wanted.past) && self.sightings >= wanted.sightings
    }
}

impl StretchPlan {
    /// The last moment before the stretch that an event at `at` is judged by.
    pub(super) fn opens(&self, at: EventTime) -> EventTime {
        const INSTANT: Span = Span::from_micros(1);
        match self.length {
            Length::Span(span) => at.minus(span),
            Length::Day { utc_offset_hours } => at.day_start(utc_offset_hours).minus(INSTANT),
            Length::Year { utc_offset_hours } => at.year_start(utc_offset_hours).minus(INSTANT),
            Length::Ever => EventTime::from_micros(i64::MIN),
        }
    }

    /// Whether there is such a tally: a measure without one is read off the samples' places.
    pub(super) fn keeps(&self, tally: usize) -> bool {
        tally < self.tallies.len()
    }

    /// Whether samples that have gone still count.
    pub(super) fn includes_past(&self) -> bool {
        self.length == Length::Ever && !self.counts_sightings
    }
}

/// Put a window where others of its stream and length are.
fn place(stretches: &mut Vec<StretchPlan>, slot: usize, window: &Window) -> WindowPlace {
    // Every value is new to a window that never closes.
    let measure = match (window.measure, window.length) {
        (Measure::Distinct, Length::Ever) => Measure::DistinctNew,
        (measure, _) => measure,
    };
    let (length, counts_sightings) = (window.length, measure == Measure::DistinctNew);
    let same = |held: &StretchPlan| held.length == length && held.counts_sightings == counts_sightings;
    let at = stretches.iter().position(same).unwrap_or_else(|| {
        let (tallies, without_event) = Default::default();
        stretches.push(StretchPlan { length, counts_sightings, tallies, without_event });
        stretches.len() - 1
    });
    let stretch = &mut stretches[at];
    let tally = TallyKind::of(measure).map_or(usize::MAX, |kind| {
        stretch.tallies.iter().position(|held| *held == kind).unwrap_or_else(|| {
            stretch.tallies.push(kind);
            stretch.tallies.len() - 1
        })
    });
    // The previous sample is never the event's own.
    if window.before || measure == Measure::TimeSince {
        stretch.without_event.push(slot);
    }
    WindowPlace { stream: window.stream, stretch: at, measure, tally }
}

/// How far back a window needs samples; `None`: for ever.
fn reach_of(window: &Window) -> Option<Span> {
    match window.length {
        Length::Span(span) => Some(span),
        Length::Day { .. } => Some(Span::days(1)),
        Length::Year { .. } => Some(Span::days(366)),
        Length::Ever => match window.measure {
            // What the stream's memory answers.
            Measure::Count
            | Measure::Sum
            | Measure::Average
            | Measure::Min
            | Measure::Max
            | Measure::First
            | Measure::Last
            | Measure::TimeSince
            | Measure::Distinct
            | Measure::DistinctNew => Some(Span::ZERO),
            Measure::StdDev
            | Measure::Median
            | Measure::Percentile(_)
            | Measure::ShareWithin { .. }
            | Measure::Similar { .. }
            | Measure::Occurrences
            | Measure::DayTotal { .. }
            | Measure::Benford => None,
        },
    }
}
