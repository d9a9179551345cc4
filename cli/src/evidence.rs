//! `sluice evidence`: checks of a case's evidence that need nothing but the bundle, and the log's public key.

use std::{
    collections::{BTreeMap, HashSet},
    fs::File,
    io::{Read, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::Context;
use serde_json::Value;
use sluice_core::{Engine, EngineConfig, Library, Offset, Step, Worker, WorkerConfig};
use sluice_evidence::{BUNDLE_BYTES_MAX, Body, Bundle, Kind, Report, Trust, VerifierKey};
use sluice_model::{Alert, PaymentRecord};

use crate::{failure::Failure, folders};

/// Subcommands.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Check a bundle's inclusion proofs, signatures and hashes. Exit code 2 when it does not hold.
    Verify(Verify),
    /// Evaluate a bundle's alerts again from the log records that it brings along, and compare. Exit code 2 when
    /// one is not the same.
    Replay(Replay),
}

/// Arguments of `verify`.
#[derive(clap::Args)]
pub(crate) struct Verify {
    /// The log's public key (name+id+key), from a source you trust. Without it the bundle is checked against
    /// the key that it carries itself, and the answer says "self-signed only".
    #[arg(long, value_name = "VKEY")]
    key: Option<VerifierKey>,
    /// The bundle, as `/v1/cases/{id}/evidence` gives it.
    bundle: PathBuf,
    /// The report as one line of JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `replay`.
#[derive(clap::Args)]
pub(crate) struct Replay {
    /// The log's public key, as for `verify`.
    #[arg(long, value_name = "VKEY")]
    key: Option<VerifierKey>,
    /// Your own folder of list versions, where an alert rests on lists: a version is named by its content, so the
    /// same published file imported anywhere is the same version.
    #[arg(long, value_name = "DIR")]
    lists: Option<PathBuf>,
    /// The bundle.
    bundle: PathBuf,
    /// The findings as one line of JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Verify(args) => verify(&args),
        Command::Replay(args) => replay(&args),
    }
}

fn verify(args: &Verify) -> Result<ExitCode, Failure> {
    let report = sluice_evidence::verify(&read(&args.bundle)?, args.key.as_ref());
    let mut out = std::io::stdout().lock();
    if args.json {
        let mut json = serde_json::to_value(&report)?;
        json["verified"] = report.holds().into();
        writeln!(out, "{json}")?;
    } else {
        describe(&report, &mut out)?;
    }
    Ok(if report.holds() { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

/// The file's bytes; one byte beyond the limit is enough to refuse it.
fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(BUNDLE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes))
        .with_context(|| format!("cannot read {}", path.display()))
        .map_err(Failure::User)?;
    Ok(bytes)
}

fn describe(report: &Report, out: &mut impl Write) -> std::io::Result<()> {
    if !report.case_id.is_empty() {
        writeln!(out, "case {} of {}, log size {}", report.case_id, report.origin, report.tree_size)?;
    }
    for check in &report.checks {
        let verdict = if check.ok { "holds" } else { "FAILS" };
        writeln!(out, "  {:<11}{verdict}  {} looked at", check.check, check.looked_at)?;
        for failure in &check.failures {
            writeln!(out, "             {failure}")?;
        }
    }
    for (count, what) in [
        (report.bodies_absent, "records without their body: only that they were logged, and when, is proved"),
        (report.fields_erased, "fields erased: the rest of their records is proved"),
        (report.stretches_absent, "stretches of the log named by records and not brought along"),
    ] {
        if count > 0 {
            writeln!(out, "  {count} {what}")?;
        }
    }
    let whose = match report.trust {
        Trust::GivenKey => "signed by the given key",
        Trust::SelfSigned => "self-signed only: give --key to check who signed it",
    };
    let verdict = if report.holds() { "verified" } else { "NOT verified" };
    writeln!(out, "{verdict}, {} records; {whose}", report.records)
}

/// What evaluating a bundle's alerts again came to.
#[derive(Default, serde::Serialize)]
struct Comparison {
    /// Alerts that came out the same.
    same: u64,
    /// Alerts that did not, each with the fields that differ; none when it did not come out at all.
    differ: BTreeMap<String, Vec<String>>,
    /// Alerts whose log records the bundle does not bring along, or whose body it does not.
    not_evaluated: u64,
}

fn replay(args: &Replay) -> Result<ExitCode, Failure> {
    let bundle = Bundle::open(&read(&args.bundle)?, args.key.as_ref())
        .map_err(|_| Failure::Finding("the bundle does not verify: see sluice evidence verify".to_owned()))?;
    let lists = folders::open_lists(args.lists.as_deref())?;
    let mut again = BTreeMap::new();
    let mut judged = HashSet::new();
    for stretch in bundle.stretches() {
        let named = |offset| format!("record {offset} of a stretch is not a record of this version");
        let parse = |offset, json| Ok((offset, serde_json::from_str(json).with_context(|| named(offset))?));
        let records = stretch.records().iter().filter_map(|r| Some((r.offset(), r.json()?)));
        let records: Vec<(Offset, PaymentRecord)> = records
            .map(|(offset, json)| parse(offset, json))
            .collect::<anyhow::Result<_>>()
            .map_err(Failure::User)?;
        judged.extend(records.iter().filter_map(|(_, record)| event_id(record)));
        for alert in judge(&records, &lists.library)? {
            again.entry(alert.alert_id.to_string()).or_insert(alert);
        }
    }
    let mut found = Comparison::default();
    for record in bundle.records().iter().filter(|r| r.leaf.kind == Kind::Alert) {
        let text = |body: &Body, name| serde_json::from_str::<String>(body.field(name)?).ok();
        let logged = record.body.as_ref().and_then(|b| Some((b, text(b, "alert_id")?, text(b, "event_id")?)));
        let Some((body, id, _)) = logged.filter(|(.., event)| judged.contains(event)) else {
            found.not_evaluated += 1;
            continue;
        };
        let differing = again.get(&id).map(|alert| differing(body, alert)).transpose()?;
        match differing {
            Some(fields) if fields.is_empty() => found.same += 1,
            fields => drop(found.differ.insert(id, fields.unwrap_or_default())),
        }
    }
    print(&found, args.json)
}

fn event_id(record: &PaymentRecord) -> Option<String> {
    match record {
        PaymentRecord::Event(event) => Some(event.event.event_id.clone()),
        PaymentRecord::Control(_) => None,
    }
}

/// Every alert that an engine raises over these records alone.
fn judge(records: &[(Offset, PaymentRecord)], library: &Arc<dyn Library>) -> Result<Vec<Alert>, Failure> {
    let config = WorkerConfig { snapshot_every_records: 0, ..WorkerConfig::default() };
    let fresh = Arc::clone(library);
    let engine = move || Engine::new(EngineConfig::default(), Arc::clone(&fresh));
    let mut worker = Worker::new(config, Arc::clone(library), 0, engine);
    let mut alerts = Vec::new();
    loop {
        match worker.step()? {
            Step::Restore { .. } => drop(worker.restored([], 0)?),
            Step::Read { from, limit } => {
                let start = records.partition_point(|(offset, _)| *offset < from);
                let end = records.len().min(start + limit);
                if start == end && worker.filling().is_none() {
                    return Ok(alerts);
                }
                worker.records(&records[start..end])?;
            }
            Step::Commit(batch) => {
                alerts.extend(batch.output.alerts);
                worker.committed()?;
            }
            Step::Save { .. } | Step::Await => {}
        }
    }
}

/// The fields of an alert that are not as they were logged. Erased fields cannot be compared, and the version of
/// the engine may be another: what it says may not. The version of the suppressions counts those of everybody; a
/// bundle holds only those of whom the alert is about.
fn differing(body: &Body, alert: &Alert) -> Result<Vec<String>, Failure> {
    let Value::Object(fields) = serde_json::to_value(alert)? else { return Ok(Vec::new()) };
    let comparable = |mut value: Value| {
        if let Some(versions) = value.as_object_mut() {
            versions.remove("engine");
            versions.remove("suppressions");
        }
        value
    };
    let mut differing = Vec::new();
    for (name, value) in fields {
        let Some(logged) = body.field(&name) else { continue };
        let logged = comparable(serde_json::from_str(logged)?);
        if logged != comparable(value) {
            differing.push(name);
        }
    }
    Ok(differing)
}

fn print(found: &Comparison, json: bool) -> Result<ExitCode, Failure> {
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(found)?)?;
    } else {
        for (id, fields) in &found.differ {
            let how = if fields.is_empty() { "was not raised".to_owned() } else { fields.join(", ") };
            writeln!(out, "{id}: {how}")?;
        }
        let Comparison { same, differ, not_evaluated } = found;
        let differ = differ.len();
        writeln!(out, "{same} alerts the same, {differ} not, {not_evaluated} without their log records")?;
    }
    Ok(if found.differ.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) })
}
