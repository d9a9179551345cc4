//! Texts.

use std::{borrow::Cow, sync::Arc};

use super::{Lowering, Native, Out, cell, presence, unfit};
use crate::{
    env::Env,
    reference::Cell,
    schema::Field,
    tree::{Kind, Script, Term},
};

/// A text, borrowed from the event or the rule where it can be.
pub(crate) enum Words {
    Constant(Arc<str>),
    Field(Field),
    /// A value, where there is one, or another.
    Else(Native<bool>, Box<[Self; 2]>),
    /// What a table says.
    Cell(Native<Cell>),
    /// What the interpreter makes.
    Script(Arc<Script>),
    /// Nothing of the kind.
    Unfit,
}

impl Words {
    /// Lower a text.
    pub(crate) fn of(lowering: &mut Lowering<'_>, term: &Term) -> Self {
        match &term.kind {
            Kind::Text(text) => Self::Constant(Arc::clone(text)),
            Kind::Field(field) => Self::Field(field.clone()),
            Kind::Else(value, other) => {
                Self::Else(presence(value), Box::new([Self::of(lowering, value), Self::of(lowering, other)]))
            }
            Kind::If(condition, a, b) => Self::Else(
                lowering.truth(condition),
                Box::new([Self::of(lowering, a), Self::of(lowering, b)]),
            ),
            Kind::Cell { .. } => Self::Cell(cell(lowering, term)),
            Kind::Script(script) => Self::Script(Arc::clone(script)),
            _ => Self::Unfit,
        }
    }

    /// The text for one event.
    pub(crate) fn get<'a>(&'a self, env: &Env<'a>) -> Out<Cow<'a, str>> {
        match self {
            Self::Constant(text) => Ok(Cow::Borrowed(text)),
            Self::Field(field) => field.text(env.facts)?.ok_or_else(|| Box::new(field.missing())),
            Self::Else(choice, texts) => texts[usize::from(!choice(env)?)].get(env),
            Self::Cell(cell) => match cell(env)? {
                Cell::Text(text) => Ok(Cow::Owned(text)),
                _ => Err(unfit()),
            },
            Self::Script(script) => script.run(env)?.into_string().map(Cow::Owned).map_err(|_| unfit()),
            Self::Unfit => Err(unfit()),
        }
    }
}
