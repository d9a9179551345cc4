//! How precision and recall move with a parameter: a curve for each, as text and as a page that stands alone.

use std::fmt::{self, Write as _};

use serde::Serialize;

use crate::groups::Scores;

/// The side of a plot in pixels, and the room around it for numbers.
const SIDE: f64 = 420.0;
const MARGIN: f64 = 48.0;

/// One parameter of one rule, moved.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Curve {
    /// The rule.
    pub rule: String,
    /// Its parameter.
    pub parameter: String,
    /// The kind of group that the rule is meant to find.
    pub kind: String,
    /// One for each value, in the order given.
    pub points: Vec<Point>,
}

/// What a rule found with one value of a parameter.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Point {
    /// The value.
    pub value: String,
    /// How many alerts there were.
    pub alerts: usize,
    /// The share of them that a group explains; none without alerts.
    pub precision: Option<f64>,
    /// Groups of the kind that the rule caught.
    pub caught: usize,
    /// Groups of the kind.
    pub groups: usize,
}

impl Point {
    /// What `rule` found of the groups of a kind.
    pub fn of(value: &str, scores: &Scores, rule: &str, kind: &str) -> Self {
        let found = scores.rules.get(rule).cloned().unwrap_or_default();
        Self {
            value: value.to_owned(),
            alerts: found.alerts,
            precision: found.precision(),
            caught: found.caught.get(kind).copied().unwrap_or(0),
            groups: scores.groups.get(kind).map_or(0, |groups| groups.groups),
        }
    }

    fn recall(&self) -> f64 {
        self.caught as f64 / self.groups.max(1) as f64
    }
}

impl fmt::Display for Curve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}.{}, {} groups", self.rule, self.parameter, self.kind)?;
        writeln!(f, "{:>10} {:>8} {:>10} {:>8}", "value", "alerts", "precision", "recall")?;
        for point in &self.points {
            let precision = point.precision.map_or_else(|| "–".to_owned(), |share| format!("{share:.3}"));
            writeln!(f, "{:>10} {:>8} {precision:>10} {:>8.3}", point.value, point.alerts, point.recall())?;
        }
        Ok(())
    }
}

/// A page with a plot for each curve: no scripts, nothing to fetch.
pub fn html(curves: &[Curve]) -> String {
    let mut page = String::from(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Precision and recall</title><style>\
         body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#1c2430}\
         svg{width:100%;max-width:34rem}svg text{font:12px system-ui,sans-serif;fill:#1c2430}\
         .grid{stroke:#d8dee6}.curve{fill:none;stroke:#1f6f54;stroke-width:2}.point{fill:#1f6f54}\
         pre{background:#f4f6f8;padding:1rem}</style></head><body><h1>Precision against recall</h1>",
    );
    for curve in curves {
        // Writing to a string cannot fail.
        let _ = write!(page, "<h2>{}</h2>", escape(&format!("{}.{}", curve.rule, curve.parameter)));
        plot(curve, &mut page);
        let _ = write!(page, "<pre>{}</pre>", escape(&curve.to_string()));
    }
    page.push_str("</body></html>\n");
    page
}

fn plot(curve: &Curve, page: &mut String) {
    let across = |recall: f64| MARGIN + recall * SIDE;
    let up = |precision: f64| MARGIN + (1.0 - precision) * SIDE;
    let (low, high, edge) = (MARGIN, MARGIN + SIDE, SIDE + 2.0 * MARGIN);
    let _ = write!(
        page,
        "<svg viewBox=\"0 0 {edge} {edge}\" role=\"img\" aria-label=\"precision against recall\">"
    );
    for tenth in (0..=10).step_by(2) {
        let share = f64::from(tenth) / 10.0;
        let (x, y) = (across(share), up(share));
        let _ = write!(
            page,
            "<path class=\"grid\" d=\"M{x:.0} {low}V{high}M{low} {y:.0}H{high}\"/>\
             <text x=\"{x:.0}\" y=\"{:.0}\" text-anchor=\"middle\">{share}</text>\
             <text x=\"{:.0}\" y=\"{y:.0}\" text-anchor=\"end\">{share}</text>",
            high + 16.0,
            low - 6.0
        );
    }
    let _ = write!(
        page,
        "<text x=\"{high}\" y=\"{:.0}\" text-anchor=\"end\">recall of {} groups</text><text x=\"{low}\" y=\"{:.0}\">precision</text>",
        high + 34.0,
        escape(&curve.kind),
        low - 16.0
    );
    let seen = || curve.points.iter().filter_map(|p| Some((p, across(p.recall()), up(p.precision?))));
    let line: Vec<String> = seen().map(|(_, x, y)| format!("{x:.1},{y:.1}")).collect();
    let _ = write!(page, "<polyline class=\"curve\" points=\"{}\"/>", line.join(" "));
    for (point, x, y) in seen() {
        let _ = write!(
            page,
            "<circle class=\"point\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/><text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            x + 6.0,
            y - 6.0,
            escape(&point.value)
        );
    }
    page.push_str("</svg>");
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_stands_where_its_precision_and_recall_are() {
        let point = |value: &str, alerts, precision, caught| Point {
            value: value.into(),
            alerts,
            precision,
            caught,
            groups: 4,
        };
        let points = vec![point("2", 10, Some(0.5), 4), point("<9>", 0, None, 0)];
        let curve = Curve { rule: "N".into(), parameter: "p".into(), kind: "fan_in".into(), points };
        let page = html(&[curve]);
        // Recall 1 is at the right edge, precision a half in the middle; what gave no alert has no place.
        assert!(page.contains("cx=\"468.0\" cy=\"258.0\""), "{page}");
        assert_eq!(page.matches("<circle").count(), 1);
        assert!(page.contains("&lt;9&gt;") && !page.contains("<9>"));
    }
}
