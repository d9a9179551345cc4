//! Measures the quality of screening on one half of the data: `screening_eval [tuning|held] [-v] [PART…] [JSON]`.
//! Parts: pairs, aliases, scripts, own, ordinary; all by default. `-v` lists what went wrong. JSON: other constants
//! of the score than the defaults (`{"extra":1.2}`).
#![expect(clippy::print_stdout, reason = "a report")]

use std::collections::BTreeMap;

use sluice_benches::screening::{self as eval, Half};
use sluice_lists::{DEFAULT_THRESHOLD, Query, Scoring, Screener, Settings, import::Format};

type Part = fn(&Run);

struct Run {
    half: Half,
    verbose: bool,
    scoring: Scoring,
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let has = |what: &str| args.iter().any(|a| a == what);
    let run = Run {
        half: if has("held") { Half::Held } else { Half::Tuning },
        verbose: has("-v"),
        scoring: args.iter().find(|a| a.starts_with('{')).and_then(|a| changed(a)).unwrap_or_default(),
    };
    if eval::shared().is_none() {
        println!("left out: the evaluation of screening (no ../shared)");
        return;
    }
    println!("{:?} half", run.half);
    let parts: [(&str, Part); 5] =
        [("pairs", pairs), ("aliases", aliases), ("scripts", scripts), ("own", own), ("ordinary", ordinary)];
    let named = parts.iter().any(|(name, _)| has(name));
    for (_, part) in parts.iter().filter(|(name, _)| !named || has(name)) {
        part(&run);
    }
}

/// The defaults with some constants changed.
fn changed(json: &str) -> Option<Scoring> {
    let mut all = serde_json::to_value(Scoring::default()).ok()?;
    let some: serde_json::Map<String, serde_json::Value> = serde_json::from_str(json).ok()?;
    all.as_object_mut()?.extend(some);
    serde_json::from_value(all).ok()
}

fn pairs(run: &Run) {
    let pairs = eval::labelled_pairs(run.half);
    let scored = eval::score_pairs(&pairs, &run.scoring);
    for threshold in [0.70, 0.75, DEFAULT_THRESHOLD, 0.85, 0.90] {
        let q = eval::Quality::at(threshold, scored.iter().copied());
        println!("pairs {threshold:.2}: P {:.3} R {:.3} F1 {:.3}", q.precision, q.recall, q.f1);
    }
    let f1_at = |scored: &[(f64, bool)], t: f64| eval::Quality::at(t, scored.iter().copied()).f1;
    let f1 = eval::bootstrap(&scored, |cases| f1_at(cases, DEFAULT_THRESHOLD));
    println!("pairs at .80: F1 {f1} of {}", scored.len());
    // A peer is given the threshold that suits it best on the tuning half.
    let tuning = eval::labelled_pairs(Half::Tuning);
    for (name, measure) in eval::PEERS {
        let score = |p: &eval::Labelled| (measure(&eval::plain(&p.left), &eval::plain(&p.right)), p.same);
        let fitted: Vec<_> = tuning.iter().map(score).collect();
        let best = (50..100).map(|t| f64::from(t) / 100.0);
        let best = best.max_by(|a, b| f1_at(&fitted, *a).total_cmp(&f1_at(&fitted, *b))).unwrap_or(0.8);
        let scored: Vec<_> = pairs.iter().map(score).collect();
        println!("pairs, {name} at {best:.2}: F1 {}", eval::bootstrap(&scored, |cases| f1_at(cases, best)));
    }
    if run.verbose {
        for (pair, (score, same)) in pairs.iter().zip(&scored) {
            if (*score >= DEFAULT_THRESHOLD) != *same {
                let what = if *same { "MISS " } else { "FALSE" };
                println!("{what} {score:.3} {} | {}", pair.left, pair.right);
            }
        }
    }
}

/// Every so many of the ordinary names are asked.
const ORDINARY_STEP: usize = 10;
/// And of those, every so many of the peers, which compare with every name.
const PEERS_STEP: usize = 5;

fn aliases(run: &Run) {
    let Some(list) = eval::list("ofac_sdn_2021-07", Format::OfacCsv) else { return };
    let (primaries, tasks) = eval::alias_tasks(&list, run.half);
    let names: Vec<String> = primaries.iter().map(|e| eval::plain(e.primary_name())).collect();
    let Some(screener) = eval::screener("primaries", primaries, run.scoring, 0.2) else { return };
    let ordinary = eval::ordinary_names(ORDINARY_STEP);
    let mut false_hits: Vec<f64> = ordinary.iter().map(|n| eval::best(&screener, n)).collect();
    let found: Vec<f64> = tasks.iter().map(|t| eval::found(&screener, t)).collect();
    report_aliases("", &mut false_hits, &found);
    println!(
        "aliases at .80: recall {:.3}, false hits {:.4}",
        eval::recall(&found, DEFAULT_THRESHOLD),
        eval::recall(&false_hits, DEFAULT_THRESHOLD)
    );
    if run.verbose {
        for (task, score) in tasks.iter().zip(&found).filter(|(_, s)| **s < 0.7).step_by(8) {
            println!("{score:.3} {} | {}", task.query, task.primary);
        }
        let mut best: Vec<_> =
            ordinary.iter().map(|n| screener.screen_cold(&Query::name(n))).zip(&ordinary).collect();
        best.retain(|(m, _)| m.first().is_some_and(|m| m.score > 0.6));
        for (matches, name) in best.iter().step_by(4) {
            println!("FALSE {:.3} {name} | {}", matches[0].score, matches[0].name);
        }
        return;
    }
    for (name, measure) in eval::PEERS {
        let best = |ordinary: &String| {
            let ordinary = eval::plain(ordinary);
            names.iter().map(|listed| measure(&ordinary, listed)).fold(0.0, f64::max)
        };
        let mut false_hits: Vec<f64> = ordinary.iter().step_by(PEERS_STEP).map(best).collect();
        let found: Vec<f64> =
            tasks.iter().map(|t| measure(&eval::plain(&t.query), &eval::plain(&t.primary))).collect();
        report_aliases(name, &mut false_hits, &found);
    }
}

fn report_aliases(name: &str, false_hits: &mut [f64], found: &[f64]) {
    for share in [0.02, 0.10] {
        let threshold = eval::threshold_at(false_hits, share);
        let recall = eval::bootstrap(found, |cases| eval::recall(cases, threshold));
        println!(
            "aliases {name} at {share} false hits: threshold {threshold:.3}, recall {recall} of {}",
            found.len()
        );
    }
}

/// A list's names in their own script against its Latin names.
fn scripts(run: &Run) {
    for (folder, format) in [("un_2026-02", Format::UnXml), ("ofac_sdn_2021-07", Format::OfacCsv)] {
        let Some(list) = eval::list(folder, format) else { continue };
        let (latin, tasks) = eval::script_tasks(&list, Some(run.half));
        let Some(screener) = eval::screener("latin", latin, run.scoring, 0.4) else { continue };
        let mut by_script: BTreeMap<_, Vec<f64>> = BTreeMap::new();
        for (script, task) in &tasks {
            let score = eval::found(&screener, task);
            by_script.entry(*script).or_default().push(score);
            if run.verbose && score < DEFAULT_THRESHOLD {
                println!("{script:?} {score:.3} {} | {}", task.query, task.primary);
            }
        }
        for (script, scores) in by_script {
            let recall = eval::bootstrap(&scores, |cases| eval::recall(cases, DEFAULT_THRESHOLD));
            println!("{folder} {script:?}: {recall} of {}", scores.len());
        }
    }
}

/// OFAC and UN, as a payment company would have them.
fn lists(threshold: f64, scoring: Scoring) -> Option<Screener> {
    let lists = [eval::list("ofac_sdn_2021-07", Format::OfacCsv)?, eval::list("un_2026-02", Format::UnXml)?];
    Some(Screener::build(&lists, Settings { threshold: Some(threshold), scoring }))
}

/// Own sets of original and Latin names, both ways round, with whom else they meet.
fn own(run: &Run) {
    let Some(lists) = lists(DEFAULT_THRESHOLD, run.scoring) else { return };
    for (language, set) in eval::SETS {
        let (entries, tasks) = eval::script_pairs(set, Some(run.half));
        let Some(screener) = eval::screener("own", entries, run.scoring, 0.3) else { continue };
        let (mut scores, mut others, mut on_lists) = (Vec::new(), 0, 0);
        for task in &tasks {
            let matches = screener.screen_cold(&Query::name(&task.query));
            let own = matches.iter().find(|m| m.entry_id == task.entry).map_or(0.0, |m| m.score);
            scores.push(own);
            let other = matches.iter().find(|m| m.entry_id != task.entry && m.score >= DEFAULT_THRESHOLD);
            others += usize::from(other.is_some());
            let listed = lists.screen_cold(&Query::name(&task.query));
            on_lists += usize::from(!listed.is_empty());
            if run.verbose {
                if own < DEFAULT_THRESHOLD {
                    println!("{language} {own:.3} {} | {}", task.query, task.primary);
                }
                if let Some(m) = other {
                    println!("{language} OTHER {:.3} {} | {}", m.score, task.query, m.name);
                }
                if let Some(m) = listed.first() {
                    println!("{language} LISTED {:.3} {} | {}", m.score, task.query, m.name);
                }
            }
        }
        let recall = eval::bootstrap(&scores, |cases| eval::recall(cases, DEFAULT_THRESHOLD));
        let share = |n: usize| 100.0 * n as f64 / tasks.len().max(1) as f64;
        println!(
            "own {language}: {recall} of {}; meet another of the set {:.1} %, OFAC or UN {:.1} %",
            tasks.len(),
            share(others),
            share(on_lists)
        );
    }
}

/// Simulated payments that are asked.
const PAYMENTS: usize = 20_000;

/// Ordinary names against OFAC and UN: none should meet.
fn ordinary(run: &Run) {
    let Some(screener) = lists(DEFAULT_THRESHOLD, run.scoring) else { return };
    let mut sets = eval::ordinary();
    sets.push(("United States", eval::ordinary_names(ORDINARY_STEP)));
    for (place, names) in sets {
        let hits: Vec<_> = names.iter().map(|n| screener.screen_cold(&Query::name(n))).collect();
        let met: Vec<f64> = hits.iter().map(|h| f64::from(u8::from(!h.is_empty()))).collect();
        println!(
            "ordinary names, {place}: {} of {} meet",
            eval::bootstrap(&met, |m| eval::recall(m, 0.5)),
            met.len()
        );
        if run.verbose {
            let met = names.iter().zip(&hits).filter_map(|(n, h)| Some((n, h.first()?)));
            for (name, hit) in met.step_by(7) {
                println!("  {:.3} {name} | {}", hit.score, hit.name);
            }
        }
    }
    let payments = eval::payments(PAYMENTS);
    let (held, names) = eval::held(&screener, &payments);
    println!(
        "simulated payments: {:.2} % of {} held",
        100.0 * held as f64 / payments.len() as f64,
        payments.len()
    );
    if run.verbose {
        for (name, hit) in names {
            println!("  {name} | {hit}");
        }
    }
}
