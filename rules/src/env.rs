//! What an expression is evaluated in, whoever evaluates it.

use std::sync::Arc;

use crate::{Facts, Windows, reference::Reference};

/// What an expression is evaluated in.
#[derive(Clone, Copy)]
pub(crate) struct Env<'a> {
    /// The event.
    pub facts: &'a Facts<'a>,
    /// The values of the plan's windows.
    pub windows: &'a dyn Windows,
    /// Tables and rates.
    pub reference: &'a Arc<Reference>,
}
