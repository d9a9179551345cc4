//! `sluice rules`: check, test, explain, back-test and sweep. What rules are and how they compare is the rules crate's;
//! here are folders, the engine that cases run through, and printing.

pub(crate) mod history;
mod sweep;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::Context;
use history::History;
use serde_json::{Value, json};
use sluice_core::{CaseRunner, Engine, EngineConfig, Output};
use sluice_model::{Alert, RuleBundle, RuleFile, Unnamed};
use sluice_rules::{Backtest, CASES_SUFFIX, Diagnostics, Labels, RuleSet, SideBySide, run_cases};
use sluice_runtime::{Replay, read_cases, read_rules};
use sluice_simulator::groups::{self, Group};

use crate::{failure::Failure, folders};

/// Folders above a rule file in which its reference data is looked for.
const FOLDERS_ABOVE_MAX: usize = 3;
/// Shards of a back-test: several for each core, so that none waits long for the fullest. Alerts do not depend on it.
const SHARDS: u32 = 8;

/// Subcommands.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Type-check rules, parameters and reference data.
    Check(PathArgs),
    /// Run the cases beside each rule, and say which conditions they never tried.
    Test(PathArgs),
    /// Show how each rule is evaluated, and what its windows cost.
    Explain(PathArgs),
    /// Compare the alerts of two rule sets over the same history.
    Backtest(BacktestArgs),
    /// Plot precision against recall on labelled groups as parameters move.
    Sweep(sweep::SweepArgs),
}

/// A rule file or a folder of them.
#[derive(clap::Args)]
pub(crate) struct PathArgs {
    /// A folder and all below it, or one rule file.
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `backtest`.
#[derive(clap::Args)]
pub(crate) struct BacktestArgs {
    /// The active rule set.
    #[arg(long, value_name = "DIR")]
    rules: PathBuf,
    /// The candidate.
    #[arg(long, value_name = "DIR")]
    candidate: PathBuf,
    #[command(flatten)]
    history: History,
    /// The folder of list versions. Without it nothing is screened.
    #[arg(long, value_name = "DIR")]
    lists: Option<PathBuf>,
    /// What is done with a payment that moves money and names nobody on one of its sides. A name that is there and
    /// cannot be read is always held.
    #[arg(long, value_name = "POLICY", default_value = "hold", value_parser = folders::unnamed)]
    unnamed: Unnamed,
    /// Write a page with plots, whole in one file.
    #[arg(long, value_name = "FILE.html")]
    html: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Check(args) => check(&args),
        Command::Test(args) => test(&args),
        Command::Explain(args) => explain(&args),
        Command::Backtest(args) => backtest(&args),
        Command::Sweep(args) => sweep::sweep(&args),
    }
}

/// Rules, and the cases beside them.
struct Folder {
    bundle: RuleBundle,
    cases: Vec<RuleFile>,
}

impl Folder {
    fn read(path: &Path) -> Result<Self, Failure> {
        if path.is_file() {
            return Self::of_file(path);
        }
        let bundle = read_rules(path).map_err(|error| Failure::User(error.into()))?;
        let cases = read_cases(path, &bundle).map_err(|error| Failure::User(error.into()))?;
        Ok(Self { bundle, cases })
    }

    /// One rule, with its cases and the nearest reference data above it.
    fn of_file(path: &Path) -> Result<Self, Failure> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut files: Vec<RuleFile> = read_if_there(folder, &name)?.into_iter().collect();
        let canonical =
            fs::canonicalize(folder).with_context(|| format!("failed to find {}", folder.display()))?;
        for above in canonical.ancestors().take(FOLDERS_ABOVE_MAX) {
            let reference = above.join("reference");
            if reference.is_dir() {
                let tables = read_rules(&reference).map_err(|error| Failure::User(error.into()))?;
                files.extend(
                    tables
                        .files
                        .into_iter()
                        .map(|file| RuleFile { path: format!("reference/{}", file.path), ..file }),
                );
                break;
            }
        }
        let cases = name.strip_suffix(".rhai").map(|stem| format!("{stem}{CASES_SUFFIX}"));
        let cases = cases.map(|cases| read_if_there(folder, &cases)).transpose()?.flatten();
        Ok(Self { bundle: RuleBundle::new(files), cases: cases.into_iter().collect() })
    }

    fn compile(&self) -> Result<RuleSet, Diagnostics> {
        RuleSet::compile(&self.bundle)
    }

    /// Compile, or fail with everything that is wrong.
    fn compiled(&self) -> Result<RuleSet, Failure> {
        self.compile().map_err(|found| Failure::Finding(found.render(&self.bundle)))
    }
}

fn read_if_there(folder: &Path, name: &str) -> Result<Option<RuleFile>, Failure> {
    let path = folder.join(name);
    if !path.is_file() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path)
        .with_context(|| format!("failed to read {}", path.display()))
        .map_err(Failure::User)?;
    Ok(Some(RuleFile { path: name.to_owned(), text }))
}

/// What `check --json` prints.
#[derive(serde::Serialize)]
struct CheckReport<'a> {
    ok: bool,
    rules: usize,
    diagnostics: &'a Diagnostics,
}

fn check(args: &PathArgs) -> Result<ExitCode, Failure> {
    let folder = Folder::read(&args.path)?;
    let (rules, found) = match folder.compile() {
        Ok(set) => (set.files().len(), set.warnings().clone()),
        Err(found) => (0, found),
    };
    let ok = !found.has_errors();
    if args.json {
        println!("{}", serde_json::to_string(&CheckReport { ok, rules, diagnostics: &found })?);
    } else {
        print!("{}", found.render(&folder.bundle));
        if ok {
            println!("{rules} rules and typologies check");
        }
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

fn test(args: &PathArgs) -> Result<ExitCode, Failure> {
    let folder = Folder::read(&args.path)?;
    let report = run_cases(&folder.bundle, &folder.cases, &CaseRunner)
        .map_err(|found| Failure::Finding(found.render(&folder.bundle)))?;
    if args.json {
        println!("{}", serde_json::to_string(&report)?)
    } else {
        println!("{report}")
    }
    Ok(if report.passed() { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

fn explain(args: &PathArgs) -> Result<ExitCode, Failure> {
    let set = Folder::read(&args.path)?.compiled()?;
    if args.json {
        let rules = set.descriptions().iter().map(|rule| json!(rule));
        println!("{}", rules.chain(set.typologies().map(|typology| json!(typology))).collect::<Value>());
    } else {
        set.descriptions().iter().for_each(|description| println!("{}", description.text()));
        set.typologies().for_each(|typology| println!("{}", typology.text()));
    }
    Ok(ExitCode::SUCCESS)
}

/// Labelled groups as what there is to find.
struct Groups(Vec<Group>);

impl Labels for Groups {
    fn total(&self) -> usize {
        self.0.len()
    }

    fn found_by(&self, alert: &Alert) -> Vec<usize> {
        let finds = |group: &Group| group.is_found_by(&alert.key.value, alert.occurred_at);
        self.0.iter().enumerate().filter(|(_, group)| finds(group)).map(|(i, _)| i).collect()
    }
}

fn backtest(args: &BacktestArgs) -> Result<ExitCode, Failure> {
    let groups = args.history.groups.as_deref().map(read_groups).transpose()?;
    let mut lists = folders::open_lists(args.lists.as_deref())?;
    lists.screening.unnamed = args.unnamed;
    let [active, candidate] = [&args.rules, &args.candidate].map(|rules| Folder::read(rules));
    let (active, candidate) = (active?, candidate?);
    let sets = [active.compiled()?, candidate.compiled()?];
    let engine_of = |rules: RuleBundle| {
        let engine = Engine::new(EngineConfig { shards: SHARDS }, Arc::clone(&lists.library));
        Replay::new(engine, rules, lists.screening.clone())
    };
    let one_pass = SideBySide::of((&active.bundle, &sets[0]), (&candidate.bundle, &sets[1]));
    let (source, bar) = args.history.open()?;
    let compared = match &one_pass {
        Some(both) => {
            let mut alerts = [Vec::new(), Vec::new()];
            let enter = |said: Output| {
                both.enter(said.alerts, said.observations, &mut alerts);
                Ok(())
            };
            let replayed = engine_of(both.bundle.clone()).run(source, |_| {}, enter);
            replayed.map(|replayed| (replayed, alerts))
        }
        None => Replay::compare(source, [active.bundle, candidate.bundle].map(engine_of)),
    };
    bar.finish_and_clear();
    let (replayed, [active, candidate]) =
        compared.with_context(|| args.history.unreadable()).map_err(Failure::User)?;
    let labels = groups.as_ref().map(|groups| groups as &dyn Labels);
    let report = Backtest::compare(replayed.events, &active, &candidate, labels);
    if let Some(path) = &args.html {
        fs::write(path, report.html()).with_context(|| format!("failed to write {}", path.display()))?;
    }
    if args.json {
        println!("{}", serde_json::to_string(&report)?)
    } else {
        print!("{report}")
    }
    Ok(ExitCode::SUCCESS)
}

fn read_groups(path: &Path) -> Result<Groups, Failure> {
    let named = || format!("failed to read {}", path.display());
    let file = fs::File::open(path).with_context(named).map_err(Failure::User)?;
    Ok(Groups(groups::read_groups(std::io::BufReader::new(file)).with_context(named).map_err(Failure::User)?))
}
