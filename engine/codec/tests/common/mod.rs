//! Where real input is, for the tests that read some.

use std::path::{Path, PathBuf};

/// A path under `$SLUICE_SHARED`, or `../shared` beside the workspace; `None`, said plainly, where it is absent.
pub fn shared(path: &str) -> Option<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let root = std::env::var_os("SLUICE_SHARED").map_or_else(|| workspace.join("../shared"), PathBuf::from);
    let found = Some(root.join(path)).filter(|path| path.exists());
    if found.is_none() {
        println!("left out: {path} (no ../shared)");
    }
    found
}
