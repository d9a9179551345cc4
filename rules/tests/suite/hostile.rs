//! No text of a rule makes the compiler panic: the packs' own rules with pieces taken out, put in and doubled.

use std::{fs, path::Path, sync::LazyLock};

use proptest::{prelude::*, sample::Index};
use sluice_model::{RuleBundle, RuleFile};
use sluice_rules::RuleSet;

/// The rules of the core pack.
static RULES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("packs/core");
    let files = fs::read_dir(pack).unwrap().map(|file| file.unwrap().path());
    let mut rules: Vec<_> = files.filter(|path| path.extension().is_some_and(|e| e == "rhai")).collect();
    rules.sort();
    rules.into_iter().map(|path| fs::read_to_string(path).unwrap()).collect()
});

const TELLING: &[&str] = &[
    "#{",
    "}",
    "(",
    ")",
    "`",
    "${",
    "\"",
    ";",
    "&&",
    "||",
    "!",
    "??",
    "==",
    "<=",
    "-",
    "/",
    "%",
    "0",
    "0.0",
    "1e308",
    "9223372036854775807",
    "window",
    "parameter",
    "condition",
    "reason",
    "rule",
    "screening.score",
    "amount",
    "debtor.name",
    "loop {}",
    "fn f() { f() }",
    "eval(\"1\")",
    "\0",
    "陳",
    "//",
    "/*",
    "in",
    "[",
    "]",
    "|x|",
    "switch",
    "=> ",
    ".",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn altered_rules_compile_or_are_refused(
        which in any::<Index>(),
        edits in prop::collection::vec((any::<Index>(), 0..30usize, prop::sample::select(TELLING)), 1..6),
    ) {
        let mut text: Vec<char> = which.get(RULES.as_slice()).chars().collect();
        for (at, gone, put) in edits {
            let from = at.index(text.len() + 1);
            let to = (from + gone).min(text.len());
            text.splice(from..to, put.chars());
        }
        let file = RuleFile { path: "altered.rhai".to_owned(), text: text.into_iter().collect() };
        if let Err(diagnostics) = RuleSet::compile(&RuleBundle::new(vec![file])) {
            prop_assert!(!diagnostics.to_string().is_empty());
        }
    }
}
