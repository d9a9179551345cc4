//! The text of a rule: compiled, or refused with a place.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_model::{RuleBundle, RuleFile};
use sluice_rules::RuleSet;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data).into_owned();
    let bundle = RuleBundle::new(vec![RuleFile { path: "fuzz.rhai".to_owned(), text }]);
    if let Err(diagnostics) = RuleSet::compile(&bundle) {
        assert!(!diagnostics.to_string().is_empty());
    }
});
