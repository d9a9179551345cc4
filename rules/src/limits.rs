//! What a rule may cost, so that none can starve the others. Reaching one is an error of that rule alone.

/// Operations that one evaluation in the interpreter may take: some hundred microseconds.
pub const OPERATIONS_MAX: u64 = 20_000;
/// Nested calls of helper functions.
pub const CALLS_MAX: usize = 16;
/// Nesting of an expression in a rule's text.
pub const EXPRESSION_DEPTH_MAX: usize = 64;
/// Bytes of a text that a script makes.
pub const SCRIPT_TEXT_BYTES_MAX: usize = 16 * 1024;
/// Entries of a list that a rule writes or a script makes.
pub const LIST_ENTRIES_MAX: usize = 1_000;
/// Variables that a script may hold at a time.
pub const VARIABLES_MAX: usize = 64;
/// Helper functions in one file.
pub const FUNCTIONS_MAX: usize = 64;
/// Windows that one rule may declare.
pub const WINDOWS_MAX: usize = 64;
/// Rules and typologies in one set.
pub const RULES_MAX: usize = 2_000;
/// Words of a name that are compared with another's; each with each.
pub const NAME_WORDS_MAX: usize = 16;
