//! Rhai rules: parse, check, lower, evaluate, explain.
//!
//! This crate owns everything between a rule's text and its judgement of one event: the language, the types,
//! the reference tables, the closures that a condition becomes. It never keeps the windows' state (that is
//! the core's), and it never reads a clock, a random source, a file or a socket: it is handed texts and facts.

#![warn(unreachable_pub)]

mod backtest;
mod cases;
mod check;
mod compile;
mod diagnostics;
mod env;
mod explain;
mod facts;
mod fields;
mod functions;
mod interpret;
mod likeness;
pub mod limits;
mod lower;
mod meta;
mod parameter;
mod path;
mod place;
mod plan;
#[cfg(test)]
mod properties;
mod reference;
mod schema;
mod script;
mod set;
mod shadow;
mod side_by_side;
mod syntax;
mod template;
mod tree;
mod types;
mod window;

pub use backtest::{Backtest, Change, Counts, Labels, Line, Quality};
pub use cases::{CASES_SUFFIX, CaseEngine, CaseReport, Coverage, MissingBranch, TestReport, run_cases};
pub use diagnostics::{Diagnostic, Diagnostics, Gravity};
pub use explain::{DescribedParameter, DescribedTypology, DescribedWindow, Description, Evaluation};
pub use facts::{EvalError, Facts, NO_WINDOWS, Windows};
pub use plan::{
    EventTypes, Failures, Finding, Judgement, Length, Measure, Plan, Regulation, RemovedSamples, Rule,
    RuleMeta, Samples, Speaks, Stream, Window, WindowUnit,
};
pub use set::RuleSet;
pub use shadow::{SHADOW_FOLDER, in_shadow};
pub use side_by_side::SideBySide;
