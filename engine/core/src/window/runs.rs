//! Samples summed up in runs, so that a window at a past time is read without looking at each of its samples: of a run that lies
//! inside, the summary is enough.
//!
//! For different values each sample has a **forerunner**: when its value was there before. A value's first sample inside a
//! window is the one whose forerunner is older than the window, so that counting those counts different values.

use std::{collections::VecDeque, ops::Range};

use rustc_hash::FxHashMap;
use sluice_model::EventTime;

use super::{
    measure::{Digits, Spread},
    samples::Sample,
};

/// Samples in a run when it is made; one that has grown to twice as many is split. Few in tests, so that there are runs.
const RUN: usize = if cfg!(test) { 8 } else { 1_024 };
/// The forerunner of a sample that has none.
const NEVER: EventTime = EventTime::from_micros(i64::MIN);

/// Summaries of one stream's samples. Derived; there once a late event has asked for them.
#[derive(Clone, Debug, Default)]
pub(super) struct Runs {
    /// The newest samples may be in none yet.
    runs: VecDeque<Run>,
    /// How many samples of the first run are not held any more.
    gone: usize,
    /// How many of the samples held are in runs.
    covered: usize,
    /// Where a window counts different values.
    forerunners: Option<Forerunners>,
}

/// Successive samples.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub len: usize,
    pub sum: i128,
    pub spread: Spread,
    pub digits: Digits,
    /// Their values in order.
    pub sorted: Vec<i64>,
    /// No sample is earlier than the first or later than the second.
    pub times: (EventTime, EventTime),
    /// No forerunner is earlier than the first or later than the second.
    forerunners: (EventTime, EventTime),
}

#[derive(Clone, Debug, Default)]
struct Forerunners {
    /// Of each sample held, the newest ones excepted that came since a late event asked.
    times: VecDeque<EventTime>,
    /// When each value was there last, among these.
    last: FxHashMap<i64, EventTime>,
}

/// Part of the samples, as whole runs and what is left at its ends.
pub(super) struct Parts<'a> {
    runs: &'a VecDeque<Run>,
    whole: Range<usize>,
    pub head: Range<usize>,
    pub tail: Range<usize>,
}

impl Parts<'_> {
    pub(super) fn runs(&self) -> impl Iterator<Item = &Run> {
        self.runs.range(self.whole.clone())
    }
}

impl Runs {
    /// Sum up what has come since.
    pub(super) fn catch_up(&mut self, samples: &VecDeque<Sample>, counts_values: bool) {
        if counts_values {
            let known = self.forerunners.get_or_insert_default();
            for sample in samples.range(known.times.len()..) {
                known.times.push_back(known.last.insert(sample.value, sample.at).unwrap_or(NEVER));
            }
        }
        while samples.len() - self.covered >= RUN {
            let run = self.run(samples, self.covered..self.covered + RUN);
            self.runs.push_back(run);
            self.covered += RUN;
        }
    }

    fn run(&self, samples: &VecDeque<Sample>, range: Range<usize>) -> Run {
        let mut run = Run::empty();
        samples.range(range.clone()).for_each(|sample| run.sum_up(*sample));
        run.sorted = samples.range(range.clone()).map(|sample| sample.value).collect();
        run.sorted.sort_unstable();
        if let Some(known) = &self.forerunners {
            known.times.range(range).for_each(|time| widen(&mut run.forerunners, *time));
        }
        run
    }

    /// Follow a sample that has been inserted.
    pub(super) fn insert(&mut self, samples: &VecDeque<Sample>, place: usize) {
        let Some(sample) = samples.get(place).copied() else { return };
        let links = self.forerunners.as_mut().and_then(|known| known.insert(samples, place, sample));
        if place < self.covered {
            let (index, start) = self.run_at(place);
            self.covered += 1;
            self.runs[index].insert(sample);
            let held = self.held(index);
            if held >= 2 * RUN {
                let (middle, end) = (start + RUN, start + held);
                let upper = self.run(samples, middle..end);
                self.runs[index] = self.run(samples, start..middle);
                self.runs.insert(index + 1, upper);
                self.gone = if index == 0 { 0 } else { self.gone };
            }
        }
        if let Some((forerunner, next)) = links {
            self.widen(place, forerunner);
            next.into_iter().for_each(|next| self.widen(next, sample.at));
        }
    }

    /// Follow a sample that is about to be removed.
    pub(super) fn remove(&mut self, samples: &VecDeque<Sample>, place: usize) {
        let Some(sample) = samples.get(place).copied() else { return };
        let link = self.forerunners.as_mut().and_then(|known| known.remove(samples, place, sample));
        link.into_iter().for_each(|(next, forerunner)| self.widen(next, forerunner));
        if place < self.covered {
            let (index, _) = self.run_at(place);
            self.covered -= 1;
            self.runs[index].remove(sample);
            self.let_go();
        }
    }

    /// Follow the oldest sample, which has gone.
    pub(super) fn pop(&mut self, oldest: Sample) {
        if let Some(known) = &mut self.forerunners
            && known.times.pop_front().is_some()
            && known.last.get(&oldest.value) == Some(&oldest.at)
        {
            known.last.remove(&oldest.value);
        }
        if self.covered > 0 {
            self.covered -= 1;
            self.gone += 1;
            self.let_go();
        }
    }

    /// Let go of first runs of which nothing is held.
    fn let_go(&mut self) {
        while self.runs.pop_front_if(|first| first.len <= self.gone).is_some() {
            self.gone = 0;
        }
    }

    /// How many samples of a run are held.
    fn held(&self, index: usize) -> usize {
        self.runs[index].len - if index == 0 { self.gone } else { 0 }
    }

    /// These samples, as far as whole runs go.
    pub(super) fn parts(&self, range: Range<usize>) -> Parts<'_> {
        let (mut whole, mut inside) = (0..0, range.start..range.start);
        let mut end = self.covered;
        for (index, run) in self.runs.iter().enumerate().rev() {
            let held = self.held(index);
            let start = end - held;
            if start < range.start || held < run.len {
                break;
            }
            if end <= range.end {
                if whole.is_empty() {
                    (whole.end, inside.end) = (index + 1, end);
                }
                (whole.start, inside.start) = (index, start);
            }
            end = start;
        }
        Parts { runs: &self.runs, whole, head: range.start..inside.start, tail: inside.end..range.end }
    }

    /// How many different values these samples have, which are all there are since the time of the first.
    pub(super) fn distinct(&self, samples: &VecDeque<Sample>, range: Range<usize>) -> Option<usize> {
        let known = self.forerunners.as_ref().filter(|known| range.end <= known.times.len())?;
        let first = samples.get(range.start)?.at;
        let firsts =
            |range: Range<usize>| known.times.range(range).filter(|forerunner| **forerunner < first).count();
        let parts = self.parts(range);
        let mut start = parts.head.end;
        let mut distinct = firsts(parts.head.clone()) + firsts(parts.tail.clone());
        for run in parts.runs() {
            let (earliest, latest) = run.forerunners;
            let end = start + run.len;
            distinct += match () {
                () if latest < first => run.len,
                () if earliest >= first => 0,
                () => firsts(start..end),
            };
            start = end;
        }
        Some(distinct)
    }

    /// The run that a sample in runs belongs to, or is inserted into, and where its samples begin; of the first run, where
    /// those begin that are held.
    fn run_at(&self, place: usize) -> (usize, usize) {
        let mut start = self.covered;
        for (index, run) in self.runs.iter().enumerate().skip(1).rev() {
            start -= run.len;
            if start <= place {
                return (index, start);
            }
        }
        (0, 0)
    }

    fn widen(&mut self, place: usize, forerunner: EventTime) {
        if place < self.covered {
            let (index, _) = self.run_at(place);
            widen(&mut self.runs[index].forerunners, forerunner);
        }
    }
}

impl Run {
    fn empty() -> Self {
        let nothing = (EventTime::from_micros(i64::MAX), EventTime::from_micros(i64::MIN));
        let (spread, digits, sorted) = Default::default();
        Self { len: 0, sum: 0, spread, digits, sorted, times: nothing, forerunners: nothing }
    }

    /// All but the values in order.
    fn sum_up(&mut self, Sample { at, value }: Sample) {
        self.len += 1;
        self.sum += i128::from(value);
        self.spread.add(value);
        self.digits.add(value);
        widen(&mut self.times, at);
    }

    fn insert(&mut self, sample: Sample) {
        self.sum_up(sample);
        self.sorted.insert(self.sorted.partition_point(|held| *held < sample.value), sample.value);
    }

    fn remove(&mut self, Sample { value, .. }: Sample) {
        self.len -= 1;
        self.sum -= i128::from(value);
        self.spread.remove(value);
        self.digits.remove(value);
        if let Ok(place) = self.sorted.binary_search(&value) {
            self.sorted.remove(place);
        }
    }
}

impl Forerunners {
    /// Its forerunner, and the place of the sample whose forerunner it is now.
    fn insert(
        &mut self,
        samples: &VecDeque<Sample>,
        place: usize,
        Sample { at, value }: Sample,
    ) -> Option<(EventTime, Option<usize>)> {
        if place >= self.times.len() {
            return None;
        }
        let known = self.times.len() + 1;
        let last = self.last.get(&value).copied().unwrap_or(NEVER);
        let (forerunner, next) = if last <= at {
            self.last.insert(value, at);
            (last, None)
        } else {
            let earlier = samples.range(..place).rev().find(|sample| sample.value == value);
            (earlier.map_or(NEVER, |sample| sample.at), next_of(samples, place, known, value))
        };
        self.times.insert(place, forerunner);
        next.into_iter().for_each(|next| self.times[next] = at);
        Some((forerunner, next))
    }

    /// The place, once it is removed, of the sample whose forerunner it was, and that one's forerunner now.
    fn remove(
        &mut self,
        samples: &VecDeque<Sample>,
        place: usize,
        Sample { value, .. }: Sample,
    ) -> Option<(usize, EventTime)> {
        let next = next_of(samples, place, self.times.len(), value);
        let forerunner = self.times.remove(place)?;
        match next {
            Some(next) => self.times[next - 1] = forerunner,
            None if forerunner == NEVER => drop(self.last.remove(&value)),
            None => drop(self.last.insert(value, forerunner)),
        }
        next.map(|next| (next, forerunner))
    }
}

fn next_of(samples: &VecDeque<Sample>, place: usize, known: usize, value: i64) -> Option<usize> {
    let later = samples.range((place + 1).min(known)..known);
    later.zip(place + 1..).find(|(sample, _)| sample.value == value).map(|(_, next)| next)
}

fn widen((least, greatest): &mut (EventTime, EventTime), time: EventTime) {
    *least = time.min(*least);
    *greatest = time.max(*greatest);
}
