//! The constants of the formula by which two names are scored. What they do is `scorer`'s business.

use serde::{Deserialize, Serialize};

/// The constants of the formula. The defaults were fitted on one half of the development data and checked on
/// the other (see `docs/screening.md`).
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Scoring {
    /// Forms less near than this do not meet.
    pub floor: f32,
    /// Joined or split tokens less near than this do not meet.
    pub floor_joined: f32,
    /// The power to which nearness is raised.
    pub steepness: f32,
    /// What a contradiction costs, for each unit of weight on the lighter side.
    pub contradiction: f32,
    /// How much of a contradiction is forgiven where the tokens are nearly alike (a slip of the pen), from 0 to 1.
    pub near_miss: f32,
    /// How much of what is forgiven counts as met, from 0 to 1.
    pub slip_earns: f32,
    /// What an omission costs, for each unit of weight: where little met, and where enough did.
    pub omission: [f32; 2],
    /// How much weight of names is little, and how much is enough.
    pub proof: [f32; 2],
    /// The most that one name adds to it, however rare.
    pub proof_each: f32,
    /// What a syllable costs, for each unit of weight, that only one of two Chinese or Korean names has.
    pub omitted_syllable: f32,
    /// Syllables of two such names that are less near do not meet.
    pub floor_syllable: f32,
    /// How much of its cost is left of an omission that one name has in brackets.
    pub aside: f32,
    /// How much more it costs when the query says more than the list.
    pub extra: f32,
    /// An initial that meets a name that begins with it.
    pub initial: f32,
    /// Father and son changed places.
    pub swapped: f32,
    /// The family name did not meet, where it is known which that is.
    pub family_differs: f32,
    /// The syllables of a Chinese or Korean name stand in another order.
    pub scrambled: f32,
    /// Both have numbers, and none agrees: where little else met, and where enough did (a series of one house).
    pub numbers_differ: [f32; 2],
    /// Only one has a number.
    pub number_missing: f32,
    /// Both have legal forms, of different kinds.
    pub legal_forms_differ: f32,
    /// The tokens that met stand in another order.
    pub reordered: f32,
    /// Nothing met but words that any organisation may have in its name.
    pub generic_only: f32,
    /// What the commonest name loses of its weight, as far as is known in general.
    pub common: f32,
    /// What the commonest word on the lists loses.
    pub common_listed: f32,
    /// The weight of a word that many organisations have in their names.
    pub generic: f32,
    /// The weight of a number.
    pub number: f32,
    /// The weight of one syllable or character.
    pub syllable: f32,
}

impl Default for Scoring {
    fn default() -> Self {
        Self {
            floor: 0.70,
            floor_joined: 0.77,
            steepness: 1.38,
            contradiction: 1.55,
            near_miss: 0.92,
            slip_earns: 0.55,
            omission: [0.78, 0.11],
            proof: [0.7, 1.1],
            proof_each: 0.85,
            omitted_syllable: 1.0,
            floor_syllable: 0.85,
            aside: 0.5,
            extra: 1.3,
            initial: 0.85,
            swapped: 0.75,
            family_differs: 0.99,
            scrambled: 0.75,
            numbers_differ: [0.6, 0.98],
            number_missing: 0.79,
            legal_forms_differ: 0.82,
            reordered: 0.97,
            generic_only: 0.6,
            common: 0.6,
            common_listed: 0.42,
            generic: 0.64,
            number: 0.6,
            syllable: 0.5,
        }
    }
}
