//! What every HTTP service of Sluice shares: refusals as problem details, what an `Idempotency-Key` is and whose, how
//! large a body and a page may be, which parameters a query may have, the clock that stamps what comes in, the server with the limits of its connections, and
//! metrics.
//! Which error is which problem is decided where the error is.

#![warn(unreachable_pub)]

pub mod body;
mod caller;
mod clock;
pub mod idempotency;
pub mod metrics;
pub mod page;
mod problem;
pub mod query;
pub mod serve;

pub use caller::Caller;
pub use clock::{Clock, SystemClock};
pub use problem::{PROBLEM_JSON, Problem};
