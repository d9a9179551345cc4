//! How often things go wrong.

/// How often things go wrong, in percent of the steps at which they can.
#[derive(Clone, Copy, Debug)]
pub(super) struct Faults {
    /// A commit is aborted.
    pub abort: usize,
    /// A commit happens, but its owner dies before it hears of it.
    pub die_after_commit: usize,
    /// The owner dies with its commit unsent.
    pub die_before_commit: usize,
    /// A commit happens, and its owner does not hear of it.
    pub unknown_fate: usize,
    /// There is no room for a commit at this moment.
    pub no_room: usize,
    /// The log does not say how far it is committed.
    pub unanswered: usize,
    /// A snapshot is torn when it is written.
    pub tear_snapshot: usize,
    /// A snapshot is lost.
    pub lose_snapshot: usize,
    /// A snapshot is stored after the next one.
    pub delay_snapshot: usize,
    /// A snapshot is stored under an earlier offset than it stands for.
    pub mislabel_snapshot: usize,
}

impl Faults {
    /// Everything goes wrong often.
    pub(super) const MANY: Self = Self {
        abort: 8,
        die_after_commit: 5,
        die_before_commit: 5,
        unknown_fate: 5,
        no_room: 4,
        unanswered: 10,
        tear_snapshot: 20,
        lose_snapshot: 10,
        delay_snapshot: 10,
        mislabel_snapshot: 10,
    };
    /// Nothing goes wrong.
    pub(super) const NONE: Self = Self {
        abort: 0,
        die_after_commit: 0,
        die_before_commit: 0,
        unknown_fate: 0,
        no_room: 0,
        unanswered: 0,
        tear_snapshot: 0,
        lose_snapshot: 0,
        delay_snapshot: 0,
        mislabel_snapshot: 0,
    };
}
