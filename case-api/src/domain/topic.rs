//! What the case side reads of the engine.

/// One of the streams that the case side consumes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Topic {
    /// `sluice.alerts`.
    Alerts,
    /// Holds, refusals and releases of payments.
    Holds,
    /// Answers given to payment services that waited.
    Decisions,
    /// `sluice.observations`: what rules in shadow would have said, and which rules failed.
    Observations,
}

impl Topic {
    /// Every topic, in the order in which a round reads them: a hold finds its alert's case already open.
    pub const ALL: [Self; 4] = [Self::Alerts, Self::Holds, Self::Decisions, Self::Observations];

    /// The name under which the consumed offset is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alerts => "alerts",
            // As it is stored since before holds were called so.
            Self::Holds => "dispositions",
            Self::Decisions => "decisions",
            Self::Observations => "observations",
        }
    }
}
