//! The interpreter: Rhai itself, under limits, for what is not lowered, and as the measure of what is.
//!
//! A script is a piece of a rule with its field paths made into single variables (`debtor.country`), which a
//! resolver supplies: so a field that is missing fails where it is read, and only there.

use std::{
    fmt,
    sync::{Arc, LazyLock},
};

use rhai::{
    AST, Dynamic, Engine, EvalAltResult, Expr, ImmutableString, OptimizationLevel, Position, Scope, Stmt,
    StmtBlock,
    packages::{
        BasicArrayPackage, BasicIteratorPackage, BasicMathPackage, CorePackage, LogicPackage,
        MoreStringPackage, Package,
    },
};
use sluice_model::{EventTime, WindowValue};

use crate::{
    EvalError,
    likeness::Likeness,
    lower::{Env, compare_decimals},
    reference::{Cell, Reference},
    syntax,
    tree::{Comparison, Kind, Term},
    types::{Type, Unit},
};

/// A piece of a rule for the interpreter.
pub struct Script {
    ast: AST,
    reads: Vec<(ImmutableString, Read)>,
    /// The hash of the file and the place: the identity of what it does.
    pub identity: String,
}

/// What a variable of a script stands for.
#[derive(Clone, Debug)]
pub enum Read {
    /// A field, window or constant; it fails where it has no value.
    Value(Term),
    /// The same, or `()` where it has no value: for `??`.
    Optional(Term),
    /// Whether it has a value: for `has`.
    Presence(Term),
    /// A reference table.
    Table(usize),
}

/// What the variables of one evaluation hold.
type Bag = Arc<Vec<(ImmutableString, Result<Dynamic, EvalError>)>>;

/// The variable under which the bag travels.
const BAG: &str = "$bag";

/// A reference table at an event's time.
#[derive(Clone)]
struct TableAt {
    reference: Arc<Reference>,
    table: usize,
    at: EventTime,
}

static INTERPRETER: LazyLock<Engine> = LazyLock::new(|| {
    let mut engine = Engine::new_raw();
    engine.set_optimization_level(OptimizationLevel::None);
    // Division is decimal in rules: our own operator must come before the built-in one.
    engine.set_fast_operators(false);
    syntax::limit(&mut engine);
    CorePackage::new().register_into_engine(&mut engine);
    LogicPackage::new().register_into_engine(&mut engine);
    BasicMathPackage::new().register_into_engine(&mut engine);
    BasicArrayPackage::new().register_into_engine(&mut engine);
    BasicIteratorPackage::new().register_into_engine(&mut engine);
    MoreStringPackage::new().register_into_engine(&mut engine);
    register_operators(&mut engine);
    register_functions(&mut engine);
    #[expect(deprecated, reason = "it is not deprecated but volatile, and Rhai's version is pinned")]
    engine.on_var(|name, _, context| {
        let bag = context.scope().get(BAG).and_then(|bag| bag.read_lock::<Bag>());
        let Some(value) =
            bag.and_then(|bag| bag.iter().find(|(held, _)| held == name).map(|(_, v)| v.clone()))
        else {
            return Ok(None);
        };
        value.map(Some).map_err(raise)
    });
    engine
});

fn raise(error: EvalError) -> Box<EvalAltResult> {
    Box::new(EvalAltResult::ErrorRuntime(Dynamic::from(error), Position::NONE))
}

fn register_operators(engine: &mut Engine) {
    fn divide(a: f64, b: f64) -> Result<f64, Box<EvalAltResult>> {
        if b == 0.0 { Err(raise(EvalError::DivisionByZero)) } else { Ok(a / b) }
    }
    engine.register_fn("/", |a: i64, b: i64| divide(a as f64, b as f64));
    engine.register_fn("/", |a: i64, b: f64| divide(a as f64, b));
    engine.register_fn("/", |a: f64, b: i64| divide(a, b as f64));
    engine.register_fn("/", divide);
    for how in Comparison::ALL {
        let sign = how.sign();
        engine.register_fn(sign, move |a: f64, b: f64| compare_decimals(how, a, b));
        engine.register_fn(sign, move |a: i64, b: f64| compare_decimals(how, a as f64, b));
        engine.register_fn(sign, move |a: f64, b: i64| compare_decimals(how, a, b as f64));
    }
}

fn register_functions(engine: &mut Engine) {
    let refuse = |error: EvalError| raise(error);
    engine.register_fn("contains", move |table: TableAt, value: ImmutableString| {
        table.reference.tables[table.table].holds(&value, table.at).map_err(refuse)
    });
    engine.register_fn("lookup", move |table: TableAt, row: ImmutableString, column: ImmutableString| {
        let held = &table.reference.tables[table.table];
        let column = held.columns.iter().position(|(name, _)| *name == *column).unwrap_or(usize::MAX);
        held.cell(&row, column, table.at).map(Cell::to_dynamic).map_err(refuse)
    });
    engine.register_fn("any_in", move |values: rhai::Array, table: TableAt| {
        for value in values {
            let value = value.into_immutable_string().unwrap_or_default();
            if table.reference.tables[table.table].holds(&value, table.at).map_err(refuse)? {
                return Ok(true);
            }
        }
        Ok::<_, Box<EvalAltResult>>(false)
    });
    engine.register_fn("any_in", |values: rhai::Array, list: rhai::Array| {
        let held = |value: &Dynamic| {
            let text = value.clone().into_immutable_string();
            list.iter().any(|item| item.clone().into_immutable_string() == text)
        };
        values.iter().any(held)
    });
    for how in Likeness::ALL {
        engine.register_fn(how.name(), move |a: ImmutableString, b: ImmutableString| how.of(&a, &b));
    }
    for (name, factor) in [("hkd", 100), ("minutes", 60), ("hours", 3_600), ("days", 86_400)] {
        engine
            .register_fn(name, move |n: i64| n.checked_mul(factor).ok_or_else(|| raise(EvalError::Overflow)));
    }
    engine.register_fn("percent", |n: i64| n as f64 / 100.0);
}

impl Cell {
    fn to_dynamic(&self) -> Dynamic {
        match self {
            Self::Whole(n) => (*n).into(),
            Self::Decimal(n) => (*n).into(),
            Self::Text(text) => text.into(),
        }
    }
}

impl Script {
    /// A script of an expression and its file's helper functions. `resolve` says what a path stands for.
    pub fn new(
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

    /// Evaluate for one event.
    pub fn run(&self, env: &Env<'_>) -> Result<Dynamic, EvalError> {
        let bag: Bag =
            Arc::new(self.reads.iter().map(|(name, read)| (name.clone(), read.value(env))).collect());
        let mut scope = Scope::new();
        scope.push(BAG, bag);
        INTERPRETER.eval_ast_with_scope::<Dynamic>(&mut scope, &self.ast).map_err(|error| reason(&error))
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "script {}", self.identity)
    }
}

impl Read {
    fn value(&self, env: &Env<'_>) -> Result<Dynamic, EvalError> {
        match self {
            Self::Value(term) => value_of(term, env)?.ok_or_else(|| term.missing()),
            Self::Optional(term) => Ok(value_of(term, env)?.unwrap_or(Dynamic::UNIT)),
            Self::Presence(term) => Ok(present(term, env)?.into()),
            Self::Table(table) => Ok(Dynamic::from(TableAt {
                reference: Arc::clone(env.reference),
                table: *table,
                at: env.facts.event.occurred_at,
            })),
        }
    }
}

fn present(term: &Term, env: &Env<'_>) -> Result<bool, EvalError> {
    match &term.kind {
        Kind::Field(field) => field.present(env.facts),
        Kind::Window(window) => Ok(!matches!(env.windows.value(*window), WindowValue::Nothing(()))),
        _ => Ok(true),
    }
}

fn value_of(term: &Term, env: &Env<'_>) -> Result<Option<Dynamic>, EvalError> {
    Ok(match &term.kind {
        Kind::Bool(value) => Some((*value).into()),
        Kind::Whole(n) => Some((*n).into()),
        Kind::Decimal(n) => Some((*n).into()),
        Kind::Text(text) => Some(text.as_ref().into()),
        Kind::Texts(texts) => {
            Some(texts.iter().map(|t| Dynamic::from(t.to_string())).collect::<Vec<_>>().into())
        }
        Kind::Window(window) => match (env.windows.value(*window), &term.of) {
            (WindowValue::Nothing(()), _) => None,
            (WindowValue::Int(n), Type::Number { whole: false, .. }) => Some((n as f64).into()),
            (WindowValue::Int(n), _) => Some(n.into()),
            (WindowValue::Float(n), Type::Number { whole: false, .. }) => Some(n.into()),
            (WindowValue::Float(n), _) => Some((n.round() as i64).into()),
        },
        Kind::Field(field) => match &term.of {
            Type::Bool => field.truth(env.facts)?.map(Dynamic::from),
            Type::Number { whole: false, unit: Unit::Plain | Unit::Share } => {
                field.decimal(env.facts)?.map(Dynamic::from)
            }
            Type::Number { .. } | Type::Moment => field.whole(env.facts, env.reference)?.map(Dynamic::from),
            Type::Texts => {
                let mut texts = rhai::Array::new();
                field.any_text(env.facts, |text| {
                    texts.push(text.into());
                    Ok(false)
                })?;
                Some(texts.into())
            }
            _ => field.text(env.facts)?.map(|text| Dynamic::from(ImmutableString::from(text.as_ref()))),
        },
        _ => None,
    })
}

/// Why an evaluation failed, in our words.
fn reason(error: &EvalAltResult) -> EvalError {
    match error {
        EvalAltResult::ErrorRuntime(value, _) => match value.clone().try_cast::<EvalError>() {
            Some(error) => error,
            None => EvalError::Failed("it refused to go on".to_owned()),
        },
        EvalAltResult::ErrorInFunctionCall(_, _, inner, _) => reason(inner),
        EvalAltResult::ErrorArithmetic(text, _) if text.to_lowercase().contains("zero") => {
            EvalError::DivisionByZero
        }
        EvalAltResult::ErrorArithmetic(..) => EvalError::Overflow,
        EvalAltResult::ErrorTooManyOperations(_) => EvalError::Limit("operations"),
        EvalAltResult::ErrorStackOverflow(_) => EvalError::Limit("nested calls"),
        EvalAltResult::ErrorDataTooLarge(..) => EvalError::Limit("size"),
        EvalAltResult::ErrorTooManyVariables(_) => EvalError::Limit("variables"),
        EvalAltResult::ErrorFunctionNotFound(..) => {
            EvalError::Failed("a function or operator does not fit".to_owned())
        }
        _ => EvalError::Failed(format!("at line {}", error.position().line().unwrap_or_default())),
    }
}

/// Makes paths into single variables, and notes what each stands for.
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

    /// The variable that stands for a path, if the expression is one that is known.
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
            Expr::FnCall(call, at) if call.name == "has" && call.args.len() == 1 => {
                if let Some(variable) = self.path(&call.args[0], Read::Presence, "has ") {
                    *expr = variable;
                } else {
                    *expr = Expr::BoolConstant(true, *at);
                }
            }
            Expr::FnCall(call, at) if call.name == "amount_in" => {
                if let [Expr::StringConstant(code, _)] = call.args.as_slice()
                    && let Ok(currency) = code.parse()
                {
                    let field = crate::schema::amount_in(currency);
                    let term = Term { of: field.of.clone(), at: (*at).into(), kind: Kind::Field(field) };
                    let name = format!("amount_in {code}");
                    *expr = self.variable(name, Read::Value(term), *at);
                }
            }
            Expr::MethodCall(call, _) => call.args.iter_mut().for_each(|a| self.expr(a)),
            Expr::FnCall(call, _) => {
                call.args.iter_mut().for_each(|a| self.expr(a));
                // Rhai reads a variable that stands first after the other arguments, in case the function changes
                // it. In a block it is a value, and read in its place: the first error is the one that is met first.
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

/// The path that an expression spells: `amount`, `debtor.proxy.id`.
pub fn path_of(expr: &Expr) -> Option<(String, Position)> {
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
pub fn method_call(pair: &rhai::BinaryExpr) -> Option<(Expr, Expr)> {
    match &pair.rhs {
        call @ Expr::MethodCall(..) => Some((pair.lhs.clone(), call.clone())),
        Expr::Dot(inner, flags, at) => {
            let (receiver, call) = method_call(inner)?;
            let below = rhai::BinaryExpr { lhs: pair.lhs.clone(), rhs: receiver };
            Some((Expr::Dot(Box::new(below), *flags, *at), call))
        }
        _ => None,
    }
}
