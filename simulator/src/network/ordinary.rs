//! What accounts ordinarily do: wages, rents, shopping, friends, the odd stranger.

use std::ops::Range;

use sluice_model::Span;

use super::{Account, Network};
use super::{PRIVATE_PER_CLUB, PRIVATE_PER_EMPLOYER, PRIVATE_PER_LANDLORD, PRIVATE_PER_SHOP};
use crate::chance::{amount, between, rounded};

/// How often a private account changes its landlord, employer or circle within the network's time, in percent.
const MOVES_PERCENT: usize = 8;
/// Shops that open after the first day, in percent.
const SHOPS_NEW_PERCENT: usize = 20;

/// Accounts by what they are.
struct World {
    private: Range<Account>,
    shops: Range<Account>,
    employers: Range<Account>,
    landlords: Range<Account>,
    suppliers: Range<Account>,
    /// The day on which each shop opens.
    opens: Vec<i64>,
}

impl Network {
    /// Everything ordinary.
    pub(super) fn live(&mut self) {
        let count = self.config.private;
        let private = self.open(count);
        let shops = self.open(count / PRIVATE_PER_SHOP + 1);
        let opens = shops.clone().map(|_| self.opening_day()).collect();
        let world = World {
            private,
            shops,
            opens,
            employers: self.open(count / PRIVATE_PER_EMPLOYER + 1),
            landlords: self.open(count / PRIVATE_PER_LANDLORD + 1),
            suppliers: self.open(count / PRIVATE_PER_EMPLOYER + 1),
        };
        for person in world.private.clone() {
            self.household(&world, person, 0);
        }
        for shop in world.shops.clone() {
            self.shop(&world, shop);
        }
        for _ in 0..count / PRIVATE_PER_CLUB {
            self.club(&world);
            self.club(&world);
            self.present(&world);
            self.present(&world);
        }
    }

    fn opening_day(&mut self) -> i64 {
        if self.rng.percent(SHOPS_NEW_PERCENT) { between(1, self.config.days, &mut self.rng) } else { 0 }
    }

    /// Wages, rent, shops, friends and strangers of one account, from a day on.
    fn household(&mut self, world: &World, person: Account, from_day: i64) {
        let moves =
            self.rng.percent(MOVES_PERCENT).then(|| between(from_day, self.config.days, &mut self.rng));
        let until = moves.unwrap_or(self.config.days);
        if self.rng.percent(85) {
            let employer = self.popular(world.employers.clone());
            self.monthly(employer, person, 1_800_000, from_day, until);
        }
        if self.rng.percent(50) {
            let landlord = self.popular(world.landlords.clone());
            self.monthly(person, landlord, 700_000, from_day, until);
        }
        let favourites = [(); 3].map(|()| self.popular(world.shops.clone()));
        let every = between(5, 15, &mut self.rng);
        for at in self.recurring(from_day, every) {
            let mut shop = *self.rng.pick(&favourites);
            if self.rng.percent(15) {
                shop = self.popular(world.shops.clone());
            }
            let opened = self.config.start.plus(Span::days(world.opens[shop - world.shops.start]));
            if at >= opened {
                let sum = amount(20_000, &mut self.rng);
                self.pay(at, person, shop, sum);
            }
        }
        let friends = [(); 4].map(|()| self.any(world.private.clone()));
        let every = between(12, 60, &mut self.rng);
        for at in self.recurring(from_day, every) {
            let friend = *self.rng.pick(&friends);
            let sum = rounded(amount(30_000, &mut self.rng), 1_000);
            // What friends lend comes back.
            let (from, to) = if self.rng.percent(30) { (friend, person) } else { (person, friend) };
            self.pay(at, from, to, sum);
        }
        let every = between(40, 120, &mut self.rng);
        for at in self.recurring(from_day, every) {
            // A tutor or a seller of used things is paid by many, most people by few.
            let half = self.rng.percent(50);
            let stranger =
                if half { self.popular(world.private.clone()) } else { self.any(world.private.clone()) };
            let sum = amount(50_000, &mut self.rng);
            self.pay(at, person, stranger, sum);
        }
        if let Some(day) = moves {
            self.move_house(world, person, day);
        }
    }

    /// A deposit, movers, tradesmen, furniture, all within weeks and all new.
    fn move_house(&mut self, world: &World, person: Account, day: i64) {
        for _ in 0..between(2, 6, &mut self.rng) {
            let at = self.moment(day, day + 20);
            let payee = self.any(world.private.start..world.shops.end);
            let sum = amount(150_000, &mut self.rng);
            self.pay(at, person, payee, sum);
        }
        let landlord = self.popular(world.landlords.clone());
        self.monthly(person, landlord, 700_000, day, self.config.days);
        let employer = self.popular(world.employers.clone());
        self.monthly(employer, person, 1_800_000, day, self.config.days);
    }

    fn monthly(&mut self, from: Account, to: Account, median: i64, from_day: i64, until: i64) {
        let sum = rounded(amount(median, &mut self.rng), 10_000);
        let mut at = self.moment(from_day, from_day + 29);
        let until = self.config.start.plus(Span::days(until));
        while at < until {
            self.pay(at, from, to, sum);
            at = at.plus(Span::days(30));
        }
    }

    /// A shop pays its suppliers, and now and then a customer back.
    fn shop(&mut self, world: &World, shop: Account) {
        let opens = world.opens[shop - world.shops.start];
        let suppliers = [(); 4].map(|()| self.popular(world.suppliers.clone()));
        for at in self.recurring(opens, 6) {
            let supplier = *self.rng.pick(&suppliers);
            let sum = amount(400_000, &mut self.rng);
            self.pay(at, shop, supplier, sum);
        }
        for at in self.recurring(opens, 20) {
            let customer = self.any(world.private.clone());
            let sum = amount(20_000, &mut self.rng);
            self.pay(at, shop, customer, sum);
        }
    }

    /// Members pay their treasurer once a year, within three weeks.
    fn club(&mut self, world: &World) {
        let fee = rounded(amount(50_000, &mut self.rng), 5_000);
        let treasurer = self.any(world.private.clone());
        let day = between(0, self.config.days - 21, &mut self.rng);
        for _ in 0..between(10, 40, &mut self.rng) {
            let (at, member) = (self.moment(day, day + 20), self.any(world.private.clone()));
            self.pay(at, member, treasurer, fee);
        }
    }

    /// A few people share a present or a meal that one of them paid.
    fn present(&mut self, world: &World) {
        let payer = self.any(world.private.clone());
        let day = between(0, self.config.days - 5, &mut self.rng);
        let share = rounded(amount(30_000, &mut self.rng), 1_000);
        for _ in 0..between(3, 9, &mut self.rng) {
            let (at, friend) = (self.moment(day, day + 4), self.any(world.private.clone()));
            self.pay(at, friend, payer, share);
        }
    }
}
