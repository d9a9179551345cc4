//! Words that mean something whoever bears the name: legal forms, titles, particles, words that any company may
//! have in its name, short forms, and how common a name is.
//!
//! Owns tables of general knowledge only. Nothing in here is taken from a sanctions list.

use std::sync::LazyLock;

use rustc_hash::{FxHashMap, FxHashSet};

/// What part a word plays in a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Class {
    /// A name.
    Word,
    /// A word that many organisations have in their names: `trading`, `international`.
    Generic,
    /// `Mr`, `Haji`, `General`.
    Title,
    /// `bin`, `al`, `de`, `of`.
    Particle,
    /// One letter.
    Initial,
    /// Digits, a number word, a Roman numeral from II on.
    Number,
    /// One syllable or character of a Chinese or Korean name.
    Syllable,
}

const PARTICLES: &str = "al el ul ad an as at ar az ash the of and for in on to de del della di da do dos das du des la le \
    las los les van von der den zu zum zur ter ten y e et und i a bin ibn ben bint binti bte ould oglu ogly kyzy \
    abd o u na";

/// The next word is the father's name.
const LINEAGE: [&str; 7] = ["bin", "ibn", "ben", "bint", "binti", "bte", "ould"];

const TITLES: &str = "mr mrs ms miss dr prof professor sir lord lady dame hon honourable honorable rev reverend father \
    sheikh shaikh shaykh sheik cheikh shekh haji hajji hajj alhaj hadji hajiya mullah mulla maulana mawlana \
    maulavi mawlawi mawlavi maulvi qari ustad ustaz sayyid sayyed syed seyed emir \
    president prasident presidente prime minister senator ambassador king queen prince princess general gen colonel col lieutenant \
    lt major maj captain capt brigadier brig commander cmdr admiral adm marshal sergeant sgt eng engineer ing doctor \
    herr frau monsieur madame mme mlle don dona senor sr jr snr jnr dato datuk tengku hrh";

const GENERIC: &str = "company group holding holdings international intl global world worldwide trading trade trades \
    commerce commercial industries industry industrial enterprise enterprises services service general national \
    state investment investments invest capital finance financial bank banking banco banque management development \
    consulting consultants consultancy solutions systems technology technologies tech engineering construction \
    contracting contractors building materials energy oil gas petroleum petrochemical power electric electronics \
    shipping marine maritime lines line navigation transport transportation logistics cargo freight airlines airline \
    airways aviation air travel tours tourism hotel hotels import imports export exports importadora exportadora \
     foundation trust fund association organisation organization organizacion society institute center \
    centre university academy school college hospital medical pharma pharmaceutical pharmaceuticals chemical \
    chemicals agency office bureau department ministry government authority committee council commission party \
    front army movement brigade forces force security defence defense military police republic democratic people \
    peoples islamic united union federation federal central royal public private joint venture partners partnership \
    associates brothers bros sons son and co products production manufacturing factory works plant mining metals \
    steel iron gold minerals resources properties property real estate realty land inmobiliaria inversiones \
    comercializadora comercial constructora distribuidora distribution distributors sales marketing media press \
    communications communication telecom telecommunications network networks software computer computers data \
    digital online internet food foods agro agricultural agriculture farm farms fishing textile textiles motors motor \
    auto automotive exchange money currency remittance insurance securities asset assets equipment machinery tools \
    supply supplies supplier grupo servicios internacional asociados asociacion fundacion compagnie societe europe \
    european asia asian africa african america american middle east eastern west western north northern south \
    southern new first research scientific science design studio charitable charity relief aid humanitarian welfare \
    offshore one star predpriyatie obshchestvo kompaniya zavod nauchno torgovyy vessel ship mv mt";

/// Given names and surnames that are common in large parts of the world, beside those of the table; 0 is the most common.
const COMMON_ABROAD: [(u8, &str); 5] = [
    (
        3,
        "mohammad muhammad mohamed mohammed mohamad ahmad ahmed ali abdul abdel abu hassan hasan hussein hussain husayn \
        wang li zhang liu chen yang huang zhao wu zhou kim lee park singh kumar khan nguyen tran jose maria",
    ),
    (
        4,
        "abdullah abdallah ibrahim mahmoud mahmud omar umar yusuf yousef ismail khalid mustafa hamid karim rahman rahim \
        aziz salim saleh salih said sayed hamza jamal nasser nasir reza amir din uddin shah gul jan ivan vladimir \
        sergey sergei aleksandr alexander dmitry mikhail nikolai andrey andrei alexei aleksei igor oleg yuri viktor \
        ivanov ivanova petrov smirnov garcia rodriguez gonzalez hernandez lopez martinez perez sanchez ramirez carlos \
        juan luis antonio jesus francisco silva santos wong chan cheung lam leung ng lau ho cheng tan lin sun xu hu \
        zhu gao guo ma he choi choe jung jong kang cho yoon jang lim han shin kwon ri pak devi sharma das",
    ),
    (
        5,
        "alberto manuel miguel jorge pedro fernando eduardo ricardo rafael pablo diego torres flores rivera gomez diaz \
        cruz morales ortiz reyes jimenez ruiz mendoza castillo vargas tariq bilal faisal fahd majid rashid walid zaid \
        idris yunus musa isa daud sulayman suleiman haidar jaber qasim kazem mahdi hadi hashim abbas akbar asghar \
        anatoly boris konstantin pavel roman maxim denis evgeny vyacheslav valery vasily olga elena natalia svetlana \
        tatiana anna marina irina chol yong song hyon myong kwang chang hong tong sung il nam \
        carmen ana josefa isabel dolores pilar teresa rosa cristina marta lucia elena sofia paula laura andrea claudia patricia \
        alejandro javier sergio raul ramon angel victor oscar enrique alejandra gabriela guadalupe veronica adriana \
        daniela mariana valeria camila juana margarita silvia gloria martha yolanda beatriz francisca antonia jose \
        romero alvarez moreno munoz navarro dominguez gil vazquez serrano ramos blanco suarez molina ortega delgado \
        castro rubio marin sanz iglesias medina garrido cortes castillo guzman herrera rojas mejia salazar guerrero \
        estrada velasquez contreras soto aguilar vega rios pena campos fuentes cardenas leon maldonado cabrera \
        joao ana paulo pedro carlos antonio lucas mateus marcos tiago rafael bruno oliveira souza lima pereira costa \
        ferreira alves ribeiro carvalho gomes almeida lopes soares fernandes vieira barbosa rocha dias nascimento \
        giuseppe mario luigi giovanni franco marco andrea francesco paolo roberto alessandro rossi russo ferrari bianchi \
        romano colombo ricci esposito jean pierre michel philippe alain nicolas francois jacques laurent olivier martin \
        bernard dubois durand leroy moreau simon laurent lefebvre michel roux hans peter klaus wolfgang juergen jurgen \
        stefan thomas andreas christian matthias muller mueller schmidt schneider fischer weber meyer wagner becker \
        schulz hoffmann jan piotr krzysztof andrzej tomasz nowak kowalski johannes willem cornelis de jong jansen vries \
        bakker lars erik anders johan karl nils per ole johansson andersson karlsson nilsson eriksson larsson olsson \
        hansen johansen olsen larsen jensen nielsen pedersen andersen christensen",
    ),
    (
        6,
        "eugenio felipe arturo esteban rodrigo gustavo hugo ernesto ruben ismael emilio gerardo armando alfredo guillermo \
        salvador ignacio gonzalo cesar adrian ivan santiago mateo nicolas sebastian tomas joaquin vicente domingo \
        lorena alicia irene rocio raquel nuria eva sonia susana monica julia natalia carolina catalina mercedes \
        rosario esperanza consuelo leticia graciela cecilia luz elsa norma esther miriam araceli marisol \
        calvo vidal lozano cano prieto nieto herrero santana duran aguirre acosta ponce pacheco ochoa escobar zamora \
        villanueva miranda valencia robles palacios figueroa sandoval trujillo cisneros quintero mendez nunez padilla \
        bravo lara montoya cordero espinosa espinoza cervantes orozco valdez meza salinas luna avila rosales arias \
        elias tobias jonas lukas felix maximilian leon emma mia hanna lena sophie marie clara lea louise camille chloe \
        manon ines lucie mathilde hugo arthur louis jules gabriel adam raphael theo giulia chiara sara martina elisa \
        beatrice alessia federica valentina simone davide matteo lorenzo luca stefano fabio massimo claudio emanuele \
        sven bjorn ingrid astrid kristina katarina karin birgit helga petra monika sabine ursula renate gisela \
        kasper jesper henrik mikkel rasmus mads soren anne mette hanne kirsten johanna aino matti juhani \
        omar amir karim rami sami tarek fadi ziad nabil hani samir adel adnan anwar jalal kamal munir nadir zahra fatima \
        aisha maryam zainab khadija leila layla nour huda amina salma samira yasmin reza mehdi hossein mahdi saeed masoud \
        behzad farhad mehmet mustafa ayse fatma emine yilmaz kaya demir celik sahin ozturk aydin arslan dogan kilic aslan \
        budi agus siti dewi sri eko joko setiawan hidayat wijaya santoso susanto nugroho saputra \
        rajesh suresh ramesh sanjay anil sunil vijay ravi amit priya anita sunita gupta patel verma mishra yadav reddy nair \
        iyer rao jain mehta shah thapa gurung rai tran le pham hoang phan vu vo dang bui do ngo duong minh thi van anh",
    ),
    (
        4,
        "محمد احمد علی علي حسن حسين حسین عبدالله ابراهيم ابراهیم محمود عمر یوسف يوسف خالد مصطفی مصطفى سعید سعيد صالح ناصر جمال \
        کمال كمال رضا مهدی مهدي امیر امير فاطمة فاطمه زهرا مریم مريم زینب زينب سالم سليمان حمید حميد رحمن رحيم كريم کریم جبار عزيز",
    ),
];

/// Spelled out, so that one spelling meets another.
const ABBREVIATIONS: [(&str, &str); 47] = [
    ("intl", "international"),
    ("natl", "national"),
    ("govt", "government"),
    ("gov", "government"),
    ("dept", "department"),
    ("assn", "association"),
    ("assoc", "association"),
    ("bros", "brothers"),
    ("mfg", "manufacturing"),
    ("mfrs", "manufacturers"),
    ("mgmt", "management"),
    ("mgt", "management"),
    ("org", "organization"),
    ("univ", "university"),
    ("inst", "institute"),
    ("acad", "academy"),
    ("sch", "school"),
    ("hosp", "hospital"),
    ("tech", "technology"),
    ("technol", "technology"),
    ("eng", "engineering"),
    ("engrg", "engineering"),
    ("ind", "industries"),
    ("inds", "industries"),
    ("indl", "industrial"),
    ("svc", "service"),
    ("svcs", "services"),
    ("svs", "services"),
    ("sys", "systems"),
    ("devt", "development"),
    ("cntr", "center"),
    ("ctr", "center"),
    ("centre", "center"),
    ("comm", "committee"),
    ("cttee", "committee"),
    ("invt", "investment"),
    ("invs", "investments"),
    ("finl", "financial"),
    ("elec", "electric"),
    ("pharm", "pharmaceutical"),
    ("transp", "transport"),
    ("organisation", "organization"),
    ("labour", "labor"),
    ("defence", "defense"),
    ("programme", "program"),
    ("st", "saint"),
    ("mohd", "mohammad"),
];

/// Families of spellings that no rule of sound brings together.
const SAME_NAME: &str = "lee yi rhee ri li|park pak bak|choi choe choy|kim gim|lim im rim yim|yoo yu ryu you|jung jong chung chong jeong|cho jo|\
    kang gang|shin sin|kwon gwon|yoon yun|jang chang|roh noh no|baek paek|woo u wu|oh o|hwang whang|song seong sung|young yong yeong|\
    chul chol cheol|hyun hyon hyeon|myung myong myeong|kyung kyong gyeong|jun joon chun|soo su|\
    alexander aleksandr aleksander oleksandr iskander|michael mikhail mykhailo|nicholas nikolai nikolay mykola|paul pavel pavlo|\
    peter petr pyotr petro|john ivan ioann juan jean giovanni|george georgy georgiy jorge|andrew andrei andrey andriy|\
    vladimir volodymyr uladzimir|sergey serhiy sergei syarhei|dmitry dmytro dzmitry|igor ihor|oleg oleh|gregory grigory hryhoriy|\
    joseph yusuf iosif yosef|abraham ibrahim|moses musa moshe|jesus isa|solomon sulayman suleiman|jacob yaqub yakov|david daud dawud|\
    jin chin|jun chun|ju chu|jae chae|jon chon|jong chong jung chung jeong|gi ki|dong tong|do to|bok pok|bom pom|byong pyong byung|\
    gwang kwang|guk kuk kook|gil kil|dae tae|du tu doo|hak hag|sok seok suk|sop sob seop|ryol ryul yeol yul|ryong yong|yol yul|chun choon|\
    nadezhda nadia nadya|aleksandr sasha shura alex|alexander sasha|dmitry dima mitya|mikhail misha|vladimir volodya vova|sergey serezha|\
    nikolai kolya|ivan vanya|yuri yura juri jurij iouri|evgeny yevgeny zhenya eugene|ekaterina katya|tatiana tanya|maria masha|anna anya|\
    natalia natasha|svetlana sveta|olga olya|irina ira|konstantin kostya|vasily vasya|francisco paco pancho|jose pepe|jesus chuy|\
    ignacio nacho|guadalupe lupe|roberto beto|eduardo lalo|enrique quique|rafael rafa|benjamin bibi|\
    muhammad mohammed mehmet mohamed|ahmad ahmed ahmet|qadhafi gaddafi gadhafi qaddafi kadhafi|hong kong";

/// How common a name is, from 0 (hardly ever seen) to 1 (the commonest).
pub(crate) fn commonness(word: &str) -> f32 {
    static TABLE: LazyLock<FxHashMap<&'static str, u8>> = LazyLock::new(|| {
        let mut table = FxHashMap::default();
        for line in include_str!("../../tables/common_names.txt").lines() {
            let mut words = line.split(' ');
            let step = words.next().and_then(|s| s.parse().ok()).unwrap_or(10);
            table.extend(words.map(|w| (w, step)));
        }
        for (step, words) in COMMON_ABROAD {
            for word in words.split_whitespace() {
                let entry = table.entry(word).or_insert(step);
                *entry = step.min(*entry);
            }
        }
        table
    });
    TABLE.get(word).map_or(0.0, |step| 1.0 - f32::from(*step) / 10.0)
}

/// The lines of one sort in the table of words that organisations share.
fn company_words(sort: &str) -> impl Iterator<Item = &'static str> {
    let lines = include_str!("../../tables/company_words.txt").lines().filter(|l| !l.starts_with('#'));
    lines.filter_map(move |line| line.strip_prefix(sort)?.strip_prefix(": "))
}

/// What part a word of Latin letters plays, by itself.
pub(crate) fn class_of(word: &str) -> Class {
    static TABLE: LazyLock<FxHashMap<&'static str, Class>> = LazyLock::new(|| {
        let mut table = FxHashMap::default();
        for (words, class) in
            [(GENERIC, Class::Generic), (TITLES, Class::Title), (PARTICLES, Class::Particle)]
        {
            table.extend(words.split_whitespace().map(|w| (w, class)));
        }
        // What is a title or a particle besides stays one.
        for word in company_words("same").chain(company_words("shared")).flat_map(str::split_whitespace) {
            table.entry(word).or_insert(Class::Generic);
        }
        table
    });
    TABLE.get(word).copied().unwrap_or(Class::Word)
}

/// Whether the word after this one names the father.
pub(crate) fn is_lineage(word: &str) -> bool {
    LINEAGE.contains(&word)
}

/// The word that an abbreviation stands for.
pub(crate) fn spelled_out(word: &str) -> Option<&'static str> {
    ABBREVIATIONS.iter().find(|(w, _)| *w == word).map(|(_, full)| *full)
}

/// Other names by which the bearer of this one may go.
pub(crate) fn other_names(word: &str) -> &'static [&'static str] {
    static TABLE: LazyLock<FxHashMap<&'static str, Vec<&'static str>>> = LazyLock::new(|| {
        let mut table: FxHashMap<&'static str, FxHashSet<&'static str>> = FxHashMap::default();
        for line in include_str!("../../tables/nicknames.txt").lines() {
            let Some((name, short)) = line.split_once(' ') else { continue };
            for short in short.split(' ') {
                table.entry(name).or_default().insert(short);
                table.entry(short).or_default().insert(name);
            }
        }
        for family in SAME_NAME.split('|').chain(company_words("same")) {
            for a in family.split_whitespace() {
                table.entry(a).or_default().extend(family.split_whitespace().filter(|b| *b != a));
            }
        }
        let sorted = |set: FxHashSet<&'static str>| {
            let mut all: Vec<_> = set.into_iter().collect();
            all.sort_unstable();
            all
        };
        table.into_iter().map(|(name, others)| (name, sorted(others))).collect()
    });
    TABLE.get(word).map_or(&[], Vec::as_slice)
}

/// A class of legal forms, as a bit.
pub(crate) type LegalForms = u16;

/// The class of words that say no more than that it is a company: whatever its form.
const ANY_FORM: &str = "co";

struct LegalTable {
    /// First word → (all words, class), longest first.
    by_first: FxHashMap<&'static str, Vec<(Vec<&'static str>, LegalForms)>>,
    /// Single words long enough to be known when misspelt.
    long: Vec<(&'static str, LegalForms)>,
}

static LEGAL: LazyLock<LegalTable> = LazyLock::new(|| {
    let mut by_first: FxHashMap<&'static str, Vec<(Vec<&'static str>, LegalForms)>> = FxHashMap::default();
    let mut classes: Vec<&'static str> = Vec::new();
    for line in include_str!("../../tables/legal_forms.txt").lines().filter(|l| !l.starts_with('#')) {
        let Some((class, spellings)) = line.split_once(':') else { continue };
        let (spellings, class) = spellings.split_once('>').unwrap_or((spellings, class));
        let class = class.trim();
        let at = classes.iter().position(|c| *c == class).unwrap_or_else(|| {
            classes.push(class);
            classes.len() - 1
        });
        let class = if class == ANY_FORM { LegalForms::MAX } else { 1 << at };
        for spelled in spellings.split('|') {
            let words: Vec<_> = spelled.split_whitespace().collect();
            if let Some(first) = words.first() {
                by_first.entry(first).or_default().push((words, class));
            }
        }
    }
    for spellings in by_first.values_mut() {
        spellings.sort_by_key(|(words, _)| std::cmp::Reverse(words.len()));
    }
    let single = by_first
        .iter()
        .flat_map(|(first, s)| s.iter().filter(|(w, _)| w.len() == 1).map(|(_, c)| (*first, *c)));
    let mut long: Vec<_> = single.filter(|(w, _)| w.len() >= LEGAL_MISSPELT_LEN_MIN).collect();
    long.sort_unstable();
    LegalTable { by_first, long }
});

/// The legal form that begins here: how many words it has, and its class. Letters with dots between count as one
/// word (`S.A.R.L.`), and a long form may be misspelt.
pub(crate) fn legal_form(words: &[&str]) -> Option<(usize, LegalForms)> {
    let first = *words.first()?;
    let letters = words.iter().take(LEGAL_LETTERS_MAX).take_while(|w| w.len() == 1).count();
    for len in (2..=letters).rev() {
        if let Some(class) = one_word(&words[..len].concat()) {
            return Some((len, class));
        }
    }
    if let Some(spellings) = LEGAL.by_first.get(first)
        && let Some((spelled, class)) = spellings.iter().find(|(w, _)| words.starts_with(w))
    {
        return Some((spelled.len(), *class));
    }
    if first.len() >= LEGAL_MISSPELT_LEN_MIN && first.is_ascii() {
        let alike = |known: &str| known.starts_with(&first[..3]) && strsim::osa_distance(known, first) <= 2;
        let found = LEGAL.long.iter().find(|(known, _)| alike(known));
        return found.map(|(_, class)| (1, *class));
    }
    None
}

/// Letters of a legal form with dots between.
const LEGAL_LETTERS_MAX: usize = 5;
/// From this length a legal form is known in spite of two wrong letters.
const LEGAL_MISSPELT_LEN_MIN: usize = 9;

fn one_word(word: &str) -> Option<LegalForms> {
    let spellings = LEGAL.by_first.get(word)?;
    spellings.iter().find(|(w, _)| w.len() == 1).map(|(_, class)| *class)
}

/// Chinese words, of two simplified characters each, that any organisation may have in its name.
const SHARED_IN_CHINESE: &str = "国际 贸易 实业 发展 投资 企业 科技 技术 电子 工业 联合 综合 中国 香港 澳门 台湾 北京 上海 深圳 广州 广东 亚洲 环球 \
    全球 世界 东方 进出 出口 进口 船务 海运 航运 运输 物流 银行 保险 证券 金融 财务 管理 控股 机械 建设 建筑 工程 石油 化工 能源 矿业 钢铁 \
    纺织 服装 食品 饮食 餐厅 酒楼 酒店 旅游 医药 药业 医疗 生物 化学 电力 电器 电机 通讯 通信 网络 信息 软件 数据 传媒 广告 文化 教育 学校 \
    大学 中心 研究 设计 顾问 咨询 服务 代理 地产 置业 物业 珠宝 首饰 汽车 航空 渔业 农业 水产 材料 设备 仪器 制造 工厂 商会 协会 基金 会社 \
    商社 商行 洋行";

static SHARED_CHINESE: LazyLock<FxHashSet<(char, char)>> = LazyLock::new(|| {
    let words = SHARED_IN_CHINESE.split_whitespace().map(|word| word.chars());
    words.filter_map(|mut word| Some((word.next()?, word.next()?))).collect()
});

/// Whether two simplified characters are a word that any organisation may have in its name.
pub(crate) fn is_shared_in_chinese(first: char, second: char) -> bool {
    SHARED_CHINESE.contains(&(first, second))
}

/// Chinese, Japanese and Korean legal forms that end a company's name.
pub(crate) const LEGAL_ENDINGS: [&str; 14] = [
    "股份有限责任公司",
    "股份有限公司",
    "有限责任公司",
    "责任有限公司",
    "集团有限公司",
    "有限公司",
    "集团公司",
    "株式会社",
    "有限会社",
    "公司",
    "集团",
    "주식회사",
    "유한회사",
    "(주)",
];
