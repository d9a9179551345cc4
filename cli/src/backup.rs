//! `sluice backup`: the data folder of `sluice up`, as of one moment, in one file.

mod stage;

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use sluice_runtime::{Clock as _, SystemClock};

use crate::{
    archive::{self, FORMAT, Manifest, Part},
    data::{CASES, DATA, KEY},
    failure::Failure,
    up::secrets,
};

/// What is said where cases are in PostgreSQL.
const IN_POSTGRES: &str = "the cases of this data folder are in PostgreSQL, and `sluice backup` copies files only: stop the \
                           process, run pg_dump on the database and copy the data folder, then start it again \
                           (docs/operations.md, “With PostgreSQL”)";

/// Arguments.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The data folder of `sluice up`, which may be running on it.
    #[arg(long, value_name = "DIR", default_value = DATA)]
    data: PathBuf,
    /// The file to make: there once it is whole, and readable by its owner only. One that is there is not replaced.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Leave the key that signs evidence out. With it the file is a secret: whoever has it can sign in this folder's name.
    #[arg(long)]
    without_key: bool,
    /// The PostgreSQL database that keeps the cases, where one does: it is backed up otherwise, and this says how.
    #[arg(long, value_name = "URL", env = "SLUICE_DATABASE", hide_env_values = true)]
    database: Option<String>,
    /// What was written, as one line of JSON.
    #[arg(long)]
    json: bool,
}

/// Run the command.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    if args.database.is_some() {
        return Err(Failure::user(IN_POSTGRES));
    }
    if !args.data.join(CASES).is_file() {
        let folder = args.data.display();
        return Err(Failure::user(format!("{folder} is no data folder of `sluice up`: it holds no {CASES}")));
    }
    if args.out.symlink_metadata().is_ok() {
        return Err(Failure::user(format!("{} is there already", args.out.display())));
    }
    let beside = archive::folder_of(&args.out);
    let staged = tempfile::Builder::new().prefix(".sluice-backup-").tempdir_in(beside);
    let staged = staged.map_err(archive::failed(beside))?;
    let leaves = stage::fill(&args.data, staged.path(), !args.without_key)?;
    let manifest = Manifest {
        format: FORMAT,
        sluice: env!("CARGO_PKG_VERSION").to_owned(),
        made_at: SystemClock.now(),
        leaves,
        verifier: secrets::read(&args.data.join(KEY))?.map(|signer| signer.verifier().to_string()),
        parts: parts(staged.path())?,
    };
    let bytes = archive::write(staged.path(), &manifest, &args.out)?;
    print(args, &manifest, bytes)?;
    Ok(ExitCode::SUCCESS)
}

/// Every file below a folder, in order.
fn parts(folder: &Path) -> Result<Vec<Part>, Failure> {
    let mut paths = Vec::new();
    let mut left = vec![folder.to_owned()];
    while let Some(path) = left.pop() {
        for entry in path.read_dir().map_err(archive::failed(&path))? {
            let path = entry.map_err(archive::failed(&path))?.path();
            if path.is_dir() { left.push(path) } else { paths.push(path) }
        }
    }
    paths.sort();
    let relative = |path: PathBuf| {
        let name = path.strip_prefix(folder).ok().and_then(Path::to_str).map(str::to_owned);
        name.ok_or_else(|| Failure::user(format!("{}: not a name that an archive takes", path.display())))
    };
    paths.into_iter().map(|path| Part::of(folder, relative(path)?)).collect()
}

fn print(args: &Args, manifest: &Manifest, bytes: u64) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let (file, parts, key) = (args.out.display(), manifest.parts.len(), manifest.has_key());
    if args.json {
        let said = serde_json::json!({
            "backup": file.to_string(), "bytes": bytes, "parts": parts, "made_at": manifest.made_at,
            "leaves": manifest.leaves, "verifier": manifest.verifier, "key": key,
        });
        return writeln!(out, "{said}");
    }
    writeln!(out, "{file}: {parts} files, {bytes} bytes, {} leaves of evidence", manifest.leaves)?;
    match key {
        true => writeln!(out, "It holds the key that signs evidence: keep it as a secret."),
        false => writeln!(out, "It does not hold the key that signs evidence: keep {KEY} elsewhere."),
    }
}
