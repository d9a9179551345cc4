//! Windows equal the oracle, whatever happens to a key.

use proptest::{prelude::*, sample::subsequence};
use sluice_model::{EventTime, Hash256, Span, WindowValue, limits::DEDUPE_HORIZON};
use sluice_rules::{Length, Measure, Window, Windows};

use super::{KeyWindows, Values, WindowPlan, oracle::Oracle};

/// Streams that plans choose from.
const STREAMS: usize = 4;

/// A plan as rules would make it.
#[derive(Clone, Debug)]
struct Rules {
    /// Which streams, in the plan's order.
    streams: Vec<usize>,
    windows: Vec<Window>,
}

#[derive(Clone, Debug)]
enum Step {
    Event {
        moves: Moves,
        samples: [Option<i64>; STREAMS],
        /// Which windows a rule reaches, in this order; some twice, some never.
        reads: Vec<usize>,
    },
    /// The sample of an earlier event goes from the first stream that it entered: how many events ago.
    TakeBack(usize),
    /// A snapshot is taken, and the key goes on from it.
    Restore,
    /// Other rules take over.
    Change,
}

/// From the key's latest event.
#[derive(Clone, Copy, Debug)]
enum Moves {
    On(Span),
    Back(Span),
}

fn id(stream: usize) -> Hash256 {
    Hash256([stream as u8; 32])
}

impl Rules {
    fn plan(&self) -> WindowPlan {
        WindowPlan::of(self.streams.iter().copied().map(id), &self.windows)
    }

    fn admitted(&self, samples: &[Option<i64>; STREAMS]) -> Vec<(usize, i64)> {
        let place = self.streams.iter().enumerate();
        place.filter_map(|(place, stream)| Some((place, samples[*stream]?))).collect()
    }
}

/// The key, and what the oracle knows of it.
struct Key {
    /// In force, and to come.
    rules: [Rules; 2],
    windows: KeyWindows,
    latest: EventTime,
    /// Every event, without the samples that were taken back.
    events: Vec<(EventTime, [Option<i64>; STREAMS])>,
    log: Vec<Logged>,
    oracle: [Oracle; STREAMS],
}

/// What happened to a key.
enum Logged {
    Event(EventTime, [Option<i64>; STREAMS]),
    TakeBack { stream: usize, at: EventTime, value: i64 },
}

impl Key {
    fn new(rules: [Rules; 2]) -> Self {
        let latest = "2025-12-27T22:00:00Z".parse().unwrap();
        Self {
            rules,
            windows: KeyWindows::new(),
            latest,
            events: Vec::new(),
            log: Vec::new(),
            oracle: Default::default(),
        }
    }

    fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Event { moves, samples, reads } => self.event(*moves, samples, reads),
            Step::TakeBack(ago) => {
                self.take_back(*ago);
                Ok(())
            }
            Step::Restore => {
                let bytes = postcard::to_stdvec(&self.windows).unwrap();
                self.windows = postcard::from_bytes(&bytes).unwrap();
                Ok(())
            }
            Step::Change => {
                self.change();
                Ok(())
            }
        }
    }

    fn event(
        &mut self,
        moves: Moves,
        samples: &[Option<i64>; STREAMS],
        reads: &[usize],
    ) -> Result<(), TestCaseError> {
        let at = match moves {
            Moves::On(span) => self.latest.plus(span),
            Moves::Back(span) => self.latest.minus(span),
        };
        self.latest = self.latest.max(at);
        let Rules { streams, windows } = &self.rules[0];
        let (plan, admitted) = (self.rules[0].plan(), self.rules[0].admitted(samples));
        let mut values = Values::default();
        let reading = self.windows.observe(&plan, at, &admitted, &mut values);
        let reached = reads.iter().filter(|_| !windows.is_empty()).map(|read| read % windows.len());
        for slot in reached {
            let (window, value) = (&windows[slot], reading.value(slot));
            let stream = streams[window.stream];
            let expected = self.oracle[stream].value(window, at, samples[stream]);
            prop_assert!(same(value, expected), "{window:?} at {at}: {value:?}, expected {expected:?}");
        }
        self.events.push((at, *samples));
        self.log.push(Logged::Event(at, *samples));
        for (oracle, sample) in self.oracle.iter_mut().zip(samples) {
            sample.iter().for_each(|value| oracle.push(at, *value));
        }
        Ok(())
    }

    /// What outlives its sample stays: only what no window has let go of is taken back here.
    fn take_back(&mut self, ago: usize) {
        let Some(place) = self.events.len().checked_sub(ago + 1) else { return };
        let (at, samples) = &mut self.events[place];
        let entered =
            self.rules[0].streams.iter().enumerate().find(|(_, stream)| samples[**stream].is_some());
        let Some((place, stream)) = entered.filter(|_| *at > self.latest.minus(DEDUPE_HORIZON)) else {
            return;
        };
        if let Some(value) = samples[*stream].take() {
            self.windows.take_back(&self.rules[0].plan(), place, *at, value);
            self.oracle[*stream].take_back(*at, value);
            self.log.push(Logged::TakeBack { stream: *stream, at: *at, value });
        }
    }

    /// As a shard does it: windows that the state does not cover are filled by replay.
    fn change(&mut self) {
        self.rules.swap(0, 1);
        let [new, old] = self.rules.each_ref().map(Rules::plan);
        if old.covers(&new) {
            self.windows.migrate(&old, &new);
            return;
        }
        self.windows = KeyWindows::new();
        for logged in &self.log {
            match logged {
                Logged::Event(at, samples) => {
                    self.windows.observe(&new, *at, &self.rules[0].admitted(samples), &mut Values::default());
                }
                Logged::TakeBack { stream, at, value } => {
                    if let Some(place) = self.rules[0].streams.iter().position(|held| held == stream) {
                        self.windows.take_back(&new, place, *at, *value);
                    }
                }
            }
        }
    }
}

fn same(value: WindowValue, expected: WindowValue) -> bool {
    match (value, expected) {
        (WindowValue::Float(a), WindowValue::Float(b)) => (a - b).abs() <= 1e-9 * b.abs().max(1.0),
        _ => value == expected,
    }
}

fn measures() -> Vec<Measure> {
    vec![
        Measure::Count,
        Measure::Sum,
        Measure::Average,
        Measure::Min,
        Measure::Max,
        Measure::Distinct,
        Measure::First,
        Measure::Last,
        Measure::TimeSince,
        Measure::StdDev,
        Measure::Median,
        Measure::Percentile(0),
        Measure::Percentile(90),
        Measure::ShareWithin { low: 3, high: 9 },
        Measure::Similar { percent: 20 },
        Measure::Occurrences,
        Measure::DistinctNew,
        Measure::DayTotal { rank: 1, utc_offset_hours: 8 },
        Measure::DayTotal { rank: 3, utc_offset_hours: 8 },
        Measure::Benford,
    ]
}

fn lengths() -> Vec<Length> {
    let spans =
        [Span::minutes(1), Span::minutes(5), Span::hours(1), Span::days(1), Span::days(7), Span::days(400)];
    let civil = [Length::Day { utc_offset_hours: 8 }, Length::Year { utc_offset_hours: 8 }];
    spans.into_iter().map(Length::Span).chain(civil).chain([Length::Ever]).collect()
}

fn rules() -> impl Strategy<Value = Rules> {
    let streams = subsequence((0..STREAMS).collect::<Vec<_>>(), 1..=STREAMS).prop_shuffle();
    let window =
        (any::<usize>(), prop::sample::select(measures()), prop::sample::select(lengths()), any::<bool>());
    (streams, prop::collection::vec(window, 0..10)).prop_map(|(streams, windows)| {
        let windows = windows.into_iter().map(|(stream, measure, length, before)| Window {
            stream: stream % streams.len(),
            measure,
            length,
            before,
        });
        Rules { windows: windows.collect(), streams }
    })
}

/// Rules, and others that follow them: fewer windows over the same streams, or something else altogether.
fn successive_rules() -> impl Strategy<Value = [Rules; 2]> {
    let fewer = rules().prop_flat_map(|rules| {
        let (streams, windows) = (rules.streams.clone(), rules.windows.clone());
        let windows = (0..=windows.len()).prop_flat_map(move |n| subsequence(windows.clone(), n));
        windows.prop_map(move |windows| [rules.clone(), Rules { streams: streams.clone(), windows }])
    });
    prop_oneof![fewer, [rules(), rules()]]
}

/// Whole half-minutes, so that ties are common and windows' edges are hit exactly.
fn half_minutes(range: std::ops::RangeInclusive<i64>) -> impl Strategy<Value = Span> {
    range.prop_map(|n| Span::seconds(30 * n))
}

fn moves() -> impl Strategy<Value = Moves> {
    let horizon = DEDUPE_HORIZON.micros() / Span::seconds(30).micros();
    prop_oneof![
        40 => half_minutes(0..=4).prop_map(Moves::On),
        10 => half_minutes(0..=600).prop_map(Moves::On),
        4 => half_minutes(0..=2 * horizon).prop_map(Moves::On),
        1 => half_minutes(0..=150 * horizon).prop_map(Moves::On),
        20 => half_minutes(0..=20).prop_map(Moves::Back),
        4 => half_minutes(0..=horizon).prop_map(Moves::Back),
        1 => Just(Moves::Back(DEDUPE_HORIZON)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let sample = prop_oneof![
        1 => Just(None),
        3 => (-2i64..12).prop_map(Some),
        1 => (-100_000_000i64..1_000_000_000).prop_map(Some),
    ];
    prop_oneof![
        60 => (moves(), prop::array::uniform4(sample), prop::collection::vec(0usize..10, 0..20))
            .prop_map(|(moves, samples, reads)| Step::Event { moves, samples, reads }),
        4 => (0usize..8).prop_map(Step::TakeBack),
        1 => Just(Step::Restore),
        1 => Just(Step::Change),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Disorder, ties, late events, restores and changes of plan; and whichever windows are read, in whichever order,
    /// they say what they would if all had been read.
    #[test]
    fn windows_equal_the_oracle(
        rules in successive_rules(),
        steps in prop::collection::vec(step(), 0..250),
    ) {
        let mut key = Key::new(rules);
        for step in &steps {
            key.step(step)?;
        }
    }

    /// A key with so few events that no tally is ever kept.
    #[test]
    fn a_quiet_key_equals_the_oracle(
        rules in successive_rules(),
        steps in prop::collection::vec(step(), 0..12),
    ) {
        let mut key = Key::new(rules);
        for step in &steps {
            key.step(step)?;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// A key so busy that every tally is large: all measures at once, a tenth of the events late.
    #[test]
    fn a_busy_key_equals_the_oracle(
        length in prop::sample::select(lengths()),
        before: bool,
        events in prop::collection::vec((0i64..40, 0i64..40, -50i64..2_000), 2_000..3_000),
    ) {
        let window = |measure| Window { stream: 0, measure, length, before };
        let rules = Rules { streams: vec![0], windows: measures().into_iter().map(window).collect() };
        let (plan, mut windows, mut logged) = (rules.plan(), KeyWindows::new(), Oracle::default());
        let mut latest = EventTime::from_micros(0);
        let mut values = Values::default();
        for (i, (on, back, own)) in events.into_iter().enumerate() {
            let at = if back < 4 { latest.minus(Span::minutes(back * 10)) } else { latest.plus(Span::seconds(on)) };
            latest = latest.max(at);
            let admitted = [(0, own)];
            let reading = windows.observe(&plan, at, &admitted, &mut values);
            // The oracle is slow: some events are enough.
            if i % 97 < 3 {
                for (slot, window) in rules.windows.iter().enumerate() {
                    let (value, expected) = (reading.value(slot), logged.value(window, at, Some(own)));
                    prop_assert!(same(value, expected), "{window:?} at {at}: {value:?}, expected {expected:?}");
                }
            }
            logged.push(at, own);
        }
    }
}

/// Windows are open at their older end: what lies there exactly is outside, on time or late, while a window holds few samples
/// and while it keeps tallies.
#[test]
fn a_late_event_exactly_at_a_windows_edge_is_outside() {
    let window = |measure| Window { stream: 0, measure, length: Length::Span(Span::hours(1)), before: false };
    let rules = Rules { streams: vec![0], windows: measures().into_iter().map(window).collect() };
    for on_time in [1, 20, 100] {
        let (plan, mut windows, mut logged) = (rules.plan(), KeyWindows::new(), Oracle::default());
        let mut values = Values::default();
        let latest = EventTime::from_micros(0).plus(Span::days(3));
        let edge = latest.minus(Span::hours(1));
        let mut observe = |at: EventTime, value: i64| {
            let admitted = [(0, value)];
            let reading = windows.observe(&plan, at, &admitted, &mut values);
            for (slot, window) in rules.windows.iter().enumerate() {
                let (value, expected) = (reading.value(slot), logged.value(window, at, Some(value)));
                assert!(same(value, expected), "{window:?} at {at}: {value:?}, expected {expected:?}");
            }
            logged.push(at, value);
        };
        (0..on_time).for_each(|n| observe(latest, n % 7));
        // At the edge, a moment inside, a moment outside; then what they left behind is read on time.
        for late in [edge, edge.plus(Span::from_micros(1)), edge.minus(Span::from_micros(1)), edge] {
            observe(late, 1_000);
            observe(latest, 3);
        }
    }
}

/// What a key holds does not grow with what it has been through.
#[test]
fn a_key_lets_go_of_what_no_window_can_need() {
    let window = |measure, length| Window { stream: 0, measure, length, before: false };
    let (day, week) = (Length::Span(Span::days(1)), Length::Span(Span::days(7)));
    let civil = [Length::Day { utc_offset_hours: 8 }, Length::Year { utc_offset_hours: 8 }];
    for (windows, kept_days) in [
        (vec![window(Measure::Median, day)], 4),
        (vec![window(Measure::Median, day), window(Measure::Count, week)], 10),
        (vec![window(Measure::Sum, civil[0])], 4),
        (vec![window(Measure::Sum, civil[1])], 369),
        (vec![window(Measure::Sum, Length::Ever), window(Measure::First, Length::Ever)], 3),
    ] {
        let plan = Rules { streams: vec![0], windows: windows.clone() }.plan();
        let (mut key, mut values) = (KeyWindows::new(), Values::default());
        for n in 0..1_000 {
            key.observe(&plan, EventTime::from_micros(0).plus(Span::days(n)), &[(0, 1)], &mut values);
        }
        let held = key.later(&[0], EventTime::from_micros(-1), usize::MAX).count();
        assert_eq!(held, kept_days, "{windows:?}");
    }
}

/// Whose windows a state holds already, so that it need not be filled.
#[test]
fn a_plan_covers_what_needs_no_more_of_the_past() {
    let plan = |streams: &[usize], windows: &[(Measure, Length)]| {
        let window = |(measure, length): &(Measure, Length)| Window {
            stream: 0,
            measure: *measure,
            length: *length,
            before: false,
        };
        let windows: Vec<Window> = windows.iter().map(window).collect();
        Rules { streams: streams.to_vec(), windows }.plan()
    };
    let days = |n| Length::Span(Span::days(n));
    let all = plan(&[0], &[(Measure::Median, Length::Ever)]);
    let ever = plan(&[0], &[(Measure::Sum, Length::Ever)]);
    let new = plan(&[0], &[(Measure::DistinctNew, days(7))]);
    let week = plan(&[0], &[(Measure::Sum, days(7))]);
    let both = plan(&[0], &[(Measure::Sum, days(7)), (Measure::Sum, Length::Ever)]);
    for (name, held, wanted, covered) in [
        ("the same", &week, &week, true),
        ("shorter", &week, &plan(&[0], &[(Measure::Max, days(1))]), true),
        ("longer", &week, &plan(&[0], &[(Measure::Sum, days(8))]), false),
        ("another stream", &week, &plan(&[1], &[(Measure::Sum, days(7))]), false),
        ("a lifetime", &week, &ever, false),
        ("the same lifetime", &ever, &ever, true),
        ("less than a lifetime", &both, &week, true),
        ("no lifetime more", &both, &ever, true),
        ("a lifetime of all that is held", &all, &ever, true),
        ("new values", &week, &new, false),
        ("new values of all that is held", &all, &new, false),
        ("the same new values", &new, &new, true),
        ("everything", &both, &all, false),
        ("everything again", &all, &all, true),
    ] {
        assert_eq!(held.covers(wanted), covered, "{name}");
    }
}
