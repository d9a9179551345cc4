//! Names: what a path means, and whether it has a value where it is read.

use rhai::{Expr, Position};

use super::Checker;
use crate::{
    path,
    place::{Place, nearest},
    schema::Schema,
    tree::{Kind, Read, Term},
    types::Type,
};

impl Checker<'_> {
    /// A name: a local variable, parameter, window, field or table.
    pub(super) fn name(&mut self, expr: &Expr) -> Option<Term> {
        let Some((path, position)) = path::path_of(expr) else {
            self.error(expr.start_position(), "this has no place in a rule");
            return None;
        };
        let at = Place::from(position);
        if let Some((_, of)) = self.locals.iter().rev().find(|(name, _)| *name == path) {
            return Some(Term { kind: Kind::Local, of: of.clone(), at });
        }
        match self.resolve(&path) {
            Some(Read::Value(mut term)) => {
                term.at = at;
                let guarded = term.presence().is_none_or(|name| self.known.contains(&name));
                if self.may_be_absent(&path) && !guarded {
                    self.error_with(
                        position,
                        format!("`{path}` may be absent, and the rule does not say what then"),
                        format!("guard it, `has({path}) && …`, or give a fallback, `{path} ?? …`"),
                    );
                }
                Some(term)
            }
            Some(Read::Table(table)) => Some(Term { kind: Kind::Local, of: Type::Table(table), at }),
            _ => {
                self.unknown(&path, position);
                None
            }
        }
    }

    pub(super) fn may_be_absent(&self, path: &str) -> bool {
        let window = self.windows.iter().find(|w| w.name == path);
        window.map_or_else(|| self.schema.field(path).is_some_and(|f| f.optional), |w| w.optional)
    }

    /// What a path means, and that it was named.
    pub(super) fn resolve(&mut self, path: &str) -> Option<Read> {
        if !self.calls.is_empty() || self.locals.iter().any(|(name, _)| name == path) {
            return None;
        }
        if let Some(parameter) = self.parameters.iter().find(|p| p.name == path) {
            self.used.parameters.insert(path.to_owned());
            return Some(Read::Value(parameter.term.clone()));
        }
        if let Some(window) = self.windows.iter().find(|w| w.name == path) {
            self.used.windows.insert(path.to_owned());
            let kind = Kind::Window(window.slot);
            return Some(Read::Value(Term { kind, of: window.of.clone(), at: Place::default() }));
        }
        if let Some(field) = self.schema.field(path) {
            self.used.screening |= path.starts_with("screening.");
            self.used.fields.insert(path.to_owned());
            let of = field.of.clone();
            return Some(Read::Value(Term { kind: Kind::Field(field), of, at: Place::default() }));
        }
        let table = self.schema.reference.tables.iter().position(|t| t.name == path)?;
        self.used.tables.insert(table);
        Some(Read::Table(table))
    }

    pub(super) fn unknown(&mut self, path: &str, at: Position) {
        if !self.calls.is_empty() {
            let help = "a helper function sees only what it is given: hand the value over as an argument";
            self.error_with(at, format!("`{path}` is unknown here"), help);
            return;
        }
        if Schema::is_root(path) {
            let example = self.schema.paths().into_iter().find(|p| p.starts_with(&format!("{path}.")));
            let help = format!("name one of its fields, such as `{}`", example.unwrap_or_default());
            self.error_with(at, format!("`{path}` is several fields"), help);
            return;
        }
        let paths = self.schema.paths();
        let names = paths
            .iter()
            .map(String::as_str)
            .chain(self.parameters.iter().map(|p| p.name.as_str()))
            .chain(self.windows.iter().map(|w| w.name.as_str()))
            .chain(self.schema.reference.tables.iter().map(|t| t.name.as_str()));
        let message = format!("no event has a field `{path}`, and no parameter or window is called so");
        let diagnostic = self.source.error(at, message);
        let diagnostic = match self.schema.why_not(path) {
            Some(why) => diagnostic.help(why),
            None => diagnostic.perhaps(nearest(path, names)),
        };
        self.found.push(diagnostic);
    }
}
