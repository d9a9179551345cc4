//! What matching promises, on invented names: data first, one helper.

use std::sync::Arc;

use sluice_lists::{
    BirthDate, Country, DEFAULT_THRESHOLD, Entry, Gender, Identifier, IdentifierKind, ListVersion, Name,
    NameQuality, Query, Scoring, Screener, Settings, Verified, score_pair,
};
use sluice_model::{EntryKind, Party};

fn score(left: &str, right: &str) -> f64 {
    score_pair(left, right, &Scoring::default()).0
}

/// Each pair on its side of the default threshold, both ways round.
fn check(same: bool, pairs: &[(&str, &str)]) {
    for (a, b) in pairs {
        for (left, right) in [(a, b), (b, a)] {
            let score = score(left, right);
            assert_eq!(score >= DEFAULT_THRESHOLD, same, "{left} | {right}: {score}");
        }
    }
}

#[test]
fn the_same_name_written_otherwise() {
    check(
        true,
        &[
            ("Vasil Zorkin", "ZORKIN, Vasil"),
            ("Vasil Zorkin", "VasilZorkin"),
            ("Vasil Zorkin", "Vasil Zor kin"),
            ("Mr. Vasil Zorkin", "Vasil Zorkin"),
            ("V. Zorkin", "Vasil Zorkin"),
            ("Vasil Zorrkin", "Vasil Zorkin"),
            ("V\u{430}sil Z\u{43E}rkin", "Vasil Zorkin"),
            ("Jon Halvorsen", "John Halvorsen"),
            ("Mohammed Qaddumi", "Muhammad Kaddoumi"),
            ("Heron Aktiengesellschaft", "Heron AG"),
            ("Heron Trading S.A.R.L.", "Heron Trading SARL"),
            ("The Heron Company", "Heron Company"),
            ("Second Heron Bank", "2nd Heron Bank"),
            ("Dr Vasil Zorkin", "Sheikh Vasil Zorkin"),
            ("Vas\u{200B}il Zor\u{AD}kin", "Vasil Zorkin"),
            ("Zorkin Vasil Petrovich", "Vasil Petrovich Zorkin"),
            ("Vasil Zorkine", "Vasil Zorkin"),
            ("VasilPetrovich Zorkin", "Vasil Petrovich Zorkin"),
            ("Yury Zubkou", "Yuri Zubkov"),
            ("Sergejs Lavrenovs", "Sergey Lavrenov"),
            ("Denis Rjauzow", "Denis Ryauzov"),
            ("Alhamid Qaddumi", "Al-Hamid Qaddumi"),
            ("Heronix", "Heronix"),
            ("Brigade Forty 4", "Brigade 44"),
        ],
    );
}

#[test]
fn other_names() {
    check(
        false,
        &[
            ("Vasil Zorkin", "Pia Halvorsen"),
            ("Vasil Zorkin", "Tariq Zorkin"),
            ("Vasil Zorkin", "Zorkin"),
            ("Heron Ltd", "Ltd"),
            ("Corp", "Heron Corp"),
            ("General Trading Company", "Heron General Trading Company"),
            ("Heron Shipping 7", "Heron Shipping 9"),
            ("Salman bin Muhammad Al-Qaddumi", "Muhammad bin Salman Al-Qaddumi"),
            ("Malik Ruslanovich Zorkin", "Malik Magomedovich Zorkin"),
            ("", ""),
            ("Ltd", "Ltd"),
            ("Heron Systems Limited", "Heron Ltd"),
            ("Tim Halvorsen", "Kim Halvorsen"),
            ("V", "Vasil"),
            // Characters of one sound; a family whom nobody is called.
            ("陳大文", "陳大民"),
            ("袁志國", "雲際國"),
            ("LUI Fong Wai", "LI, Fangwei"),
            ("Ming Fai CHAN", "CHEN, Mingfu"),
            // Shared words alone.
            ("聯合貿易有限公司", "山茶聯合機械貿易會社"),
        ],
    );
}

#[test]
fn across_scripts_and_romanisations() {
    check(
        true,
        &[
            ("陳大文", "CHAN Tai Man"),
            ("陳大文", "Tai Man CHAN"),
            ("陳大文", "陈大文"),
            ("陳大文", "Chen Dawen"),
            ("陳大文", "Dawen Chen"),
            ("陳大文", "Chʼên Ta-wên"),
            ("陳大文", "Peter CHAN Tai Man"),
            ("陳大文", "CHAN Tai Man, Peter"),
            ("陳大文", "7115 1129 2429"),
            ("CHAN Tai Man", "CHAN Taiman"),
            ("CHAN Tai Man", "Peter CHAN Tai Man"),
            ("CHAN Tai Man", "Chen Dawen"),
            ("AU YEUNG Tai Man", "Ouyang Dawen"),
            ("郭一誠", "KUOK Iat Seng"),
            ("山茶國際貿易有限公司", "山茶国际贸易"),
            ("LEONG Chi Keong", "梁志強"),
            ("LYU Dawen", "Lü Dawen"),
            ("LUI Tai Man", "Lyu Dawen"),
            ("謝志華", "Hsieh Chih-hua"),
            ("歐陽鋒", "AU YEUNG Fung"),
            ("Василий Зоркин", "Vasily Zorkin"),
            ("محمد القدومي", "Mohammed al-Qaddumi"),
            ("김영철", "KIM Yong-chol"),
            ("김영철", "Kim Young Chul"),
            ("김영철", "Young-chul Kim"),
            ("박민욱", "Park Min-wook"),
        ],
    );
    check(false, &[("陳大文", "陳小明"), ("陳大文", "WONG Siu Ming"), ("김영철", "Kim Jae Ho")]);
}

#[test]
fn names_of_syllables_agree_in_every_syllable() {
    check(
        false,
        &[
            // Another given name, by one syllable, one letter or their order.
            ("CHAN Tai Man", "CHAN Tai Ming"),
            ("CHAN Tai Man", "CHAN Tai Mok"),
            ("CHAN Tai Man", "CHAN Man Tai"),
            ("Kim Jong Min", "Kim Jong Sik"),
            ("陳大文", "陳文大"),
            // One more or less.
            ("CHAN Tai Man", "CHAN Man"),
            ("CHEUNG Ling Wai", "WEI Zhang"),
            ("李怡嘉", "Li Yi"),
            ("LEE Ka Yan", "LI Yan"),
            // Another family.
            ("CHAN Ka Yan", "WONG Ka Yan"),
        ],
    );
}

#[test]
fn names_of_organisations_in_other_words() {
    check(
        true,
        &[
            // First letters, with and without dots, and with the company's own.
            ("HPLF", "Heron People's Liberation Front"),
            ("H.P.L.F.", "Heron People's Liberation Front"),
            ("NHOC", "National Heron Oil Company"),
            // Abbreviated and translated.
            ("Heron Intl Mfg Co", "Heron International Manufacturing Company"),
            ("Banque Heron", "Heron Bank"),
            ("ОАО Калужский завод", "Kaluga Plant JSC"),
            ("Калужский приборостроительный институт", "Kaluga Instrument Institute"),
            // Numbers in words, misspelt, Roman with a stroke more, and written `No.`.
            ("Brigade Fourty-four", "Brigade 44"),
            ("Heron Twelth Brigade", "Heron 12th Brigade"),
            ("Heron Capital Partners VII", "Heron Capital Partners VIII"),
            ("Heron Capital Partners V", "Heron Capital Partners VI"),
            ("Heron Shipping Co No. 12", "Heron Shipping Company 12"),
            ("9%ers", "Nine Percenters"),
            // What stands in brackets is a branch.
            ("Heron Bank (Schweiz) AG", "Heron Bank AG"),
            // Any legal form is a company's.
            ("Heron Oil Company", "Heron Oil PJSC"),
        ],
    );
    check(
        false,
        &[
            ("HSL", "Heron Shipping Lines"),
            ("Silver Lake Noodle House", "Silver House Inc."),
            ("Heron Bank (Schweiz) AG", "Heron Bank (Sweden) AG"),
            ("Heron Capital Partners VIII", "Heron Capital Partners IX"),
            ("Heron Shipping 7", "Heron Shipping 8"),
            ("Калужский завод", "Минский завод"),
        ],
    );
}

#[test]
fn kana_is_read() {
    check(
        true,
        &[
            ("バシル・ゾルキン", "Basil Zorkin"),
            ("ピア・ハルボルセン", "Pia Halvorsen"),
            ("やまだ たろう", "Yamada Taro"),
        ],
    );
    check(false, &[("バシル・ゾルキン", "Tariq Zorkin")]);
}

#[test]
fn syllables_are_no_other_words() {
    check(
        false,
        &[
            // Consonants alone: any two syllables are some Arabic name.
            ("SO Lok Hei", "عبدالحی سالک"),
            // Characters of one sound are other characters.
            ("袁國勇", "沈忠國際海運有限公司"),
            ("陳大文", "陳大民"),
            // Macau's and the South Seas' spellings are syllables too, `Sia` in a name is no legal form, and `Son` a family.
            ("CHIU Ka Wai", "CHIO, Wai"),
            ("LO Wai Keung", "WEI, Sia-Kang"),
            ("Son Min-do", "SON, Min"),
            ("FUNG Shing Ka", "FENG SHENG CO., LTD."),
            // The family, in capitals or before the comma, stands for none of the given names.
            ("CHENG Shan Suk", "CHEN, Shu Sheng"),
        ],
    );
}

#[test]
fn an_omission_costs_less_than_a_contradiction() {
    let whole = "Vasil Petrovich Zorkin";
    assert!(score("Vasil Zorkin", whole) > score("Vasil Ivanovich Zorkin", whole));
}

#[test]
fn one_typo_in_a_long_name_is_no_cliff() {
    let name = "Ardeshir Behruz Kamaloddin Farrokhzad Tehranipour Mostowfi";
    let words: Vec<&str> = name.split(' ').collect();
    for i in 0..words.len() {
        let mut changed: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
        changed[i].remove(2);
        let score = score(&changed.join(" "), name);
        assert!(score > 0.9, "{} {score}", changed.join(" "));
    }
}

#[test]
fn reasons_name_every_token_and_the_script_path() {
    let (_, reasons) = score_pair("Peter CHAN Tai Man", "陳大文", &Scoring::default());
    let told: Vec<(&str, &str)> = reasons.iter().map(|r| (r.step.as_str(), r.text.as_str())).collect();
    assert!(
        told.iter().any(|(step, text)| *step == "token" && text.contains("陳") && text.contains("Cantonese")),
        "{told:?}"
    );
    assert!(told.iter().any(|(step, text)| *step == "extra" && text.contains("peter")), "{told:?}");
    let step = |left: &str, right: &str, step: &str| {
        let (_, reasons) = score_pair(left, right, &Scoring::default());
        reasons.into_iter().find(|r| r.step == step).map_or_else(String::new, |r| r.text)
    };
    assert!(step("Yuri Zubkou", "Yuri Zubkov", "token").contains("yuri"));
    assert!(step("Zubkou Yuri", "Zubkov Yuri", "token").contains("as English would write it"));
    assert!(step("Vasil Bem", "Vasil Bek", "slip").contains("nearly"));
    assert!(step("HPLF", "Heron People's Liberation Front", "token").contains("acronym, first letters"));
    assert!(step("Zavod Heron", "Heron Plant", "token").contains("a form of the same name or word"));
    assert!(step("バシル", "Basil", "token").contains("kana romanised"));
    assert!(step("Heron Fund VII", "Heron Fund VIII", "slip").contains("VII is nearly VIII"));
}

/// An entry of which everything is known, and what a query for its name scores with one more fact.
fn with(change: impl Fn(&mut Query)) -> (f64, Vec<(String, f64)>) {
    let mut entry = Entry::new("1", EntryKind::Person, "ZORKIN, Vasil Petrovich");
    entry.birth_dates.push(BirthDate::parse("1962-03-05").unwrap());
    entry.nationalities.push(Country::parse("RU").unwrap());
    entry.gender = Some(Gender::Male);
    entry.identifiers.push(Identifier {
        kind: IdentifierKind::Passport,
        value: "P 7654321".into(),
        country: None,
        label: None,
        note: None,
    });
    let version = Arc::new(ListVersion::new("test", vec![entry]).unwrap());
    let screener = Screener::build(&[version], Settings { threshold: Some(0.5), ..Settings::default() });
    let mut query = Query::name("Vasil Zorkin");
    change(&mut query);
    let found = screener.screen(&query).remove(0);
    (found.score, found.reasons.into_iter().map(|r| (r.step, r.weight)).collect())
}

#[test]
fn other_facts_adjust_the_score_each_by_a_reason_of_its_own() {
    let (plain, _) = with(|_| {});
    type Fact = fn(&mut Query);
    let facts: [(&str, bool, Fact); 7] = [
        ("birth_date", true, |q| q.birth_date = Some(BirthDate::parse("1962-03-05").unwrap())),
        ("birth_date", false, |q| q.birth_date = Some(BirthDate::parse("1985").unwrap())),
        ("country", true, |q| q.country = Country::parse("RU")),
        ("country", false, |q| q.country = Country::parse("HK")),
        ("gender", false, |q| q.gender = Some(Gender::Female)),
        ("kind", false, |q| q.kind = Some(EntryKind::Vessel)),
        ("identifier", true, |q| q.identifiers.push("p7654321".into())),
    ];
    for (step, raises, fact) in facts {
        let (score, reasons) = with(fact);
        let told = reasons.iter().find(|(s, _)| s == step);
        assert!(told.is_some_and(|(_, by)| (*by > 0.0) == raises), "{step} {reasons:?}");
        assert!(if raises { score > plain } else { score < plain }, "{step}: {score} against {plain}");
    }
}

/// The complaint: 98 of 100 found at .75, 29 at .80, because one typo moved all long names across the line.
#[test]
fn scores_fall_evenly_with_each_typo() {
    let name = "Ardeshir Behruz Kamaloddin Farrokhzad";
    let mut changed: Vec<char> = name.chars().collect();
    let mut scores = vec![score(name, name)];
    for at in [33, 20, 11, 3] {
        changed[at] = 'x';
        scores.push(score(&changed.iter().collect::<String>(), name));
    }
    println!("typos → score: {scores:.3?}");
    assert!(scores.windows(2).all(|w| w[0] > w[1] && w[0] - w[1] < 0.12), "{scores:?}");
    assert!(scores[2] >= DEFAULT_THRESHOLD, "two wrong words of four are still found: {scores:?}");
}

#[test]
fn a_legal_form_alone_is_nobody() {
    for form in ["CORP", "Ltd", "GmbH", "S.A.", "Company Limited", "ООО", "有限公司"] {
        for listed in ["Heron Corp", "Heron Company Limited", "S.A.", "Corp", "鷺有限公司"] {
            assert!(score(form, listed) < DEFAULT_THRESHOLD, "{form} | {listed}");
        }
    }
}

/// An entry of which everything is known, and what it scores for a query at the default threshold.
fn hinted(change: impl Fn(&mut Query)) -> Option<(f64, Vec<String>)> {
    let mut entry = Entry::new("1", EntryKind::Person, "ZORKIN, Vasil Petrovich");
    entry.names.push(Name::new("Василий Зоркин", NameQuality::Strong));
    entry.names.push(Name::new("Vasya Zorkovich", NameQuality::Weak));
    entry.birth_dates.push(BirthDate::parse("1962-03-05").unwrap());
    entry.nationalities.push(Country::parse("RU").unwrap());
    entry.gender = Some(Gender::Male);
    let version = Arc::new(ListVersion::new("test", vec![entry]).unwrap());
    let screener = Screener::build(&[version], Settings::default());
    let mut query = Query {
        birth_date: BirthDate::parse("1985-01-01").ok(),
        country: Country::parse("HK"),
        gender: Some(Gender::Female),
        kind: Some(EntryKind::Vessel),
        ..Query::name("Vasil Petrovich Zorkin")
    };
    change(&mut query);
    let found = screener.screen_cold(&query);
    assert_eq!(found, screener.exhaustive(&query));
    found
        .into_iter()
        .next()
        .map(|hit| (hit.score, hit.reasons.into_iter().map(|r| format!("{} {}", r.step, r.text)).collect()))
}

#[test]
fn unverified_facts_do_not_clear_a_whole_name() {
    for name in [
        "Vasil Petrovich Zorkin",
        "ZORKIN Vasil Petrovich",
        "Mr. Vasil Petrovich Zorkin",
        "Vas\u{200B}il PETROVICH Zorkin",
        "Василий Зоркин",
        "Vasya Zorkovich",
        "Vasil Petrovich Zorkin, 12 Nathan Road, Kowloon",
    ] {
        let (score, reasons) = hinted(|q| q.name = name.into()).unwrap_or_else(|| panic!("{name} is clear"));
        assert_eq!(score.to_bits(), DEFAULT_THRESHOLD.to_bits(), "{name}");
        let told = reasons.iter().find(|reason| reason.starts_with("unverified")).unwrap();
        for fact in ["birth_date", "country", "gender", "kind"] {
            assert!(told.contains(fact), "{told}");
        }
    }
    // A name that met in part is cleared by them as before, and one that is a match anyhow needs no lifting.
    assert_eq!(hinted(|q| q.name = "Vasil Zorkin".into()), None);
    let (score, reasons) =
        hinted(|q| *q = Query { country: Country::parse("HK"), ..Query::name(&*q.name) }).unwrap();
    assert!(score > 0.9 && !reasons.iter().any(|reason| reason.starts_with("unverified")), "{reasons:?}");
}

#[test]
fn verified_facts_clear_a_whole_name() {
    let all = ["birth_date", "country", "gender", "kind"];
    assert_eq!(hinted(|q| q.verified = Verified::of(all)), None);
    // So do as many of them as are enough.
    assert_eq!(hinted(|q| q.verified = Verified::of(["birth_date", "gender"])), None);
    let (score, reasons) = hinted(|q| q.verified = Verified::of(["birth_date"])).unwrap();
    assert_eq!(score.to_bits(), DEFAULT_THRESHOLD.to_bits());
    let told = reasons.iter().find(|reason| reason.starts_with("unverified")).unwrap();
    assert!(!told.contains("birth_date") && told.contains("gender"), "{told}");
    // The name of some other field verifies nothing that moves a score.
    assert!(hinted(|q| q.verified = Verified::of(["name", "account"])).is_some());
    let party = Party { verified: vec!["birth_date".into(), "name".into()], ..Party::default() };
    assert_eq!(Query::party(&party, "").verified, Verified::of(["birth_date"]));
}

/// Whatever facts add may be what a name lacks: it is looked for so much further down.
#[test]
fn facts_lift_a_name_that_alone_is_none() {
    let mut entry = Entry::new("1", EntryKind::Person, "ZORKIN, Vasil Petrovich");
    entry.birth_dates.push(BirthDate::parse("1962-03-05").unwrap());
    entry.nationalities.push(Country::parse("RU").unwrap());
    let version = Arc::new(ListVersion::new("test", vec![entry]).unwrap());
    let screener = |threshold| {
        Screener::build(
            &[Arc::clone(&version)],
            Settings { threshold: Some(threshold), ..Settings::default() },
        )
    };
    for name in ["Vasil Zorkin", "Vasil Zorkan", "V. P. Zorkin", "Vasil Petrovic Zorkine"] {
        let plain = Query::name(name);
        let score = screener(0.3).screen_cold(&plain)[0].score;
        for (threshold, born, country) in [(0.035, true, true), (0.025, true, false), (0.005, false, true)] {
            let query = Query {
                birth_date: born.then(|| BirthDate::parse("1962-03-05").unwrap()),
                country: country.then(|| Country::parse("RU").unwrap()),
                ..plain.clone()
            };
            let screener = screener(score + threshold);
            assert!(screener.screen_cold(&plain).is_empty(), "{name}");
            assert_eq!(screener.screen_cold(&query).len(), 1, "{name} {threshold}");
        }
    }
}

/// The bound is as high as the best name: one that scores all there is meets at any threshold, by the index too.
#[test]
fn the_index_prunes_no_name_that_reaches_the_threshold() {
    let names = ["ZORKIN, Vasil Petrovich", "Heron Shipping Lines", "陳大文", "CHAN Tai Man", "Heron Bank"];
    let entries = || names.iter().map(|name| Entry::new(*name, EntryKind::Organisation, *name)).collect();
    let version = Arc::new(ListVersion::new("test", entries()).unwrap());
    for threshold in [0.971, 0.98, 0.99, 1.0] {
        let settings = Settings { threshold: Some(threshold), ..Settings::default() };
        let screener = Screener::build(&[Arc::clone(&version)], settings);
        for name in names {
            let found = screener.screen_cold(&Query::name(name));
            assert_eq!(found.first().map(|hit| hit.entry_id.as_str()), Some(name), "at {threshold}");
        }
    }
}
