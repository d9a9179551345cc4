//! `sluice rules sweep`: the same labelled history under one value of a parameter after the other.

use std::{fs, path::PathBuf, process::ExitCode, str::FromStr};

use anyhow::Context;
use sluice_core::{Engine, EngineConfig};
use sluice_model::{Alert, RuleBundle, RuleFile};
use sluice_runtime::Replay;
use sluice_simulator::{
    groups,
    sweep::{Curve, Point, html},
};

use super::{Folder, Groups, History, SHARDS, read_groups};
use crate::{failure::Failure, folders};

/// Arguments of `sweep`.
#[derive(clap::Args)]
pub(crate) struct SweepArgs {
    /// The rules.
    #[arg(long, value_name = "DIR")]
    rules: PathBuf,
    #[command(flatten)]
    history: History,
    /// Which parameter to move, through which values: `N02.new_payers_min=3,4,5`. May be given several times.
    #[arg(long, value_name = "RULE.PARAMETER=VALUE,…", required = true)]
    vary: Vec<Vary>,
    /// Write a page with plots, whole in one file.
    #[arg(long, value_name = "FILE.html")]
    html: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// A parameter and its values.
#[derive(Clone)]
pub(super) struct Vary {
    rule: String,
    parameter: String,
    values: Vec<String>,
}

impl FromStr for Vary {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let split = text.split_once('=').and_then(|(name, values)| Some((name.split_once('.')?, values)));
        let ((rule, parameter), values) = split.ok_or("write RULE.PARAMETER=VALUE,VALUE")?;
        let values = values.split(',').map(|value| value.trim().to_owned()).collect();
        Ok(Self { rule: rule.to_owned(), parameter: parameter.to_owned(), values })
    }
}

impl Vary {
    /// The rules with one value in place of their own, as a `parameters.toml` would say it.
    fn applied(&self, value: &str, rules: &RuleBundle) -> RuleBundle {
        let Self { rule, parameter, .. } = self;
        let text = format!("[{rule}.{parameter}]\nvalue = {value}\nwhy = \"sweep\"\nowner = \"sweep\"\n");
        let path = "sweep/parameters.toml".to_owned();
        RuleBundle::new(rules.files.iter().cloned().chain([RuleFile { path, text }]).collect())
    }
}

pub(super) fn sweep(args: &SweepArgs) -> Result<ExitCode, Failure> {
    let path = args.history.groups.as_deref();
    let Groups(groups) =
        read_groups(path.ok_or_else(|| Failure::user("say what there is to find: --groups FILE"))?)?;
    let folder = Folder::read(&args.rules)?;
    let set = folder.compiled()?;
    let mut curves = Vec::new();
    for vary in &args.vary {
        let about = set.descriptions().iter().find(|description| description.id == vary.rule);
        let about = about.ok_or_else(|| Failure::user(format!("there is no rule {}", vary.rule)))?;
        // The kinds of groups are named as typologies are, but for the hyphen.
        let kind = about.typology.replace('-', "_");
        let mut points = Vec::new();
        for value in &vary.values {
            let bundle = vary.applied(value, &folder.bundle);
            folders::check_rules(&bundle)?;
            let scores = groups::score(&groups, &alerts(bundle, &args.history)?);
            points.push(Point::of(value, &scores, &vary.rule, &kind));
        }
        curves.push(Curve { rule: vary.rule.clone(), parameter: vary.parameter.clone(), kind, points });
    }
    if let Some(path) = &args.html {
        fs::write(path, html(&curves)).with_context(|| format!("failed to write {}", path.display()))?;
    }
    if args.json {
        println!("{}", serde_json::to_string(&curves)?);
    } else {
        curves.iter().for_each(|curve| println!("{curve}"));
    }
    Ok(ExitCode::SUCCESS)
}

fn alerts(rules: RuleBundle, history: &History) -> Result<Vec<Alert>, Failure> {
    let lists = folders::open_lists(None)?;
    let engine = Engine::new(EngineConfig { shards: SHARDS }, lists.library);
    let (source, bar) = history.open()?;
    let mut alerts = Vec::new();
    let replayed = Replay::new(engine, rules, lists.screening).run(
        source,
        |_| {},
        |output| {
            alerts.extend(output.alerts);
            Ok(())
        },
    );
    bar.finish_and_clear();
    replayed.with_context(|| history.unreadable()).map_err(Failure::User)?;
    Ok(alerts)
}
