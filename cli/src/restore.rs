//! `sluice restore`: a data folder from a backup, made aside, verified, and put in its place whole.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use sluice_case_api::{
    Signer,
    store::{Database, Recount, Store},
};
use sluice_log::{EmbeddedLog, FileSnapshots};

use crate::{
    archive::{self, Manifest, failed, folder_of},
    data::{CASES, DATA, KEY, LOG, SNAPSHOTS},
    failure::Failure,
    up::{integrity, secrets},
};

/// Arguments.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The file that `sluice backup` made.
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// The data folder to make: not there yet, or empty.
    #[arg(long, value_name = "DIR", default_value = DATA)]
    data: PathBuf,
    /// The key that signs evidence, where it was left out of the backup.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// What was restored and verified, as one line of JSON.
    #[arg(long)]
    json: bool,
}

/// Run the command.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    is_free(&args.data)?;
    let whole = archive::check(&args.from)?;
    let beside = folder_of(&args.data);
    fs::create_dir_all(beside).map_err(failed(beside))?;
    let aside = tempfile::Builder::new().prefix(".sluice-restore-").tempdir_in(beside);
    let aside = aside.map_err(failed(beside))?;
    let manifest = archive::extract(&args.from, whole, aside.path())?;
    check_key(args, &manifest, aside.path())?;
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (recount, findings) = tokio.block_on(verify(aside.path(), &manifest))?;
    if findings.is_empty() {
        sync(aside.path()).map_err(failed(aside.path()))?;
        // Over an empty folder too.
        fs::rename(aside.path(), &args.data).map_err(failed(&args.data))?;
        File::open(beside).and_then(|folder| folder.sync_all()).map_err(failed(beside))?;
    }
    print(args, &manifest, &recount, &findings)?;
    Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

/// Nothing is ever written over.
fn is_free(data: &Path) -> Result<(), Failure> {
    match data.read_dir() {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(Failure::user(format!(
                "{} holds something: a backup is restored to a folder that is empty, or not there",
                data.display()
            ))),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed(data)(error)),
    }
}

/// The key is the one that evidence was signed with, whether it was in the backup or kept apart.
fn check_key(args: &Args, manifest: &Manifest, restored: &Path) -> Result<(), Failure> {
    let path = restored.join(KEY);
    if let Some(key) = &args.key {
        if manifest.has_key() {
            return Err(Failure::user("the backup holds the key that signs evidence: leave --key out"));
        }
        fs::copy(key, &path).map_err(failed(key))?;
    }
    let Some(found) = secrets::read(&path)?.map(|signer| signer.verifier().to_string()) else {
        return Ok(());
    };
    match manifest.verifier.as_ref().filter(|expected| **expected != found) {
        None => Ok(()),
        Some(expected) => Err(Failure::user(format!(
            "the key is another than the backup's: its public key is {found}, and evidence was signed by {expected}"
        ))),
    }
}

/// Nothing is signed here: where there is no key, nobody's will do.
fn signer(restored: &Path) -> Result<Signer, Failure> {
    secrets::read(&restored.join(KEY))?.map_or_else(secrets::of_nobody, Ok)
}

/// What does not hold of what was restored: of its evidence, and of what its stores know of each other.
async fn verify(restored: &Path, manifest: &Manifest) -> Result<(Recount, Vec<String>), Failure> {
    let cases = restored.join(CASES);
    for part in [&cases, &restored.join(LOG)] {
        if !part.exists() {
            return Err(Failure::Finding(
                "the backup holds no log, or no cases; nothing was restored".to_owned(),
            ));
        }
    }
    let cases = Database::File(&cases);
    let recount = Store::recount(cases, signer(restored)?).await.map_err(integrity::damaged_cases)?;
    let mut findings: Vec<String> =
        recount.findings.iter().map(|found| format!("evidence: {found}")).collect();
    if recount.leaves < manifest.leaves {
        findings.push(format!(
            "evidence: there are {} leaves, and there were {} when the backup was made",
            recount.leaves, manifest.leaves
        ));
    }
    let log = EmbeddedLog::open(&restored.join(LOG)).map_err(integrity::damaged_log)?;
    let snapshots = FileSnapshots::new(restored.join(SNAPSHOTS));
    let differences = integrity::differences(cases, signer(restored)?, &log, &snapshots).await?;
    findings.extend(differences.iter().map(ToString::to_string));
    Ok((recount, findings))
}

/// Have the names of all files outlive a power cut.
fn sync(folder: &Path) -> io::Result<()> {
    for entry in folder.read_dir()? {
        let path = entry?.path();
        if path.is_dir() {
            sync(&path)?;
        }
    }
    File::open(folder)?.sync_all()
}

fn print(args: &Args, manifest: &Manifest, recount: &Recount, findings: &[String]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let (data, has_key) = (args.data.display(), manifest.has_key() || args.key.is_some());
    if args.json {
        let said = serde_json::json!({
            "verified": findings.is_empty(), "data": data.to_string(), "parts": manifest.parts.len(),
            "bytes": manifest.bytes(), "made_at": manifest.made_at, "sluice": manifest.sluice,
            "leaves": recount.leaves, "root": recount.root, "verifier": manifest.verifier, "key": has_key,
            "findings": findings,
        });
        return writeln!(out, "{said}");
    }
    if !findings.is_empty() {
        findings.iter().try_for_each(|finding| writeln!(out, "  {finding}"))?;
        return writeln!(out, "NOT verified; nothing was restored");
    }
    let (made_at, by) = (manifest.made_at, &manifest.sluice);
    writeln!(out, "{data}: {} files as of {made_at}, by Sluice {by}", manifest.parts.len())?;
    writeln!(out, "verified: {} leaves of evidence, root {}", recount.leaves, recount.root)?;
    match (&manifest.verifier, has_key) {
        (Some(verifier), false) => {
            writeln!(
                out,
                "The key that signs evidence is not in it: put {KEY} there before a start. Its public key: {verifier}"
            )
        }
        _ => Ok(()),
    }
}
