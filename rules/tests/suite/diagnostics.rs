//! What `check` says: the place, what is wrong, what to write instead. And what it lets through.

use sluice_model::{RuleBundle, RuleFile};
use sluice_rules::{Diagnostics, RuleSet};

/// A sound rule on an account, around a piece to be looked at.
fn rule(declarations: &str, condition: &str) -> String {
    format!(
        "rule R #{{ title: \"t\", key: \"account\", severity: \"low\", action: \"alert\", typology: \"t\",\n\
         regulation: #{{ text: \"t\", source: \"s\", date: \"2026-01-01\" }}, speaks: \"every event\" }};\n\
         {declarations}\n\
         condition {condition};\n\
         reason `seen`;\n"
    )
}

fn bundle(files: &[(&str, &str)]) -> RuleBundle {
    let file = |(path, text): &(&str, &str)| RuleFile { path: (*path).to_owned(), text: (*text).to_owned() };
    RuleBundle::new(files.iter().map(file).collect())
}

fn check(files: &[(&str, &str)]) -> Diagnostics {
    match RuleSet::compile(&bundle(files)) {
        Ok(set) => set.warnings().clone(),
        Err(found) => found,
    }
}

/// The one thing that is wrong with a condition, as `line:column message (help)`.
fn wrong(declarations: &str, condition: &str) -> String {
    let text = rule(declarations, condition);
    let found = check(&[("r.rhai", &text)]);
    assert_eq!(found.0.len(), 1, "{found}\n{text}");
    let d = &found.0[0];
    let help = d.help.as_ref().map_or_else(String::new, |help| format!(" ({help})"));
    let meant: String =
        text.lines().nth(d.line - 1).unwrap().chars().skip(d.column - 1).take(d.width).collect();
    format!("at `{meant}`: {}{help}", d.message)
}

#[track_caller]
fn sound(declarations: &str, condition: &str) {
    let text = rule(declarations, condition);
    let found = check(&[("r.rhai", &text)]);
    assert!(found.0.is_empty(), "{found}");
}

const LIMIT: &str =
    "parameter limit #{ value: 8000, unit: \"HKD\", range: [1, 9000], owner: \"o\", why: \"w\" };";
const COUNT: &str = "window payments #{ measure: \"count\", length: \"24h\" };";

#[test]
fn a_field_that_no_event_has_is_an_error_with_a_suggestion() {
    assert_eq!(
        wrong("", "has(debtor.contry)"),
        "at `debtor.contry`: no event has a field `debtor.contry`, and no parameter or window is called so \
         (did you mean `debtor.country`?)"
    );
    assert!(wrong("", "has(attributes.ship_to)").contains("declare `ship_to` under [attributes]"));
    assert!(wrong("", "has(profile.risk_rating)").contains("rules whose key is `customer`"));
    assert!(wrong("", "has(debtor)").contains("`debtor` is several fields"));
}

#[test]
fn money_does_not_compare_with_a_bare_number_nor_with_text() {
    assert_eq!(
        wrong("", "amount > 8000"),
        "at `>`: this compares an amount of HKD with a number (write `hkd(8000)`, or declare a parameter with \
         `unit: \"HKD\"`)"
    );
    assert!(wrong("", "amount > \"8000\"").contains("this compares an amount of HKD with a text"));
    assert!(wrong("", "amount_in(\"USD\") > amount").contains("an amount of USD with an amount of HKD"));
    assert!(wrong("", "amount + 5 > amount").contains("`+` does not fit an amount of HKD and a number"));
    assert!(wrong("", "amount * amount > amount").contains("`*` does not fit"));
    sound(LIMIT, "amount > limit && amount * 2 > limit && amount / limit > 0.5");
}

#[test]
fn what_may_be_absent_must_be_guarded() {
    let unguarded = wrong("", "debtor.country == \"KP\"");
    assert!(unguarded.starts_with("at `debtor.country`: `debtor.country` may be absent"), "{unguarded}");
    sound("", "has(debtor.country) && debtor.country == \"KP\"");
    sound("", "!has(debtor.country) || debtor.country == \"KP\"");
    sound("", "(debtor.country ?? \"KP\") == \"KP\"");
    sound("", "if has(debtor.country) { debtor.country == \"KP\" } else { true }");
    assert!(wrong("", "has(creditor.country) && debtor.country == \"KP\"").contains("may be absent"));
    assert!(wrong("", "has(debtor.country) || debtor.country == \"KP\"").contains("may be absent"));
    let largest = "window largest #{ measure: \"max\", of: amount, length: \"24h\" };";
    assert!(wrong(largest, "amount > largest").contains("`largest` may be absent"));
    sound(largest, "has(largest) && amount > largest");
}

#[test]
fn closed_vocabularies_are_known() {
    assert_eq!(
        wrong("", "status == \"complete\""),
        "at `\"complete\"`: it is never \"complete\" (did you mean `completed`?)"
    );
    assert_eq!(
        wrong("", "type in [\"refund\", \"paymint\"]"),
        "at `\"paymint\"`: it is never \"paymint\" (did you mean `payment`?)"
    );
}

#[test]
fn loops_end_and_functions_do_not_call_themselves() {
    let endless = "fn f(x) { while true { } x }";
    assert!(wrong(endless, "f(1) > 0").contains("this loop may never end"));
    assert!(wrong("fn f(x) { f(x - 1) }", "f(1) > 0").contains("`f` calls itself"));
    assert!(wrong("fn f(x) { g(x) } fn g(x) { f(x) }", "f(1) > 0").contains("calls itself"));
    assert!(
        wrong("fn f(x) { amount > x }", "f(hkd(1))").contains("a helper function sees only what it is given")
    );
    sound("fn f(x) { let s = 0; for i in [1, 2, 3] { s += i; } s + x }", "f(1) > 0");
}

#[test]
fn deep_nesting_and_large_texts_are_refused_not_crashed_on() {
    let deep = format!("{}true{}", "(".repeat(5_000), ")".repeat(5_000));
    assert!(check(&[("r.rhai", &rule("", &deep))]).has_errors());
    let long = format!("1 in [{}]", "1, ".repeat(2_000));
    assert!(check(&[("r.rhai", &rule("", &long))]).has_errors());
    let huge = format!("// {}", "x".repeat(300_000));
    assert!(check(&[("r.rhai", &huge)]).to_string().contains("larger than"));
}

#[test]
fn windows_and_parameters_that_nobody_reads_are_errors() {
    assert_eq!(
        wrong(COUNT, "is_debtor"),
        "at `payments`: nothing reads the window `payments` (use it in the condition or the reason, or take it out)"
    );
    assert!(wrong(LIMIT, "is_debtor").contains("nothing reads the parameter `limit`"));
}

#[test]
fn parameters_say_why_and_stay_in_range() {
    let outside = "parameter limit #{ value: 9, unit: \"payers\", range: [1, 5], owner: \"o\", why: \"w\" };";
    assert_eq!(wrong(outside, "limit > 1"), "at `9`: 9 is outside of the allowed range 1 to 5");
    let silent = "parameter limit #{ value: 3, unit: \"payers\", range: [1, 5], owner: \"o\" };";
    let found = check(&[("r.rhai", &rule(silent, "limit > 1"))]).to_string();
    assert!(found.contains("parameter `limit` does not say its `why`"), "{found}");
    let cents =
        "parameter limit #{ value: 79.999, unit: \"HKD\", range: [1, 100], owner: \"o\", why: \"w\" };";
    assert!(
        check(&[("r.rhai", &rule(cents, "amount > limit"))]).to_string().contains("this is no value in HKD")
    );
}

#[test]
fn windows_are_checked() {
    let window = |body: &str| format!("window w #{{ {body} }};");
    let says = |body: &str| check(&[("r.rhai", &rule(&window(body), "w > 0"))]).to_string();
    assert!(says("measure: \"cuont\", length: \"1d\"").contains("unknown measure \"cuont\""));
    assert!(says("measure: \"sum\", length: \"1d\"").contains("does not say what it is `of`"));
    assert!(
        says("measure: \"sum\", of: counterparty.name ?? \"\", length: \"1d\"")
            .contains("`sum` does not fit a text")
    );
    assert!(says("measure: \"count\", length: \"500d\"").contains("a window is between 1m and 400d long"));
    assert!(says("measure: \"count\", length: \"1 week\"").contains("this is no length of time"));
    assert!(
        says("measure: \"distinct\", of: counterparty.account, length: \"1d\"").contains("may be absent")
    );
    for rank in ["0", "401"] {
        let days = format!("measure: \"day_total\", of: amount, rank: {rank}, length: \"30d\"");
        assert!(says(&days).contains("a day's rank lies between 1 and 400"));
    }
    assert!(says("measure: \"count\", lenght: \"1d\"").contains("did you mean `length`?"));
}

#[test]
fn ids_and_overlays_must_fit() {
    let one = rule("", "is_debtor");
    let found = check(&[("a.rhai", &one), ("b.rhai", &one)]).to_string();
    assert!(found.contains("b.rhai:1:6: a second rule has the id `R`; the first is in a.rhai"), "{found}");

    let limited = rule(LIMIT, "amount > limit");
    let overlaid = |text: &str| check(&[("a.rhai", &limited), ("parameters.toml", text)]).to_string();
    let entry = |value: &str| format!("[R.limit]\nvalue = {value}\nwhy = \"w\"\nowner = \"o\"\n");
    assert_eq!(overlaid(&entry("7500")), "");
    assert!(overlaid(&entry("9500")).contains("R.limit is 9500, outside of the rule's range 1 to 9000"));
    assert!(overlaid(&entry("\"many\"")).contains("parameters.toml:2:9: R.limit must be a value in HKD"));
    assert!(overlaid("[R.limt]\nvalue = 1\nwhy = \"w\"\nowner = \"o\"\n").contains("did you mean `limit`?"));
    assert!(overlaid("[Q.limit]\nvalue = 1\nwhy = \"w\"\nowner = \"o\"\n").contains("there is no rule Q"));
    assert!(overlaid("[R.limit]\nvalue = 1\n").contains("missing field `why`"));
}

#[test]
fn a_syntax_error_says_where() {
    let found = check(&[("r.rhai", "rule R #{\n  title: \"t\",\n  key \"account\"\n};")]);
    assert_eq!((found.0.len(), found.0[0].line), (1, 3), "{found}");
}

#[test]
fn a_rendered_diagnostic_points_at_its_word() {
    let text = rule("", "amount > 8000");
    let files = bundle(&[("r.rhai", &text)]);
    let rendered = RuleSet::compile(&files).unwrap_err().render(&files);
    let expected = "error: this compares an amount of HKD with a number\n  \
                    ┌ r.rhai:4:18\n  │\n4 │ condition amount > 8000;\n  │                  ^\n  \
                    = help: write `hkd(8000)`, or declare a parameter with `unit: \"HKD\"`\n\n";
    assert_eq!(rendered, expected);
}

#[test]
fn streams_that_mean_the_same_are_one_and_keep_their_identity() {
    let window = |share: &str, filter: &str| {
        format!(
            "parameter limit #{{ value: {share}, unit: \"HKD\", range: [1, 9000], owner: \"o\", why: \"w\" }};\n\
             window n #{{ measure: \"count\", where: {filter}, length: \"24h\" }};"
        )
    };
    let id = |text: &str| {
        let set = RuleSet::compile(&bundle(&[("r.rhai", text)])).unwrap_or_else(|found| panic!("{found}"));
        set.plan(sluice_model::KeyKind::Account).streams[0].id
    };
    let as_parameter = id(&rule(&window("80", "amount > limit"), "n > 0"));
    assert_eq!(as_parameter, id(&rule(&window("80", "(amount) > limit"), "n > 1 && is_debtor")));
    assert_ne!(as_parameter, id(&rule(&window("81", "amount > limit"), "n > 0")));
    assert_ne!(as_parameter, id(&rule(&window("80", "amount >= limit"), "n > 0")));
}

#[test]
fn functions_print_as_ever_because_streams_are_identified_by_it() {
    for (filter, printed) in [
        ("min(amount, hkd(5)) > max(amount, hkd(7))", "min(amount, HKD 5.00) > max(amount, HKD 7.00)"),
        ("abs(hour) == 2", "abs(hour) == 2"),
        ("starts_with(status, \"c\")", "Start(status, \"c\")"),
        ("ends_with(status, \"c\")", "End(status, \"c\")"),
        ("contains(status, \"c\")", "Anywhere(status, \"c\")"),
        ("\"c\" in status", "Anywhere(status, \"c\")"),
        ("likeness(status, \"c\") > 0.5", "likeness(status, \"c\") > 0.5"),
        ("name_likeness(status, \"c\") > 0.5", "name_likeness(status, \"c\") > 0.5"),
    ] {
        let window = format!("window n #{{ measure: \"count\", where: {filter}, length: \"24h\" }};");
        let set = RuleSet::compile(&bundle(&[("r.rhai", &rule(&window, "n > 0"))])).unwrap();
        let enters = &set.descriptions()[0].windows[0].enters;
        assert_eq!(enters.split_once(", where ").map(|(_, filter)| filter), Some(printed));
    }
}

#[test]
fn a_count_of_amounts_shares_the_stream_of_their_sum() {
    let streams = |of: &str| {
        let windows = format!(
            "window n #{{ measure: \"count\", {of} length: \"1d\" }};\n\
             window all #{{ measure: \"sum\", of: amount, length: \"7d\" }};"
        );
        let set = RuleSet::compile(&bundle(&[("r.rhai", &rule(&windows, "n > 1 && all > hkd(1)"))])).unwrap();
        set.plan(sluice_model::KeyKind::Account).streams.len()
    };
    assert_eq!((streams("of: amount,"), streams("")), (1, 2));
}
