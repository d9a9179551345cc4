//! Which questions an event asks of a screener: one for each name of each party, institutions included; and which
//! texts stand beside the names.

use sluice_model::{Key, Party, PaymentEvent};

use super::Query;

/// One party of an event, under one of its names.
#[derive(Clone, Debug)]
pub struct PartyQuery<'e> {
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
    mut ask: impl FnMut(PartyQuery<'e>) -> Result<(), E>,
) -> Result<(), E> {
    each_member(event, |member| {
        let Member { role, agent, kind, party } = member;
        each_name(role, kind, party, &mut ask)?;
        institution(agent, kind, party, &mut ask)
    })
}

/// A party in its part.
pub(super) struct Member<'e> {
    pub role: &'e str,
    /// The role of its institution.
    pub agent: &'e str,
    /// The role in words of ours.
    pub kind: &'static str,
    pub party: &'e Party,
}

/// Every party, in the order of [`each_party`].
pub(super) fn each_member<'e, E>(
    event: &'e PaymentEvent,
    mut visit: impl FnMut(Member<'e>) -> Result<(), E>,
) -> Result<(), E> {
    for (role, agent, party) in
        [("debtor", "debtor_agent", &event.debtor), ("creditor", "creditor_agent", &event.creditor)]
    {
        if let Some(party) = party {
            visit(Member { role, agent, kind: role, party })?;
        }
    }
    for party in &event.intermediaries {
        visit(Member { role: "intermediary", agent: "intermediary", kind: "intermediary", party })?;
    }
    for related in &event.related_parties {
        let role = related.role.as_str();
        visit(Member { role, agent: role, kind: "related party", party: &related.party })?;
    }
    Ok(())
}

fn each_name<'e, E>(
    role: &'e str,
    kind: &'static str,
    party: &'e Party,
    ask: &mut impl FnMut(PartyQuery<'e>) -> Result<(), E>,
) -> Result<(), E> {
    let mut names = [&party.name, &party.name_local].into_iter().flatten().map(String::as_str).peekable();
    let numbered = party.id_number.is_some() || party.account.is_some() || !party.other_ids.is_empty();
    let nameless = (names.peek().is_none() && numbered).then_some("");
    names.chain(nameless).try_for_each(|name| {
        ask(PartyQuery { role, kind, party: party.identity(), query: Query::party(party, name) })
    })
}

fn institution<'e, E>(
    role: &'e str,
    kind: &'static str,
    party: &'e Party,
    ask: &mut impl FnMut(PartyQuery<'e>) -> Result<(), E>,
) -> Result<(), E> {
    let mut identifiers = party.agent_bic.iter().chain(&party.agent_lei).cloned().peekable();
    if party.agent_name.is_none() && identifiers.peek().is_none() {
        return Ok(());
    }
    let query = Query {
        name: party.agent_name.clone().unwrap_or_default(),
        identifiers: identifiers.collect(),
        ..Query::default()
    };
    ask(PartyQuery { role, kind, party: party.institution(), query })
}

/// Every text of a party in which its source may write what it likes, and whether it is a name: those over which a name
/// may be split stand side by side.
pub(super) fn texts(party: &Party) -> impl Iterator<Item = (&str, bool)> {
    let names = [&party.name_local, &party.name].into_iter().map(|text| (text, true));
    let others = [
        &party.address,
        &party.customer_id,
        &party.account,
        &party.id_number,
        &party.agent_member_id,
        &party.agent_bic,
        &party.agent_lei,
        &party.gender,
    ];
    let proxy =
        party.proxy.iter().flat_map(|proxy| [(proxy.id.as_str(), false), (proxy.proxy_type.as_str(), false)]);
    let texts = names.chain(others.into_iter().map(|text| (text, false)));
    let ids = party.other_ids.iter().map(|id| (id.as_str(), false));
    texts.filter_map(|(text, is_name)| Some((text.as_deref()?, is_name))).chain(ids).chain(proxy)
}
