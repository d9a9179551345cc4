//! The evidence for a threshold: how scores are spread, what lies just above and just below the line, and what
//! another line would do. What a supervisor asks for when it asks why a setting was chosen.
//!
//! Pure: names come in, a report goes out. The report names screened parties, so it is for officers' eyes.

use std::fmt::Write;

use rayon::prelude::*;
use serde::Serialize;

use crate::{Query, Screener};

/// The width of a step of the histogram.
pub const STEP: f64 = 0.02;
/// The lowest score looked at; screen with this threshold to see all that the report shows.
pub const LOWEST: f64 = 0.50;
/// How far from the line a sample may lie.
pub const NEAR_LINE: f64 = 0.05;
/// Samples on each side of the line.
pub const SAMPLES_MAX: usize = 25;

/// The report.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Calibration {
    /// The threshold in question.
    pub threshold: f64,
    /// The active versions.
    pub lists: sluice_model::ListSet,
    /// Names on the lists.
    pub names_listed: usize,
    /// Parties that were screened.
    pub parties: usize,
    /// How many parties have their best score in each step, from [`LOWEST`] up.
    pub histogram: Vec<Bin>,
    /// What each threshold would give.
    pub effect: Vec<Effect>,
    /// Parties whose best score lies just above the line, nearest first.
    pub above: Vec<Sample>,
    /// And just below it.
    pub below: Vec<Sample>,
}

/// One step of the histogram.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Bin {
    /// The lowest score in it.
    pub from: f64,
    /// Parties with their best score in it.
    pub parties: usize,
}

/// What a threshold would give.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Effect {
    /// The threshold.
    pub threshold: f64,
    /// Parties that would meet at least one entry.
    pub parties: usize,
    /// Of all parties screened.
    pub share: f64,
    /// Matches in all.
    pub matches: usize,
}

/// A party near the line.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Sample {
    /// The party's name.
    pub query: String,
    /// What it met best.
    pub name: String,
    /// On which list.
    pub list: String,
    /// The entry.
    pub entry_id: String,
    /// How well.
    pub score: f64,
    /// Why, step by step.
    pub why: Vec<String>,
}

/// Screens the parties' names and reports. The screener's own threshold should be [`LOWEST`].
pub fn calibrate(screener: &Screener, parties: &[String], threshold: f64) -> Calibration {
    let screened: Vec<(Vec<f64>, Option<Sample>)> = parties
        .par_iter()
        .map(|party| {
            let matches = screener.screen_cold(&Query::name(party));
            let best = matches.first().map(|m| Sample {
                query: party.clone(),
                name: m.name.clone(),
                list: m.list.clone(),
                entry_id: m.entry_id.clone(),
                score: m.score,
                why: m.reasons.iter().map(|reason| reason.text.clone()).collect(),
            });
            (matches.iter().map(|m| m.score).collect(), best)
        })
        .collect();
    let lines = || steps().map(|line| (line * 1e4).round() / 1e4);
    let best =
        |line: f64| screened.iter().filter(|(_, b)| b.as_ref().is_some_and(|b| b.score >= line)).count();
    let histogram = lines().map(|from| Bin { from, parties: best(from) - best(from + STEP) }).collect();
    let effect = lines()
        .map(|line| Effect {
            threshold: line,
            parties: best(line),
            share: best(line) as f64 / parties.len().max(1) as f64,
            matches: screened.iter().flat_map(|(scores, _)| scores).filter(|s| **s >= line).count(),
        })
        .collect();
    let near = |above: bool| {
        let mut samples: Vec<Sample> = screened
            .iter()
            .filter_map(|(_, best)| best.clone())
            .filter(|s| (s.score >= threshold) == above && (s.score - threshold).abs() <= NEAR_LINE)
            .collect();
        samples.sort_by(|a, b| {
            let distance = |s: &Sample| (s.score - threshold).abs();
            distance(a).total_cmp(&distance(b)).then_with(|| a.query.cmp(&b.query))
        });
        samples.truncate(SAMPLES_MAX);
        samples
    };
    Calibration {
        threshold,
        lists: screener.lists().clone(),
        names_listed: screener.name_count(),
        parties: parties.len(),
        histogram,
        effect,
        above: near(true),
        below: near(false),
    }
}

fn steps() -> impl Iterator<Item = f64> {
    let count = ((1.0 - LOWEST) / STEP).round() as u32;
    (0..=count).map(|i| LOWEST + f64::from(i) * STEP)
}

impl Calibration {
    /// The report as one page that needs nothing else. Samples have room for a reviewer's verdict.
    pub fn to_html(&self) -> String {
        let mut page = String::from(PAGE_HEAD);
        self.write_html(&mut page);
        page
    }

    fn write_html(&self, page: &mut String) {
        let met = self.at_line().map_or(0, |e| e.parties);
        let (parties, names) = (grouped(self.parties), grouped(self.names_listed));
        put(
            page,
            format_args!(
                "<h1>Calibration of screening at {:.2}</h1>\
                 <p class=lead>{parties} parties against {names} listed names: <b>{}</b> would meet at least one entry.</p>",
                self.threshold,
                grouped(met)
            ),
        );
        page.push_str("<table><tr><th>List<th>Version, by content</tr>");
        for (list, version) in &self.lists {
            put(page, format_args!("<tr><td>{}<td><code>{version}</code></tr>", escaped(list)));
        }
        page.push_str("</table><h2>Best score of each party</h2>");
        self.plot(page);
        put(
            page,
            format_args!(
                "<p class=note>Parties whose best match lies in each step of {STEP:.2}; {} scored below {LOWEST:.2} or met \
                 nothing. Heights are square roots, so that single parties show beside thousands. The line stands at \
                 the threshold.</p><h2>What another threshold would do</h2>",
                grouped(self.parties - self.effect.first().map_or(0, |e| e.parties))
            ),
        );
        page.push_str(
            "<table class=effect><tr><th>Threshold<th>Parties<th>Against now<th>Share of all<th>Matches</tr>",
        );
        for e in &self.effect {
            let here = if self.is_here(e) { " class=here" } else { "" };
            let change = e.parties as i64 - met as i64;
            put(
                page,
                format_args!(
                    "<tr{here}><td>{:.2}<td>{}<td>{change:+}<td>{:.2} %<td>{}</tr>",
                    e.threshold,
                    grouped(e.parties),
                    e.share * 100.0,
                    grouped(e.matches)
                ),
            );
        }
        page.push_str("</table>");
        for (title, says, samples) in [
            ("Just above the line", "They are reported. Who is somebody else is a false hit.", &self.above),
            ("Just below the line", "They are not reported. Who is the same is missed.", &self.below),
        ] {
            put(page, format_args!("<h2>{title}</h2><p class=note>{says} Nearest to the line first.</p>"));
            samples_table(page, samples);
        }
        page.push_str("</html>\n");
    }

    fn is_here(&self, effect: &Effect) -> bool {
        (effect.threshold - self.threshold).abs() < STEP / 2.0
    }

    /// What the threshold in question gives.
    fn at_line(&self) -> Option<&Effect> {
        self.effect.iter().find(|e| self.is_here(e))
    }

    fn plot(&self, page: &mut String) {
        const STEP_WIDTH: usize = 34;
        const FLOOR: f64 = 170.0;
        const TALLEST: f64 = 140.0;
        let most = self.histogram.iter().map(|b| b.parties).max().unwrap_or(0).max(1) as f64;
        let width = STEP_WIDTH * self.histogram.len();
        put(
            page,
            format_args!(
                "<svg viewBox='0 0 {width} 190' role='img' aria-label='histogram of best scores'>\
                 <line x1='0' x2='{width}' y1='{FLOOR}' y2='{FLOOR}' class=axis />"
            ),
        );
        for (i, bin) in self.histogram.iter().enumerate() {
            let height = TALLEST * (bin.parties as f64 / most).sqrt();
            let side = if bin.from + STEP / 2.0 >= self.threshold { "above" } else { "below" };
            let (x, top) = (STEP_WIDTH * i, FLOOR - height);
            let middle = x + STEP_WIDTH / 2;
            put(
                page,
                format_args!(
                    "<rect x='{}' y='{top:.1}' width='{}' height='{height:.1}' class={side} />\
                     <text x='{middle}' y='185'>{:.2}</text>",
                    x + 3,
                    STEP_WIDTH - 6,
                    bin.from
                ),
            );
            if bin.parties > 0 {
                put(page, format_args!("<text x='{middle}' y='{:.1}'>{}</text>", top - 4.0, bin.parties));
            }
        }
        let line = (self.threshold - LOWEST) / STEP * STEP_WIDTH as f64;
        put(
            page,
            format_args!("<line x1='{line:.1}' x2='{line:.1}' y1='8' y2='{FLOOR}' class=line /></svg>"),
        );
    }
}

fn samples_table(page: &mut String, samples: &[Sample]) {
    if samples.is_empty() {
        put(page, format_args!("<p>None within {NEAR_LINE:.2} of the line.</p>"));
        return;
    }
    page.push_str(
        "<table class=samples><tr><th>Score<th>Party<th>Listed name<th>Entry<th>Why<th>Same? By whom</tr>",
    );
    for s in samples {
        let (query, name) = (escaped(&s.query), escaped(&s.name));
        let (list, entry, why) = (escaped(&s.list), escaped(&s.entry_id), escaped(&s.why.join("; ")));
        put(
            page,
            format_args!(
                "<tr><td>{:.4}<td>{query}<td>{name}<td>{list} {entry}<td class=why>{why}<td class=verdict></tr>",
                s.score
            ),
        );
    }
    page.push_str("</table>");
}

/// Writing to a text cannot fail.
fn put(page: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = page.write_fmt(text);
}

/// Thousands apart.
fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

const PAGE_HEAD: &str = "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>\
<title>Calibration of screening</title><style>\
body{font:15px/1.5 system-ui,'Noto Sans CJK TC',sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#17212b}\
h1{margin-bottom:.2rem}h2{margin:1.6rem 0 .3rem}.lead{font-size:1.1rem}.note{color:#56636f;margin:.2rem 0 .6rem}\
table{border-collapse:collapse;margin:.5rem 0}td,th{padding:.2rem .7rem;border-bottom:1px solid #dbe1e6;text-align:left;vertical-align:top}\
.effect td,.effect th{text-align:right;font-variant-numeric:tabular-nums}.effect{font-size:.93rem}.effect td{padding-top:.05rem;padding-bottom:.05rem}\
.samples{width:100%}.why{color:#56636f;font-size:.88rem}.verdict{min-width:8rem;border-left:1px solid #dbe1e6}\
.here{background:#fff3cd;font-weight:600}svg{width:100%}svg text{font-size:11px;text-anchor:middle;fill:#56636f}\
.above{fill:#b3261e}.below{fill:#4a6fa5}.axis{stroke:#b9c4cd}.line{stroke:#17212b;stroke-dasharray:4 3}\
@media print{body{margin:0}tr{break-inside:avoid}}</style>";

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sluice_model::EntryKind;

    use super::*;
    use crate::{Entry, ListVersion, Settings};

    #[test]
    fn every_party_stands_in_one_step_and_the_page_escapes_names() {
        let entries = vec![
            Entry::new("1", EntryKind::Person, "ZORKIN, Vasil"),
            Entry::new("2", EntryKind::Organisation, "Heron & <b> Shipping"),
        ];
        let version = Arc::new(ListVersion::new("test", entries).unwrap());
        let screener =
            Screener::build(&[version], Settings { threshold: Some(LOWEST), ..Settings::default() });
        let parties: Vec<String> =
            ["Vasil Zorkin", "Heron & <b> Shipping", "Somebody Else"].map(Into::into).into();
        let report = calibrate(&screener, &parties, 1.0);
        assert_eq!(report.histogram.iter().map(|b| b.parties).sum::<usize>(), 2);
        assert_eq!(report.effect.first().unwrap().parties, 2);
        assert!(report.effect.windows(2).all(|w| w[0].parties >= w[1].parties));
        let page = report.to_html();
        assert!(page.contains("&lt;b&gt; Shipping") && !page.contains("<b> Shipping"));
        assert!(!page.contains("http"), "it needs nothing else");
    }
}
