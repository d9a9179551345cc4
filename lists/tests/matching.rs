//! What matching promises, on invented names: data first, one helper.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use sluice_lists::{DEFAULT_THRESHOLD, Scoring, score_pair};

fn score(left: &str, right: &str) -> f64 {
    score_pair(left, right, &Scoring::default()).0
}

/// Each pair on its side of the default threshold, both ways round.
fn check(same: bool, pairs: &[(&str, &str)]) {
    for (a, b) in pairs {
        for (left, right) in [(a, b), (b, a)] {
            let score = score(left, right);
            assert_eq!(score >= DEFAULT_THRESHOLD, same, "{left} | {right}: {score}");
        }
    }
}

#[test]
fn the_same_name_written_otherwise() {
    check(
        true,
        &[
            ("Vasil Zorkin", "ZORKIN, Vasil"),
            ("Vasil Zorkin", "VasilZorkin"),
            ("Vasil Zorkin", "Vasil Zor kin"),
            ("Mr. Vasil Zorkin", "Vasil Zorkin"),
            ("V. Zorkin", "Vasil Zorkin"),
            ("Vasil Zorrkin", "Vasil Zorkin"),
            ("V\u{430}sil Z\u{43E}rkin", "Vasil Zorkin"),
            ("Jon Halvorsen", "John Halvorsen"),
            ("Mohammed Qaddumi", "Muhammad Kaddoumi"),
            ("Heron Aktiengesellschaft", "Heron AG"),
            ("Heron Trading S.A.R.L.", "Heron Trading SARL"),
            ("The Heron Company", "Heron Company"),
            ("Second Heron Bank", "2nd Heron Bank"),
        ],
    );
}

#[test]
fn other_names() {
    check(
        false,
        &[
            ("Vasil Zorkin", "Pia Halvorsen"),
            ("Vasil Zorkin", "Tariq Zorkin"),
            ("Vasil Zorkin", "Zorkin"),
            ("Heron Ltd", "Ltd"),
            ("Corp", "Heron Corp"),
            ("General Trading Company", "Heron General Trading Company"),
            ("Heron Shipping 7", "Heron Shipping 9"),
            ("Salman bin Muhammad Al-Qaddumi", "Muhammad bin Salman Al-Qaddumi"),
            ("Malik Ruslanovich Zorkin", "Malik Magomedovich Zorkin"),
            ("", ""),
            ("Ltd", "Ltd"),
        ],
    );
}

#[test]
fn across_scripts_and_romanisations() {
    check(
        true,
        &[
            ("陳大文", "CHAN Tai Man"),
            ("陳大文", "陈大文"),
            ("陳大文", "Chen Dawen"),
            ("陳大文", "Peter CHAN Tai Man"),
            ("陳大文", "7115 1129 2429"),
            ("CHAN Tai Man", "Chen Dawen"),
            ("Василий Зоркин", "Vasily Zorkin"),
            ("محمد القدومي", "Mohammed al-Qaddumi"),
            ("김영철", "KIM Yong-chol"),
            ("김영철", "Kim Young Chul"),
        ],
    );
    check(false, &[("陳大文", "陳小明"), ("陳大文", "WONG Siu Ming"), ("김영철", "Kim Jae Ho")]);
}

#[test]
fn an_omission_costs_less_than_a_contradiction() {
    let whole = "Vasil Petrovich Zorkin";
    assert!(score("Vasil Zorkin", whole) > score("Vasil Ivanovich Zorkin", whole));
}

#[test]
fn one_typo_in_a_long_name_is_no_cliff() {
    let name = "Ardeshir Behruz Kamaloddin Farrokhzad Tehranipour Mostowfi";
    let words: Vec<&str> = name.split(' ').collect();
    for i in 0..words.len() {
        let mut changed: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
        changed[i].remove(2);
        let score = score(&changed.join(" "), name);
        assert!(score > 0.9, "{} {score}", changed.join(" "));
    }
}

#[test]
fn reasons_name_every_token_and_the_script_path() {
    let (_, reasons) = score_pair("Peter CHAN Tai Man", "陳大文", &Scoring::default());
    let told: Vec<(&str, &str)> = reasons.iter().map(|r| (r.step.as_str(), r.text.as_str())).collect();
    assert!(
        told.iter().any(|(step, text)| *step == "token" && text.contains("陳") && text.contains("Cantonese")),
        "{told:?}"
    );
    assert!(told.iter().any(|(step, text)| *step == "extra" && text.contains("peter")), "{told:?}");
}
