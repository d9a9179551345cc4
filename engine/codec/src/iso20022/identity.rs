//! Ids within a message. References need not be unique in it: three wages may bear one. Where one repeats, each
//! transaction is told apart by its place, so that none is lost and a message sent twice has the same ids.
//!
//! Which repeat is known once all were seen. Of each no more than a hash is kept: two ids of one hash get their
//! places without need, and are told apart all the same.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::{DefaultHasher, Hash, Hasher},
};

use sluice_model::identifier;

/// The ids of a message, by their hashes, and whether each repeats.
#[derive(Default)]
pub(super) struct Ids(HashMap<u64, bool>);

impl Ids {
    /// One more is seen, however it is written.
    pub(super) fn see(&mut self, id: &str) {
        self.0.entry(hash(&identifier::plain(id))).and_modify(|repeats| *repeats = true).or_insert(false);
    }

    /// Put its transaction's place behind an id that repeats, once all were seen. Any other stays as it is.
    pub(super) fn tell_apart(&mut self, id: &mut String, place: usize) {
        if self.0.get(&hash(id)) != Some(&true) {
            return;
        }
        // A reference may itself look like another with a place.
        loop {
            id.push_str(&format!("#{place}"));
            if let Entry::Vacant(free) = self.0.entry(hash(id)) {
                free.insert(false);
                return;
            }
        }
    }
}

/// The same in every process.
fn hash(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apart(given: &[&str]) -> Vec<String> {
        let mut ids = Ids::default();
        given.iter().for_each(|id| ids.see(id));
        let told = (1..).zip(given).map(|(place, id)| {
            let mut id = (*id).to_owned();
            ids.tell_apart(&mut id, place);
            id
        });
        told.collect()
    }

    #[test]
    fn what_repeats_gets_its_place() {
        assert_eq!(apart(&["A", "B"]), ["A", "B"]);
        assert_eq!(apart(&["A", "B", "A"]), ["A#1", "B", "A#3"]);
        assert_eq!(apart(&["A", "A", "A#2", "A#2"]), ["A#1", "A#2#2", "A#2#3", "A#2#4"]);
    }
}
