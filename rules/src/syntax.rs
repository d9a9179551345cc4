//! The shape of a rule file: Rhai with five words of our own (`rule`, `parameter`, `window`, `condition`,
//! `reason`, and `typology` for a file that weighs other rules). What follows a word is an ordinary Rhai
//! expression with its own positions; nothing of the file is run to read it.

use std::sync::LazyLock;

use rhai::{AST, Engine, Expr, Ident, OptimizationLevel, Position, Stmt};
use sluice_model::limits::RULE_FILE_BYTES_MAX;

use crate::{Diagnostic, limits, place::Source};

/// A file's declarations, in order.
pub(crate) struct Declarations {
    /// `rule R01 #{ … };`
    pub rules: Vec<Block>,
    /// `typology T01 #{ … };`
    pub typologies: Vec<Block>,
    /// `parameter threshold #{ … };`
    pub parameters: Vec<Block>,
    /// `window payments #{ … };`
    pub windows: Vec<Block>,
    /// `condition …;`
    pub conditions: Vec<Expr>,
    /// `reason …;`
    pub reasons: Vec<Expr>,
    /// Helper functions.
    pub functions: AST,
}

/// A word, a name and a map.
pub(crate) struct Block {
    /// `R01`, `threshold`.
    pub name: String,
    /// Of the name.
    pub at: Position,
    /// What is in `#{ … }`.
    pub entries: Vec<(Ident, Expr)>,
}

/// The words that make a block, and those that make an expression.
const BLOCK_WORDS: [&str; 4] = ["rule", "typology", "parameter", "window"];
const EXPRESSION_WORDS: [&str; 2] = ["condition", "reason"];

static PARSER: LazyLock<Engine> = LazyLock::new(|| {
    let mut engine = Engine::new_raw();
    // Nothing may be folded: positions, coverage and the types of literals are read from the tree.
    engine.set_optimization_level(OptimizationLevel::None);
    limit(&mut engine);
    let never = |_: &mut rhai::EvalContext<'_, '_, '_, '_, '_, '_>, _: &[rhai::Expression<'_>]| {
        Err("declarations are read, never run".into())
    };
    for word in BLOCK_WORDS {
        // A name that is not an identifier is caught when the block is read.
        let _ = engine.register_custom_syntax([word, "$ident$", "$expr$"], false, never);
    }
    for word in EXPRESSION_WORDS {
        let _ = engine.register_custom_syntax([word, "$expr$"], false, never);
    }
    engine
});

/// Set what a text and its evaluation may cost.
pub(crate) fn limit(engine: &mut Engine) {
    engine
        .set_max_operations(limits::OPERATIONS_MAX)
        .set_max_call_levels(limits::CALLS_MAX)
        .set_max_expr_depths(limits::EXPRESSION_DEPTH_MAX, limits::EXPRESSION_DEPTH_MAX)
        .set_max_string_size(limits::SCRIPT_TEXT_BYTES_MAX)
        .set_max_array_size(limits::LIST_ENTRIES_MAX)
        .set_max_map_size(limits::LIST_ENTRIES_MAX)
        .set_max_variables(limits::VARIABLES_MAX)
        .set_max_functions(limits::FUNCTIONS_MAX);
}

/// Read a file. What cannot be read is reported in `found`.
pub(crate) fn parse(source: &Source<'_>, found: &mut Vec<Diagnostic>) -> Option<Declarations> {
    if source.text.len() > RULE_FILE_BYTES_MAX {
        let message = format!("the file is larger than {RULE_FILE_BYTES_MAX} bytes");
        found.push(source.error(Position::NONE, message));
        return None;
    }
    let ast = match PARSER.compile(source.text) {
        Ok(ast) => ast,
        Err(error) => {
            found.push(source.error(error.position(), error.err_type().to_string()));
            return None;
        }
    };
    let mut file = Declarations {
        rules: Vec::new(),
        typologies: Vec::new(),
        parameters: Vec::new(),
        windows: Vec::new(),
        conditions: Vec::new(),
        reasons: Vec::new(),
        functions: ast.clone_functions_only(),
    };
    for statement in ast.statements() {
        if !file.take(source, statement, found) && !statement.is_noop() {
            found.push(
                source
                    .error(statement.position(), "a rule file holds declarations only")
                    .help("write rule, parameter, window, condition, reason, or fn for a helper function"),
            );
        }
    }
    Some(file)
}

impl Declarations {
    /// Take in one statement, if it is a declaration.
    fn take(&mut self, source: &Source<'_>, statement: &Stmt, found: &mut Vec<Diagnostic>) -> bool {
        let Stmt::Expr(expr) = statement else { return false };
        let Expr::Custom(custom, _) = expr.as_ref() else { return false };
        let word = custom.tokens.first().map_or("", |t| t.as_str());
        match (word, custom.inputs.as_slice()) {
            ("condition", [expr]) => self.conditions.push(expr.clone()),
            ("reason", [expr]) => self.reasons.push(expr.clone()),
            (word, [Expr::Variable(name, _, at), Expr::Map(map, _)]) => {
                let block = Block { name: name.1.to_string(), at: *at, entries: map.0.to_vec() };
                match word {
                    "rule" => self.rules.push(block),
                    "typology" => self.typologies.push(block),
                    "parameter" => self.parameters.push(block),
                    _ => self.windows.push(block),
                }
            }
            (word, [_, other]) => found.push(
                source
                    .error(other.start_position(), format!("a {word} is described by a map"))
                    .help(format!("write: {word} name #{{ … }};")),
            ),
            _ => return false,
        }
        true
    }
}
