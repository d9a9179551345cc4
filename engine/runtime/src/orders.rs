//! Orders as engines of other processes come to them: the distributor gives each to every partition.

use std::sync::Arc;

use sluice_core::{Distributor, Stage};
use sluice_driver::records;
use sluice_log::{Log, Offset, ReadLimit};
use sluice_model::Control;

use crate::{RuntimeError, gateway::CONTROL};

/// Reads the orders that every partition has, from the first one on.
pub(crate) struct Orders {
    log: Arc<dyn Log>,
    next: Offset,
}

impl Orders {
    /// Of a log.
    pub(crate) fn new(log: Arc<dyn Log>) -> Self {
        Self { log, next: 0 }
    }

    /// Every order before this was read.
    pub(crate) const fn next(&self) -> Offset {
        self.next
    }

    /// The next orders that every partition has: whatever is taken in from now on comes after them.
    pub(crate) fn more(&mut self) -> Result<Vec<Control>, RuntimeError> {
        let stored = self.log.read(CONTROL, self.next, ReadLimit::default())?;
        if stored.is_empty() {
            return Ok(Vec::new());
        }
        let given = self.log.committed(Distributor::NAME, CONTROL)?;
        let mut orders = Vec::new();
        for record in stored.iter().take_while(|record| record.offset < given) {
            orders.push(records::parse(CONTROL, record)?);
            self.next = record.offset + 1;
        }
        Ok(orders)
    }
}
