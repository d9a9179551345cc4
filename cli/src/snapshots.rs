//! Where an engine keeps the snapshots of its state.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use sluice_log::{FileSnapshots, Snapshots};

use crate::failure::Failure;

/// What names a folder.
const FILE: &str = "file://";

/// Snapshots at an address, or in a folder of the data.
///
/// # Errors
/// When nothing can be kept there.
pub(crate) fn open(address: Option<&str>, data: &Path) -> Result<Arc<dyn Snapshots>, Failure> {
    match address {
        None => Ok(Arc::new(FileSnapshots::new(data.join("snapshots")))),
        Some(address) => match address.strip_prefix(FILE) {
            Some(folder) if Path::new(folder).is_absolute() => {
                Ok(Arc::new(FileSnapshots::new(PathBuf::from(folder))))
            }
            Some(_) => Err(Failure::user(format!("{address}: say file:///FOLDER, from the root on"))),
            None => objects(address),
        },
    }
}

#[cfg(feature = "object-store")]
fn objects(address: &str) -> Result<Arc<dyn Snapshots>, Failure> {
    let snapshots = sluice_log::ObjectSnapshots::open(address);
    Ok(Arc::new(snapshots.map_err(|error| Failure::User(error.into()))?))
}

#[cfg(not(feature = "object-store"))]
fn objects(_: &str) -> Result<Arc<dyn Snapshots>, Failure> {
    Err(Failure::user("this build keeps snapshots in folders only: build it with `--features object-store`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_are_in_a_folder_unless_an_address_says_otherwise() {
        let folder = tempfile::tempdir().unwrap();
        let kept = |address: Option<&str>, beside: &str| {
            open(address, folder.path()).unwrap().put("home-0", 3, vec![1]).unwrap();
            folder.path().join(beside).join("home-0/00000000000000000003.snapshot").exists()
        };
        assert!(kept(None, "snapshots"));
        assert!(kept(Some(&format!("file://{}/others", folder.path().display())), "others"));
        for wrong in ["file://others", "ftp://host/folder", "s3://"] {
            assert!(matches!(open(Some(wrong), folder.path()), Err(Failure::User(_))), "{wrong}");
        }
    }
}
