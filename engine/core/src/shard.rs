//! A shard of keys: the windows of each key that rules watch, and the judgement of every event on it.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use serde::{Deserialize, Serialize};
use sluice_model::{
    Alert, Control, EventTime, EventType, Hash256, KeyKind, Observation, PaymentEvent, Topic,
};
use sluice_rules::{Facts, Failures, Judgement, Plan, RuleMeta, RuleSet, Samples, Speaks};

use crate::{
    Format, Layout, Library, Offset, Publication, SnapshotError, Stage,
    alerting::{self, Scene},
    late::Late,
    noise::{self, NoiseOfKey},
    output::ShardOutput,
    publication::publications,
    rulebook::{Rulebook, Sources},
    snapshot,
    speaking::Utterances,
    window::{KeyWindows, Values, WindowPlan},
    wire::{KeyedEvent, KeyedRecord, Speaker, VerdictRecord},
};

const KINDS: usize = KeyKind::ALL.len();

type Keys = HashMap<Box<str>, KeyState, foldhash::fast::RandomState>;

/// The keys of one partition.
pub struct Shard {
    library: Arc<dyn Library>,
    rules: Rulebook,
    plans: [WindowPlan; KINDS],
    keys: [Keys; KINDS],
    /// Filled with the past under prepared rules: windows are kept, nothing is judged.
    filling: bool,
    scratch: Scratch,
}

/// What is known of one key.
#[derive(Clone, Default, Serialize, Deserialize)]
struct KeyState {
    windows: KeyWindows,
    spoken: Utterances,
    noise: NoiseOfKey,
    /// The last `customer` event, as JSON in a snapshot.
    #[serde(with = "as_json")]
    profile: Option<Arc<PaymentEvent>>,
}

/// Reused between events.
#[derive(Default)]
struct Scratch {
    samples: Samples,
    failures: Failures,
    values: Values,
    judgements: Vec<Judgement>,
}

#[derive(Serialize, Deserialize)]
struct State<'a> {
    rules: Sources,
    keys: Cow<'a, [Keys; KINDS]>,
}

fn plans_of(rules: &RuleSet) -> [WindowPlan; KINDS] {
    KeyKind::ALL.map(|kind| WindowPlan::new(rules.plan(kind)))
}

impl Shard {
    /// A shard that has applied nothing.
    pub fn new(library: Arc<dyn Library>) -> Self {
        Self::with(Rulebook::empty(), library)
    }

    fn with(rules: Rulebook, library: Arc<dyn Library>) -> Self {
        let plans = plans_of(rules.active());
        Self { library, rules, plans, keys: Default::default(), filling: false, scratch: Scratch::default() }
    }

    /// How many keys are held.
    pub fn keys(&self) -> usize {
        self.keys.iter().map(Keys::len).sum()
    }

    /// Apply an event on one of this shard's keys.
    pub fn apply_event(&mut self, keyed: &KeyedEvent, out: &mut ShardOutput) {
        let kind = keyed.key.kind;
        let plan = self.rules.active().plan(kind);
        let state = match self.keys[kind as usize].get_mut(&*keyed.key.value) {
            Some(state) => state,
            None => self.keys[kind as usize].entry(keyed.key.value.as_str().into()).or_default(),
        };
        state.apply_profile(keyed);
        let facts = Facts {
            event: &keyed.event,
            amount: keyed.past.captured.or(keyed.event.amount),
            role: keyed.role,
            past: &keyed.past,
            matches: &keyed.screened.matches,
            screening_failed: keyed.screened.failed(),
            profile: state.profile.as_deref(),
        };
        let Scratch { samples, failures, values, judgements } = &mut self.scratch;
        let (window_plan, at) = (&self.plans[kind as usize], keyed.event.occurred_at);
        for (stream, at, value) in plan.taken_back(&facts) {
            state.windows.take_back(window_plan, stream, at, value);
        }
        plan.admit(&facts, samples, failures);
        let windows = state.windows.observe(window_plan, at, samples, values);
        if self.filling {
            return;
        }
        plan.judge(&facts, &windows, failures, judgements);
        if state.windows.is_late(at) {
            let late = Late { plan, windows: window_plan, facts: &facts, samples, failures };
            late.judge(&mut state.windows, values, judgements);
        }
        let speaking = Speaking { rules: &self.rules, plan, facts: &facts, keyed };
        let memory = (&mut state.spoken, &mut state.noise);
        let alerts = speaking.alerts(memory, judgements, &mut out.observations);
        out.holds.extend(alerts.iter().filter_map(alerting::hold));
        let from = Speaker::Key(keyed.key.clone());
        let verdict = (keyed.awaited || !alerts.is_empty())
            .then(|| alerting::verdict(from, (keyed.offset, &keyed.event), keyed.awaited, &alerts))
            .flatten();
        out.verdicts.extend(verdict.map(VerdictRecord::Verdict));
        out.alerts.extend(alerts);
    }

    /// Apply a control record; most are the home's concern alone. A successor has its rules already.
    pub fn apply_control(&mut self, control: &Control) {
        if let Control::SetStreamTime(order) = control {
            self.keys.iter_mut().flat_map(Keys::values_mut).for_each(|state| state.set_back(order.to));
        }
        if self.filling {
            return;
        }
        match control {
            Control::Prepare(bundle) => self.rules.prepare(bundle, &*self.library),
            Control::Activate { rules } if self.rules.activate(*rules) => self.change_plans(),
            Control::Quarantine(order) => self.rules.quarantine(order.rule),
            Control::LiftQuarantine(order) => self.rules.lift_quarantine(order.rule),
            _ => {}
        }
    }

    /// Read the windows by the rules now in force. What a new window needs of the past was adopted from a
    /// successor before; what was held under the same definition stays.
    fn change_plans(&mut self) {
        let old = std::mem::replace(&mut self.plans, plans_of(self.rules.active()));
        for ((old, new), keys) in old.iter().zip(&self.plans).zip(&mut self.keys) {
            keys.values_mut().for_each(|state| state.windows.migrate(old, new));
        }
    }
}

impl KeyState {
    /// A `customer` event replaces the profile whole, in log order, unless it is older than the one held.
    fn apply_profile(&mut self, keyed: &KeyedEvent) {
        let about_this_key =
            keyed.key.kind == KeyKind::Customer && keyed.event.event_type == EventType::Customer;
        if about_this_key {
            self.take_profile(Arc::clone(&keyed.event));
        }
    }

    /// Count nothing after this time as seen: neither in windows, nor as the newest profile.
    fn set_back(&mut self, to: EventTime) {
        self.windows.set_back(to);
        if let Some(profile) = self.profile.as_mut().filter(|profile| profile.occurred_at > to) {
            Arc::make_mut(profile).occurred_at = to;
        }
    }

    fn take_profile(&mut self, profile: Arc<PaymentEvent>) {
        if self.profile.as_ref().is_none_or(|held| held.occurred_at <= profile.occurred_at) {
            self.profile = Some(profile);
        }
    }
}

/// Rules about to alert on one event.
struct Speaking<'a> {
    rules: &'a Rulebook,
    plan: &'a Plan,
    facts: &'a Facts<'a>,
    keyed: &'a KeyedEvent,
}

impl Speaking<'_> {
    /// The alerts of those rules that may alert now, and what is noted of them. A rule in shadow alerts as often as it
    /// would in force.
    fn alerts(
        &self,
        (spoken, noise): (&mut Utterances, &mut NoiseOfKey),
        judgements: &mut Vec<Judgement>,
        observations: &mut Vec<Observation>,
    ) -> Vec<Alert> {
        self.remember_silence(spoken, judgements);
        let KeyedEvent { key, event, offset, screened, .. } = self.keyed;
        let scene = Scene { key, event, offset: Some(*offset), screened };
        let mut alerts = Vec::new();
        for judgement in judgements.drain(..) {
            let rule = &self.plan.rules[judgement.rule];
            let meta = &rule.meta;
            observations.extend(alerting::failure(rule, &judgement.finding, scene));
            // What is left out as noise was not alerted, and silences nothing later.
            let is_noise = noise::is_noise(self.rules, rule, &judgement.finding);
            if is_noise && !noise.may_say(rule.content, event.occurred_at) {
                continue;
            }
            let action = judgement.finding.action;
            if !spoken.may_speak(&remembered_as(meta), meta.speaks, action, event.occurred_at) {
                continue;
            }
            let alert = alerting::of_rule(rule, judgement.finding, scene);
            if meta.shadow {
                observations.push(Observation::Shadow(Box::new(alert)));
            } else {
                alerts.push(alert);
            }
        }
        alerts
    }

    /// A rule that alerts on crossing must know when its condition did not hold.
    fn remember_silence(&self, spoken: &mut Utterances, judgements: &[Judgement]) {
        if spoken.is_empty() {
            return;
        }
        for (i, rule) in self.plan.rules.iter().enumerate() {
            let silent = || judgements.iter().all(|judgement| judgement.rule != i);
            if rule.meta.speaks == Speaks::Crossing && rule.meta.judges(self.facts) && silent() {
                spoken.fell_silent(&remembered_as(&rule.meta));
            }
        }
    }
}

/// The name under which it is remembered how often a rule alerted. What it alerted in shadow must not silence it once it is
/// in force, nor a candidate the rule of the same id, so each has a name of its own, which no rule can have.
fn remembered_as(meta: &RuleMeta) -> Cow<'_, str> {
    match (meta.candidate, meta.shadow) {
        (true, _) => Cow::Owned(format!("~~{}", meta.id)),
        (false, true) => Cow::Owned(format!("~{}", meta.id)),
        (false, false) => Cow::Borrowed(&meta.id),
    }
}

impl Stage for Shard {
    const NAME: &str = "shard";
    const READS: Topic = Topic::Keyed;

    type Record = KeyedRecord;
    type Output = ShardOutput;

    fn apply(&mut self, _: Offset, record: &KeyedRecord, out: &mut ShardOutput) {
        match record {
            KeyedRecord::Event(event) => self.apply_event(event, out),
            KeyedRecord::Control(control) => self.apply_control(control),
        }
    }

    fn publish(output: ShardOutput, layout: &Layout) -> Vec<Publication> {
        publications(output.published(), layout)
    }

    fn snapshot(&self) -> Result<Vec<u8>, SnapshotError> {
        snapshot::encode(&State { rules: self.rules.sources(), keys: Cow::Borrowed(&self.keys) })
    }

    fn restore(bytes: &[u8], _: Format, library: &Arc<dyn Library>) -> Result<Self, SnapshotError> {
        let state: State<'_> = snapshot::decode(bytes)?;
        let mut shard = Self::with(Rulebook::restore(&state.rules, &**library)?, Arc::clone(library));
        shard.keys = state.keys.into_owned();
        Ok(shard)
    }

    fn wants_filling(&self) -> Option<Hash256> {
        let prepared = self.rules.prepared()?;
        let covered = KeyKind::ALL
            .into_iter()
            .all(|kind| self.plans[kind as usize].covers(&WindowPlan::new(prepared.plan(kind))));
        (!covered).then(|| prepared.hash())
    }

    fn successor(&self) -> Self {
        Self { filling: true, ..Self::with(self.rules.successor(), Arc::clone(&self.library)) }
    }

    fn activates(record: &KeyedRecord) -> Option<Hash256> {
        match record {
            KeyedRecord::Control(Control::Activate { rules }) => Some(*rules),
            _ => None,
        }
    }

    /// The successor's windows are those of the prepared rules already; what was alerted stays, and who the customers
    /// are, unless the successor applied a newer profile while nobody here watched customers.
    fn adopt(&mut self, successor: Self) {
        self.plans = successor.plans;
        for (held, filled) in self.keys.iter_mut().zip(successor.keys) {
            held.values_mut().for_each(|state| state.windows = KeyWindows::default());
            for (value, state) in filled {
                let known = held.entry(value).or_default();
                known.windows = state.windows;
                if let Some(profile) = state.profile {
                    known.take_profile(profile);
                }
            }
        }
    }
}

/// Profiles are events, and events are written as JSON wherever they are kept.
mod as_json {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
    use sluice_model::PaymentEvent;

    pub(super) fn serialize<S: Serializer>(
        profile: &Option<Arc<PaymentEvent>>,
        s: S,
    ) -> Result<S::Ok, S::Error> {
        profile
            .as_ref()
            .map(|event| serde_json::to_vec(&**event).map_err(ser::Error::custom))
            .transpose()?
            .serialize(s)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        d: D,
    ) -> Result<Option<Arc<PaymentEvent>>, D::Error> {
        let bytes = Option::<Vec<u8>>::deserialize(d)?;
        bytes.map(|bytes| serde_json::from_slice(&bytes).map(Arc::new).map_err(de::Error::custom)).transpose()
    }
}
