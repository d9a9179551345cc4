//! An alert in an officer's terms: the windows' values, and each list match token by token.

use sluice_model::{Alert, Cause, ListMatch, Money, PartyMatch, PaymentEvent, Reason, Span, WindowValue};

use super::shell::{Shell, When, short, words};
use crate::{
    ports::ActiveRule,
    service::{StoredAlert, name_of},
    stamp::{self, Stamp},
    words as names,
};

/// An alert on a page.
pub(crate) struct AlertView {
    pub short: String,
    pub case_id: String,
    pub severity: &'static str,
    pub action: &'static str,
    /// Whether the rule could not be judged and its failure policy speaks.
    pub failed: bool,
    pub rule_id: String,
    pub rule_title: String,
    pub rule_version: String,
    pub regulation: String,
    pub typology: String,
    pub key: String,
    pub subjects: String,
    /// The first subject's name, where the event says it.
    pub name: String,
    pub payment_id: String,
    pub reason: String,
    pub occurred: When,
    pub windows: Vec<(String, String)>,
    pub matches: Vec<MatchView>,
    pub payment: Option<PaymentView>,
    pub cause: String,
}

/// One list match on a page.
pub(crate) struct MatchView {
    pub role: String,
    pub screened: String,
    pub listed: String,
    pub list: String,
    pub version: String,
    pub entry_id: String,
    pub score: String,
    /// Of 100, for the bar.
    pub percent: u8,
    pub reasons: Vec<ReasonView>,
}

/// One step of a match.
pub(crate) struct ReasonView {
    pub step: String,
    pub text: String,
    pub weight: String,
    /// Of 100, for the bar.
    pub percent: u8,
    pub lowers: bool,
}

/// The payment that was judged.
pub(crate) struct PaymentView {
    pub amount: String,
    pub method: String,
    pub from: String,
    pub to: String,
    pub purpose: String,
}

impl AlertView {
    pub(crate) fn new(stored: StoredAlert, rules: &[ActiveRule], shell: &Shell) -> Self {
        let payment = stored.event.as_ref().map(PaymentView::new);
        let alert = stored.alert;
        let name = alert.subjects.first().zip(stored.event.as_ref()).and_then(|(s, event)| name_of(s, event));
        let rule = rules.iter().find(|rule| rule.id == alert.rule_id);
        let id = alert.alert_id.to_string();
        Self {
            short: short(&id),
            case_id: stored.case_id,
            severity: names::severity(alert.severity),
            action: names::action(alert.action),
            failed: alert.failed_by.is_some(),
            rule_title: rule.map_or_else(|| engine_title(&alert), |rule| rule.title.clone()),
            regulation: rule.map(|rule| rule.regulation.clone()).unwrap_or_default(),
            rule_version: alert.rule_version.clone(),
            typology: words(&alert.typology),
            key: format!("{} {}", alert.key.kind.name(), alert.key.value),
            subjects: alert.subjects.join(", "),
            name: name.unwrap_or_default(),
            occurred: shell.when(alert.occurred_at),
            windows: windows(&alert, rule),
            matches: alert.matches.iter().flat_map(matches).collect(),
            cause: cause(&alert.cause),
            rule_id: alert.rule_id,
            payment_id: alert.payment_id,
            reason: alert.reason,
            payment,
        }
    }
}

/// What an alert of the engine itself is called; that of a rule which is gone, by its typology.
fn engine_title(alert: &Alert) -> String {
    let title = match alert.rule_id.as_str() {
        "ENGINE-DEADLINE" => "Not decided in time: the payment waits for an officer",
        "ENGINE-UNEXPLAINED" => "Kept without an alert that says why",
        "ENGINE-NOT-SCREENED" => "Not screened whole",
        "ENGINE-FROZEN" => "Touches a frozen key",
        "ENGINE-LISTED" => "A known party meets a list",
        "ENGINE-RESCREEN" => "A known party meets a new list version",
        "ENGINE-RULE-FAILS" => "A rule fails again and again",
        _ => return words(&alert.typology),
    };
    title.to_owned()
}

fn cause(cause: &Cause) -> String {
    match cause {
        Cause::Event { event_id } => format!("event {event_id}"),
        Cause::Rescreen { list, entry_id, .. } => format!("a new version of {list}, entry {entry_id}"),
    }
}

/// The windows' values with what they count, as the rule says now.
fn windows(alert: &Alert, rule: Option<&ActiveRule>) -> Vec<(String, String)> {
    let units = rule.map(|rule| &rule.units);
    let unit = |name| units.and_then(|units| units.get(name)).map_or("", String::as_str);
    alert.windows.iter().map(|(name, value)| (words(name), window_value(value, unit(name)))).collect()
}

fn window_value(value: &WindowValue, unit: &str) -> String {
    match (value, unit) {
        (WindowValue::Nothing(()), _) => "none".to_owned(),
        (WindowValue::Int(seconds), "moment") => Stamp::from(seconds.saturating_mul(1_000_000)).hkt(),
        (WindowValue::Int(seconds), "seconds") => stamp::length(Span::seconds(*seconds)),
        (WindowValue::Int(minor), code) if let Ok(currency) = code.parse() => {
            money(&Money::new(*minor, currency))
        }
        (WindowValue::Float(minor), code) if let Ok(currency) = code.parse() => {
            money(&Money::new(whole(*minor), currency))
        }
        (WindowValue::Int(n), _) => grouped(*n),
        (WindowValue::Float(x), _) => format!("{x:.2}"),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a mean of amounts lies among them")]
fn whole(minor: f64) -> i64 {
    minor.round() as i64
}

/// Thousands apart: `1,234,567`.
fn grouped(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut text = String::from(if n < 0 { "-" } else { "" });
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn matches(party: &PartyMatch) -> impl Iterator<Item = MatchView> {
    party.matches.iter().map(|found| MatchView::new(found, &words(&party.role), &party.name))
}

impl MatchView {
    pub(crate) fn new(found: &ListMatch, role: &str, screened: &str) -> Self {
        Self {
            role: role.to_owned(),
            screened: screened.to_owned(),
            listed: found.name.clone(),
            list: found.list.clone(),
            version: short(&found.version),
            entry_id: found.entry_id.clone(),
            score: format!("{:.1} %", found.score * 100.0),
            percent: percent(found.score),
            reasons: found.reasons.iter().map(ReasonView::new).collect(),
        }
    }
}

impl ReasonView {
    fn new(reason: &Reason) -> Self {
        Self {
            step: words(&reason.step),
            text: reason.text.clone(),
            weight: format!("{:+.2}", reason.weight),
            percent: percent(reason.weight.abs()),
            lowers: reason.weight < 0.0,
        }
    }
}

impl PaymentView {
    fn new(event: &PaymentEvent) -> Self {
        let party = |party: &Option<sluice_model::Party>| {
            let Some(party) = party else { return String::new() };
            let name: Vec<&str> = party.name.iter().chain(&party.name_local).map(String::as_str).collect();
            let id = party.customer_id.as_deref().or(party.account.as_deref());
            let parts = [Some(name.join(" ")), id.map(str::to_owned), party.country.clone()];
            parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
        };
        let said = [event.purpose.as_deref(), event.remittance.as_deref()];
        Self {
            amount: event.amount.as_ref().map(money).unwrap_or_default(),
            method: event.method.as_deref().map(words).unwrap_or_default(),
            from: party(&event.debtor),
            to: party(&event.creditor),
            purpose: said.into_iter().flatten().collect::<Vec<_>>().join(" · "),
        }
    }
}

/// `HKD 1,234.50`.
fn money(money: &Money) -> String {
    let decimal = money.decimal();
    let (whole, fraction) = decimal.split_once('.').map_or((decimal.as_str(), ""), |(w, f)| (w, f));
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), grouped);
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{} {whole}{point}{fraction}", money.currency.code())
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=100")]
fn percent(share: f64) -> u8 {
    (share.clamp(0.0, 1.0) * 100.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (n, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (-1_234_567, "-1,234,567")] {
            assert_eq!(grouped(n), text);
        }
    }

    #[test]
    fn a_windows_value_reads_as_what_it_counts() {
        let value = |value: i64, unit| window_value(&WindowValue::Int(value), unit);
        assert_eq!(value(1_234, ""), "1,234");
        assert_eq!(value(123_450, "HKD"), "HKD 1,234.50");
        assert_eq!(value(7_200, "seconds"), "2 h");
        assert_eq!(value(1_795_535_458, "moment"), "24 Nov 2026 23:50:58");
        assert_eq!(window_value(&WindowValue::Float(99_950.4), "HKD"), "HKD 999.50");
        assert_eq!(window_value(&WindowValue::Nothing(()), "HKD"), "none");
    }

    #[test]
    fn money_reads_as_money() {
        for (value, code, text) in [("1234567.50", "HKD", "HKD 1,234,567.50"), ("5000", "JPY", "JPY 5,000")] {
            assert_eq!(money(&Money::parse(value, code.parse().unwrap()).unwrap()), text);
        }
    }
}
