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
    /// The report as one page that needs nothing else.
    pub fn to_html(&self) -> String {
        let mut page = String::from(PAGE_HEAD);
        // Writing to a text cannot fail.
        let _ = write!(
            page,
            "<h1>Calibration at {:.2}</h1><p>{} parties against {} listed names.</p><table><tr><th>List<th>Version</tr>",
            self.threshold, self.parties, self.names_listed
        );
        for (list, version) in &self.lists {
            let _ = write!(page, "<tr><td>{}<td><code>{version}</code></tr>", escaped(list));
        }
        page.push_str("</table><h2>Best score of each party</h2>");
        self.plot(&mut page);
        page.push_str(
            "<h2>What another threshold would do</h2><table><tr><th>Threshold<th>Parties<th>Share<th>Matches</tr>",
        );
        for e in &self.effect {
            let here = if (e.threshold - self.threshold).abs() < STEP / 2.0 { " class=here" } else { "" };
            let _ = write!(
                page,
                "<tr{here}><td>{:.2}<td>{}<td>{:.2} %<td>{}</tr>",
                e.threshold,
                e.parties,
                e.share * 100.0,
                e.matches
            );
        }
        page.push_str("</table>");
        for (title, samples) in [("Just above the line", &self.above), ("Just below the line", &self.below)] {
            let _ = write!(
                page,
                "<h2>{title}</h2><table><tr><th>Score<th>Party<th>Listed name<th>List<th>Entry</tr>"
            );
            for s in samples {
                let _ = write!(
                    page,
                    "<tr><td>{:.4}<td>{}<td>{}<td>{}<td>{}</tr>",
                    s.score,
                    escaped(&s.query),
                    escaped(&s.name),
                    escaped(&s.list),
                    escaped(&s.entry_id)
                );
            }
            page.push_str("</table>");
        }
        page.push_str("</html>\n");
        page
    }

    fn plot(&self, page: &mut String) {
        let most = self.histogram.iter().map(|b| b.parties).max().unwrap_or(0).max(1) as f64;
        let width = 24 * self.histogram.len();
        let _ = write!(
            page,
            "<svg viewBox='0 0 {width} 180' width='{width}' role='img' aria-label='histogram of best scores'>"
        );
        for (i, bin) in self.histogram.iter().enumerate() {
            // A square root, so that single parties show beside thousands.
            let height = 140.0 * (bin.parties as f64 / most).sqrt();
            let colour = if bin.from + STEP / 2.0 >= self.threshold { "#b3261e" } else { "#4a6fa5" };
            let x = 24 * i;
            let _ = write!(
                page,
                "<rect x='{x}' y='{:.1}' width='20' height='{height:.1}' fill='{colour}'><title>{:.2}: {}</title></rect>\
                 <text x='{}' y='172'>{:.2}</text>",
                155.0 - height,
                bin.from,
                bin.parties,
                x + 10,
                bin.from
            );
        }
        page.push_str("</svg>");
    }
}

const PAGE_HEAD: &str = "<!doctype html><html lang=en><meta charset=utf-8><title>Calibration of screening</title>\
<style>body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}\
table{border-collapse:collapse;margin:.5rem 0}td,th{padding:.2rem .7rem;border-bottom:1px solid #ddd;text-align:left}\
.here{background:#fff3cd}svg text{font-size:9px;text-anchor:middle}svg{max-width:100%}</style>";

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
            ["Vasil Zorkin", "Heron & b Shipping", "Somebody Else"].map(Into::into).into();
        let report = calibrate(&screener, &parties, 0.8);
        assert_eq!(report.histogram.iter().map(|b| b.parties).sum::<usize>(), 2);
        assert_eq!(report.effect.first().unwrap().parties, 2);
        assert!(report.effect.windows(2).all(|w| w[0].parties >= w[1].parties));
        assert!(!report.to_html().contains("<b>"));
    }
}
