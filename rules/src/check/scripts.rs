//! What only the interpreter evaluates: statements, and helper functions of the file, checked with the types that they
//! are given.

use std::sync::Arc;

use rhai::{ASTNode, Expr, Position, Stmt};
use sluice_model::Hash256;

use super::{Checker, joined};
use crate::{
    functions::{FUNCTIONS, Function},
    path,
    place::{Place, nearest},
    tree::{Kind, Script, Term},
    types::Type,
};

impl Checker<'_> {
    /// A helper function of the file, checked with the types that it is given.
    pub(super) fn helper(&mut self, expr: &Expr, name: &str, args: &[Expr], at: Position) -> Option<Term> {
        let Some(function) = self.functions.shared_lib().get_script_fn(name, args.len()) else {
            if let Some(Function { usage, .. }) = Function::named(name) {
                self.error_with(at, format!("`{name}` is not called so"), format!("write `{usage}`"));
            } else {
                let own: Vec<String> = self.functions.iter_functions().map(|f| f.name.to_owned()).collect();
                let names =
                    FUNCTIONS.iter().map(|function| function.name).chain(own.iter().map(String::as_str));
                let message = format!("no function `{name}` takes {} arguments", args.len());
                self.found.push(self.source.error(at, message).perhaps(nearest(name, names)));
            }
            return None;
        };
        if self.calls.iter().any(|held| held == name) {
            self.error_with(
                at,
                format!("`{name}` calls itself"),
                "a rule's helper functions must come to an end",
            );
            return None;
        }
        let mut given = Vec::new();
        for arg in args {
            given.push(self.term(arg)?.of);
        }
        let names = function.params.iter().map(ToString::to_string);
        let body = self.body(name, args.len());
        let outer = std::mem::replace(&mut self.locals, names.zip(given).collect());
        self.calls.push(name.to_owned());
        self.in_script += 1;
        let of = self.statements(&body);
        self.in_script -= 1;
        self.calls.pop();
        self.locals = outer;
        self.script(expr, of?)
    }

    /// The statements of a helper function. Rhai names the type of a body nowhere, but walks it.
    pub(super) fn body(&self, name: &str, arguments: usize) -> Vec<Stmt> {
        let mut function = self.functions.clone();
        function.retain_functions(|_, _, held, parameters| held == name && parameters == arguments);
        let mut statements = Vec::new();
        function.walk(&mut |path: &[ASTNode<'_>]| {
            if let [ASTNode::Stmt(statement)] = path {
                statements.push((*statement).clone());
            }
            true
        });
        statements
    }

    /// `{ … }` or `if … { … } else { … }` as a value.
    pub(super) fn block_expression(&mut self, expr: &Expr, statements: &[Stmt]) -> Option<Term> {
        match statements {
            [Stmt::Expr(inner)] => self.term(inner),
            [Stmt::FnCall(call, at)] => self.term(&Expr::FnCall(call.clone(), *at)),
            [Stmt::If(flow, _)] if !flow.branch.as_ref().is_empty() => {
                let at = Place::from(expr.start_position());
                let condition = self.truth(&flow.expr)?;
                let depth = self.known.len();
                condition.implied(true, &mut self.known);
                let yes = self.block_expression(&Expr::Stmt(Box::new(flow.body.clone())), flow.body.as_ref());
                self.known.truncate(depth);
                condition.implied(false, &mut self.known);
                let no =
                    self.block_expression(&Expr::Stmt(Box::new(flow.branch.clone())), flow.branch.as_ref());
                self.known.truncate(depth);
                let (yes, no) = (yes?, no?);
                if !yes.of.compares_with(&no.of) {
                    let message = format!("one way this is {}, the other way {}", yes.of, no.of);
                    self.error(expr.start_position(), message);
                    return None;
                }
                let of = joined(&yes.of, &no.of);
                Some(Term { kind: Kind::If(Box::new(condition), Box::new(yes), Box::new(no)), of, at })
            }
            _ => {
                self.in_script += 1;
                let of = self.statements(statements);
                self.in_script -= 1;
                self.script(expr, of?)
            }
        }
    }

    /// The type of the last of several statements.
    pub(super) fn statements(&mut self, statements: &[Stmt]) -> Option<Type> {
        let (locals, known) = (self.locals.len(), self.known.len());
        let mut of = Some(Type::Nothing);
        for statement in statements {
            let next = self.statement(statement);
            of = of.and(next);
        }
        self.locals.truncate(locals);
        self.known.truncate(known);
        of
    }

    pub(super) fn statement(&mut self, statement: &Stmt) -> Option<Type> {
        match statement {
            Stmt::Noop(_) | Stmt::BreakLoop(None, ..) => Some(Type::Nothing),
            Stmt::Expr(expr) => Some(self.term(expr)?.of),
            Stmt::FnCall(call, at) => Some(self.term(&Expr::FnCall(call.clone(), *at))?.of),
            Stmt::Block(block) => self.statements(block.as_ref().as_ref()),
            Stmt::Return(Some(expr), ..) => Some(self.term(expr)?.of),
            Stmt::Var(parts, ..) => {
                let (name, value, _) = parts.as_ref();
                let of = self.term(value)?.of;
                self.declare(name, of)
            }
            Stmt::Assignment(parts) => {
                let (place, value) = (&parts.1.lhs, &parts.1.rhs);
                let known = path::path_of(place).and_then(|(path, _)| {
                    self.locals.iter().rev().find(|(n, _)| *n == path).map(|(_, of)| of.clone())
                });
                let Some(known) = known else {
                    self.error(place.start_position(), "only a variable made by `let` can be changed");
                    return None;
                };
                let of = self.term(value)?.of;
                if !of.compares_with(&known) || joined(&of, &known) != known {
                    self.error(value.start_position(), format!("the variable is {known}, and this is {of}"));
                    return None;
                }
                Some(Type::Nothing)
            }
            Stmt::If(flow, _) => {
                let condition = self.truth(&flow.expr)?;
                let depth = self.known.len();
                condition.implied(true, &mut self.known);
                let yes = self.statements(flow.body.as_ref());
                self.known.truncate(depth);
                condition.implied(false, &mut self.known);
                let no = self.statements(flow.branch.as_ref());
                self.known.truncate(depth);
                let (yes, no) = (yes?, no?);
                Some(if yes.compares_with(&no) { joined(&yes, &no) } else { Type::Nothing })
            }
            Stmt::For(parts, at) => {
                let (name, counter, flow) = parts.as_ref();
                let of = match self.term(&flow.expr)?.of {
                    Type::Texts => Type::Text,
                    Type::List(of) => of.as_ref().clone(),
                    other => {
                        self.error(*at, format!("`for` goes through a list, and this is {other}"));
                        return None;
                    }
                };
                let depth = self.locals.len();
                self.declare(name, of)?;
                if let Some(counter) = counter {
                    self.declare(counter, Type::WHOLE)?;
                }
                let body = self.statements(flow.body.as_ref());
                self.locals.truncate(depth);
                body.map(|_| Type::Nothing)
            }
            Stmt::While(_, at) | Stmt::Do(_, _, at) => {
                self.error_with(
                    *at,
                    "this loop may never end",
                    "go through a list with `for item in list { … }`",
                );
                None
            }
            other => {
                self.error_with(
                    other.position(),
                    "this has no place in a rule",
                    "write let, if, for over a list, or an expression",
                );
                None
            }
        }
    }

    /// A local variable, whose name must not mean anything else.
    pub(super) fn declare(&mut self, name: &rhai::Ident, of: Type) -> Option<Type> {
        if self.calls.is_empty() && self.resolve(&name.name).is_some() {
            self.error_with(
                name.pos,
                format!("`{}` already means something", name.name),
                "take another name",
            );
            return None;
        }
        self.locals.push((name.name.to_string(), of));
        Some(Type::Nothing)
    }

    /// A term for the interpreter; inside a script, only its type matters.
    pub(super) fn script(&mut self, expr: &Expr, of: Type) -> Option<Term> {
        let at = Place::from(expr.start_position());
        if self.in_script > 0 {
            return Some(Term { kind: Kind::Local, of, at });
        }
        let file = Hash256::of(self.source.text.as_bytes()).short();
        let identity = format!("{file}:{}:{}", at.line, at.column);
        let functions = self.functions;
        let script = Script::new(expr, functions, identity, &mut |path| self.resolve(path));
        Some(Term { kind: Kind::Script(Arc::new(script)), of, at })
    }

    /// A checked expression as one script, however much of it could be lowered: to compare with.
    pub(crate) fn interpreted(&mut self, expr: &Expr, term: Term) -> Term {
        let Term { of, at, .. } = term;
        let functions = self.functions;
        let identity = format!("interpreted:{}:{}", at.line, at.column);
        let script = Script::new(expr, functions, identity, &mut |path| self.resolve(path));
        Term { kind: Kind::Script(Arc::new(script)), of, at }
    }
}
