//! Who lives in the city: customers of the institution, merchants, and the people and companies outside it.

use sluice_model::{Card, Currency, Device, EntryKind, Merchant, Money, Party, Proxy};

use super::names::{NATIONS, Nation, SHOPS, company, foreigner, hong_konger, shop_name};
use crate::{
    chance::{amount, between, rounded},
    fault::rng::Rng,
};

/// The institution's own BIC, and those of other banks in the city. A `0` in the eighth place marks test codes.
const OWN_BIC: &str = "SLUCHKH0";
const OTHER_BICS: [&str; 5] = ["EASTHKH0", "PEAKHKH0", "PEARHKH0", "JUNKHKH0", "TRAMHKH0"];

/// Of a hundred customers, how many are companies, mules and dormant accounts; the others are people who live
/// and pay. At least so many of each exist as patterns need.
const COMPANIES_PERCENT: usize = 4;
const MULES_PERCENT: usize = 2;
const DORMANT_PERCENT: usize = 1;
const COMPANIES_MIN: usize = 3;
const MULES_MIN: usize = 6;
const DORMANT_MIN: usize = 2;
/// The fewest customers a city can have.
const CUSTOMERS_MIN: usize = 20;

/// A customer of the institution.
pub(super) struct Customer {
    /// As payments carry it.
    pub party: Party,
    /// As the profile carries it.
    pub birth_date: Option<String>,
    pub id_number: String,
    pub address: String,
    pub device: Device,
    pub card: Card,
    /// What comes in each month, in HKD cents: a person's pay, a company's turnover.
    pub income: i64,
    /// What the account holds, in HKD cents.
    pub balance: i64,
    /// Whether a `customer` event has introduced it.
    pub introduced: bool,
    /// Where money is sent home to, for one in four.
    pub home: Option<&'static Nation>,
    pub risk: &'static str,
}

impl Customer {
    pub(super) fn is_company(&self) -> bool {
        self.party.kind == Some(EntryKind::Organisation)
    }
}

/// A shop that takes payments, banking elsewhere.
pub(super) struct Till {
    pub party: Party,
    pub merchant: Merchant,
    pub ticket: i64,
}

/// Everyone.
pub(super) struct City {
    pub customers: Vec<Customer>,
    pub tills: Vec<Till>,
    companies: usize,
    mules: usize,
    dormant: usize,
}

impl City {
    pub(super) fn new(customers: usize, rng: &mut Rng) -> Self {
        let customers = customers.max(CUSTOMERS_MIN);
        let share = |percent: usize, least: usize| (customers * percent / 100).max(least);
        let companies = share(COMPANIES_PERCENT, COMPANIES_MIN);
        let (mules, dormant) = (share(MULES_PERCENT, MULES_MIN), share(DORMANT_PERCENT, DORMANT_MIN));
        let people = (0..customers).map(|number| customer(number, number < companies, rng)).collect();
        let tills = (0..SHOPS.len() * 3 + customers / 50).map(|number| till(number, rng)).collect();
        let mut city = Self { customers: people, tills, companies, mules, dormant };
        for at in city.mule_range() {
            city.customers[at].balance = between(20_000, 150_000, rng);
        }
        city
    }

    /// A company among the customers.
    pub(super) fn company(&self, rng: &mut Rng) -> usize {
        rng.below(self.companies)
    }

    /// A person who lives an ordinary life.
    pub(super) fn person(&self, rng: &mut Rng) -> usize {
        let people = self.people_range();
        people.start + rng.below(people.len())
    }

    /// Of a few mules, the one with the least on its account.
    pub(super) fn mule(&self, rng: &mut Rng) -> usize {
        let mules = self.mule_range();
        let mut of = || mules.start + rng.below(mules.len());
        let (a, b, c) = (of(), of(), of());
        let poorer =
            |x: usize, y: usize| if self.customers[y].balance < self.customers[x].balance { y } else { x };
        poorer(poorer(a, b), c)
    }

    pub(super) fn people_range(&self) -> std::ops::Range<usize> {
        self.companies..self.mule_range().start
    }

    fn mule_range(&self) -> std::ops::Range<usize> {
        let end = self.customers.len() - self.dormant;
        end - self.mules..end
    }

    pub(super) fn dormant_range(&self) -> std::ops::Range<usize> {
        self.customers.len() - self.dormant..self.customers.len()
    }

    pub(super) fn till(&self, rng: &mut Rng) -> &Till {
        // A few shops are known to everyone: of two draws, the lower.
        let at = rng.below(self.tills.len()).min(rng.below(self.tills.len()));
        &self.tills[at]
    }
}

fn customer(number: usize, is_company: bool, rng: &mut Rng) -> Customer {
    let home = (!is_company && rng.percent(25)).then(|| rng.pick(NATIONS));
    let named = match home {
        _ if is_company => company(rng),
        Some(nation) => foreigner(nation, rng),
        None => hong_konger(rng),
    };
    let income = if is_company {
        rounded(amount(120_000_000, rng), 100_000)
    } else {
        rounded(amount(2_100_000, rng).clamp(800_000, 20_000_000), 10_000)
    };
    let gender = if named.female { "female" } else { "male" };
    let birth = format!("{}-{:02}-{:02}", between(1945, 2006, rng), between(1, 12, rng), between(1, 28, rng));
    let mobile =
        Proxy { proxy_type: "mobile".into(), id: format!("8525{:07}", 1_000_000 + number % 9_000_000) };
    let party = Party {
        customer_id: Some(format!("C{:06}", 100_000 + number)),
        name: Some(named.name),
        name_local: named.name_local,
        kind: Some(if is_company { EntryKind::Organisation } else { EntryKind::Person }),
        account: Some(format!("999{:06}001", 100_000 + number)),
        country: Some("HK".into()),
        gender: (!is_company).then(|| gender.to_owned()),
        agent_bic: Some(OWN_BIC.into()),
        agent_country: Some("HK".into()),
        proxy: (!is_company).then_some(mobile),
        ..Party::default()
    };
    Customer {
        party,
        birth_date: (!is_company).then_some(birth),
        id_number: if is_company {
            format!("{:08}", 60_000_000 + number)
        } else {
            format!("Z{:06}", 100_000 + number)
        },
        address: address(rng),
        device: Device {
            id: Some(format!("dev-{:08x}", rng.bits() as u32)),
            ip: Some(format!(
                "198.{}.{}.{}",
                between(18, 19, rng),
                between(0, 255, rng),
                between(1, 254, rng)
            )),
            country: Some("HK".into()),
        },
        card: Card {
            token: Some(format!("tok_{:012x}", rng.bits() >> 16)),
            bin: Some(rng.pick(&["400000", "400001", "500000", "620000"]).to_string()),
            country: Some("HK".into()),
            network: None,
        },
        income,
        balance: rounded(amount(income, rng), 100),
        introduced: false,
        home,
        risk: match rng.below(100) {
            0..80 => "low",
            80..97 => "medium",
            _ => "high",
        },
    }
}

const STREETS: [&str; 10] = [
    "Example Road",
    "Harbour View Street",
    "Banyan Street",
    "Old Tram Road",
    "Lantern Street",
    "Ferry Road",
    "Orchid Path",
    "Hillside Road",
    "Market Street",
    "Lighthouse Lane",
];
const DISTRICTS: [&str; 8] =
    ["Central", "Wan Chai", "Mong Kok", "Sha Tin", "Tsuen Wan", "Kwun Tong", "Tuen Mun", "North Point"];

fn address(rng: &mut Rng) -> String {
    let (number, street, district) = (between(1, 200, rng), rng.pick(&STREETS), rng.pick(&DISTRICTS));
    format!("{number} {street}, {district}, Hong Kong")
}

fn till(number: usize, rng: &mut Rng) -> Till {
    let shop = &SHOPS[number % SHOPS.len()];
    let name = shop_name(shop, rng);
    let domain = format!("shop{number}.example");
    let party = Party {
        name: Some(name),
        kind: Some(EntryKind::Organisation),
        account: Some(format!("901{:06}001", 500_000 + number)),
        country: Some("HK".into()),
        agent_bic: Some(OTHER_BICS[number % OTHER_BICS.len()].into()),
        agent_country: Some("HK".into()),
        ..Party::default()
    };
    let merchant =
        Merchant { id: Some(format!("M{number:05}")), mcc: Some(shop.mcc.into()), domain: Some(domain) };
    Till { party, merchant, ticket: shop.ticket }
}

/// The person or company outside the institution that a number stands for: always the same one.
pub(super) fn outsider(number: u64, of: Outside) -> Party {
    let mut rng = Rng::new(number ^ 0x006f_7574_7369_6465);
    let rng = &mut rng;
    let (named, kind, country) = match of {
        Outside::Person => (hong_konger(rng), EntryKind::Person, "HK"),
        Outside::Company => (company(rng), EntryKind::Organisation, "HK"),
        Outside::Abroad(nation) => (foreigner(nation, rng), EntryKind::Person, nation.country),
    };
    let abroad = country != "HK";
    let (account, bic) = if abroad {
        (format!("{country}{:014}", number % 100_000_000_000_000), format!("DEMO{country}00"))
    } else {
        let at = rng.below(OTHER_BICS.len());
        (format!("90{at}{:09}", number % 1_000_000_000), OTHER_BICS[at].to_owned())
    };
    Party {
        name: Some(named.name),
        name_local: named.name_local,
        kind: Some(kind),
        account: Some(account),
        country: Some(country.to_owned()),
        agent_bic: Some(bic),
        agent_country: Some(country.to_owned()),
        ..Party::default()
    }
}

/// What sort of outsider is meant.
#[derive(Clone, Copy)]
pub(super) enum Outside {
    Person,
    Company,
    Abroad(&'static Nation),
}

/// HKD from cents.
pub(super) const fn hkd(cents: i64) -> Money {
    Money::new(cents, Currency::HKD)
}
