//! The keys that rules watch: what each has seen, and what the rules say of it.

use std::sync::Arc;

use sluice_model::{Action, Control, EventType, Key, KeyKind, PaymentEvent, Role};

use super::{
    features::Features,
    home::{self, JudgedEvent},
    often::AlertHistory,
    rules::Condition,
    sets::{Book, InForce},
    windows::{Fault, KeyEvent, View},
    words::{GatherInput, ModelAlert, Out},
};

/// The keys of one partition, or of the embedded engine.
pub(super) struct Shard<'a> {
    book: &'a Book,
    features: &'a Features,
    rules: InForce,
    keys: Vec<(Key, OnKey)>,
}

/// All that one key has seen and was said of it.
#[derive(Default)]
struct OnKey {
    seen: Vec<KeyEvent>,
    history: AlertHistory,
    /// The newest `customer` event.
    profile: Option<Arc<PaymentEvent>>,
}

impl<'a> Shard<'a> {
    /// Keys that have seen nothing.
    pub(super) fn new(book: &'a Book, features: &'a Features) -> Self {
        Self { book, features, rules: InForce::default(), keys: Vec::new() }
    }

    /// Apply a control record: rules and time alone concern it.
    pub(super) fn control(&mut self, control: &Control) {
        match control {
            Control::Prepare(bundle) => self.rules.prepare(bundle, self.book, self.features),
            Control::Activate { rules } => self.rules.activate(*rules, self.features),
            Control::Quarantine(order) => self.rules.quarantine(order.rule),
            Control::LiftQuarantine(order) => self.rules.lift(order.rule, self.features),
            // What a wrong clock brought counts in no window. A profile of a wrong clock counts as told when the stream was
            // set back, so that newer ones follow.
            Control::SetStreamTime(order) => {
                for (_, on_key) in &mut self.keys {
                    on_key.seen.retain(|seen| seen.event.occurred_at <= order.to);
                    if let Some(profile) = on_key.profile.as_mut().filter(|p| p.occurred_at > order.to) {
                        Arc::make_mut(profile).occurred_at = order.to;
                    }
                }
            }
            _ => {}
        }
    }

    /// Remember an event on a key that nobody asked: what rules that come later read of it.
    pub(super) fn remember(&mut self, key: &Key, role: Role, judged: &JudgedEvent) {
        let event = Arc::clone(&judged.event);
        let features = self.features;
        let on_key = self.on(key);
        on_key.learn(key, &event, features);
        on_key.take_back(role, judged, features);
        on_key.seen.push(KeyEvent { event, role, past: Arc::clone(&judged.past), taken_back: Role::NONE });
    }

    fn on(&mut self, key: &Key) -> &mut OnKey {
        let at = self.keys.iter().position(|(held, _)| held == key).unwrap_or_else(|| {
            self.keys.push((key.clone(), OnKey::default()));
            self.keys.len() - 1
        });
        &mut self.keys[at].1
    }

    /// Apply an event on one of its keys.
    pub(super) fn event(&mut self, key: &Key, role: Role, judged: &JudgedEvent, out: &mut Out) {
        let event = &judged.event;
        self.on(key);
        let Some((_, on_key)) = self.keys.iter_mut().find(|(held, _)| held == key) else { return };
        on_key.learn(key, event, self.features);
        on_key.take_back(role, judged, self.features);
        let (past, taken_back) = (Arc::clone(&judged.past), Role::NONE);
        let now = KeyEvent { event: Arc::clone(event), role, past, taken_back };
        if on_key.seen.iter().any(|seen| seen.event.occurred_at > event.occurred_at) {
            self.features.met("windows: late event");
        }
        let mut said = Vec::new();
        for (content, rule) in self.rules.on(key.kind) {
            let judges = event.event_type.moves_money() && judged.past.is_judged(rule.statuses, event.status);
            let Condition::Key(condition) = rule.condition else { continue };
            if !judges {
                continue;
            }
            let at = event.occurred_at;
            let view = View { before: &on_key.seen, now: &now, at, features: self.features };
            let name = if rule.shadow { format!("~{}", rule.id) } else { rule.id.to_owned() };
            let quarantined = self.rules.is_quarantined(content);
            let holds = |view: &View<'_>| condition(view, on_key.profile.as_deref());
            let mut met = holds(&view);
            if met == Ok(false)
                && view.later(rule.windows).iter().any(|at| holds(&View { at: *at, ..view }) == Ok(true))
            {
                self.features.met("windows: completed by a late event");
                met = Ok(true);
            }
            let action = match met {
                Ok(false) => {
                    on_key.history.silent(&name);
                    continue;
                }
                Ok(true) => {
                    if quarantined {
                        self.features.met("quarantine: judges on");
                    }
                    rule.action
                }
                Err(fault) => {
                    if fault == Fault::NoRate {
                        self.features.met("rules: no rate for a currency");
                    }
                    out.lines.push(home::failure(rule.id, &event.event_id));
                    let noise = quarantined && rule.on_error == Action::Alert;
                    if noise && !on_key.history.tells_failure(content, event.occurred_at) {
                        self.features.met("quarantine: failure left out on a key");
                        continue;
                    }
                    rule.on_error
                }
            };
            if !on_key.history.speaks(&name, rule.often, action, event.occurred_at, self.features) {
                continue;
            }
            let one = ModelAlert {
                rule: rule.id.to_owned(),
                key: key.clone(),
                event: event.event_id.clone(),
                action,
            };
            if rule.shadow {
                out.lines.push(format!("shadow {one}"));
            } else {
                said.push(one);
            }
        }
        on_key.seen.push(now);
        let payment = event.payment_id();
        said.iter().for_each(|said| out.alert(said, payment));
        let found = home::found(&said, judged.awaited);
        if judged.awaited || !found.is_empty() {
            out.send(GatherInput::Verdict {
                payment: payment.to_owned(),
                event: event.event_id.clone(),
                at: event.occurred_at,
                awaited: judged.awaited,
                from: Some(key.clone()),
                asked: 0,
                found,
            });
        }
    }
}

impl OnKey {
    /// The amounts of a payment that ends before any money moved count no more.
    fn take_back(&mut self, role: Role, judged: &JudgedEvent, features: &Features) {
        if !judged.past.ends_unpaid || !judged.event.event_type.moves_money() {
            return;
        }
        let is_of_it = |seen: &&mut KeyEvent| judged.past.earlier.iter().any(|e| Arc::ptr_eq(e, &seen.event));
        for seen in self.seen.iter_mut().filter(is_of_it) {
            features.met("windows: amount taken back");
            seen.taken_back = seen.taken_back.and(role);
        }
    }

    /// A `customer` event says who the customer is from here on, unless a newer one was applied.
    fn learn(&mut self, key: &Key, event: &Arc<PaymentEvent>, features: &Features) {
        if key.kind != KeyKind::Customer || event.event_type != EventType::Customer {
            return;
        }
        if self.profile.as_ref().is_some_and(|held| held.occurred_at > event.occurred_at) {
            features.met("rules: older profile refused");
            return;
        }
        self.profile = Some(Arc::clone(event));
    }
}
