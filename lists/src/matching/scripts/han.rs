//! Chinese characters: simplified and traditional forms folded, Mandarin in pinyin and Wade-Giles, Cantonese in
//! Jyutping and as the Hong Kong government and Hong Kong families spell it, and Chinese Commercial Codes.
//! The table of characters is derived from Unicode's Unihan (see `tables/README.md`).

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use super::Path;

/// What is known of one character.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Character {
    /// The form that simplified, traditional and variant forms share.
    pub folded: char,
    pinyin: &'static str,
    jyutping: &'static str,
}

struct Table {
    characters: FxHashMap<char, Character>,
    /// Mainland and Taiwan codes; where they differ, both.
    codes: FxHashMap<u16, char>,
    /// Pinyin → how the common characters read so are read in Cantonese, in Jyutping.
    cantonese_of: FxHashMap<&'static str, Vec<&'static str>>,
    /// The same for surnames alone; where u may stand for ü, both.
    cantonese_of_family: FxHashMap<String, Vec<&'static str>>,
}

/// The characters that nearly all Chinese families write, the most frequent first; general knowledge.
const FAMILIES: &str = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖萧田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭\
陆范汪廖石金韦贾夏付傅方邹熊白孟秦邱江尹薛闫阎段雷侯龙史黎贺顾毛郝龚邵万钱戴严莫孔向常汤康易乔赖文武施洪季樊温柳欧区莊庄章鲁倪殷俞申耿关焦\
左柴伍甘覃裴霍成祝柯阮纪梅翁骆凌蓝兰古游凤司徒屈鲍谷盛童冼连麦植容单岑费卓詹涂池简车饶仇查房缪解桂聂邢安牛葛辛管曲路戚符齐喻苗苟卞禤\
滕舒宁米莘尤褚利劳厉伏佘冷郁郦佟别包匡华占习闵闻纳农谈党桑苑巩席应展敖晏栗楚褟郎邬祁穆靳臧蒙娄封初景项宗丘陶虞牟辜邝丛巫庞薄印殳";

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table {
        characters: FxHashMap::default(),
        codes: FxHashMap::default(),
        cantonese_of: FxHashMap::default(),
        cantonese_of_family: FxHashMap::default(),
    };
    for line in include_str!("../../../tables/han.tsv").lines() {
        let mut fields = line.split('\t');
        let Some(char) = fields.next().and_then(|f| f.chars().next()) else { continue };
        let folded = fields.next().and_then(|f| f.chars().next()).unwrap_or(char);
        let character =
            Character { folded, pinyin: fields.next().unwrap_or(""), jyutping: fields.next().unwrap_or("") };
        table.characters.insert(char, character);
        for field in fields {
            if let Ok(code) = field.parse() {
                table.codes.entry(code).or_insert(folded);
            } else if field == COMMON
                && let (Some(pinyin), Some(jyutping)) = (first(character.pinyin), first(character.jyutping))
            {
                table.cantonese_of.entry(pinyin).or_default().push(jyutping);
            }
        }
    }
    for family in FAMILIES.chars().filter_map(|c| table.characters.get(&c)) {
        for pinyin in family.pinyin.split_whitespace() {
            let readings = table.cantonese_of_family.entry(pinyin.replace('v', "u")).or_default();
            readings.extend(family.jyutping.split_whitespace());
        }
    }
    for readings in table.cantonese_of.values_mut().chain(table.cantonese_of_family.values_mut()) {
        readings.sort_unstable();
        readings.dedup();
    }
    table
});

/// How the table marks characters that every child learns: those that given names are made of.
const COMMON: &str = "+";

fn first(readings: &'static str) -> Option<&'static str> {
    readings.split(' ').next().filter(|r| !r.is_empty())
}

/// The one or two Mandarin syllables that a word in pinyin is made of.
pub(crate) fn syllables(word: &str) -> Option<(&'static str, Option<&'static str>)> {
    let known = |text: &str| {
        // Passports write ü as yu.
        let text = if matches!(text, "lyu" | "nyu") { &text.replace("yu", "v") } else { text };
        TABLE.cantonese_of.get_key_value(text).map(|(pinyin, _)| *pinyin)
    };
    if word.len() > 12 || !word.is_ascii() {
        return None;
    }
    if let Some(one) = known(word) {
        return Some((one, None));
    }
    (1..word.len()).rev().find_map(|at| Some((known(&word[..at])?, Some(known(&word[at..])?))))
}

/// How a Mandarin syllable may stand in other romanisations: Wade-Giles, and the Cantonese of the characters that
/// are read so; for a family, those that families have.
pub(crate) fn elsewhere(pinyin: &str, family: bool) -> Vec<String> {
    let mut all = vec![wade_giles(pinyin)];
    let known = TABLE.cantonese_of.get(pinyin);
    let families = TABLE.cantonese_of_family.get(&pinyin.replace('v', "u")).filter(|_| family);
    for jyutping in families.or(known).into_iter().flatten() {
        for spelled in cantonese_spellings(jyutping) {
            if !all.contains(&spelled) {
                all.push(spelled);
            }
        }
    }
    all.sort_unstable();
    all
}

/// Every spelling of every common character.
pub(super) fn all_spellings() -> impl Iterator<Item = String> {
    let read = |(pinyin, cantonese): (&&'static str, &Vec<&'static str>)| {
        let mut all = vec![pinyin.replace('v', "u"), wade_giles(pinyin)];
        all.extend(cantonese.iter().flat_map(|jyutping| cantonese_spellings(jyutping)));
        all
    };
    TABLE.cantonese_of.iter().flat_map(read)
}

/// The character, where it is one that names are written with.
pub(crate) fn character(c: char) -> Option<&'static Character> {
    TABLE.characters.get(&c)
}

/// The character that a Chinese Commercial Code stands for.
pub(crate) fn from_telegraph_code(code: u16) -> Option<char> {
    TABLE.codes.get(&code).copied()
}

impl Character {
    /// Every spelling in Latin letters, the likeliest of each system first.
    pub(crate) fn spellings(&self) -> Vec<(Path, String)> {
        let mut all: Vec<(Path, String)> = Vec::new();
        let mut add = |path, text: String| {
            if !text.is_empty() && !all.iter().any(|(p, t)| *p == path && *t == text) {
                all.push((path, text));
            }
        };
        for pinyin in self.pinyin.split_whitespace() {
            add(Path::Pinyin, pinyin.replace('v', "u"));
            if pinyin.contains('v') {
                add(Path::Pinyin, pinyin.replace('v', "yu"));
            }
            add(Path::WadeGiles, wade_giles(pinyin));
        }
        for jyutping in self.jyutping.split_whitespace() {
            for spelled in cantonese_spellings(jyutping) {
                add(Path::Cantonese, spelled);
            }
        }
        all
    }
}

/// Wade-Giles without its apostrophes and hyphens, which are hardly ever written.
fn wade_giles(pinyin: &str) -> String {
    let initials = [
        ("zhi", "chih"),
        ("chi", "chih"),
        ("shi", "shih"),
        ("ri", "jih"),
        ("zi", "tzu"),
        ("ci", "tzu"),
        ("si", "ssu"),
    ];
    if let Some((_, whole)) = initials.iter().find(|(p, _)| *p == pinyin) {
        return (*whole).to_owned();
    }
    let replace = [
        ("zh", "ch"),
        ("ch", "ch"),
        ("sh", "sh"),
        ("b", "p"),
        ("d", "t"),
        ("g", "k"),
        ("j", "ch"),
        ("q", "ch"),
        ("x", "hs"),
        ("z", "ts"),
        ("c", "ts"),
        ("r", "j"),
        ("p", "p"),
        ("m", "m"),
        ("f", "f"),
        ("t", "t"),
        ("n", "n"),
        ("l", "l"),
        ("k", "k"),
        ("h", "h"),
        ("s", "s"),
    ];
    let (initial, last) = match replace.iter().find(|(p, _)| pinyin.starts_with(p)) {
        Some((p, w)) => (*w, &pinyin[p.len()..]),
        None => ("", pinyin),
    };
    let last = match (initial, last) {
        (_, "ong") => "ung",
        (_, "ian") => "ien",
        (_, "ie") => "ieh",
        ("k" | "h" | "", "e") => "o",
        (_, "e") => "e",
        (_, "ue" | "ve") => "ueh",
        ("k", "ui") => "uei",
        ("", "yan") => "yen",
        ("", "ye") => "yeh",
        ("", "you") => "yu",
        ("", "yong") => "yung",
        ("", "yi") => "i",
        (_, "iong") => "iung",
        (_, "uo") if !matches!(initial, "k" | "h" | "sh") => "o",
        (_, other) => other,
    };
    format!("{initial}{last}").replace('v', "u")
}

/// The spellings of a Jyutping syllable: the Hong Kong government's, what families there write, and Macau's.
fn cantonese_spellings(jyutping: &str) -> Vec<String> {
    let initials: [(&str, &[&str]); 19] = [
        ("gw", &["kw", "gw"]),
        ("kw", &["kw"]),
        ("ng", &["ng", ""]),
        ("b", &["p", "b"]),
        ("p", &["p"]),
        ("m", &["m"]),
        ("f", &["f"]),
        ("d", &["t", "d"]),
        ("t", &["t"]),
        ("n", &["n", "l"]),
        ("l", &["l"]),
        ("g", &["k", "g"]),
        ("k", &["k"]),
        ("h", &["h"]),
        ("w", &["w"]),
        ("z", &["ch", "ts", "j", "tz"]),
        ("c", &["ch", "ts"]),
        ("s", &["s", "sh"]),
        ("j", &["y"]),
    ];
    if matches!(jyutping, "m" | "ng") {
        return vec!["ng".to_owned(), jyutping.to_owned()];
    }
    let (heads, rest): (&[&str], &str) = match initials.iter().find(|(i, _)| jyutping.starts_with(i)) {
        Some((i, spelled)) if jyutping.len() > i.len() => (spelled, &jyutping[i.len()..]),
        _ => (&[""], jyutping),
    };
    let finals: &[&str] = match rest {
        "aa" => &["a", "ah", "ar"],
        "aai" => &["ai", "aai"],
        "aau" => &["au", "aau"],
        "aam" => &["am", "aam"],
        "aan" => &["an", "aan", "arn"],
        "aang" => &["ang", "aang"],
        "aap" => &["ap", "aap"],
        "aat" => &["at", "aat", "art"],
        "aak" => &["ak", "aak", "ark"],
        "am" => &["am", "um"],
        "an" => &["an", "un"],
        "ang" => &["ang"],
        "ap" => &["ap", "up"],
        "at" => &["at", "ut"],
        "ak" => &["ak", "uk", "ark"],
        "ai" => &["ai", "ei"],
        "au" => &["au", "ow"],
        "e" => &["e", "eh"],
        "ei" => &["ei", "ee", "i", "ay", "hi"],
        "i" => &["i", "ee", "ze", "z", "ie", "zu"],
        "o" => &["o", "or", "oh", "aw"],
        "oi" => &["oi", "oy"],
        "ou" => &["o", "ou", "oo", "u"],
        "oe" => &["eu", "oe", "er"],
        "oeng" => &["eung", "oeng", "ong"],
        "oek" => &["euk", "eok", "eurk"],
        "ik" => &["ik", "ick"],
        "ok" => &["ok", "ock"],
        "uk" => &["uk", "ook"],
        "eoi" => &["ui", "eui", "oy"],
        "eon" => &["un", "eun", "on"],
        "eot" => &["ut", "eut"],
        "u" => &["u", "oo"],
        "ui" => &["ui", "ooi"],
        "un" => &["un", "oon", "wun"],
        "ut" => &["ut", "oot"],
        "yu" => &["u", "ue", "yu", "ee"],
        "yun" => &["uen", "un", "yun"],
        "yut" => &["uet", "ut", "yut"],
        "iu" => &["iu", "ew", "u"],
        other => &[other],
    };
    let mut all = Vec::with_capacity(heads.len() * finals.len() + 1);
    for head in heads {
        for last in finals {
            let spelled = match (*head, *last) {
                // y before u and i is written once: `yu`, `yi`, `yuen`.
                ("y", l) if l.starts_with('y') => l.to_owned(),
                (h, l) => format!("{h}{l}"),
            };
            all.push(spelled);
        }
    }
    all.push(macau(jyutping));
    all.push(jyutping.to_owned());
    all
}

/// The spelling of a Jyutping syllable in Macau, after its Portuguese table: `Leong`, `Kuok`, `Ieong Iat Seng`.
fn macau(jyutping: &str) -> String {
    let initials = [
        ("gw", "ku"),
        ("kw", "ku"),
        ("ng", "ng"),
        ("b", "p"),
        ("d", "t"),
        ("g", "k"),
        ("z", "ch"),
        ("c", "ch"),
        ("j", "i"),
    ];
    let (head, rest) = match initials.iter().find(|(i, _)| jyutping.starts_with(i)) {
        Some((i, head)) => (*head, &jyutping[i.len()..]),
        None => jyutping.split_at(jyutping.find(|c| "aeiouy".contains(c)).unwrap_or(0)),
    };
    let last = match rest {
        "aau" | "au" => "ao",
        "oeng" => "eong",
        "oek" => "eok",
        "ing" => "eng",
        "ik" => "ek",
        "ung" => "ong",
        "uk" => "ok",
        "eoi" => "oi",
        "eon" => "on",
        "eot" => "ot",
        "iu" => "io",
        "yu" => "u",
        "yun" => "un",
        "yut" => "ut",
        other => other.strip_prefix("aa").map_or(other, |_| &other[1..]),
    };
    match (head, last) {
        // `U`, `Un`, `Io`, `Ip`: the i is not written twice, nor before u.
        ("i", last) if last.starts_with('i') || last.starts_with('u') => last.to_owned(),
        (head, last) => format!("{head}{last}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(c: char, spelled: &str) -> bool {
        character(c).unwrap().spellings().iter().any(|(_, t)| t == spelled)
    }

    #[test]
    fn each_romanisation_is_among_the_spellings() {
        for (c, all) in [
            ('陳', ["chen", "chan"].as_slice()),
            ('大', &["da", "ta", "tai"]),
            ('文', &["wen", "man"]),
            ('張', &["zhang", "chang", "cheung"]),
            ('謝', &["xie", "hsieh", "tse"]),
            ('吳', &["wu", "ng"]),
            ('李', &["li", "lee"]),
            ('黃', &["huang", "wong"]),
        ] {
            for s in all {
                assert!(has(c, s), "{c} {s}: {:?}", character(c).unwrap().spellings());
            }
        }
    }

    #[test]
    fn macau_has_a_spelling_of_its_own() {
        for (c, spelled) in [
            ('郭', "kuok"),
            ('楊', "ieong"),
            ('梁', "leong"),
            ('葉', "ip"),
            ('余', "u"),
            ('趙', "chio"),
            ('周', "chao"),
            ('一', "iat"),
            ('誠', "seng"),
            ('徐', "choi"),
            ('蘇', "sou"),
            ('關', "kuan"),
        ] {
            assert!(has(c, spelled), "{c} {spelled}: {:?}", character(c).unwrap().spellings());
        }
    }

    #[test]
    fn a_family_is_read_elsewhere_as_families_are() {
        let has = |pinyin, family, spelled: &str| elsewhere(pinyin, family).iter().any(|s| s == spelled);
        for (pinyin, spelled) in
            [("li", "lee"), ("li", "lai"), ("chen", "chan"), ("lv", "lui"), ("lu", "lui")]
        {
            assert!(has(pinyin, true, spelled), "{pinyin} {spelled}");
        }
        assert!(has("shu", false, "suk") && !has("shu", true, "suk"), "nobody's family");
        assert!(!has("li", true, "lui"));
    }

    #[test]
    fn simplified_and_traditional_fold_together() {
        for (a, b) in [('陳', '陈'), ('張', '张'), ('後', '后'), ('劉', '刘')] {
            assert_eq!(character(a).unwrap().folded, character(b).unwrap().folded);
        }
    }

    #[test]
    fn telegraph_codes_are_read() {
        assert_eq!(from_telegraph_code(1728), Some('张'));
        assert_eq!(from_telegraph_code(7115), Some('陈'));
    }
}
