//! Institutions: fields 51 to 58, as a BIC (option A) or as name and address (option D).

use sluice_model::{Attributes, EntryKind, Party, identifier};

use super::{
    customers::{account, name_and_address},
    fields::{Field, Place},
    values::{country, is_bic, keep},
};
use crate::DecodeError;

/// The options in which an institution is named. B names at most a place, C an account: both are kept as they are.
pub(super) const OPTIONS: &[&str] = &["A", "D"];

/// An institution of a message.
#[derive(Clone, Default)]
pub(super) struct Agent {
    party: Party,
}

impl Agent {
    /// The sender or the receiver of a message.
    pub(super) fn of_bic(bic: &str) -> Self {
        Self {
            party: Party {
                kind: Some(EntryKind::Organisation),
                country: country(bic.get(4..6)),
                agent_bic: Some(bic.to_owned()),
                ..Party::default()
            },
        }
    }

    pub(super) fn read(field: &Field<'_>, place: Place) -> Result<Self, DecodeError> {
        let (id, lines) = match field.lines.split_first() {
            Some((first, rest)) if first.starts_with('/') => (Some(*first), rest),
            _ => (None, field.lines.as_slice()),
        };
        let mut agent = if field.option() == "A" {
            let bic = lines.first().map(|line| line.trim()).filter(|line| is_bic(line));
            Self::of_bic(bic.ok_or_else(|| place.refuse_field(field.tag, "has no BIC"))?)
        } else {
            Self { party: Party { kind: Some(EntryKind::Organisation), ..name_and_address(lines) } }
        };
        match id {
            // Two slashes stand before the code of a clearing system and the member's number in it.
            Some(id) if id.starts_with("//") => agent.party.agent_member_id = account(id),
            // `/C/` and `/D/` say on which side of the account.
            Some(id) => {
                let bare = ["/C/", "/D/"].into_iter().find_map(|side| id.strip_prefix(side));
                agent.party.account = account(bare.unwrap_or(id));
            }
            None => {}
        }
        Ok(agent)
    }

    /// The institution as a party of its own.
    pub(super) fn into_party(self) -> Party {
        self.party
    }

    /// The institution as that of a side.
    pub(super) fn serve(&self, side: &mut Party, prefix: &str, attributes: &mut Attributes) {
        let Self { party } = self.clone();
        keep(attributes, &format!("{prefix}.agent_account"), party.account.as_deref());
        keep(attributes, &format!("{prefix}.agent_address"), party.address.as_deref());
        side.agent_bic = party.agent_bic;
        // A side has one field for its institution's name, whatever its scripts.
        side.agent_name = party.name.map(|name| match party.name_local {
            Some(local) => format!("{name} {local}"),
            None => name,
        });
        side.agent_member_id = party.agent_member_id;
        side.agent_country = party.country;
    }

    fn is_same_as(&self, other: &Self) -> bool {
        let bic =
            |agent: &Self| agent.party.agent_bic.as_deref().map(|bic| identifier::bic(bic).into_owned());
        let same = |one: Option<String>, two| one.is_some() && one == two;
        same(bic(self), bic(other))
            || same(self.party.agent_member_id.clone(), other.party.agent_member_id.clone())
            || (bic(self).is_none() && same(self.party.name.clone(), other.party.name.clone()))
    }
}

/// The institutions between two that are known, each once, in order.
pub(super) fn between(known: &[&Agent], chain: impl IntoIterator<Item = Agent>) -> Vec<Party> {
    let mut between: Vec<Agent> = Vec::new();
    for agent in chain {
        if !known.iter().copied().chain(&between).any(|other| other.is_same_as(&agent)) {
            between.push(agent);
        }
    }
    between.into_iter().map(Agent::into_party).collect()
}
