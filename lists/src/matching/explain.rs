//! A score in words: which tokens met, how, through which script path, with what weight, and what everything
//! else did. Enough to write in a case file.
//!
//! Owns wording only.

use sluice_model::Reason;

use super::{
    name::Name,
    scorer::{Against, Outcome, Run},
    scripts::Path,
    similarity::{Form, similarity},
};

/// Scores are given to four decimals, so that they read and hash the same everywhere.
pub(crate) fn rounded(score: f32) -> f64 {
    (f64::from(score) * 1e4).round() / 1e4
}

/// A reason with its weight rounded likewise.
pub(crate) fn reason(step: &str, text: String, weight: f64) -> Reason {
    Reason { step: step.to_owned(), text, weight: (weight * 1e4).round() / 1e4 }
}

/// The reasons for a score of `query` against `listed`.
pub(crate) fn reasons(query: &Name, listed: &Name, outcome: &Outcome) -> Vec<Reason> {
    let mut out = Vec::new();
    let whole = f64::from(outcome.whole.max(f32::MIN_POSITIVE));
    let mut met: Vec<_> = outcome.pairs.iter().collect();
    met.sort_by_key(|m| m.pair.query.from);
    for m in met {
        let (left, right) = (query.shown(m.pair.query), listed.shown(m.pair.listed));
        let how = how(query, listed, m.pair.query, m.pair.listed);
        let text = format!("{left} = {right}: {how}, {:.2} near", m.pair.nearness);
        out.push(reason("token", text, f64::from(m.earned) / whole));
    }
    let both = outcome.extra != 0 && outcome.missing != 0;
    let left_over = |name: &Name, mask: u32| {
        let words: Vec<_> = name
            .shown
            .iter()
            .enumerate()
            .filter(|(i, _)| mask & (1 << i) != 0)
            .map(|(_, s)| s.as_str())
            .collect();
        words.join(" ")
    };
    let (extra, missing) = (left_over(query, outcome.extra), left_over(listed, outcome.missing));
    let cost = |c: f32| -f64::from(c) / whole;
    if both {
        if outcome.slips > 0.0 {
            let text = format!("{extra} is nearly {missing}: forgiven in part");
            out.push(reason("slip", text, f64::from(outcome.slips) / whole));
        }
        out.push(reason("contradiction", format!("{extra} against {missing}"), cost(outcome.contradiction)));
    }
    if outcome.omission > 0.0 {
        let (step, text) = match (extra.is_empty(), missing.is_empty()) {
            (false, true) => ("extra", format!("{extra}: only in the query")),
            (true, false) => ("missing", format!("{missing}: only in the listed name")),
            _ if outcome.more_extra => ("extra", "the query says more than the listed name".to_owned()),
            _ => ("missing", "the listed name says more than the query".to_owned()),
        };
        out.push(reason(step, text, cost(outcome.omission)));
    }
    for (against, factor) in &outcome.against {
        let text = match against {
            Against::Swapped => "father and son changed places",
            Against::FamilyDiffers => "the family names did not meet",
            Against::Scrambled => "the syllables stand in another order",
            Against::NumbersDiffer => "the numbers differ",
            Against::NumberMissing => "only one has a number",
            Against::LegalFormsDiffer => "the legal forms are of different kinds",
            Against::Reordered => "the tokens stand in another order",
            Against::GenericOnly => "nothing met but words that many names have",
        };
        out.push(reason(against.step(), format!("{text}: times {factor:.3}"), f64::from(factor - 1.0)));
    }
    if query.legal != 0 || listed.legal != 0 {
        out.push(reason("legal_form", "legal forms were set aside".to_owned(), 0.0));
    }
    out
}

impl Against {
    fn step(self) -> &'static str {
        match self {
            Self::Swapped => "swapped",
            Self::FamilyDiffers => "family",
            Self::NumbersDiffer | Self::NumberMissing => "number",
            Self::LegalFormsDiffer => "legal_form",
            Self::Reordered | Self::Scrambled => "order",
            Self::GenericOnly => "generic",
        }
    }
}

impl Name {
    fn shown(&self, run: Run) -> String {
        self.shown[usize::from(run.from)..usize::from(run.from + run.len)].join(" ")
    }

    fn forms(&self, run: Run) -> &[Form] {
        self.spans.iter().find(|s| s.from == run.from && s.len == run.len).map_or(&[], |s| &s.forms)
    }
}

/// How two runs met, by the forms that are nearest.
fn how(query: &Name, listed: &Name, q: Run, n: Run) -> String {
    let mut best: Option<(f32, &Form, &Form)> = None;
    for a in query.forms(q) {
        for b in listed.forms(n) {
            let near = similarity(a, b);
            if best.is_none_or(|(s, _, _)| near > s) {
                best = Some((near, a, b));
            }
        }
    }
    let Some((near, a, b)) = best.filter(|(s, _, _)| *s > 0.0) else { return "initial".to_owned() };
    let mut text = match (a.text == b.text, near) {
        _ if a.path == Path::Acronym || b.path == Path::Acronym => "acronym",
        (true, _) if q.len + n.len > 2 => "joined or split",
        (true, _) => "same",
        (false, s) if s > 0.9 => "same sound",
        _ if a.others.contains(&b.text.as_str()) => "a form of the same name or word",
        _ => "alike",
    }
    .to_owned();
    let transcribed = |name: &Name, run: Run, form: &Form| {
        form.path == Path::Latin && name.forms(run).first().is_some_and(|f| f.text != form.text)
    };
    if transcribed(query, q, a) || transcribed(listed, n, b) {
        text.push_str(", read as English would write it");
    }
    let mut paths: Vec<Path> = [a.path, b.path].into_iter().filter(|p| *p != Path::Latin).collect();
    paths.dedup();
    for path in paths {
        text.push_str(", ");
        text.push_str(path.label());
    }
    text
}
