//! Criterion suites and side-by-side comparisons

pub mod screening;
