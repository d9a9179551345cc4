//! What drives and measures the engine from outside: labelled payment traffic, the scoring of alerts against
//! labels, and the seeded fault simulation of the core.

pub mod fault;
pub mod groups;
pub mod traffic;
