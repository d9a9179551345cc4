//! A piece of a rule for the interpreter: its field paths are made into single variables (`debtor.country`), each with
//! what it means.

use rhai::{AST, Expr, ImmutableString, Position, Stmt, StmtBlock};

use crate::{
    functions::Does,
    path::{method_call, path_of},
    schema,
    tree::{Kind, Read, Script, Term},
};

impl Script {
    /// A script of an expression and its file's helper functions. `resolve` says what a path means.
    pub(crate) fn new(
        expr: &Expr,
        functions: &AST,
        identity: String,
        resolve: &mut dyn FnMut(&str) -> Option<Read>,
    ) -> Self {
        let mut body = expr.clone();
        let mut flattener = Flattener { resolve, reads: Vec::new() };
        flattener.expr(&mut body);
        let reads = flattener.reads;
        let ast = AST::new([Stmt::Expr(Box::new(body))], functions.shared_lib().clone());
        Self { ast, reads, identity }
    }
}

/// Makes paths into single variables, and notes what each means.
struct Flattener<'a> {
    resolve: &'a mut dyn FnMut(&str) -> Option<Read>,
    reads: Vec<(ImmutableString, Read)>,
}

impl Flattener<'_> {
    fn variable(&mut self, name: String, read: Read, at: Position) -> Expr {
        let name = ImmutableString::from(name);
        if !self.reads.iter().any(|(held, _)| *held == name) {
            self.reads.push((name.clone(), read));
        }
        Expr::Variable(Box::new((None, name)), None, at)
    }

    /// The variable of a path, if the expression is one that is known.
    fn path(&mut self, expr: &Expr, as_read: fn(Term) -> Read, mark: &str) -> Option<Expr> {
        let (path, at) = path_of(expr)?;
        let read = match (self.resolve)(&path)? {
            Read::Value(term) => as_read(term),
            table => table,
        };
        Some(self.variable(format!("{mark}{path}"), read, at))
    }

    fn expr(&mut self, expr: &mut Expr) {
        if let Some(variable) = self.path(expr, Read::Value, "") {
            *expr = variable;
            return;
        }
        match expr {
            Expr::FnCall(call, at)
                if matches!(Does::named(&call.name), Some(Does::Has)) && call.args.len() == 1 =>
            {
                if let Some(variable) = self.path(&call.args[0], Read::Presence, "has ") {
                    *expr = variable;
                } else {
                    *expr = Expr::BoolConstant(true, *at);
                }
            }
            Expr::FnCall(call, at) if matches!(Does::named(&call.name), Some(Does::AmountIn)) => {
                if let [Expr::StringConstant(code, _)] = call.args.as_slice()
                    && let Ok(currency) = code.parse()
                {
                    let field = schema::amount_in(currency);
                    let term = Term { of: field.of.clone(), at: (*at).into(), kind: Kind::Field(field) };
                    let name = format!("amount_in {code}");
                    *expr = self.variable(name, Read::Value(term), *at);
                }
            }
            Expr::MethodCall(call, _) => call.args.iter_mut().for_each(|a| self.expr(a)),
            Expr::FnCall(call, _) => {
                call.args.iter_mut().for_each(|a| self.expr(a));
                // Rhai reads a variable that comes first after the other arguments, in case the function changes
                // it. In a block it is a value, and read in its place: the first error is the one that comes first.
                if let [first @ Expr::Variable(..), _, ..] = call.args.as_mut_slice() {
                    let at = first.position();
                    let value = Stmt::Expr(Box::new(std::mem::take(first)));
                    *first = Expr::Stmt(Box::new(StmtBlock::new([value], at, Position::NONE)));
                }
            }
            Expr::Coalesce(all, _) => {
                for part in all.iter_mut() {
                    match self.path(part, Read::Optional, "?") {
                        Some(variable) => *part = variable,
                        None => self.expr(part),
                    }
                }
            }
            Expr::And(all, _) | Expr::Or(all, _) => all.iter_mut().for_each(|e| self.expr(e)),
            Expr::Array(all, _) | Expr::InterpolatedString(all, _) => {
                all.iter_mut().for_each(|e| self.expr(e))
            }
            Expr::Index(pair, ..) => {
                self.expr(&mut pair.lhs);
                self.expr(&mut pair.rhs);
            }
            Expr::Dot(pair, _, at) => match method_call(pair) {
                // `remittance.contains("loan")`, `debtor.name.to_upper()`: the receiver is a path of its own.
                Some((receiver, mut call)) => {
                    let receiver = self.path(&receiver, Read::Value, "").unwrap_or(receiver);
                    self.expr(&mut call);
                    pair.lhs = receiver;
                    pair.rhs = call;
                }
                None => {
                    self.expr(&mut pair.lhs);
                    self.expr(&mut pair.rhs);
                    let _ = at;
                }
            },
            Expr::Stmt(block) => block.as_mut().as_mut().iter_mut().for_each(|s| self.statement(s)),
            _ => {}
        }
    }

    fn statement(&mut self, statement: &mut Stmt) {
        match statement {
            Stmt::If(flow, _) => {
                self.expr(&mut flow.expr);
                flow.body.as_mut().iter_mut().for_each(|s| self.statement(s));
                flow.branch.as_mut().iter_mut().for_each(|s| self.statement(s));
            }
            Stmt::For(parts, _) => {
                self.expr(&mut parts.2.expr);
                parts.2.body.as_mut().iter_mut().for_each(|s| self.statement(s));
            }
            Stmt::Var(parts, ..) => self.expr(&mut parts.1),
            Stmt::Assignment(parts) => {
                self.expr(&mut parts.1.lhs);
                self.expr(&mut parts.1.rhs);
            }
            Stmt::FnCall(call, at) => {
                // `has(x)` as a statement of its own must become a variable, which only an expression can be.
                let mut expr = Expr::FnCall(call.clone(), *at);
                self.expr(&mut expr);
                *statement = Stmt::Expr(Box::new(expr));
            }
            Stmt::Block(block) => block.as_mut().as_mut().iter_mut().for_each(|s| self.statement(s)),
            Stmt::Expr(expr) => self.expr(expr),
            Stmt::BreakLoop(Some(expr), ..) | Stmt::Return(Some(expr), ..) => self.expr(expr),
            _ => {}
        }
    }
}
