//! What people ordinarily do: shop, commute, pay friends, bills and rent, draw cash, send money home; what
//! companies do: pay staff and suppliers. And how any transfer becomes an event.

use serde_json::json;
use sluice_model::{Direction, EventTime, EventType, Party, PaymentEvent, PaymentStatus, Span};

use super::{
    Labelled, Traffic,
    people::{Outside, hkd, outsider},
    rhythm::{midnight, month_after},
};
use crate::chance::{amount, between, rounded, within};

/// Something that will happen at a time already known.
pub(super) enum Plan {
    /// A person's pay, every month.
    Pay { person: usize },
    /// A person's rent, every month.
    Rent { person: usize, rent: i64 },
    /// A later status of a payment already begun.
    Follow(Box<PaymentEvent>),
    /// One transfer of a laundering pattern.
    Step { pattern: u64, transfer: Box<Transfer> },
}

/// Where money comes from or goes to.
#[derive(Clone)]
pub(super) enum Holder {
    Customer(usize),
    Other(Box<Party>),
}

/// Money on its way, before it is an event.
#[derive(Clone)]
pub(super) struct Transfer {
    pub from: Holder,
    pub to: Holder,
    /// HKD cents.
    pub amount: i64,
    pub event_type: EventType,
    pub method: &'static str,
    pub purpose: Option<&'static str>,
    pub remittance: Option<String>,
}

impl Transfer {
    pub(super) fn new(from: Holder, to: Holder, amount: i64, method: &'static str) -> Self {
        let event_type = EventType::Payment;
        Self { from, to, amount, event_type, method, purpose: None, remittance: None }
    }
}

/// From this amount on (HK$8,000, AMLO Schedule 2 s.12), a transfer carries its originator's particulars.
const PARTICULARS_FROM: i64 = 800_000;

impl Holder {
    /// An outsider, by number.
    pub(super) fn outside(number: u64, of: Outside) -> Self {
        Self::Other(Box::new(outsider(number, of)))
    }
}

impl Traffic {
    /// Plan the first pay and rent of everyone who has them.
    pub(super) fn plan_calendar(&mut self) {
        let first = midnight(self.config.start).plus(Span::days(1));
        for person in self.city.people_range() {
            let payday = first.plus(Span::days(between(0, 29, &mut self.rng))).plus(Span::hours(9));
            let at = payday.plus(within(Span::minutes(30), &mut self.rng));
            self.plan_at(at, Plan::Pay { person });
            if self.rng.percent(40) {
                let rent = rounded(
                    self.city.customers[person].income * between(25, 45, &mut self.rng) / 100,
                    10_000,
                );
                let day = first.plus(Span::days(between(0, 29, &mut self.rng)));
                let at = day.plus(Span::hours(10)).plus(within(Span::hours(10), &mut self.rng));
                self.plan_at(at, Plan::Rent { person, rent });
            }
        }
    }

    pub(super) fn carry_out(&mut self, at: EventTime, plan: Plan) {
        match plan {
            Plan::Pay { person } => {
                let employer = outsider_number(person, 1);
                let pay = self.city.customers[person].income;
                let from = Holder::outside(employer % 500, Outside::Company);
                let mut transfer = Transfer::new(from, Holder::Customer(person), pay, "transfer");
                transfer.purpose = Some("SALA");
                self.transfer(at, &transfer, None);
                self.plan_at(month_after(at), Plan::Pay { person });
            }
            Plan::Rent { person, rent } => {
                let landlord = Holder::outside(outsider_number(person, 2), Outside::Person);
                let mut transfer = Transfer::new(Holder::Customer(person), landlord, rent, "fps");
                transfer.purpose = Some("RENT");
                self.spend(at, transfer);
                self.plan_at(month_after(at), Plan::Rent { person, rent });
            }
            Plan::Follow(mut event) => {
                event.event_id = self.next_id("e");
                event.occurred_at = at;
                self.ready.push_back(Labelled { event: *event, typology: None, label: None });
            }
            Plan::Step { pattern, transfer } => self.step_of_pattern(at, pattern, &transfer),
        }
    }

    /// One ordinary event, of whoever's turn it is.
    pub(super) fn ordinary(&mut self, at: EventTime) {
        if self.rng.percent(4) {
            return self.business(at);
        }
        let person = self.city.person(&mut self.rng);
        match self.rng.below(100) {
            0..26 => self.shop(at, person, "fps"),
            26..48 => self.shop_by_card(at, person),
            48..70 => self.commute(at, person),
            70..84 => self.pay_a_friend(at, person),
            84..88 => self.draw_cash(at, person),
            88..92 => self.top_up(at, person),
            92..96 => self.pay_a_bill(at, person),
            96..99 => self.send_home(at, person),
            _ => self.sign_in(at, person),
        }
    }

    fn business(&mut self, at: EventTime) {
        let company = self.city.company(&mut self.rng);
        let number = outsider_number(company, 10 + between(0, 11, &mut self.rng).unsigned_abs());
        let other = Holder::outside(number, Outside::Company);
        let turnover = self.city.customers[company].income;
        let sum = rounded(amount(turnover / 40, &mut self.rng), 100);
        let invoice = format!("INV {:05}", between(1, 99_999, &mut self.rng));
        let mut transfer = if self.rng.percent(55) {
            Transfer::new(other, Holder::Customer(company), sum, "wire")
        } else {
            Transfer::new(Holder::Customer(company), other, sum, "wire")
        };
        transfer.purpose = Some("GDDS");
        transfer.remittance = Some(invoice);
        self.spend(at, transfer);
    }

    fn shop(&mut self, at: EventTime, person: usize, method: &'static str) {
        let (party, sum) = self.purchase();
        self.fund(at, person, sum);
        let transfer = Transfer::new(Holder::Customer(person), Holder::Other(Box::new(party.0)), sum, method);
        let mut event = self.event(at, &transfer);
        event.merchant = Some(party.1);
        event.channel = Some("mobile".into());
        event.device = Some(self.city.customers[person].device.clone());
        self.emit(event);
    }

    fn purchase(&mut self) -> ((Party, sluice_model::Merchant), i64) {
        let till = self.city.till(&mut self.rng);
        let bought = (till.party.clone(), till.merchant.clone());
        let ticket = till.ticket;
        (bought, amount(ticket, &mut self.rng) / 10 * 10)
    }

    /// A card is authorized at once and captured within a day and a half; one in fifty is declined.
    fn shop_by_card(&mut self, at: EventTime, person: usize) {
        let ((party, merchant), sum) = self.purchase();
        self.fund(at, person, sum);
        let declined = self.rng.percent(2);
        let mut transfer =
            Transfer::new(Holder::Customer(person), Holder::Other(Box::new(party)), sum, "card");
        transfer.amount = sum;
        let mut event =
            if declined { self.event_without_money(at, &transfer) } else { self.event(at, &transfer) };
        event.status = if declined { PaymentStatus::Declined } else { PaymentStatus::Authorized };
        event.merchant = Some(merchant);
        event.card = Some(self.city.customers[person].card.clone());
        if self.rng.percent(40) {
            event.channel = Some("web".into());
            event.device = Some(self.city.customers[person].device.clone());
        } else {
            event.channel = Some("pos".into());
        }
        if !declined && self.rng.percent(30) {
            let captured = PaymentEvent { status: PaymentStatus::Captured, ..event.clone() };
            let after = Span::hours(1).plus(within(Span::hours(35), &mut self.rng));
            self.plan_at(at.plus(after), Plan::Follow(Box::new(captured)));
        }
        self.emit(event);
    }

    fn commute(&mut self, at: EventTime, person: usize) {
        let fare = rounded(amount(1_000, &mut self.rng), 10);
        let operator = Party {
            name: Some("City Transit".into()),
            account: Some("902000001001".into()),
            country: Some("HK".into()),
            ..Party::default()
        };
        self.fund(at, person, fare);
        let to = Holder::Other(Box::new(operator));
        let mut event = self.event(at, &Transfer::new(Holder::Customer(person), to, fare, "octopus"));
        event.merchant = Some(sluice_model::Merchant {
            id: Some("M-TRANSIT".into()),
            mcc: Some("4111".into()),
            domain: None,
        });
        self.emit(event);
    }

    /// To one of a dozen people whom one knows, most of them customers too.
    fn pay_a_friend(&mut self, at: EventTime, person: usize) {
        let number = outsider_number(person, 30 + between(0, 11, &mut self.rng).unsigned_abs());
        let people = self.city.people_range();
        let friend = if number % 10 < 7 {
            Holder::Customer(people.start + usize::try_from(number).unwrap_or(0) % people.len())
        } else {
            Holder::outside(number, Outside::Person)
        };
        let sum = rounded(amount(30_000, &mut self.rng), 1_000);
        self.spend(at, Transfer::new(Holder::Customer(person), friend, sum, "fps"));
    }

    fn draw_cash(&mut self, at: EventTime, person: usize) {
        let sum = rounded(amount(80_000, &mut self.rng), 10_000);
        self.fund(at, person, sum);
        let nobody = Holder::Other(Box::default());
        let mut transfer = Transfer::new(Holder::Customer(person), nobody, sum, "cash");
        transfer.event_type = EventType::Withdrawal;
        let mut event = self.event(at, &transfer);
        event.channel = Some("atm".into());
        self.emit(event);
    }

    fn top_up(&mut self, at: EventTime, person: usize) {
        let sum = rounded(amount(60_000, &mut self.rng), 10_000);
        self.bring_in(at, person, sum);
    }

    /// Money from the person's own account at another bank.
    fn bring_in(&mut self, at: EventTime, person: usize, sum: i64) {
        let own = &self.city.customers[person].party;
        let elsewhere = Party {
            name: own.name.clone(),
            name_local: own.name_local.clone(),
            kind: own.kind,
            account: Some(format!("900{:09}", 100_000_000 + person)),
            country: Some("HK".into()),
            ..Party::default()
        };
        let from = Holder::Other(Box::new(elsewhere));
        let mut transfer = Transfer::new(from, Holder::Customer(person), sum, "fps");
        transfer.event_type = EventType::Topup;
        self.transfer(at, &transfer, None);
    }

    fn pay_a_bill(&mut self, at: EventTime, person: usize) {
        let utility = Holder::outside(700 + between(0, 5, &mut self.rng).unsigned_abs(), Outside::Company);
        let sum = amount(45_000, &mut self.rng) / 10 * 10;
        let mut transfer = Transfer::new(Holder::Customer(person), utility, sum, "fps");
        transfer.purpose = Some("UBIL");
        self.spend(at, transfer);
    }

    fn send_home(&mut self, at: EventTime, person: usize) {
        let Some(nation) = self.city.customers[person].home else { return self.shop(at, person, "fps") };
        let family = Holder::outside(outsider_number(person, 3), Outside::Abroad(nation));
        let sum = rounded(amount(220_000, &mut self.rng), 10_000).min(700_000);
        let mut transfer = Transfer::new(Holder::Customer(person), family, sum, "remittance");
        transfer.purpose = Some("FAMI");
        self.spend(at, transfer);
    }

    fn sign_in(&mut self, at: EventTime, person: usize) {
        self.introduce(at, person);
        let mut event = PaymentEvent::new(self.next_id("e"), at);
        event.event_type = EventType::Authentication;
        event.channel = Some("mobile".into());
        event.debtor = Some(self.city.customers[person].party.clone());
        event.device = Some(self.city.customers[person].device.clone());
        self.emit(event);
    }

    /// A transfer that its customer can afford, or else brings money in for first.
    fn spend(&mut self, at: EventTime, transfer: Transfer) {
        if let Holder::Customer(customer) = transfer.from {
            self.fund(at, customer, transfer.amount);
        }
        self.transfer(at, &transfer, None);
    }

    fn fund(&mut self, at: EventTime, customer: usize, sum: i64) {
        let lacking = sum - self.city.customers[customer].balance;
        if lacking > 0 {
            let brought = rounded(lacking + amount(300_000, &mut self.rng), 10_000);
            self.bring_in(at, customer, brought);
        }
    }

    /// A transfer as an event of the stream, part of a pattern or not; its id.
    pub(super) fn transfer(
        &mut self,
        at: EventTime,
        transfer: &Transfer,
        typology: Option<&'static str>,
    ) -> PaymentIds {
        let event = self.event(at, transfer);
        let ids = PaymentIds { event_id: event.event_id.clone(), payment_id: event.payment_id().to_owned() };
        self.ready.push_back(Labelled { event, typology, label: None });
        ids
    }

    fn emit(&mut self, event: PaymentEvent) {
        self.ready.push_back(Labelled { event, typology: None, label: None });
    }

    /// A transfer as an event, with the balances moved.
    fn event(&mut self, at: EventTime, transfer: &Transfer) -> PaymentEvent {
        if let Holder::Customer(customer) = transfer.from {
            self.city.customers[customer].balance -= transfer.amount;
        }
        if let Holder::Customer(customer) = transfer.to {
            self.city.customers[customer].balance += transfer.amount;
        }
        self.event_without_money(at, transfer)
    }

    fn event_without_money(&mut self, at: EventTime, transfer: &Transfer) -> PaymentEvent {
        for holder in [&transfer.from, &transfer.to] {
            if let Holder::Customer(customer) = holder {
                self.introduce(at, *customer);
            }
        }
        let mut event = PaymentEvent::new(self.next_id("e"), at);
        event.payment_id = Some(self.next_id("p"));
        event.event_type = transfer.event_type;
        event.method = Some(transfer.method.to_owned());
        event.direction = Some(match (&transfer.from, &transfer.to) {
            (Holder::Customer(_), Holder::Customer(_)) => Direction::Internal,
            (_, Holder::Customer(_)) => Direction::Inbound,
            _ => Direction::Outbound,
        });
        event.amount = Some(hkd(transfer.amount));
        event.debtor = self.side(&transfer.from, transfer.amount >= PARTICULARS_FROM);
        event.creditor = self.side(&transfer.to, false);
        event.purpose = transfer.purpose.map(str::to_owned);
        event.remittance.clone_from(&transfer.remittance);
        event
    }

    fn side(&self, holder: &Holder, particulars: bool) -> Option<Party> {
        match holder {
            Holder::Customer(customer) => {
                let customer = &self.city.customers[*customer];
                let mut party = customer.party.clone();
                party.balance_after = Some(hkd(customer.balance));
                if particulars {
                    party.address = Some(customer.address.clone());
                    party.id_number = Some(customer.id_number.clone());
                }
                Some(party)
            }
            Holder::Other(party) => (**party != Party::default()).then(|| {
                let mut party = (**party).clone();
                if particulars {
                    party.address = Some("1 Example Road, Hong Kong".into());
                }
                party
            }),
        }
    }

    /// A customer's profile, before its first payment.
    fn introduce(&mut self, at: EventTime, number: usize) {
        if self.city.customers[number].introduced {
            return;
        }
        self.city.customers[number].introduced = true;
        let mut event = PaymentEvent::new(self.next_id("e"), at);
        event.event_type = EventType::Customer;
        let customer = &self.city.customers[number];
        let segment = if customer.is_company() { "corporate" } else { "retail" };
        event.debtor = Some(Party {
            birth_date: customer.birth_date.clone(),
            id_number: Some(customer.id_number.clone()),
            address: Some(customer.address.clone()),
            proxy: None,
            ..customer.party.clone()
        });
        event.attributes.insert("risk_rating".into(), json!(customer.risk));
        event.attributes.insert("segment".into(), json!(segment));
        event.attributes.insert("declared_turnover".into(), json!(hkd(customer.income * 2)));
        event.attributes.insert("opened_at".into(), json!(at.minus(customer_for(number))));
        self.emit(event);
    }

    fn next_id(&mut self, kind: &str) -> String {
        self.ids += 1;
        format!("{}-{kind}{}", self.config.ids, self.ids)
    }
}

/// How long somebody has been a customer: from a season to eight years, spread evenly and without a draw.
fn customer_for(number: usize) -> Span {
    let spread = i64::try_from(number % 76).unwrap_or_default();
    Span::days(90 + spread * 37)
}

/// The ids that a transfer was given.
pub(super) struct PaymentIds {
    pub event_id: String,
    pub payment_id: String,
}

/// The outsider that a customer knows in some part of its life: always the same.
pub(super) fn outsider_number(customer: usize, part: u64) -> u64 {
    let mixed =
        (customer as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ part.wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
    mixed ^ (mixed >> 29)
}
