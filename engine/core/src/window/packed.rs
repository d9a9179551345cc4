//! Samples as a snapshot carries them: times as differences, everything as variable-length integers.

use serde::{Deserializer, Serializer, de};
use sluice_model::EventTime;

use super::samples::{Sample, Samples};

pub(super) fn serialize<S: Serializer>(samples: &Samples, s: S) -> Result<S::Ok, S::Error> {
    let mut bytes = Vec::with_capacity(10 + samples.len() * 8);
    write(&mut bytes, samples.len() as u64);
    let mut before = 0;
    for Sample { at, value } in samples.iter() {
        write(&mut bytes, zigzag(at.micros().wrapping_sub(before)));
        write(&mut bytes, zigzag(value));
        before = at.micros();
    }
    s.serialize_bytes(&bytes)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Samples, D::Error> {
    struct Packed;
    impl de::Visitor<'_> for Packed {
        type Value = Samples;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("packed samples in time order")
        }
        fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Samples, E> {
            unpack(bytes).ok_or_else(|| E::custom("packed samples are torn"))
        }
    }
    d.deserialize_bytes(Packed)
}

/// `None` unless the bytes are samples in time order, and nothing else.
fn unpack(mut bytes: &[u8]) -> Option<Samples> {
    let count = usize::try_from(read(&mut bytes)?).ok()?;
    // Two bytes at least for each: a torn count cannot ask for more memory than there are bytes.
    let mut samples = Samples::with_capacity(count.min(bytes.len() / 2));
    let mut at = 0i64;
    for place in 0..count {
        let step = unzigzag(read(&mut bytes)?);
        if place > 0 && step < 0 {
            return None;
        }
        at = at.checked_add(step)?;
        let value = unzigzag(read(&mut bytes)?);
        samples.insert(place, Sample { at: EventTime::from_micros(at), value });
    }
    bytes.is_empty().then_some(samples)
}

/// Small magnitudes of either sign become small numbers.
const fn zigzag(n: i64) -> u64 {
    ((n << 1) ^ (n >> 63)) as u64
}

const fn unzigzag(n: u64) -> i64 {
    (n >> 1) as i64 ^ -((n & 1) as i64)
}

/// LEB128: seven bits a byte, lowest first.
fn write(bytes: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        bytes.push(n as u8 | 0x80);
        n >>= 7;
    }
    bytes.push(n as u8);
}

fn read(bytes: &mut &[u8]) -> Option<u64> {
    let mut n = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        n |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(n);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(serde::Serialize, serde::Deserialize)]
    struct Wrapper(#[serde(with = "super")] Samples);

    proptest! {
        #[test]
        fn samples_come_back_as_they_went(mut times in prop::collection::vec(any::<i32>(), 0..20), value: i64) {
            times.sort_unstable();
            let mut samples = Samples::default();
            for (place, t) in times.iter().enumerate() {
                samples.insert(place, Sample { at: EventTime::from_micros(i64::from(*t)), value });
            }
            let bytes = postcard::to_stdvec(&Wrapper(samples.clone())).unwrap();
            let Wrapper(back) = postcard::from_bytes(&bytes).unwrap();
            prop_assert!(back.iter().eq(samples.iter()));
        }

        #[test]
        fn samples_out_of_order_are_torn(first in 0i64..1_000_000, back in 1i64..1_000_000) {
            let mut bytes = vec![2];
            for n in [zigzag(first), 0, zigzag(-back), 0] {
                write(&mut bytes, n);
            }
            prop_assert!(unpack(&bytes).is_none());
        }

        #[test]
        fn torn_bytes_are_an_error_and_no_more(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            if let Some(samples) = unpack(&bytes) {
                prop_assert!(samples.iter().map(|s| s.at).is_sorted());
            }
        }
    }
}
