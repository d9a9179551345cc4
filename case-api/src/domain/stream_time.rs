//! The engine's time set back after a wrong clock.

use sluice_model::EventTime;

use super::{Actor, Permission, Refusal, check_text};

/// Whether a person may set stream time to `to`, now.
pub fn check_stream_time(to: EventTime, reason: &str, actor: &Actor, now: EventTime) -> Result<(), Refusal> {
    if !actor.roles.allow(Permission::Decide) && !actor.roles.allow(Permission::Administer) {
        return Err(Refusal::NotAllowed);
    }
    check_text(reason)?;
    if to > now { Err(Refusal::Conflict("stream time is set back, not forward")) } else { Ok(()) }
}
