//! Which questions an event asks of a screener: one for each name of each party, institutions included.

use sluice_model::{Key, Party, PaymentEvent};

use super::Query;

/// One party of an event, under one of its names.
#[derive(Clone, Debug)]
pub struct Asked<'e> {
    /// The party's part in the event, as a match names it.
    pub role: &'e str,
    /// The same in words of ours, for messages: a role may come from outside.
    pub kind: &'static str,
    /// Who it is, where more than its name is known.
    pub party: Option<Key>,
    /// What is asked.
    pub query: Query,
}

/// Debtor and creditor with their institutions, intermediaries, related parties, in this order, until `ask` fails.
///
/// # Errors
/// What `ask` gives.
pub fn each_party<'e, E>(
    event: &'e PaymentEvent,
    mut ask: impl FnMut(Asked<'e>) -> Result<(), E>,
) -> Result<(), E> {
    for (role, agent, party) in
        [("debtor", "debtor_agent", &event.debtor), ("creditor", "creditor_agent", &event.creditor)]
    {
        if let Some(party) = party {
            each_name(role, role, party, &mut ask)?;
            institution(agent, party, &mut ask)?;
        }
    }
    for party in &event.intermediaries {
        each_name("intermediary", "intermediary", party, &mut ask)?;
        institution("intermediary", party, &mut ask)?;
    }
    for related in &event.related_parties {
        each_name(&related.role, "related party", &related.party, &mut ask)?;
    }
    Ok(())
}

fn each_name<'e, E>(
    role: &'e str,
    kind: &'static str,
    party: &'e Party,
    ask: &mut impl FnMut(Asked<'e>) -> Result<(), E>,
) -> Result<(), E> {
    let mut names = [&party.name, &party.name_local].into_iter().flatten().map(String::as_str).peekable();
    let numbered = party.id_number.is_some() || party.account.is_some();
    let nameless = (names.peek().is_none() && numbered).then_some("");
    names.chain(nameless).try_for_each(|name| {
        ask(Asked { role, kind, party: party.identity(), query: Query::party(party, name) })
    })
}

fn institution<'e, E>(
    role: &'static str,
    party: &'e Party,
    ask: &mut impl FnMut(Asked<'e>) -> Result<(), E>,
) -> Result<(), E> {
    if party.agent_name.is_none() && party.agent_bic.is_none() {
        return Ok(());
    }
    let query = Query {
        name: party.agent_name.clone().unwrap_or_default(),
        identifiers: party.agent_bic.iter().cloned().collect(),
        ..Query::default()
    };
    ask(Asked { role, kind: role, party: party.institution(), query })
}
