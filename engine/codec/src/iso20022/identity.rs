//! Ids within a message. References need not be unique in it: three wages may bear one. Where one repeats, each
//! transaction is told apart by its place, so that none is lost and a message sent twice has the same ids.

use std::collections::{HashMap, HashSet};

/// Put its transaction's place behind each id that repeats. An id that does not repeat stays as it is.
pub(super) fn tell_apart(ids: &mut [(&mut String, usize)]) {
    let mut counts: HashMap<&str, usize> = HashMap::with_capacity(ids.len());
    for (id, _) in &*ids {
        *counts.entry(id.as_str()).or_default() += 1;
    }
    if counts.len() == ids.len() {
        return;
    }
    let repeated: Vec<bool> =
        ids.iter().map(|(id, _)| counts.get(id.as_str()).is_some_and(|count| *count > 1)).collect();
    let mut taken: HashSet<String> = counts.into_keys().map(str::to_owned).collect();
    for ((id, place), _) in ids.iter_mut().zip(repeated).filter(|(_, repeated)| *repeated) {
        // A reference may itself look like another with a place.
        while !taken.insert(id.clone()) {
            id.push_str(&format!("#{place}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apart(ids: &[&str]) -> Vec<String> {
        let mut ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        let mut numbered: Vec<_> = ids.iter_mut().zip(1..).collect();
        tell_apart(&mut numbered);
        ids
    }

    #[test]
    fn what_repeats_gets_its_place() {
        assert_eq!(apart(&["A", "B"]), ["A", "B"]);
        assert_eq!(apart(&["A", "B", "A"]), ["A#1", "B", "A#3"]);
        assert_eq!(apart(&["A", "A", "A#2", "A#2"]), ["A#1", "A#2#2", "A#2#3", "A#2#4"]);
    }
}
