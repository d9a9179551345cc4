//! What a word sounds like, one byte for each sound, and its skeletons: coarse classes of sounds, for looking words up.

use smallvec::SmallVec;

/// Sounds of a form, one byte each.
pub(crate) type Sounds = SmallVec<[u8; 16]>;

/// Vowels, as sounds.
pub(super) const VOWELS: &[u8] = b"aeiouyEO";

/// The sounds of a word in Latin letters: letter groups that stand for one sound become one byte (capitals), doubled
/// letters one.
pub(crate) fn sounds(word: &str) -> Sounds {
    const GROUPS: [(&[u8], &[u8]); 44] = [
        (b"tsch", b"C"),
        (b"shch", b"S"),
        (b"sch", b"S"),
        (b"tch", b"C"),
        (b"dzh", b"j"),
        (b"sh", b"S"),
        (b"ch", b"C"),
        (b"zh", b"Z"),
        (b"kh", b"X"),
        (b"gh", b"G"),
        (b"th", b"T"),
        (b"dh", b"D"),
        (b"ph", b"f"),
        (b"ck", b"k"),
        (b"cz", b"C"),
        (b"sz", b"S"),
        (b"ts", b"W"),
        (b"tz", b"W"),
        (b"dj", b"j"),
        // French and Spanish; before others it is an Arabic q.
        (b"que", b"ke"),
        (b"qui", b"ki"),
        (b"gue", b"ge"),
        (b"gui", b"gi"),
        (b"x", b"ks"),
        (b"ce", b"se"),
        (b"ci", b"si"),
        (b"cy", b"sy"),
        (b"ou", b"u"),
        (b"oo", b"u"),
        (b"ee", b"i"),
        (b"ie", b"i"),
        (b"ai", b"E"),
        (b"ay", b"E"),
        (b"ei", b"E"),
        (b"ey", b"E"),
        (b"ae", b"E"),
        (b"au", b"O"),
        (b"oe", b"o"),
        (b"iy", b"i"),
        (b"yi", b"i"),
        (b"ij", b"i"),
        (b"yy", b"i"),
        (b"ii", b"i"),
        (b"c", b"k"),
    ];
    let vowel = |c: Option<&u8>| c.is_some_and(|c| VOWELS.contains(c));
    let mut bytes = Sounds::from_slice(word.as_bytes());
    for i in 1..bytes.len() {
        // German and Slavic j after a vowel, where no vowel follows, is a y; after an a it may be Arabic (`Siraj`).
        let front = vowel(bytes.get(i - 1)) && bytes[i - 1] != b'a';
        if bytes[i] == b'j' && front && !vowel(bytes.get(i + 1)) {
            bytes[i] = b'y';
        }
    }
    let mut out = Sounds::new();
    let mut i = 0;
    // Pinyin's and Catalan's: `Xi`, `Xavier`.
    if bytes.first() == Some(&b'x') {
        out.push(b'S');
        i = 1;
    }
    'word: while i < bytes.len() {
        let rest = &bytes[i..];
        for (group, sound) in GROUPS {
            if group[0] == rest[0] && rest.starts_with(group) {
                for s in sound {
                    if out.last() != Some(s) {
                        out.push(*s);
                    }
                }
                i += group.len();
                continue 'word;
            }
        }
        let last = i + 1 == bytes.len();
        let sound = match bytes[i] {
            // `aw`, `ow` before a consonant or at the end.
            b'w' if out.last().is_some_and(|o| matches!(o, b'a' | b'o'))
                && (last || !VOWELS.contains(&bytes[i + 1]) && !rest.starts_with(b"wsk")) =>
            {
                out.pop();
                b'O'
            }
            other => other,
        };
        if out.last() != Some(&sound) || sound.is_ascii_digit() {
            out.push(sound);
        }
        i += 1;
    }
    out
}

/// The coarse skeleton: vowels are one, and gone at the end; h is heard only at the beginning; sounds that
/// spellings confuse are one.
pub(super) fn key(sounds: &[u8]) -> Sounds {
    let mut out = Sounds::new();
    for (i, s) in sounds.iter().enumerate() {
        let class = match *s {
            v if VOWELS.contains(&v) => b'a',
            b'h' if i > 0 => continue,
            b'z' | b'W' => b's',
            b'C' => b'S',
            b'Z' => b'j',
            b'q' | b'X' => b'k',
            b'G' => b'g',
            b'T' => b't',
            b'D' => b'd',
            b'w' => b'v',
            other => other,
        };
        if out.last() != Some(&class) || class.is_ascii_digit() {
            out.push(class);
        }
    }
    if out.len() > 2 && out.last() == Some(&b'a') {
        out.pop();
    }
    if out.len() <= 3 {
        // No edits are looked at in so short a key: what Korean and Arabic spellings confuse is one.
        for class in &mut out {
            *class = match *class {
                b'g' => b'k',
                b'd' => b't',
                b'b' => b'p',
                b'j' => b'S',
                other => other,
            };
        }
    }
    out
}

/// The consonants that an abjad and Latin letters both write, in coarse classes.
pub(super) fn consonants(sounds: &[u8]) -> Sounds {
    let mut out = Sounds::new();
    for s in sounds {
        let class = match *s {
            v if VOWELS.contains(&v) => continue,
            b'A' | b'W' | b'Y' | b'H' | b'w' | b'h' | b'v' => continue,
            b't' | b'T' | b'd' | b'D' | b'z' | b's' | b'Z' => b't',
            b'S' | b'C' => b'S',
            b'j' | b'g' | b'G' | b'k' | b'q' => b'k',
            b'x' | b'X' => b'k',
            b'p' => b'b',
            other => other,
        };
        if out.last() != Some(&class) {
            out.push(class);
        }
    }
    out
}
