//! Measures the quality of screening on the development data: `screening_eval [tuning|held]`.

use sluice_benches::screening::{self as eval, Half};
use sluice_lists::{Scoring, import::Format};

#[expect(clippy::print_stdout, reason = "a report")]
fn main() {
    let mut args = std::env::args().skip(1);
    let half = if args.next().as_deref() == Some("held") { Half::Held } else { Half::Tuning };
    let verbose = args.next().is_some_and(|a| a == "-v");
    let scoring = Scoring::default();
    if eval::shared().is_none() {
        println!("left out: the evaluation of screening (no ../shared)");
        return;
    }

    let pairs = eval::labelled_pairs(half);
    let scored = eval::score_pairs(&pairs, &scoring);
    for threshold in [0.70, 0.75, 0.78, 0.80, 0.82, 0.85, 0.90] {
        let q = eval::Quality::at(threshold, scored.iter().copied());
        println!("pairs {threshold:.2}: P {:.3} R {:.3} F1 {:.3}", q.precision, q.recall, q.f1);
    }
    let f1 = eval::bootstrap(&scored, |cases| eval::Quality::at(0.80, cases.iter().copied()).f1);
    println!("pairs at .80: F1 {f1} of {}", scored.len());
    if verbose {
        for (pair, (score, same)) in pairs.iter().zip(&scored) {
            if (*score >= 0.80) != *same {
                println!(
                    "{} {score:.3} {} | {}",
                    if *same { "MISS " } else { "FALSE" },
                    pair.left,
                    pair.right
                );
            }
        }
    }

    if let Some(list) = eval::list("ofac_sdn_2021-07", Format::OfacCsv) {
        let (primaries, tasks) = eval::alias_tasks(&list, half);
        if let Some(screener) = eval::screener("primaries", primaries, scoring, 0.2) {
            let mut ordinary: Vec<f64> =
                eval::ordinary_names(10).iter().map(|n| eval::best(&screener, n)).collect();
            let found: Vec<f64> = tasks.iter().map(|t| eval::found(&screener, t)).collect();
            for share in [0.02, 0.10] {
                let threshold = eval::threshold_at(&mut ordinary, share);
                let recall = eval::bootstrap(&found, |cases| eval::recall(cases, threshold));
                println!(
                    "aliases at {share} false hits: threshold {threshold:.3}, recall {recall} of {}",
                    found.len()
                );
            }
            println!(
                "aliases at .80: recall {:.3}, false hits {:.4}",
                eval::recall(&found, 0.8),
                eval::recall(&ordinary, 0.8)
            );
            if verbose {
                for (task, score) in tasks.iter().zip(&found).filter(|(_, s)| **s < 0.7).step_by(12) {
                    println!("{score:.3} {} | {}", task.query, task.primary);
                }
            }
        }
    }

    if let Some(list) = eval::list("un_2026-02", Format::UnXml) {
        let (latin, tasks) = eval::script_tasks(&list, Some(half));
        if let Some(screener) = eval::screener("un", latin, scoring, 0.4) {
            let mut by_script: std::collections::BTreeMap<_, Vec<f64>> = std::collections::BTreeMap::new();
            for (script, task) in &tasks {
                let score = eval::found(&screener, task);
                by_script.entry(*script).or_default().push(score);
                if verbose && score < 0.8 {
                    println!("{script:?} {score:.3} {} | {}", task.query, task.primary);
                }
            }
            for (script, scores) in by_script {
                let recall = eval::bootstrap(&scores, |cases| eval::recall(cases, 0.8));
                println!("{script:?}: {recall} of {}", scores.len());
            }
        }
    }
}
