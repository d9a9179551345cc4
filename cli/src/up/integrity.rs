//! Before anything runs: whether the stores belong together. The case database knows its log; each store
//! remembers how far the others had come, and one that falls short of that lost its tail, or is an older copy put back.

use sluice_case_api::{
    Signer,
    ports::{Clock as _, SystemClock},
    store::{Database, Difference, OwnLog, Store, StoreError},
};
use sluice_log::{EmbeddedLog, FileSnapshots, Log, LogError, Snapshots as _};
use sluice_runtime::{ENGINE, PAYMENTS};

use crate::failure::Failure;

/// Who accepts: whoever starts the process holds its data.
const BY: &str = "--accept-loss";
/// How a refusal begins.
const REFUSED: &str = "the stores do not belong together; nothing was started:";
/// What can be done about it.
const ADVICE: &str = "Put the stores back as they were, all of them. Where that cannot be had, --accept-loss goes on with what \
                      is there: it delivers again the control records that the case database still has, and leaves a record of \
                      what was accepted in the evidence log.";

/// Compare the stores of a data folder. Differences refuse the start, unless they are accepted.
pub(super) async fn check(
    cases: Database<'_>,
    signer: impl Fn() -> Result<Signer, Failure>,
    log: &EmbeddedLog,
    snapshots: &FileSnapshots,
    accept: bool,
) -> Result<(), Failure> {
    let found = differences(cases, signer()?, log, snapshots).await?;
    if settle(cases, signer, own(log), &found, accept).await? {
        // A future that is not on the log must not be restored once the log has grown to it again.
        snapshots.forget_beyond(ENGINE, log.committed(ENGINE, PAYMENTS)?)?;
    }
    Ok(())
}

/// Compare a case database that several processes have with the log that they share.
#[cfg(feature = "kafka")]
pub(super) async fn check_shared(
    cases: Database<'_>,
    signer: impl Fn() -> Result<Signer, Failure>,
    own: OwnLog<'_>,
    accept: bool,
) -> Result<(), Failure> {
    let found = Store::compare(cases, signer()?, own).await.map_err(damaged_cases)?;
    settle(cases, signer, own, &found, accept).await.map(drop)
}

/// Refuse what differs, or accept it. Whether anything was accepted.
async fn settle(
    cases: Database<'_>,
    signer: impl Fn() -> Result<Signer, Failure>,
    own: OwnLog<'_>,
    found: &[Difference],
    accept: bool,
) -> Result<bool, Failure> {
    if found.is_empty() {
        return Ok(false);
    }
    let lines: Vec<String> = found.iter().map(|difference| format!("  {difference}")).collect();
    let lines = lines.join("\n");
    if !accept {
        return Err(Failure::Finding(format!("{REFUSED}\n{lines}\n{ADVICE}")));
    }
    tracing::warn!("accepted, and on record in the evidence log:\n{lines}");
    Store::accept(cases, signer()?, own, found, BY, SystemClock.now()).await?;
    Ok(true)
}

/// The log of a data folder: its one engine finds orders among the payments.
fn own(log: &EmbeddedLog) -> OwnLog<'_> {
    OwnLog { log, id: log.id(), orders: PAYMENTS }
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
    found.extend(Store::compare(cases, signer, own(log)).await.map_err(damaged_cases)?);
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
