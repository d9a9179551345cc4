//! The interpreter: Rhai itself, under limits, for what is not lowered, and as the measure of what is.
//!
//! The variables of a script (see `script`) are supplied by a resolver: so a field that is missing fails where it is
//! read, and only there.

use std::sync::{Arc, LazyLock};

use rhai::{
    Dynamic, Engine, EvalAltResult, ImmutableString, OptimizationLevel, Position, Scope,
    packages::{
        BasicArrayPackage, BasicIteratorPackage, BasicMathPackage, CorePackage, LogicPackage,
        MoreStringPackage, Package,
    },
};
use sluice_model::{EventTime, WindowValue};

use crate::{
    EvalError,
    env::Env,
    functions::{Compute, Does, FUNCTIONS, Function},
    reference::{Cell, Reference, Table},
    syntax,
    tree::{Comparison, Kind, Read, Script, Term},
    types::{Type, Unit},
};

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
        engine.register_fn(sign, move |a: f64, b: f64| how.of_decimals(a, b));
        engine.register_fn(sign, move |a: i64, b: f64| how.of_decimals(a as f64, b));
        engine.register_fn(sign, move |a: f64, b: i64| how.of_decimals(a, b as f64));
    }
}

fn register_functions(engine: &mut Engine) {
    // What `value in table` becomes.
    engine.register_fn("contains", |table: TableAt, value: ImmutableString| table.holds(&value));
    for Function { name, does, .. } in FUNCTIONS {
        match does {
            // Made into variables before a script runs.
            Does::Has | Does::AmountIn => {}
            // Rhai's own.
            Does::Absolute | Does::Interpreted(..) => {}
            Does::Compute(Compute::Truth(_) | Compute::Number(..)) => {}
            Does::Literal(_, factor) => {
                let literal = move |n: i64| n.checked_mul(*factor).ok_or_else(|| raise(EvalError::Overflow));
                engine.register_fn(*name, literal);
            }
            Does::Percent => {
                engine.register_fn(*name, |n: i64| n as f64 / 100.0);
            }
            Does::Lookup => {
                engine.register_fn(*name, TableAt::cell);
            }
            Does::AnyIn => {
                engine.register_fn(*name, any_in_table);
                engine.register_fn(*name, any_in_list);
            }
            Does::Compute(Compute::Decimal(measure)) => {
                engine.register_fn(*name, |a: ImmutableString, b: ImmutableString| measure(&a, &b));
            }
        }
    }
}

impl TableAt {
    fn table(&self) -> &Table {
        &self.reference.tables[self.table]
    }

    fn holds(&self, value: &str) -> Result<bool, Box<EvalAltResult>> {
        self.table().holds(value, self.at).map_err(raise)
    }

    fn cell(self, row: ImmutableString, column: ImmutableString) -> Result<Dynamic, Box<EvalAltResult>> {
        let table = self.table();
        let column = table.columns.iter().position(|(name, _)| *name == *column).unwrap_or(usize::MAX);
        table.cell(&row, column, self.at).map(Cell::to_dynamic).map_err(raise)
    }
}

fn any_in_table(values: rhai::Array, table: TableAt) -> Result<bool, Box<EvalAltResult>> {
    for value in values {
        if table.holds(&value.into_immutable_string().unwrap_or_default())? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn any_in_list(values: rhai::Array, list: rhai::Array) -> bool {
    let held = |value: &Dynamic| {
        let text = value.clone().into_immutable_string();
        list.iter().any(|item| item.clone().into_immutable_string() == text)
    };
    values.iter().any(held)
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
    /// Evaluate for one event.
    pub(crate) fn run(&self, env: &Env<'_>) -> Result<Dynamic, EvalError> {
        let bag: Bag =
            Arc::new(self.reads.iter().map(|(name, read)| (name.clone(), read.value(env))).collect());
        let mut scope = Scope::new();
        scope.push(BAG, bag);
        INTERPRETER.eval_ast_with_scope::<Dynamic>(&mut scope, &self.ast).map_err(|error| reason(&error))
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
