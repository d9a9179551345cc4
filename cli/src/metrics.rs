//! What every process tells of itself, and what each gathers.

#[cfg(all(test, feature = "kafka"))]
mod catalogue;
#[cfg(all(test, feature = "kafka"))]
mod dashboard;

use prometheus::{IntGauge, Opts};
use sluice_http::metrics::Registry;

use crate::failure::Failure;

/// The commit that the program was built from, where whoever built it said so.
const REVISION: Option<&str> = option_env!("SLUICE_REVISION");

/// A registry that tells which build this is, and what the process takes of the machine.
pub(crate) fn registry() -> Result<Registry, Failure> {
    let registry = Registry::new();
    let build = Opts::new("sluice_build_info", "Which build this is: always 1")
        .const_label("version", env!("CARGO_PKG_VERSION"))
        .const_label("revision", REVISION.unwrap_or("unknown"));
    let build = IntGauge::with_opts(build)?;
    build.set(1);
    registry.register(Box::new(build))?;
    #[cfg(target_os = "linux")]
    registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
    Ok(registry)
}
