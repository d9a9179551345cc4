//! Before anything runs: whether the stores of the data folder belong together. The case database knows its log; each store
//! remembers how far the others had come, and one that falls short of that lost its tail, or is an older copy put back.

use std::path::Path;

use sluice_case_api::{
    Signer,
    ports::{Clock as _, SystemClock},
    store::{Database, Difference, Store, StoreError},
};
use sluice_log::{EmbeddedLog, FileSnapshots, Log, LogError, Snapshots as _};
use sluice_runtime::{ENGINE, PAYMENTS};

use super::secrets;
use crate::failure::Failure;

/// Who accepts: whoever starts the process holds its data.
const BY: &str = "sluice up --accept-loss";
/// How a refusal begins.
const REFUSED: &str = "the stores of the data folder do not belong together; nothing was started:";
/// What can be done about it.
const ADVICE: &str = "Put back the data folder as it was, whole. Where that cannot be had, --accept-loss goes on with what \
                      is there: it delivers again the control records that the case database still has, and leaves a record of \
                      what was accepted in the evidence log.";

/// Compare the stores. Differences refuse the start, unless they are accepted.
pub(super) async fn check(
    data: &Path,
    cases: Database<'_>,
    log: &EmbeddedLog,
    snapshots: &FileSnapshots,
    accept: bool,
) -> Result<(), Failure> {
    let found = differences(cases, secrets::signer(data)?, log, snapshots).await?;
    if found.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = found.iter().map(|difference| format!("  {difference}")).collect();
    let lines = lines.join("\n");
    if !accept {
        return Err(Failure::Finding(format!("{REFUSED}\n{lines}\n{ADVICE}")));
    }
    tracing::warn!("accepted, and on record in the evidence log:\n{lines}");
    // A future that is not on the log must not be restored once the log has grown to it again.
    snapshots.forget_beyond(ENGINE, log.committed(ENGINE, PAYMENTS)?)?;
    Store::accept(cases, secrets::signer(data)?, log, log.id(), &found, BY, SystemClock.now()).await?;
    Ok(())
}

/// What one store knows of another and that is not there. A store that is damaged is a finding of its own.
pub(crate) async fn differences(
    cases: Database<'_>,
    signer: Signer,
    log: &EmbeddedLog,
    snapshots: &FileSnapshots,
) -> Result<Vec<Difference>, Failure> {
    log.check().map_err(damaged_log)?;
    let mut found: Vec<Difference> =
        log.lost().iter().map(|lost| Difference::new("log", lost.to_string())).collect();
    let (end, committed) = (log.end(PAYMENTS)?, log.committed(ENGINE, PAYMENTS)?);
    if committed > end {
        let missing = format!("{PAYMENTS} ends at offset {end}, and the engine has judged up to {committed}");
        found.push(Difference::new("log", missing));
    }
    let beyond = snapshots.offsets(ENGINE)?.into_iter().max().filter(|newest| *newest > committed);
    if let Some(newest) = beyond {
        let missing = format!(
            "the engine had committed {PAYMENTS} up to offset {newest}, as a snapshot shows, and says {committed}"
        );
        found.push(Difference::new("log", missing));
    }
    found.extend(Store::compare(cases, signer, log, log.id()).await.map_err(damaged_cases)?);
    Ok(found)
}

/// A store that cannot be read as what it was is a finding, not a fault of the program.
pub(crate) fn damaged_log(error: LogError) -> Failure {
    match error {
        LogError::Damaged { .. } => Failure::Finding(error.to_string()),
        other => other.into(),
    }
}

pub(crate) fn damaged_cases(error: StoreError) -> Failure {
    match error {
        error if error.is_damaged() => Failure::Finding(format!("the case database: {error}")),
        error if error.is_out_of_reach() => Failure::User(error.into()),
        error => error.into(),
    }
}
