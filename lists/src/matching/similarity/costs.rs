//! What a change of one sound costs: among letters, within an abjad, and between the two.

use std::sync::LazyLock;

use super::sounds::VOWELS;

/// What a change of one sound costs, in hundredths.
pub(super) struct Costs {
    pub replace: Box<[[u8; 128]; 128]>,
    /// Of a sound that only the first word has, and of one that only the second has.
    pub only_first: [u8; 128],
    pub only_second: [u8; 128],
    pub swap: u32,
}

/// Every change is one edit.
pub(super) static PLAIN: LazyLock<Costs> = LazyLock::new(|| Costs::new([100; 128], [100; 128], 100));

/// Letters against letters.
pub(super) static LETTERS: LazyLock<Costs> = LazyLock::new(|| {
    let mut alone = [100; 128];
    for v in VOWELS {
        alone[*v as usize] = 45;
    }
    alone[b'y' as usize] = 35;
    alone[b'h' as usize] = 30;
    let mut costs = Costs::new(alone, alone, 75);
    for a in VOWELS {
        for b in VOWELS {
            costs.alike(*a, *b, 45);
        }
    }
    for (pairs, cost) in [
        ("iy vw kq gG dD tT", 10),
        ("Oo Ey Ou qG", 15),
        ("ie ou Xh Ee sW Xk kX", 22),
        ("ae Ei ao Ea Oa SC Zj jy fv vb sz Dz wu TD XG sS", 32),
        ("td pb kg ZS WC Wz js jg jC Cs vf Ts zS yj fp Dt", 45),
        ("mn lr", 65),
    ] {
        for pair in pairs.split(' ').map(str::as_bytes) {
            costs.alike(pair[0], pair[1], cost);
        }
    }
    costs
});

/// Two words of an abjad.
pub(super) static ABJAD: LazyLock<Costs> = LazyLock::new(|| {
    let mut alone = [100; 128];
    for weak in b"AEH" {
        alone[*weak as usize] = 30;
    }
    for glide in b"WY" {
        alone[*glide as usize] = 50;
    }
    let mut costs = Costs::new(alone, alone, 75);
    for pair in [b"hH", b"HA", b"AE", b"AY", b"dD", b"Dz", b"tT", b"jG", b"qk", b"kg", b"xh", b"SC", b"HY"] {
        costs.alike(pair[0], pair[1], 30);
    }
    costs
});

/// First an abjad's letters, second a Latin word's sounds.
pub(super) static ACROSS: LazyLock<Costs> = LazyLock::new(|| {
    let mut abjad = [100; 128];
    for (letter, cost) in [(b'A', 15), (b'E', 10), (b'W', 45), (b'Y', 45), (b'H', 5), (b'h', 30)] {
        abjad[letter as usize] = cost;
    }
    let mut latin = [100; 128];
    for (sound, cost) in [
        (b'a', 4),
        (b'e', 5),
        (b'i', 8),
        (b'o', 10),
        (b'u', 10),
        (b'y', 25),
        (b'E', 15),
        (b'O', 20),
        (b'h', 25),
        (b'w', 50),
    ] {
        latin[sound as usize] = cost;
    }
    let mut costs = Costs::new(abjad, latin, 75);
    for (letter, sounds, cost) in [
        (b'A', "aeiouyEO", 0),
        (b'E', "aeiouyEO", 0),
        (b'W', "uowOv", 0),
        (b'Y', "iyeEj", 0),
        (b'Y', "a", 10),
        (b'H', "ahet", 0),
        (b't', "tT", 0),
        (b't', "d", 40),
        (b'T', "Tts", 10),
        (b'd', "dD", 0),
        (b'd', "t", 40),
        (b'D', "Ddz", 5),
        (b'D', "tT", 35),
        (b'j', "jgyZ", 5),
        (b'j', "C", 35),
        (b'C', "CSj", 10),
        (b'h', "hX", 0),
        (b'x', "Xkh", 5),
        (b'x', "CS", 30),
        (b'z', "zsWZ", 5),
        (b'Z', "ZjzS", 5),
        (b's', "s", 0),
        (b's', "zSW", 25),
        (b'S', "SCs", 8),
        (b'G', "Ggqk", 8),
        (b'q', "qkgGX", 5),
        (b'k', "kqXC", 5),
        (b'k', "gG", 30),
        // Before a b an n is spoken and often written as m.
        (b'n', "m", 30),
        (b'g', "gGkj", 8),
        (b'f', "fpv", 5),
        (b'p', "pbf", 5),
        (b'b', "b", 0),
        (b'b', "pv", 25),
    ] {
        for sound in sounds.bytes() {
            costs.replace[letter as usize][sound as usize] = cost;
        }
    }
    costs
});

impl Costs {
    fn new(only_first: [u8; 128], only_second: [u8; 128], swap: u32) -> Self {
        let mut replace = Box::new([[100; 128]; 128]);
        for (i, row) in replace.iter_mut().enumerate() {
            row[i] = 0;
        }
        Self { replace, only_first, only_second, swap }
    }

    fn alike(&mut self, a: u8, b: u8, cost: u8) {
        if a != b {
            self.replace[a as usize][b as usize] = cost;
            self.replace[b as usize][a as usize] = cost;
        }
    }
}
