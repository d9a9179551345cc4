//! What Sluice must say, in the plainest way there is: vectors that are looked through from the beginning, one record
//! after another, without snapshots, batches, indexes or horizons of memory that are not part of the meaning.
//!
//! Written to be read as the specification. It shares no code with the core: only the vocabulary of `sluice-model`, the
//! records that travel between stages, and a [`Screener`](sluice_lists::Screener) as a black box for one name. What the
//! simulation's few rules say is stated once more by hand in [`rules`].
//!
//! It must never be made to agree with the core because it differs from it: one of the two is wrong.

mod compare;
mod desk;
mod features;
mod freezes;
mod gather;
mod home;
mod ids;
mod names;
mod often;
mod parties;
mod past;
pub(super) mod rules;
mod sets;
mod shard;
mod windows;
mod words;

pub use self::features::FEATURES;
pub(super) use self::{
    compare::agrees,
    features::Features,
    sets::{Book, SetOfRules},
};
