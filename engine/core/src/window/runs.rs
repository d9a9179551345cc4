//! Samples summed up in runs, so that a window at a past time is read without looking at each of its samples: of a run that lies
//! inside, the summary is enough.

use std::{collections::VecDeque, ops::Range};

use sluice_model::EventTime;

use super::{
    forerunners::{Forerunners, Link},
    measure::{Digits, Spread},
    samples::Sample,
};

/// Samples in a run when it is made; one that has grown to twice as many is split. Few in tests, so that there are runs.
const RUN: usize = if cfg!(test) { 8 } else { 1_024 };

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
    /// Its forerunners in order, if there are any.
    forerunners: Vec<EventTime>,
    /// None of them is earlier than the first or later than the second: mostly that is enough.
    forerunner_bounds: (EventTime, EventTime),
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
            self.forerunners.get_or_insert_default().catch_up(samples);
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
            run.forerunners = known.times().range(range).copied().collect();
            run.forerunners.sort_unstable();
            run.forerunners.iter().for_each(|forerunner| widen(&mut run.forerunner_bounds, *forerunner));
        }
        run
    }

    /// Follow a sample that has been inserted.
    pub(super) fn insert(&mut self, samples: &VecDeque<Sample>, place: usize) {
        let Some(sample) = samples.get(place).copied() else { return };
        let links = self.forerunners.as_mut().and_then(|known| known.insert(samples, place, sample));
        let (forerunner, next) = links.unzip();
        if place < self.covered {
            let (index, start) = self.run_at(place);
            self.covered += 1;
            self.runs[index].insert(sample);
            self.runs[index].enter_forerunner(forerunner);
            self.relink(next.flatten());
            let held = self.held(index);
            if held >= 2 * RUN {
                let (middle, end) = (start + RUN, start + held);
                let upper = self.run(samples, middle..end);
                self.runs[index] = self.run(samples, start..middle);
                self.runs.insert(index + 1, upper);
                self.gone = if index == 0 { 0 } else { self.gone };
            }
        }
    }

    /// Follow a sample that is about to be removed.
    pub(super) fn remove(&mut self, samples: &VecDeque<Sample>, place: usize) {
        let Some(sample) = samples.get(place).copied() else { return };
        let links = self.forerunners.as_mut().and_then(|known| known.remove(samples, place, sample));
        let (forerunner, next) = links.unzip();
        self.relink(next.flatten());
        if place < self.covered {
            let (index, _) = self.run_at(place);
            self.covered -= 1;
            leave(&mut self.runs[index].forerunners, forerunner);
            self.runs[index].remove(sample);
            self.let_go();
        }
    }

    /// Follow the oldest sample, which has gone.
    pub(super) fn pop(&mut self, oldest: Sample) {
        self.forerunners.iter_mut().for_each(|known| known.pop(oldest));
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
        let known = self.forerunners.as_ref().filter(|known| range.end <= known.times().len())?;
        let first = samples.get(range.start)?.at;
        let firsts = |range: Range<usize>| {
            known.times().range(range).filter(|forerunner| **forerunner < first).count()
        };
        let parts = self.parts(range);
        let of_run = |run: &Run| match run.forerunner_bounds {
            (_, latest) if latest < first => run.len,
            (earliest, _) if earliest >= first => 0,
            _ => run.forerunners.partition_point(|forerunner| *forerunner < first),
        };
        let whole: usize = parts.runs().map(of_run).sum();
        Some(firsts(parts.head.clone()) + whole + firsts(parts.tail.clone()))
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

    /// Follow a sample's forerunner, which has become another.
    fn relink(&mut self, link: Option<Link>) {
        if let Some(Link { place, was, is }) = link
            && place < self.covered
        {
            let (index, _) = self.run_at(place);
            leave(&mut self.runs[index].forerunners, Some(was));
            self.runs[index].enter_forerunner(Some(is));
        }
    }
}

impl Run {
    fn empty() -> Self {
        let nothing = (EventTime::from_micros(i64::MAX), EventTime::from_micros(i64::MIN));
        let (spread, digits, sorted, forerunners) = Default::default();
        Self {
            len: 0,
            sum: 0,
            spread,
            digits,
            sorted,
            times: nothing,
            forerunners,
            forerunner_bounds: nothing,
        }
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
        enter(&mut self.sorted, Some(sample.value));
    }

    fn enter_forerunner(&mut self, forerunner: Option<EventTime>) {
        enter(&mut self.forerunners, forerunner);
        forerunner.into_iter().for_each(|time| widen(&mut self.forerunner_bounds, time));
    }

    fn remove(&mut self, Sample { value, .. }: Sample) {
        self.len -= 1;
        self.sum -= i128::from(value);
        self.spread.remove(value);
        self.digits.remove(value);
        leave(&mut self.sorted, Some(value));
    }
}

fn widen((least, greatest): &mut (EventTime, EventTime), time: EventTime) {
    *least = time.min(*least);
    *greatest = time.max(*greatest);
}

fn enter<T: Ord>(sorted: &mut Vec<T>, value: Option<T>) {
    if let Some(value) = value {
        sorted.insert(sorted.partition_point(|held| *held < value), value);
    }
}

fn leave<T: Ord>(sorted: &mut Vec<T>, value: Option<T>) {
    if let Some(place) = value.and_then(|value| sorted.binary_search(&value).ok()) {
        sorted.remove(place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(count: i64) -> VecDeque<Sample> {
        (0..count).map(|n| Sample { at: EventTime::from_micros(n), value: n % 7 }).collect()
    }

    /// What comes before the whole runs, how many samples those have, and what comes after them.
    fn parts(runs: &Runs, range: Range<usize>) -> (Range<usize>, usize, Range<usize>) {
        let parts = runs.parts(range);
        (parts.head.clone(), parts.runs().map(|run| run.len).sum(), parts.tail.clone())
    }

    #[test]
    fn a_range_is_whole_runs_and_what_is_left_at_its_ends() {
        let (mut samples, mut runs) = (samples(45), Runs::default());
        runs.catch_up(&samples, false);
        assert_eq!(parts(&runs, 0..40), (0..0, 40, 40..40));
        assert_eq!(parts(&runs, 8..32), (8..8, 24, 32..32));
        assert_eq!(parts(&runs, 9..31), (9..16, 8, 24..31));
        assert_eq!(parts(&runs, 30..45), (30..32, 8, 40..45), "the newest are in none");
        assert_eq!(parts(&runs, 3..5), (3..3, 0, 3..5));
        runs.pop(samples.pop_front().unwrap());
        assert_eq!(parts(&runs, 0..39), (0..7, 32, 39..39), "one that has lost a sample is not whole");
    }

    #[test]
    fn a_run_that_has_grown_to_twice_its_size_is_split() {
        let (mut samples, mut runs) = (samples(16), Runs::default());
        runs.catch_up(&samples, false);
        let lengths = |runs: &Runs| runs.runs.iter().map(|run| run.len).collect::<Vec<_>>();
        for n in 1..=8 {
            samples.insert(9, Sample { at: EventTime::from_micros(8), value: 3 });
            runs.insert(&samples, 9);
            assert_eq!(lengths(&runs), if n < 8 { vec![8, 8 + n] } else { vec![8, 8, 8] });
        }
    }
}
