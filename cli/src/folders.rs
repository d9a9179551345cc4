//! Folders that commands are pointed at: rules, lists.

use std::{path::Path, sync::Arc};

use sluice_core::Library;
use sluice_list_store::Store;
use sluice_model::{RuleBundle, Screening, Unnamed};
use sluice_rules::RuleSet;
use sluice_runtime::{CachingLibrary, Clock as _, SystemClock};

use crate::failure::Failure;

/// What is done with a payment one of whose sides has no name, as an argument: see `docs/screening.md`.
pub(crate) fn unnamed(text: &str) -> Result<Unnamed, String> {
    match text {
        "accept" => Ok(Unnamed::Accept),
        "alert" => Ok(Unnamed::Alert),
        "hold" => Ok(Unnamed::Hold),
        _ => Err("hold, alert or accept".to_owned()),
    }
}

/// A folder of list versions, opened.
pub(crate) struct Lists {
    /// What is active there.
    pub screening: Screening,
    /// Where the engine looks versions up.
    pub library: Arc<dyn Library>,
}

/// Open a folder of list versions; without one, nothing is screened. A folder that is named but cannot be read
/// is an error, never an empty list.
pub(crate) fn open_lists(folder: Option<&Path>) -> Result<Lists, Failure> {
    let Some(folder) = folder else {
        return Ok(Lists {
            screening: Screening::default(),
            library: Arc::new(CachingLibrary::without_lists()),
        });
    };
    let store = Store::open(folder).map_err(|error| Failure::User(error.into()))?;
    let lists = store.active().map_err(|error| Failure::User(error.into()))?;
    let screening = Screening { lists, ..Screening::default() };
    let library = CachingLibrary::over(move |hash| store.load(hash));
    if !screening.lists.is_empty() {
        library.screener(&screening).map_err(|error| Failure::User(error.into()))?;
    }
    Ok(Lists { screening, library: Arc::new(library) })
}

/// Compile a rule set; what does not load is the user's to mend.
pub(crate) fn check_rules(bundle: &RuleBundle) -> Result<RuleSet, Failure> {
    RuleSet::compile(bundle).map_err(|errors| Failure::user(format!("the rules do not load:\n{errors}")))
}

/// The currencies that have no rate today: rules that ask for an amount fail on them, by their policy.
pub(crate) fn currencies_without_rate(rules: &RuleSet) -> Vec<String> {
    let without = rules.currencies_without_rate(SystemClock.now());
    without.iter().map(|currency| currency.code().to_owned()).collect()
}
