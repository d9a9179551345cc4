//! Sets of one's own: people under their names in the original script and in Latin letters, and ordinary names of
//! Hong Kong, the mainland and Korea that should meet nobody.

use std::collections::BTreeSet;

use sluice_lists::Entry;
use sluice_model::EntryKind;

use super::{Half, Task};

/// The sets by language. Well-known people, written down from general knowledge: see `data/names/README.md`.
pub const SETS: [(&str, &str); 4] = [
    ("Russian", include_str!("../../data/names/russian.tsv")),
    ("Arabic", include_str!("../../data/names/arabic.tsv")),
    ("Korean", include_str!("../../data/names/korean.tsv")),
    ("Chinese", include_str!("../../data/names/chinese.tsv")),
];

/// The people of a set under their Latin names, and the original names of one half as queries.
pub fn script_pairs(set: &str, half: Option<Half>) -> (Vec<Entry>, Vec<Task>) {
    let pairs = || set.lines().filter_map(|line| line.split_once('\t'));
    let entries = pairs().map(|(original, latin)| Entry::new(original, EntryKind::Person, latin)).collect();
    let tasks = pairs().filter(|(original, _)| half.is_none_or(|h| Half::of(original) == h)).map(
        |(original, latin)| Task {
            query: original.to_owned(),
            entry: original.to_owned(),
            primary: latin.to_owned(),
        },
    );
    (entries, tasks.collect())
}

/// Surnames and given syllables from which ordinary names are put together, commonest first.
const ORDINARY: [(&str, &str, &str); 3] = [
    (
        "Hong Kong",
        "CHAN WONG LEE CHEUNG LAM HO LAU NG LEUNG YEUNG CHENG TSANG KWOK TAM YIP TANG FUNG CHOW LO MAK YUEN POON SIU TSE \
         HUI KWAN MOK AU SO TO YU LUI CHU KO CHIU LAI WU SHUM LI LAW CHUNG KONG SZE TSUI YAU CHOI HUNG FOK SHEK YAM",
        "Tai Man Wai Ming Ka Chi Keung Ho Tsz Fai Kit Wing Hing Kwok Kin Lok Chun Tak Hung On Wah Lun Hin Long Mei Ling \
         Yan Ying Lai Yee Hei Pui Shan Fong Yuk Suk Ching Sum Siu Kwan Yin Yiu Kam Shing Chung Cheuk Yuen Sze Lam Nga",
    ),
    (
        "mainland",
        "Wang Li Zhang Liu Chen Yang Huang Zhao Wu Zhou Xu Sun Ma Zhu Hu Guo He Gao Lin Luo Zheng Liang Xie Song Tang Xu \
         Han Feng Deng Cao Peng Zeng Xiao Tian Dong Yuan Pan Yu Jiang Cai",
        "wei fang na min jing li qiang lei jun yang yong yan jie juan tao ming chao xiu xia ping gang gui ying hua yu \
         xin jia hao ze zi han yi xuan ting hui bin bo chun dong guo hong jian lan mei peng qing rui shan wen",
    ),
    (
        "Korea",
        "Kim Lee Park Choi Jung Kang Cho Yoon Jang Lim Han Oh Seo Shin Kwon Hwang Ahn Song Jeon Hong Yoo Ko Moon Yang Son",
        "min jun seo yeon ji ho ha eun do yun su bin jin woo hyun young soo kyung hee sung jae mi sang won chul",
    ),
];

/// Ordinary names: every surname with some of the given names of two syllables.
pub fn ordinary() -> Vec<(&'static str, Vec<String>)> {
    let named = |(place, surnames, given): &(&'static str, &str, &str)| {
        let given: Vec<&str> = given.split_whitespace().collect();
        let mut names = BTreeSet::new();
        for (i, surname) in surnames.split_whitespace().enumerate() {
            for j in 0..GIVEN_EACH {
                // Walks through the pairs of syllables, another way for each surname.
                let (first, second) =
                    (given[(i * 7 + j) % given.len()], given[(i * 3 + j * 5 + 1) % given.len()]);
                names.insert(match *place {
                    "Hong Kong" => format!("{surname} {first} {second}"),
                    "mainland" => format!("{surname} {}{}{second}", &first[..1].to_uppercase(), &first[1..]),
                    _ => format!("{surname} {}{}-{second}", &first[..1].to_uppercase(), &first[1..]),
                });
            }
        }
        (*place, names.into_iter().collect())
    };
    ORDINARY.iter().map(named).collect()
}

/// Given names for each surname.
const GIVEN_EACH: usize = 40;
