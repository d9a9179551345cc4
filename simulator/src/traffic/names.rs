//! Names: Hong Kong's, romanised and in characters that belong together, and other countries'. Put together
//! from the commonest words of each; no person is meant.

use sluice_model::EntryKind;

use crate::fault::rng::Rng;

/// A party of a list, by the name that payments to it carry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// The name, as the list gives it.
    pub name: String,
    /// The name in its own script.
    pub name_local: Option<String>,
    /// What it is.
    pub kind: EntryKind,
    /// ISO 3166-1 alpha-2, where known.
    pub country: Option<String>,
}

type Words = &'static [(&'static str, &'static str)];

/// Surnames in Hong Kong government romanisation.
const SURNAMES: Words = &[
    ("CHAN", "陳"),
    ("WONG", "黃"),
    ("LEE", "李"),
    ("CHEUNG", "張"),
    ("LAM", "林"),
    ("HO", "何"),
    ("LAU", "劉"),
    ("NG", "吳"),
    ("YEUNG", "楊"),
    ("CHENG", "鄭"),
    ("LEUNG", "梁"),
    ("TSANG", "曾"),
    ("KWOK", "郭"),
    ("TAM", "譚"),
    ("YIP", "葉"),
    ("TANG", "鄧"),
    ("FUNG", "馮"),
    ("CHOW", "周"),
    ("LO", "羅"),
    ("MAK", "麥"),
    ("YUEN", "袁"),
    ("POON", "潘"),
    ("SIU", "蕭"),
    ("TSE", "謝"),
    ("HUI", "許"),
    ("KWAN", "關"),
    ("MOK", "莫"),
    ("AU", "歐"),
    ("SO", "蘇"),
    ("TO", "杜"),
    ("YU", "余"),
    ("LUI", "呂"),
    ("CHU", "朱"),
    ("KO", "高"),
    ("CHIU", "趙"),
    ("LAI", "黎"),
    ("WU", "胡"),
    ("SHUM", "沈"),
    ("SZETO", "司徒"),
    ("AU YEUNG", "歐陽"),
];
const GIVEN_MALE: Words = &[
    ("Tai", "大"),
    ("Man", "文"),
    ("Wai", "偉"),
    ("Ming", "明"),
    ("Ka", "家"),
    ("Chi", "志"),
    ("Keung", "強"),
    ("Ho", "浩"),
    ("Tsz", "子"),
    ("Fai", "輝"),
    ("Kit", "傑"),
    ("Wing", "永"),
    ("Hing", "興"),
    ("Kwok", "國"),
    ("Kin", "健"),
    ("Lok", "樂"),
    ("Chun", "俊"),
    ("Tak", "德"),
    ("Hung", "雄"),
    ("On", "安"),
    ("Wah", "華"),
    ("Lun", "倫"),
    ("Hin", "軒"),
    ("Long", "朗"),
];
const GIVEN_FEMALE: Words = &[
    ("Mei", "美"),
    ("Ling", "玲"),
    ("Ka", "嘉"),
    ("Yan", "欣"),
    ("Wai", "慧"),
    ("Ying", "英"),
    ("Lai", "麗"),
    ("Yee", "怡"),
    ("Hei", "希"),
    ("Pui", "佩"),
    ("Shan", "珊"),
    ("Fong", "芳"),
    ("Yuk", "玉"),
    ("Suk", "淑"),
    ("Ching", "靜"),
    ("Sum", "心"),
    ("Man", "敏"),
    ("Tsz", "芷"),
    ("Lok", "樂"),
    ("Wing", "詠"),
];
const ENGLISH_MALE: &[&str] =
    &["Peter", "David", "Jason", "Kelvin", "Raymond", "Eric", "Alan", "Simon", "Vincent", "Tommy"];
const ENGLISH_FEMALE: &[&str] =
    &["Grace", "Mandy", "Joyce", "Carmen", "Winnie", "Fiona", "Vivian", "Connie", "Elaine", "Phoebe"];

/// Names of people of one country.
pub(super) struct Nation {
    pub country: &'static str,
    given: &'static [&'static str],
    surnames: &'static [&'static str],
}

/// Where Hong Kong's money goes when it goes abroad.
pub(super) const NATIONS: &[Nation] = &[
    Nation {
        country: "PH",
        given: &["Maria", "Rosalie", "Jose", "Marites", "Angelo", "Grace", "Ramon", "Liza"],
        surnames: &["Santos", "Reyes", "Cruz", "Bautista", "Ocampo", "Garcia", "Mendoza", "Villanueva"],
    },
    Nation {
        country: "ID",
        given: &["Siti", "Dewi", "Budi", "Agus", "Sri", "Putri", "Wahyu", "Rina"],
        surnames: &["Wijaya", "Santoso", "Lestari", "Susanto", "Hidayat", "Rahayu", "Setiawan", "Kusuma"],
    },
    Nation {
        country: "IN",
        given: &["Rajesh", "Priya", "Amit", "Sunita", "Vikram", "Anjali", "Sanjay", "Neha"],
        surnames: &["Sharma", "Patel", "Gupta", "Nair", "Reddy", "Mehta", "Iyer", "Chopra"],
    },
    Nation {
        country: "GB",
        given: &["James", "Emma", "Oliver", "Charlotte", "Thomas", "Sophie", "Harry", "Alice"],
        surnames: &["Smith", "Taylor", "Wright", "Walker", "Hughes", "Bennett", "Clarke", "Foster"],
    },
    Nation {
        country: "US",
        given: &["Michael", "Jennifer", "Robert", "Linda", "Daniel", "Susan", "Kevin", "Laura"],
        surnames: &["Johnson", "Miller", "Davis", "Anderson", "Parker", "Collins", "Morgan", "Hayes"],
    },
    Nation {
        country: "SG",
        given: &["Wei Ling", "Jun Hao", "Hui Min", "Kai Xiang", "Mei Fen", "Zhi Wei"],
        surnames: &["TAN", "LIM", "ONG", "GOH", "KOH", "CHUA", "TEO"],
    },
    Nation {
        country: "JP",
        given: &["Haruto", "Yui", "Kenji", "Sakura", "Takashi", "Emi", "Daichi", "Naomi"],
        surnames: &["Sato", "Suzuki", "Takahashi", "Watanabe", "Ito", "Nakamura", "Kobayashi", "Yamada"],
    },
    Nation {
        country: "KR",
        given: &["Min-jun", "Seo-yeon", "Ji-ho", "Ha-eun", "Do-yun", "Su-bin"],
        surnames: &["Kim", "Park", "Choi", "Jung", "Kang", "Yoon"],
    },
    Nation {
        country: "TH",
        given: &["Somchai", "Malee", "Anan", "Kanya", "Prasert", "Sunisa"],
        surnames: &["Saetang", "Chaiyasit", "Wongsa", "Boonmee", "Srisuk", "Thongdee"],
    },
    Nation {
        country: "VN",
        given: &["Van Minh", "Thi Lan", "Duc Anh", "Thi Hoa", "Quang Huy", "Thu Trang"],
        surnames: &["NGUYEN", "TRAN", "PHAM", "HOANG", "VU", "DANG"],
    },
    Nation {
        country: "AU",
        given: &["Jack", "Chloe", "Liam", "Matilda", "Noah", "Ruby"],
        surnames: &["Campbell", "Kelly", "Murphy", "Robertson", "Fraser", "Stewart"],
    },
    Nation {
        country: "DE",
        given: &["Lukas", "Anna", "Jonas", "Katharina", "Stefan", "Julia"],
        surnames: &["Müller", "Schneider", "Weber", "Schäfer", "Hoffmann", "Krüger"],
    },
    Nation {
        country: "AE",
        given: &["Omar", "Fatima", "Khalid", "Mariam", "Yousef", "Noura"],
        surnames: &["Al Mansouri", "Al Suwaidi", "Al Hashimi", "Al Ketbi", "Al Marri", "Al Nuaimi"],
    },
    Nation {
        country: "NP",
        given: &["Bikash", "Sita", "Prakash", "Anita", "Suresh", "Gita"],
        surnames: &["Gurung", "Tamang", "Shrestha", "Rai", "Thapa", "Magar"],
    },
];

const COMPANY_FIRST: Words = &[
    ("Golden Harbour", "金港"),
    ("Lucky Star", "福星"),
    ("Ever Bright", "永輝"),
    ("East Bay", "東灣"),
    ("Victory", "勝利"),
    ("Prosperous", "昌盛"),
    ("Jade Mountain", "玉山"),
    ("Silver River", "銀河"),
    ("Great Fortune", "宏運"),
    ("New Century", "新世紀"),
    ("Pearl", "明珠"),
    ("Union", "聯合"),
    ("Sincere", "誠信"),
    ("Grand Peak", "高峰"),
    ("Double Happiness", "雙喜"),
    ("Sunrise", "旭日"),
];
const COMPANY_TRADE: Words = &[
    ("Trading", "貿易"),
    ("Logistics", "物流"),
    ("Technology", "科技"),
    ("Engineering", "工程"),
    ("Textiles", "紡織"),
    ("Electronics", "電子"),
    ("Consulting", "顧問"),
    ("Foods", "食品"),
];

/// A kind of shop: its name's last word, merchant category code and the median ticket in HKD cents.
pub(super) struct Shop {
    pub word: &'static str,
    pub mcc: &'static str,
    pub ticket: i64,
}

pub(super) const SHOPS: &[Shop] = &[
    Shop { word: "Supermarket", mcc: "5411", ticket: 18_000 },
    Shop { word: "Noodle House", mcc: "5812", ticket: 7_500 },
    Shop { word: "Restaurant", mcc: "5812", ticket: 26_000 },
    Shop { word: "Bakery", mcc: "5462", ticket: 4_200 },
    Shop { word: "Fashion", mcc: "5651", ticket: 45_000 },
    Shop { word: "Digital", mcc: "5732", ticket: 180_000 },
    Shop { word: "Pharmacy", mcc: "5912", ticket: 13_000 },
    Shop { word: "Books", mcc: "5942", ticket: 16_000 },
    Shop { word: "Jewellery", mcc: "5944", ticket: 520_000 },
    Shop { word: "Taxi", mcc: "4121", ticket: 8_800 },
    Shop { word: "Hotel", mcc: "7011", ticket: 160_000 },
    Shop { word: "Telecom", mcc: "4814", ticket: 22_000 },
    Shop { word: "Tutorial Centre", mcc: "8299", ticket: 130_000 },
    Shop { word: "Clinic", mcc: "8011", ticket: 55_000 },
];

/// A name, with its characters where the script is not Latin.
pub(super) struct Named {
    pub name: String,
    pub name_local: Option<String>,
    pub female: bool,
}

/// A person of Hong Kong: `CHAN Tai Man` 陳大文, one in four with an English name before it.
pub(super) fn hong_konger(rng: &mut Rng) -> Named {
    let female = rng.percent(50);
    let given = if female { GIVEN_FEMALE } else { GIVEN_MALE };
    let (surname, surname_local) = *rng.pick(SURNAMES);
    let (first, first_local) = *rng.pick(given);
    let (second, second_local) = *rng.pick(given);
    let mut name = format!("{surname} {first} {second}");
    if rng.percent(25) {
        name = format!("{} {name}", rng.pick(if female { ENGLISH_FEMALE } else { ENGLISH_MALE }));
    }
    Named { name, name_local: Some(format!("{surname_local}{first_local}{second_local}")), female }
}

/// A person of another country; those who write the surname first do so here.
pub(super) fn foreigner(nation: &Nation, rng: &mut Rng) -> Named {
    let (given, surname) = (rng.pick(nation.given), rng.pick(nation.surnames));
    let surname_first = surname.bytes().all(|b| b.is_ascii_uppercase());
    let name = if surname_first { format!("{surname} {given}") } else { format!("{given} {surname}") };
    Named { name, name_local: None, female: rng.percent(50) }
}

/// A company of Hong Kong.
pub(super) fn company(rng: &mut Rng) -> Named {
    let ((first, first_local), (trade, trade_local)) = (*rng.pick(COMPANY_FIRST), *rng.pick(COMPANY_TRADE));
    let name = format!("{first} {trade} Limited");
    Named { name, name_local: Some(format!("{first_local}{trade_local}有限公司")), female: false }
}

/// A shop's name, of its kind.
pub(super) fn shop_name(shop: &Shop, rng: &mut Rng) -> String {
    format!("{} {}", rng.pick(COMPANY_FIRST).0, shop.word)
}
