//! The whole engine over one payments partition: home, shards and gathering in one stage. The embedded mode and
//! `sluice replay` run it; its control records are in the payments log itself.
//!
//! A batch goes through in four passes, of which the wide ones run in parallel: screen every event, apply each at
//! the home in order, apply it on the shards of its keys, gather the verdicts in order. The output is the same as
//! applying record after record.

use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sluice_model::{
    Alert, Control, DeadLetter, EventRecord, Hash256, HoldRecord, Observation, PaymentRecord, Topic,
};

use crate::{
    Format, Gather, Home, Layout, Library, Offset, Publication, Shard, SnapshotError, Stage,
    output::{GatherOutput, HomeOutput, Output, ShardOutput},
    publication::publications,
    snapshot,
    wire::{KeyedEvent, Screened, VerdictRecord, partition_of},
};

/// Batches smaller than this are not worth waking other threads for.
const PARALLEL_FROM: usize = 32;

/// How an engine is laid out.
#[derive(Clone, Copy, Debug)]
pub struct EngineConfig {
    /// How many shards the keys are spread over. Alerts do not depend on it.
    pub shards: u32,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self { shards: 4 }
    }
}

/// Home, shards and gathering over one payments partition.
pub struct Engine {
    home: Home,
    shards: Vec<Shard>,
    gather: Gather,
}

#[derive(Serialize, Deserialize)]
struct State {
    home: Vec<u8>,
    shards: Vec<Vec<u8>>,
    gather: Vec<u8>,
}

/// What the home or one key produces at one record of a batch.
#[derive(Default)]
struct PartOutput {
    /// The record's place in the batch.
    place: usize,
    alerts: Vec<Alert>,
    observations: Vec<Observation>,
    holds: Vec<HoldRecord>,
    dead_letters: Vec<DeadLetter>,
    verdicts: Vec<VerdictRecord>,
}

impl Engine {
    /// An engine that has applied nothing.
    pub fn new(config: EngineConfig, library: Arc<dyn Library>) -> Self {
        Self {
            shards: (0..config.shards.max(1)).map(|_| Shard::new(Arc::clone(&library))).collect(),
            home: Home::new(library),
            gather: Gather::default(),
        }
    }

    /// The home, for looking at.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// How many keys are held.
    pub fn keys(&self) -> usize {
        self.shards.iter().map(Shard::keys).sum()
    }

    fn control(&mut self, control: &Control, out: &mut Output) {
        let mut of_home = HomeOutput::default();
        self.home.apply_control(control, &mut of_home);
        out.rescreened.append(&mut of_home.rescreened);
        self.shards.iter_mut().for_each(|shard| shard.apply_control(control));
        self.gather(PartOutput::of_home(0, of_home).into_iter(), out);
    }

    fn events(&mut self, records: &[(Offset, &EventRecord)], out: &mut Output) {
        let mut screened: Vec<Option<Screened>> = Vec::new();
        if records.len() >= PARALLEL_FROM {
            let home = &self.home;
            screened = records.par_iter().map(|(_, record)| Some(home.screen(&record.event))).collect();
        }
        let mut screened = screened.into_iter();
        let (mut outputs, mut keyed) = (Vec::new(), Vec::new());
        for (place, (offset, record)) in records.iter().enumerate() {
            let mut of_home = HomeOutput::default();
            self.home.apply_event(*offset, record, screened.next().flatten(), &mut of_home);
            out.counts.add(of_home.counts);
            out.duplicates.append(&mut of_home.duplicates);
            keyed.extend(of_home.keyed.drain(..).map(|event| (place, event)));
            outputs.extend(PartOutput::of_home(place, of_home));
        }
        outputs.extend(self.apply_keyed(keyed));
        // Stable: at one record the home comes first, then its keys in the order in which they were asked.
        outputs.sort_by_key(|b| b.place);
        self.gather(outputs.into_iter(), out);
    }

    /// Every event on the shards of its keys.
    fn apply_keyed(&mut self, keyed: Vec<(usize, KeyedEvent)>) -> Vec<PartOutput> {
        let count = u32::try_from(self.shards.len()).unwrap_or(1);
        let parallel = keyed.len() >= PARALLEL_FROM;
        let mut routed: Vec<Vec<(usize, usize, KeyedEvent)>> = vec![Vec::new(); self.shards.len()];
        for (order, (place, event)) in keyed.into_iter().enumerate() {
            routed[partition_of(&event.key.value, count) as usize].push((order, place, event));
        }
        let mut outputs: Vec<(usize, PartOutput)> = if parallel {
            let pairs = self.shards.par_iter_mut().zip(routed);
            pairs.flat_map_iter(|(shard, keyed)| apply_in_order(shard, &keyed)).collect()
        } else {
            let pairs = self.shards.iter_mut().zip(routed);
            pairs.flat_map(|(shard, keyed)| apply_in_order(shard, &keyed)).collect()
        };
        outputs.sort_unstable_by_key(|(order, _)| *order);
        outputs.into_iter().map(|(_, output)| output).collect()
    }

    fn gather(&mut self, outputs: impl Iterator<Item = PartOutput>, out: &mut Output) {
        let mut gathered = GatherOutput::default();
        for PartOutput { alerts, observations, holds, dead_letters, verdicts, .. } in outputs {
            out.alerts.extend(alerts);
            out.observations.extend(observations);
            out.holds.extend(holds);
            out.dead_letters.extend(dead_letters);
            verdicts.iter().for_each(|verdict| self.gather.apply_verdict(verdict, &mut gathered));
        }
        out.decisions.append(&mut gathered.decisions);
        out.holds.append(&mut gathered.holds);
    }
}

impl PartOutput {
    /// What a home produces, if anything.
    fn of_home(place: usize, output: HomeOutput) -> Option<Self> {
        let HomeOutput { alerts, observations, holds, verdicts, dead_letters, .. } = output;
        let nothing = holds.is_empty()
            && alerts.is_empty()
            && observations.is_empty()
            && verdicts.is_empty()
            && dead_letters.is_empty();
        (!nothing).then_some(Self { place, alerts, observations, holds, dead_letters, verdicts })
    }
}

/// The events of one shard's keys, in order; only those that produce something are given.
fn apply_in_order(shard: &mut Shard, keyed: &[(usize, usize, KeyedEvent)]) -> Vec<(usize, PartOutput)> {
    let mut outputs = Vec::new();
    let mut out = ShardOutput::default();
    for (order, place, event) in keyed {
        shard.apply_event(event, &mut out);
        if !out.alerts.is_empty() || !out.observations.is_empty() || !out.verdicts.is_empty() {
            let ShardOutput { alerts, observations, holds, verdicts } = std::mem::take(&mut out);
            outputs.push((
                *order,
                PartOutput { place: *place, alerts, observations, holds, verdicts, ..PartOutput::default() },
            ));
        }
    }
    outputs
}

impl Stage for Engine {
    const NAME: &str = "engine";
    const READS: Topic = Topic::Payments;

    type Record = PaymentRecord;
    type Output = Output;

    fn apply(&mut self, offset: Offset, record: &PaymentRecord, out: &mut Output) {
        match record {
            PaymentRecord::Event(event) => self.events(&[(offset, event)], out),
            PaymentRecord::Control(control) => self.control(control, out),
        }
    }

    fn apply_all(&mut self, records: &[(Offset, PaymentRecord)], out: &mut Output) {
        let is_event = |record: &PaymentRecord| matches!(record, PaymentRecord::Event(_));
        for run in records.chunk_by(|(_, a), (_, b)| is_event(a) && is_event(b)) {
            let events: Vec<(Offset, &EventRecord)> = run
                .iter()
                .filter_map(|(offset, record)| match record {
                    PaymentRecord::Event(event) => Some((*offset, event)),
                    PaymentRecord::Control(_) => None,
                })
                .collect();
            match &run[0].1 {
                PaymentRecord::Event(_) => self.events(&events, out),
                PaymentRecord::Control(control) => self.control(control, out),
            }
        }
    }

    fn publish(output: Output, layout: &Layout) -> Vec<Publication> {
        publications(output.published(), layout)
    }

    fn snapshot(&self) -> Result<Vec<u8>, SnapshotError> {
        snapshot::encode(&State {
            home: self.home.snapshot()?,
            shards: self.shards.par_iter().map(Stage::snapshot).collect::<Result<_, _>>()?,
            gather: self.gather.snapshot()?,
        })
    }

    fn restore(bytes: &[u8], format: Format, library: &Arc<dyn Library>) -> Result<Self, SnapshotError> {
        let state: State = snapshot::decode(bytes)?;
        Ok(Self {
            home: Home::restore(&state.home, format, library)?,
            shards: state
                .shards
                .par_iter()
                .map(|bytes| Shard::restore(bytes, format, library))
                .collect::<Result<_, _>>()?,
            gather: Gather::restore(&state.gather, format, library)?,
        })
    }

    fn wants_filling(&self) -> Option<Hash256> {
        self.shards.iter().find_map(Stage::wants_filling)
    }

    /// An engine whose shards read the prepared windows from the first record on. Its home applies every control
    /// record of the past again, rules left aside.
    fn successor(&self) -> Self {
        Self {
            home: self.home.successor(),
            shards: self.shards.iter().map(Stage::successor).collect(),
            gather: Gather::default(),
        }
    }

    fn activates(record: &PaymentRecord) -> Option<Hash256> {
        match record {
            PaymentRecord::Control(Control::Activate { rules }) => Some(*rules),
            _ => None,
        }
    }

    fn adopt(&mut self, successor: Self) {
        for (shard, filled) in self.shards.iter_mut().zip(successor.shards) {
            shard.adopt(filled);
        }
    }
}
