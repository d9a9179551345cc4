//! The paths that expressions spell, however Rhai nests them.

use rhai::{BinaryExpr, Expr, Position};

/// The path that an expression spells: `amount`, `debtor.proxy.id`.
pub(crate) fn path_of(expr: &Expr) -> Option<(String, Position)> {
    fn rest(expr: &Expr, into: &mut String) -> Option<()> {
        match expr {
            Expr::Property(parts, _) => {
                into.push('.');
                into.push_str(&parts.2);
                Some(())
            }
            Expr::Dot(pair, ..) => {
                rest(&pair.lhs, into)?;
                rest(&pair.rhs, into)
            }
            _ => None,
        }
    }
    match expr {
        Expr::Variable(name, _, at) => Some((name.1.to_string(), *at)),
        Expr::Dot(pair, ..) => {
            let (mut path, at) = path_of(&pair.lhs)?;
            rest(&pair.rhs, &mut path)?;
            Some((path, at))
        }
        _ => None,
    }
}

/// The receiver and the call of `a.b.method(…)`, which Rhai nests to the right.
pub(crate) fn method_call(pair: &BinaryExpr) -> Option<(Expr, Expr)> {
    match &pair.rhs {
        call @ Expr::MethodCall(..) => Some((pair.lhs.clone(), call.clone())),
        Expr::Dot(inner, flags, at) => {
            let (receiver, call) = method_call(inner)?;
            let below = BinaryExpr { lhs: pair.lhs.clone(), rhs: receiver };
            Some((Expr::Dot(Box::new(below), *flags, *at), call))
        }
        _ => None,
    }
}
