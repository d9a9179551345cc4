//! Plots as SVG shapes: numbers to rectangles, nothing drawn by scripts.

use sluice_model::{EventTime, Span};

use crate::{service::HourCount, stamp::Stamp, words::SEVERITIES};

/// Hours that the plot of alerts spans.
pub(crate) const HOURS: i64 = 24;
/// The plot's size in SVG units, one hour every `STEP`.
const STEP: i64 = 30;
const BAR: i64 = 22;
const HEIGHT: i64 = 56;

/// Alerts per hour by severity.
pub(crate) struct HourPlot {
    pub bars: Vec<Bar>,
    /// One label for each hour; empty for most.
    pub ticks: Vec<String>,
    pub totals: Vec<(&'static str, i64)>,
    pub total: i64,
    pub highest: i64,
}

/// One severity's share of one hour.
pub(crate) struct Bar {
    pub x: i64,
    pub y: i64,
    pub height: i64,
    pub width: i64,
    pub severity: &'static str,
    pub label: String,
}

impl HourPlot {
    /// The last day up to `now`.
    pub(crate) fn new(counts: &[HourCount], now: EventTime) -> Self {
        let hour = Span::hours(1).micros();
        let last = now.micros().div_euclid(hour);
        let first = last - HOURS + 1;
        let of = |h: i64, severity: &str| {
            counts.iter().filter(|c| c.hour == h && c.severity == severity).map(|c| c.alerts).sum::<i64>()
        };
        let sum = |h: i64| SEVERITIES.iter().map(|s| of(h, s)).sum::<i64>();
        let highest = (first..=last).map(sum).max().unwrap_or(0);
        let mut bars = Vec::new();
        for h in first..=last {
            // Stacked gravest at the bottom, by cumulative heights, so that rounding leaves no gaps.
            let (mut below, x) = (0, (h - first) * STEP + (STEP - BAR) / 2);
            for severity in SEVERITIES {
                let count = of(h, severity);
                if count == 0 {
                    continue;
                }
                let (bottom, top) = (below * HEIGHT / highest, (below + count) * HEIGHT / highest);
                below += count;
                let from = Stamp::from(h * hour).hkt_hour();
                let label = format!("{count} {severity} in the hour from {from}");
                bars.push(Bar {
                    x,
                    y: HEIGHT - top,
                    height: (top - bottom).max(1),
                    width: BAR,
                    severity,
                    label,
                });
            }
        }
        let ticks = (first..=last)
            .map(
                |h| if (h + 8).rem_euclid(3) == 0 { Stamp::from(h * hour).hkt_hour() } else { String::new() },
            )
            .collect();
        let totals: Vec<(&str, i64)> = SEVERITIES
            .into_iter()
            .map(|s| {
                (s, counts.iter().filter(|c| c.severity == s && c.hour >= first).map(|c| c.alerts).sum())
            })
            .collect();
        let total = totals.iter().map(|(_, n)| n).sum();
        Self { bars, ticks, totals, total, highest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_of_an_hour_stack_without_gaps_up_to_the_height() {
        let now = EventTime::from_micros(Span::hours(1000).micros());
        let count = |severity: &str, alerts| HourCount { hour: 1000, severity: severity.into(), alerts };
        let plot = HourPlot::new(&[count("critical", 3), count("low", 4)], now);
        assert_eq!(plot.bars.iter().map(|b| b.height).sum::<i64>(), HEIGHT);
        assert_eq!(plot.bars[0].y, plot.bars[1].y + plot.bars[1].height);
        assert_eq!((plot.total, plot.highest), (7, 7));
    }

    #[test]
    fn an_empty_day_has_no_bars() {
        let plot = HourPlot::new(&[], EventTime::from_micros(Span::days(20_000).micros()));
        assert!(plot.bars.is_empty());
        assert_eq!(plot.ticks.iter().filter(|tick| !tick.is_empty()).count(), 8);
    }
}
