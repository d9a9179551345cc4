//! What a rule or typology says of itself.

use rhai::Expr;
use sluice_model::{Action, EventType, KeyKind, Severity, Span, StatusSet};

use crate::{
    EventTypes, Regulation, RuleMeta, Speaks,
    fields::Fields,
    window::{events, statuses},
};

/// The entries of `rule ID #{ … };`.
pub(crate) const RULE: &[&str] = &[
    "title",
    "about",
    "key",
    "severity",
    "action",
    "typology",
    "regulation",
    "speaks",
    "statuses",
    "events",
    "on_error",
    "shadow",
];

/// The entries of `typology ID #{ … };`.
pub(crate) const TYPOLOGY: &[&str] = &[
    "title",
    "about",
    "key",
    "severity",
    "typology",
    "regulation",
    "speaks",
    "statuses",
    "events",
    "on_error",
    "shadow",
    "alert_at",
    "hold_at",
    "weights",
];

impl RuleMeta {
    /// Read what a rule says of itself.
    pub(crate) fn read(id: &str, fields: &mut Fields<'_>, is_rule: bool) -> Option<Self> {
        let title = fields.required_text("title").map(str::to_owned);
        let typology = fields.required_text("typology").map(str::to_owned);
        let kinds: Vec<_> = KeyKind::ALL.iter().map(|k| (k.name(), *k)).collect();
        fields.required("key");
        let key = fields.word("key", &kinds);
        fields.required("severity");
        let severity = fields.word("severity", &Severity::ALL.map(|severity| (severity.name(), severity)));
        let action = if is_rule {
            fields.required("action");
            fields.word("action", &Action::ALL.map(|action| (action.name(), action)))
        } else {
            Some(Action::Alert)
        };
        let on_error = fields.expr("on_error").map_or(Some(Action::Alert), |_| {
            fields.word("on_error", &[Action::Alert, Action::Hold].map(|action| (action.name(), action)))
        });
        let speaks = speaks(fields);
        let regulation = regulation(fields);
        let statuses = statuses(fields);
        let events = events(fields);
        fields.text("about");
        let shadow = fields.flag("shadow").unwrap_or(false);
        if !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            fields.error("", format!("`{id}` is no id: letters, digits and `_`"));
        }
        let key = key?;
        let counted = if key == KeyKind::Payment { StatusSet::MOVING } else { StatusSet::SETTLED };
        Some(Self {
            id: id.to_owned(),
            title: title?,
            key,
            severity: severity?,
            action: action?,
            on_error: on_error?,
            typology: typology?,
            regulation: regulation?,
            speaks: speaks?,
            statuses: statuses.unwrap_or(counted),
            events: events.unwrap_or(EventTypes::MONEY),
            shadow,
            candidate: false,
        })
    }
}

/// "every event", "on crossing", "once per 24h".
fn speaks(fields: &mut Fields<'_>) -> Option<Speaks> {
    fields.required("speaks")?;
    let text = fields.text("speaks")?;
    match text {
        "every event" => Some(Speaks::Every),
        "on crossing" => Some(Speaks::Crossing),
        _ => {
            let period = text.strip_prefix("once per ").and_then(|period| period.parse::<Span>().ok());
            if period.is_none_or(|p| p <= Span::ZERO) {
                let help = "write \"every event\", \"on crossing\" or \"once per 24h\"";
                fields.error_with("speaks", "unknown frequency", help);
                return None;
            }
            period.map(Speaks::OncePer)
        }
    }
}

/// One provision `#{ text, source, date }`, or a list of them.
fn regulation(fields: &mut Fields<'_>) -> Option<Vec<Regulation>> {
    let expr = fields.required("regulation")?;
    let maps: Vec<&Expr> = match expr {
        Expr::Array(items, _) => items.iter().collect(),
        one => vec![one],
    };
    let mut all = Vec::new();
    for map in maps {
        let Expr::Map(entries, at) = map else {
            let message = "a regulation is a map: #{ text: \"…\", source: \"…\", date: \"2026-01-31\" }";
            fields.error("regulation", message);
            return None;
        };
        let what = "regulation".to_owned();
        let known = &["text", "source", "date"];
        let mut inner = Fields::new(fields.source, what, *at, &entries.0, known, fields.found);
        let (text, source, date) =
            (inner.required_text("text"), inner.required_text("source"), inner.required_text("date"));
        let (text, source, date) = (text?, source?, date?);
        if date.parse::<jiff::civil::Date>().is_err() || date.len() != 10 {
            inner.error("date", "not a date (such as 2026-01-31)");
        }
        all.push(Regulation { text: text.to_owned(), source: source.to_owned(), date: date.to_owned() });
    }
    Some(all)
}

impl EventTypes {
    /// Every type that moves money: what rules judge unless they say otherwise.
    pub const MONEY: Self = Self::EMPTY
        .with(EventType::Payment)
        .with(EventType::Payout)
        .with(EventType::Topup)
        .with(EventType::Withdrawal)
        .with(EventType::Refund)
        .with(EventType::Chargeback)
        .with(EventType::Fx);

    /// The set as a number, for hashing.
    pub(crate) const fn bits(self) -> u16 {
        self.0
    }
}
