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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Role, Roles, Via};

    #[test]
    fn time_is_set_back_by_those_who_decide_or_administer() {
        let at = EventTime::from_micros;
        for role in Role::ALL {
            let actor = Actor { name: "mei".into(), roles: Roles::new([role]), via: Via::Session };
            let set = |to| check_stream_time(at(to), "a clock was ahead", &actor, at(9));
            assert_eq!(set(9).is_ok(), matches!(role, Role::Mlro | Role::Admin), "{role:?}");
            assert!(set(10).is_err(), "forward, {role:?}");
            assert!(check_stream_time(at(1), "", &actor, at(9)).is_err(), "without a reason, {role:?}");
        }
    }
}
