//! Back-tests: the alerts of two rule sets over the same history, compared. Pure: whoever runs one hands in
//! both sets of alerts.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Write},
};

use serde::Serialize;
use sluice_model::{Action, Alert, EventTime, Severity};

/// Alerts of one kind of change that a text or page names one by one; the rest are counted.
const SHOWN_MAX: usize = 200;

/// Known truth, to count how many alerts are right and how much was found.
pub trait Labels {
    /// How many things there are to find.
    fn total(&self) -> usize;
    /// Those that the alert finds.
    fn found_by(&self, alert: &Alert) -> Vec<usize>;
}

/// What changes from the active set to the candidate.
#[derive(Debug, Serialize)]
pub struct Backtest {
    /// Events replayed.
    pub events: u64,
    /// Alerts of both sets on the same rule, key and event.
    pub above: usize,
    /// Alerts of the candidate alone: below the active line.
    pub below: usize,
    /// Alerts of the active set alone: lost.
    pub lost: usize,
    /// By rule.
    pub rules: BTreeMap<String, Counts>,
    /// By kind and value of key; the keys with the most changes, most first.
    pub keys: Vec<(String, Counts)>,
    /// By day of event time: alerts of the active set and of the candidate.
    pub days: BTreeMap<String, [usize; 2]>,
    /// What the candidate says and the active set does not.
    pub appears: Vec<Line>,
    /// What the active set says and the candidate does not.
    pub disappears: Vec<Line>,
    /// What both say, otherwise.
    pub changes: Vec<Change>,
    /// Against labels, where there are some: the active set's, then the candidate's.
    pub quality: Option<[Quality; 2]>,
}

/// Alerts counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Counts {
    /// Of the active set.
    pub active: usize,
    /// Of the candidate.
    pub candidate: usize,
    /// Of the candidate alone.
    pub appears: usize,
    /// Of the active set alone.
    pub disappears: usize,
    /// Of both, otherwise.
    pub changes: usize,
}

/// One alert.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Line {
    /// The rule's id.
    pub rule: String,
    /// The key: `account 012-345`.
    pub key: String,
    /// The event.
    pub event_id: String,
    /// Its time.
    pub occurred_at: EventTime,
    /// How grave.
    pub severity: Severity,
    /// What it asks for.
    pub action: Action,
    /// In words.
    pub reason: String,
}

/// One alert, before and after.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Change {
    /// As the active set says it.
    pub before: Line,
    /// As the candidate says it.
    pub after: Line,
}

/// How good a set's alerts are against labels.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Quality {
    /// Alerts.
    pub alerts: usize,
    /// Alerts that find something.
    pub right: usize,
    /// Things to find.
    pub labels: usize,
    /// Things found.
    pub found: usize,
    /// right ÷ alerts; none without alerts.
    pub precision: Option<f64>,
    /// found ÷ labels; none without labels.
    pub recall: Option<f64>,
}

/// What makes an alert of one set the same as one of the other.
fn identity(alert: &Alert) -> (String, String, String) {
    let key = format!("{} {}", alert.key.kind.name(), alert.key.value);
    (alert.rule_id.clone(), key, format!("{:?}", alert.cause))
}

impl Line {
    fn of(alert: &Alert) -> Self {
        Self {
            rule: alert.rule_id.clone(),
            key: format!("{} {}", alert.key.kind.name(), alert.key.value),
            event_id: alert.event_id.clone(),
            occurred_at: alert.occurred_at,
            severity: alert.severity,
            action: alert.action,
            reason: alert.reason.clone(),
        }
    }
}

impl Quality {
    /// Hold alerts against labels.
    pub fn of(alerts: &[Alert], labels: &dyn Labels) -> Self {
        let mut found = BTreeSet::new();
        let mut right = 0;
        for alert in alerts {
            let finds = labels.found_by(alert);
            right += usize::from(!finds.is_empty());
            found.extend(finds);
        }
        let share = |part: usize, whole: usize| (whole > 0).then(|| part as f64 / whole as f64);
        Self {
            alerts: alerts.len(),
            right,
            labels: labels.total(),
            found: found.len(),
            precision: share(right, alerts.len()),
            recall: share(found.len(), labels.total()),
        }
    }
}

impl Backtest {
    /// Compare the alerts of two sets over the same events.
    pub fn compare(events: u64, active: &[Alert], candidate: &[Alert], labels: Option<&dyn Labels>) -> Self {
        let index = |alerts: &[Alert]| -> BTreeMap<_, Line> {
            alerts.iter().map(|a| (identity(a), Line::of(a))).collect()
        };
        let (before, after) = (index(active), index(candidate));
        let mut report = Self {
            events,
            above: 0,
            below: 0,
            lost: 0,
            rules: BTreeMap::new(),
            keys: Vec::new(),
            days: BTreeMap::new(),
            appears: Vec::new(),
            disappears: Vec::new(),
            changes: Vec::new(),
            quality: labels.map(|l| [Quality::of(active, l), Quality::of(candidate, l)]),
        };
        let mut keys: BTreeMap<String, Counts> = BTreeMap::new();
        for id in before.keys().chain(after.keys().filter(|id| !before.contains_key(*id))) {
            let mut change = Counts::default();
            let (old, new) = (before.get(id), after.get(id));
            match (old, new) {
                (Some(line), None) => {
                    change.disappears = 1;
                    report.disappears.push(line.clone());
                }
                (None, Some(line)) => {
                    change.appears = 1;
                    report.appears.push(line.clone());
                }
                (Some(old), Some(new)) if old != new => {
                    change.changes = 1;
                    report.changes.push(Change { before: old.clone(), after: new.clone() });
                }
                _ => {}
            }
            change.active = usize::from(old.is_some());
            change.candidate = usize::from(new.is_some());
            for counts in
                [report.rules.entry(id.0.clone()).or_default(), keys.entry(id.1.clone()).or_default()]
            {
                counts.add(change);
            }
            for (line, set) in [(old, 0), (new, 1)] {
                if let Some(line) = line {
                    let day = line.occurred_at.to_string().chars().take(10).collect::<String>();
                    report.days.entry(day).or_default()[set] += 1;
                }
            }
        }
        report.above = before.keys().filter(|id| after.contains_key(*id)).count();
        (report.below, report.lost) = (report.appears.len(), report.disappears.len());
        for lines in [&mut report.appears, &mut report.disappears] {
            lines.sort_by(|a, b| (a.occurred_at, &a.rule, &a.key).cmp(&(b.occurred_at, &b.rule, &b.key)));
        }
        report.keys = keys.into_iter().filter(|(_, counts)| counts.changed() > 0).collect();
        report.keys.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.changed()));
        report
    }

    /// Whether the candidate says the same as the active set.
    pub fn is_empty(&self) -> bool {
        self.appears.is_empty() && self.disappears.is_empty() && self.changes.is_empty()
    }

    /// A page whole in one file: plots, tables, no scripts, nothing to fetch.
    pub fn html(&self) -> String {
        let mut page = String::from(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Back-test</title><style>\
             body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1c2430}\
             table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #d8dee6;padding:.3rem .6rem;text-align:left}\
             td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}.a{fill:#8aa0b8}.c{fill:#1f6f54}\
             svg text{font:12px system-ui,sans-serif;fill:#1c2430}h2{margin-top:2.5rem}</style></head><body><h1>Back-test</h1>",
        );
        let _ = write!(
            page,
            "<p>{} events. {} alerts stay, {} appear below the active line, {} disappear, {} change.</p>",
            self.events,
            self.above,
            self.below,
            self.lost,
            self.changes.len()
        );
        if let Some(quality) = &self.quality {
            page.push_str(
                "<h2>Against labels</h2><table><tr><th></th><th class=n>alerts</th><th class=n>right</th>\
                           <th class=n>precision</th><th class=n>found</th><th class=n>recall</th></tr>",
            );
            for (name, q) in ["active", "candidate"].iter().zip(quality) {
                let _ = write!(
                    page,
                    "<tr><td>{name}</td><td class=n>{}</td><td class=n>{}</td><td class=n>{}</td><td class=n>{} of {}</td><td class=n>{}</td></tr>",
                    q.alerts,
                    q.right,
                    percent(q.precision),
                    q.found,
                    q.labels,
                    percent(q.recall)
                );
            }
            page.push_str("</table>");
        }
        page.push_str("<h2>By rule</h2>");
        page.push_str(&self.bars());
        page.push_str("<table><tr><th>rule</th><th class=n>active</th><th class=n>candidate</th><th class=n>appears</th><th class=n>disappears</th><th class=n>changes</th></tr>");
        for (rule, counts) in &self.rules {
            counts.row(rule, &mut page);
        }
        page.push_str("</table><h2>By day</h2>");
        page.push_str(&self.timeline());
        page.push_str("<h2>Keys with the most changes</h2><table><tr><th>key</th><th class=n>active</th><th class=n>candidate</th><th class=n>appears</th><th class=n>disappears</th><th class=n>changes</th></tr>");
        for (key, counts) in self.keys.iter().take(SHOWN_MAX) {
            counts.row(key, &mut page);
        }
        page.push_str("</table>");
        for (title, lines) in [("Appears", &self.appears), ("Disappears", &self.disappears)] {
            let _ = write!(page, "<h2>{title} ({})</h2><table>", lines.len());
            for line in lines.iter().take(SHOWN_MAX) {
                let _ = write!(
                    page,
                    "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                    line.occurred_at,
                    escape(&line.rule),
                    escape(&line.key),
                    escape(&line.reason)
                );
            }
            page.push_str("</table>");
        }
        page.push_str("</body></html>\n");
        page
    }

    /// Two bars a rule: active above, candidate below.
    fn bars(&self) -> String {
        const ROW: usize = 34;
        const WIDTH: f64 = 640.0;
        let most = self.rules.values().map(|c| c.active.max(c.candidate)).max().unwrap_or(0).max(1) as f64;
        let mut svg = format!("<svg viewBox=\"0 0 900 {}\" role=\"img\">", self.rules.len() * ROW + 10);
        for (i, (rule, counts)) in self.rules.iter().enumerate() {
            let y = i * ROW;
            let _ = write!(svg, "<text x=\"0\" y=\"{}\">{}</text>", y + 20, escape(rule));
            for (class, count, offset) in [("a", counts.active, 4), ("c", counts.candidate, 16)] {
                let width = WIDTH * count as f64 / most;
                let _ = write!(
                    svg,
                    "<rect class=\"{class}\" x=\"160\" y=\"{}\" width=\"{width:.1}\" height=\"10\"/><text x=\"{:.1}\" y=\"{}\">{count}</text>",
                    y + offset,
                    166.0 + width,
                    y + offset + 9
                );
            }
        }
        svg.push_str("</svg>");
        svg
    }

    /// Alerts a day, of both sets.
    fn timeline(&self) -> String {
        const WIDTH: f64 = 880.0;
        const HEIGHT: f64 = 160.0;
        let most = self.days.values().map(|[a, c]| *a.max(c)).max().unwrap_or(0).max(1) as f64;
        let step = WIDTH / self.days.len().max(1) as f64;
        let mut svg = String::from("<svg viewBox=\"0 0 900 200\" role=\"img\">");
        for (i, counts) in self.days.values().enumerate() {
            for (class, count, shift) in [("a", counts[0], 0.0), ("c", counts[1], step / 2.0)] {
                let height = HEIGHT * count as f64 / most;
                let _ = write!(
                    svg,
                    "<rect class=\"{class}\" x=\"{:.2}\" y=\"{:.1}\" width=\"{:.2}\" height=\"{height:.1}\"/>",
                    i as f64 * step + shift,
                    HEIGHT - height,
                    (step / 2.0 * 0.9).max(0.5)
                );
            }
        }
        if let (Some(first), Some(last)) = (self.days.keys().next(), self.days.keys().next_back()) {
            let _ =
                write!(svg, "<text x=\"0\" y=\"180\">{first}</text><text x=\"820\" y=\"180\">{last}</text>");
        }
        svg.push_str("</svg>");
        svg
    }
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.active += other.active;
        self.candidate += other.candidate;
        self.appears += other.appears;
        self.disappears += other.disappears;
        self.changes += other.changes;
    }

    fn changed(self) -> usize {
        self.appears + self.disappears + self.changes
    }

    fn row(self, name: &str, page: &mut String) {
        let Self { active, candidate, appears, disappears, changes } = self;
        let _ = write!(page, "<tr><td>{}</td>", escape(name));
        for count in [active, candidate, appears, disappears, changes] {
            let _ = write!(page, "<td class=n>{count}</td>");
        }
        page.push_str("</tr>");
    }
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.1}%", share * 100.0))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

impl fmt::Display for Backtest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} events: {} alerts stay, {} appear below the active line, {} disappear, {} change",
            self.events,
            self.above,
            self.below,
            self.lost,
            self.changes.len()
        )?;
        for (rule, c) in &self.rules {
            writeln!(
                f,
                "  {rule}: {} -> {} (+{} -{} ~{})",
                c.active, c.candidate, c.appears, c.disappears, c.changes
            )?;
        }
        if !self.keys.is_empty() {
            writeln!(f, "keys with the most changes")?;
        }
        for (key, c) in self.keys.iter().take(10) {
            writeln!(f, "  {key}: +{} -{} ~{}", c.appears, c.disappears, c.changes)?;
        }
        for (name, q) in ["active", "candidate"].iter().zip(self.quality.iter().flatten()) {
            writeln!(
                f,
                "{name}: {} alerts, precision {}; {} of {} labels found, recall {}",
                q.alerts,
                percent(q.precision),
                q.found,
                q.labels,
                percent(q.recall)
            )?;
        }
        Ok(())
    }
}
