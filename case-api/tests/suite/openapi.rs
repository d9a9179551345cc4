//! The OpenAPI document is a contract: a change of it is a change of `docs/openapi.json`, seen in review.
//! `SLUICE_UPDATE_GOLDEN=1 cargo test -p sluice-case-api --test suite openapi` writes it anew.

use std::{fs, path::PathBuf};

#[test]
fn the_document_is_the_golden_file() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let now = sluice_case_api::openapi().to_pretty_json().unwrap() + "\n";
    if std::env::var_os("SLUICE_UPDATE_GOLDEN").is_some() {
        fs::write(&path, &now).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap();
    assert!(
        now == golden,
        "docs/openapi.json differs from what the routes say: look at the difference, then update it"
    );
}
