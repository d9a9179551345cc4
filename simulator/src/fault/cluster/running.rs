//! A stage that runs: the driver that ships, on its way to the simulated log.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use sluice_core::{Offset, Stage};
use sluice_driver::{Driver, DriverError, Handoff, Report};
use sluice_model::PaymentRecord;

use crate::fault::{faults::Faults, wire::Wire};

/// A stage that runs on a node.
pub(super) struct Running {
    pub driver: Box<dyn Runs>,
    /// What hands durable records to an engine.
    pub handoff: Option<Arc<Handoff<PaymentRecord>>>,
    /// Which of the stage's owners it is: greater for every one.
    pub owner: u64,
}

/// What came of one step of a driver.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Activity {
    /// Something was done.
    Done,
    /// There was nothing to do.
    Idle,
    /// The driver was fenced, and is gone.
    Fenced,
    /// The driver died.
    Gone,
}

impl Activity {
    /// Whether it takes no turn any more.
    pub(super) const fn is_the_end(self) -> bool {
        matches!(self, Self::Fenced | Self::Gone)
    }
}

/// The driver of a stage, with its way to the log.
pub(super) struct Owned<S: Stage> {
    driver: Driver<S>,
    wire: Arc<Wire>,
    /// Where it waits for more.
    idle_from: Option<Offset>,
}

impl<S: Stage> Owned<S> {
    /// A driver that has just claimed its partition over a wire.
    pub(super) fn new(driver: Driver<S>, wire: Arc<Wire>) -> Self {
        Self { driver, wire, idle_from: None }
    }
}

/// A driver of any stage.
pub(super) trait Runs {
    /// Its next turn, once there is something to do.
    fn turn(&mut self, limit: usize, faults: Faults) -> Result<Activity, DriverError>;

    /// Whether it has applied a batch whose fate is not known.
    fn is_in_a_batch(&self) -> bool;

    /// Give up the partition as planned.
    fn release(self: Box<Self>) -> Result<(), DriverError>;
}

impl<S: Stage<Record: DeserializeOwned, Output: Clone>> Runs for Owned<S> {
    fn turn(&mut self, limit: usize, faults: Faults) -> Result<Activity, DriverError> {
        if let Some(from) = self.idle_from
            && !self.driver.reaches(from)?
        {
            return Ok(Activity::Idle);
        }
        self.idle_from = None;
        self.wire.set(faults);
        match self.driver.step(limit) {
            Ok(Report::Idle { from }) => {
                self.idle_from = Some(from);
                Ok(Activity::Idle)
            }
            Ok(Report::Fenced) => Ok(Activity::Fenced),
            Ok(_) => Ok(Activity::Done),
            Err(_) if self.wire.is_dead() => Ok(Activity::Gone),
            Err(error) => Err(error),
        }
    }

    fn is_in_a_batch(&self) -> bool {
        self.driver.worker().is_in_a_batch()
    }

    fn release(self: Box<Self>) -> Result<(), DriverError> {
        self.driver.release().map(drop)
    }
}
