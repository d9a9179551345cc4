//! Copies of all that a backup holds, as of one moment, in a folder of its own.
//!
//! The log and the case database know of each other, and the copies must fit. A view of the case database is opened, then one
//! of the log: what the cases know of the log is in it. What the log knows of the cases was written after the cases had it, and
//! both views are opened anew until that fits too (docs/decisions/0710-a-backup-is-of-one-moment.md).

use std::{fs, io, path::Path, thread, time::Duration};

use sluice_case_api::store::CasesView;
use sluice_log::{FileSnapshots, LogError, LogView, Snapshots as _};
use sluice_runtime::ENGINE;

use crate::{
    archive::failed,
    data::{CASES, DEMO_LISTS, KEY, LISTS_IN_FORCE, LOG, SNAPSHOTS},
    failure::Failure,
    up::integrity::damaged_log,
};

/// How often both views are opened before the stores count as ones that do not belong together. The log hears of the cases
/// once a second, and with each order.
const VIEWS_MAX: usize = 100;
/// How long it is waited between two.
const VIEWS_EVERY: Duration = Duration::from_millis(20);

/// Copy a data folder. How many leaves of evidence the copy has.
pub(super) fn fill(data: &Path, into: &Path, with_key: bool) -> Result<u64, Failure> {
    // Before the log: a snapshot stands for records that the log has.
    newest_snapshot(&FileSnapshots::new(data.join(SNAPSHOTS)), &FileSnapshots::new(into.join(SNAPSHOTS)))?;
    let (cases, log) = views(data)?;
    cases.copy(&into.join(CASES)).map_err(of_store)?;
    log.copy(&into.join(LOG)).map_err(of_store)?;
    // After the log: a list is kept before a record puts it in force.
    for folder in [LISTS_IN_FORCE, DEMO_LISTS] {
        copy_folder(&data.join(folder), &into.join(folder))?;
    }
    if with_key {
        copy_file(&data.join(KEY), &into.join(KEY))?;
    }
    cases.leaves().map_err(of_store)
}

/// Both stores as of one moment.
fn views(data: &Path) -> Result<(CasesView, LogView), Failure> {
    for _ in 0..VIEWS_MAX {
        let cases = CasesView::open(&data.join(CASES)).map_err(of_store)?;
        let log = LogView::open(&data.join(LOG)).map_err(of_store)?;
        if cases.holds_what_is_known_to(&log).map_err(of_store)? {
            return Ok((cases, log));
        }
        thread::sleep(VIEWS_EVERY);
    }
    let what = format!(
        "{}: {CASES} lacks what the log knows of it. It is not the database that is used with this log, or lost its tail: a \
         start says what is missing. Where cases are in PostgreSQL, see docs/operations.md",
        data.display()
    );
    Err(Failure::Finding(what))
}

/// The newest alone: it saves the time of the next start, and the log has the rest.
fn newest_snapshot(from: &FileSnapshots, to: &FileSnapshots) -> Result<(), Failure> {
    match from.offsets(ENGINE).map_err(of_store)?.first() {
        Some(newest) => copy_file(&from.path(ENGINE, *newest), &to.path(ENGINE, *newest)),
        None => Ok(()),
    }
}

/// A folder and all below it, where it is there. Its files are written aside and renamed: each is whole.
fn copy_folder(from: &Path, to: &Path) -> Result<(), Failure> {
    let entries = match from.read_dir() {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(from)(error)),
    };
    for entry in entries {
        let entry = entry.map_err(failed(from))?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(failed(&from))?;
        if kind.is_dir() {
            copy_folder(&from, &to)?;
        } else if kind.is_file() {
            copy_file(&from, &to)?;
        }
    }
    Ok(())
}

/// A file, where it is still there.
fn copy_file(from: &Path, to: &Path) -> Result<(), Failure> {
    let folder = crate::archive::folder_of(to);
    fs::create_dir_all(folder).map_err(failed(folder))?;
    match fs::copy(from, to) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed(from)(error)),
    }
}

fn of_store(error: LogError) -> Failure {
    match error {
        LogError::Full { folder } => {
            Failure::user(format!("no space is left in {}; nothing was written", folder.display()))
        }
        error @ LogError::Damaged { .. } => damaged_log(error),
        error => Failure::User(error.into()),
    }
}
