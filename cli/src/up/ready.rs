//! What `sluice up` prints when everything is ready.

use std::io::Write;

use serde::Serialize;
use sluice_case_api::domain::Roles;
use sluice_model::Screening;

use super::{Running, people::Person};
use crate::{failure::Failure, folders};

/// What is printed when everything is ready.
#[derive(Serialize)]
struct Ready<'a> {
    ready: bool,
    url: &'a str,
    /// Who signs in, where this start made somebody.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'a str>,
    api_key: &'a str,
    /// Whether parties are screened.
    screening: bool,
    /// How many rules are in force.
    rules: usize,
    /// Currencies for which they have no rate today.
    currencies_without_rate: Vec<String>,
    /// Whether its people, lists and payments are invented.
    demo: bool,
    /// Whether a saved rule judges without anybody's approval.
    rules_watched: bool,
    /// What whoever runs it has to know, in sentences.
    notices: Vec<String>,
    /// The invented people of a demonstration.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    people: Vec<DemoPerson<'a>>,
}

/// One of the invented people.
#[derive(Serialize)]
struct DemoPerson<'a> {
    user: &'a str,
    password: &'a str,
    roles: &'a Roles,
}

impl Running {
    /// Print it, as text or as one line of JSON.
    pub(super) fn print_ready(&self, json: bool) -> Result<(), Failure> {
        let status = self.runtime.status();
        let (screening, rules) = (!status.screening.lists.is_empty(), status.rules.descriptions().len());
        let currencies_without_rate = folders::currencies_without_rate(&status.rules);
        let operator = self.people.first();
        let (user, password) = (operator.map(|one| one.name), operator.map(|one| one.password.as_str()));
        let api_key = self.api_key.as_str();
        let mut out = std::io::stdout().lock();
        if json {
            let invented = self.people.iter().skip(1);
            let ready = Ready {
                ready: true,
                url: &self.url,
                user,
                password,
                api_key,
                screening,
                rules,
                currencies_without_rate,
                demo: self.demo,
                rules_watched: self.rules_watched,
                notices: self.configured.not_ready().into_iter().chain(self.configured.notices()).collect(),
                people: invented.map(Person::invented).collect(),
            };
            serde_json::to_writer(&mut out, &ready)?;
            writeln!(out)?;
            return Ok(out.flush()?);
        }
        for notice in self.configured.not_ready().into_iter().chain(self.configured.notices()) {
            writeln!(out, "! {notice}")?;
        }
        writeln!(out, "Sluice is ready: {}\n", self.url)?;
        if operator.is_some() {
            writeln!(out, "Sign in as:")?;
        }
        for person in &self.people {
            writeln!(out, "  {:<10} {}  ({})", person.name, person.password, person.roles)?;
        }
        if operator.is_some() {
            writeln!(out)?;
        }
        writeln!(out, "API key of this process: {api_key}\nRules in force: {rules}")?;
        if !currencies_without_rate.is_empty() {
            writeln!(out, "No rate is in force for: {}", currencies_without_rate.join(", "))?;
        }
        match screening {
            true => writeln!(out, "Screening against: {}", names(&status.screening))?,
            false => writeln!(out, "Screening is OFF: no list is configured (see --lists)")?,
        }
        Ok(writeln!(out, "Stop with Ctrl-C.")?)
    }
}

impl Person {
    fn invented(&self) -> DemoPerson<'_> {
        DemoPerson { user: self.name, password: &self.password, roles: &self.roles }
    }
}

fn names(screening: &Screening) -> String {
    screening.lists.keys().cloned().collect::<Vec<_>>().join(", ")
}
