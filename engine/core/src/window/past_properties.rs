//! Windows of a key at past times, from the summaries of its runs, equal the oracle. Runs are short in tests.

use proptest::prelude::*;
use sluice_model::{EventTime, Hash256, Span, WindowValue, limits::DEDUPE_HORIZON};
use sluice_rules::{Length, Measure, Window, Windows};

use super::{KeyWindows, Values, WindowPlan, oracle::Oracle};

/// What happens to a key.
#[derive(Clone, Debug)]
enum Step {
    /// So long after the latest event, or before it; and it is asked for again at later times, this far apart.
    Event { on: Span, late: Option<Span>, value: i64, then: Vec<Span> },
    /// The sample of that many events ago goes.
    TakeBack(usize),
    /// A snapshot is taken, and the key goes on from it.
    Restore,
}

fn span(minutes: std::ops::RangeInclusive<i64>) -> impl Strategy<Value = Span> {
    minutes.prop_map(Span::minutes)
}

fn step(values: i64) -> impl Strategy<Value = Step> {
    let horizon = DEDUPE_HORIZON.micros() / Span::minutes(1).micros();
    let late = prop_oneof![2 => span(0..=600).prop_map(Some), 1 => span(0..=horizon).prop_map(Some), 6 => Just(None)];
    let then = prop::collection::vec(prop_oneof![span(0..=40), span(0..=1_000)], 0..4);
    let on = prop_oneof![6 => span(0..=30), 1 => span(0..=3_000)];
    prop_oneof![
        40 => (on, late, -values..values, then).prop_map(|(on, late, value, then)| Step::Event { on, late, value, then }),
        3 => (0usize..60).prop_map(Step::TakeBack),
        1 => Just(Step::Restore),
    ]
}

fn measures() -> [Measure; 16] {
    [
        Measure::Count,
        Measure::Sum,
        Measure::Average,
        Measure::Min,
        Measure::Max,
        Measure::Distinct,
        Measure::StdDev,
        Measure::Median,
        Measure::Percentile(0),
        Measure::Percentile(90),
        Measure::ShareWithin { low: -2, high: 9 },
        Measure::Similar { percent: 20 },
        Measure::Occurrences,
        Measure::DayTotal { rank: 2, utc_offset_hours: 8 },
        Measure::Benford,
        Measure::Last,
    ]
}

fn same(value: WindowValue, expected: WindowValue) -> bool {
    match (value, expected) {
        (WindowValue::Float(a), WindowValue::Float(b)) => (a - b).abs() <= 1e-9 * b.abs().max(1.0),
        _ => value == expected,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// Late events of every lag, asked for at later times too, amid ties, samples that go, and restores.
    #[test]
    fn past_windows_equal_the_oracle(
        length in prop::sample::select(vec![
            Length::Span(Span::hours(5)), Length::Span(Span::days(2)), Length::Day { utc_offset_hours: 8 }, Length::Ever,
        ]),
        before: bool,
        steps in prop_oneof![
            prop::collection::vec(step(6), 100..400), prop::collection::vec(step(5_000), 100..400),
        ],
    ) {
        let windows: Vec<Window> =
            measures().map(|measure| Window { stream: 0, measure, length, before }).into_iter().collect();
        let plan = WindowPlan::of([Hash256([0; 32])], &windows);
        let (mut key, mut logged, mut values) = (KeyWindows::new(), Oracle::default(), Values::default());
        let mut latest: EventTime = "2025-12-27T22:00:00Z".parse().unwrap();
        let mut events: Vec<(EventTime, i64)> = Vec::new();
        for step in steps {
            match step {
                Step::Event { on, late, value, then } => {
                    let mut at = late.filter(|_| !events.is_empty()).map_or(latest.plus(on), |late| latest.minus(late));
                    latest = latest.max(at);
                    let admitted = [(0, value)];
                    let reading = key.observe(&plan, at, &admitted, &mut values);
                    for (slot, window) in windows.iter().enumerate() {
                        let (value, expected) = (reading.value(slot), logged.value(window, at, Some(value)));
                        prop_assert!(same(value, expected), "{window:?} at {at}: {value:?}, expected {expected:?}");
                    }
                    // It has entered, so the oracle must not add it once more at the time that is asked for.
                    logged.push(at, value);
                    events.push((at, value));
                    for later in then.into_iter().filter(|_| !before && late.is_some()) {
                        at = at.plus(later).min(latest);
                        let reading = key.read_at(&plan, at, &admitted, &mut values);
                        for (slot, window) in windows.iter().enumerate() {
                            let value_there = reading.value(slot);
                            let expected = logged.value(&Window { before: true, ..*window }, at, Some(value));
                            prop_assert!(
                                same(value_there, expected),
                                "{window:?} later, at {at}: {value_there:?}, expected {expected:?}"
                            );
                        }
                    }
                }
                Step::TakeBack(ago) if length != Length::Ever => {
                    let Some(place) = events.len().checked_sub(ago + 1) else { continue };
                    let (at, value) = events[place];
                    if at > latest.minus(DEDUPE_HORIZON) {
                        events.remove(place);
                        key.take_back(&plan, 0, at, value);
                        logged.take_back(at, value);
                    }
                }
                Step::TakeBack(_) => {}
                Step::Restore => {
                    key = postcard::from_bytes(&postcard::to_stdvec(&key).unwrap()).unwrap();
                }
            }
        }
    }
}
