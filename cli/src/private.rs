//! Whatever Sluice writes is its owner's alone: files 0600, folders 0700. They hold personal data, what officers know
//! of customers, and the key that signs the evidence.

use std::{
    fs::{self, Metadata, Permissions},
    io,
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

use rustix::{fs::Mode, process::umask};

/// What groups and others may do.
const OTHERS: u32 = 0o077;

/// Every file and folder that this process makes from here on, SQLite's, exports' and bundles' among them.
pub(crate) fn hold_to_owner() {
    let others = Mode::RWXG | Mode::RWXO;
    // What whoever started the process takes away besides stays away.
    let asked = umask(others);
    umask(asked | others);
}

/// Take from others what an earlier version, or a copy, gave them of the folder and of these entries of it. The folder
/// itself is left alone, and said, where it holds anything else: it is then not ours alone.
pub(crate) fn narrow(folder: &Path, ours: impl Fn(&str) -> bool) -> io::Result<()> {
    let (mut narrowed, mut foreign) = (0, false);
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(&ours) {
            narrowed += narrow_all(&entry.path())?;
        } else {
            foreign = true;
        }
    }
    let about = fs::metadata(folder)?;
    if foreign && is_wide(&about) {
        tracing::warn!(
            folder = %folder.display(),
            "others may look into the data folder; it holds more than Sluice's own files, so its rights are left as they \
             are: chmod 700 keeps the names of its files from others"
        );
    } else {
        narrowed += narrow_one(folder, &about)?;
    }
    if narrowed > 0 {
        tracing::warn!(
            folder = %folder.display(),
            narrowed,
            "files and folders that others could read are their owner's alone now: they hold personal data"
        );
    }
    Ok(())
}

/// A file, or a folder and all below it. How many were wider. A link is not followed.
fn narrow_all(path: &Path) -> io::Result<usize> {
    let about = fs::symlink_metadata(path)?;
    if about.is_symlink() {
        return Ok(0);
    }
    let mut narrowed = narrow_one(path, &about)?;
    if about.is_dir() {
        for entry in fs::read_dir(path)? {
            narrowed += narrow_all(&entry?.path())?;
        }
    }
    Ok(narrowed)
}

fn narrow_one(path: &Path, about: &Metadata) -> io::Result<usize> {
    if !is_wide(about) {
        return Ok(0);
    }
    fs::set_permissions(path, Permissions::from_mode(about.permissions().mode() & !OTHERS))?;
    Ok(1)
}

fn is_wide(about: &Metadata) -> bool {
    about.permissions().mode() & OTHERS != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_is_ours_is_narrowed_and_what_is_not_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let set = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        let log = folder.path().join("log");
        fs::create_dir(&log).unwrap();
        fs::write(log.join("log.sqlite"), "").unwrap();
        let theirs = folder.path().join("theirs");
        fs::write(&theirs, "").unwrap();
        std::os::unix::fs::symlink(&theirs, log.join("link")).unwrap();
        for path in [&log, folder.path()] {
            set(path, 0o755);
        }
        set(&log.join("log.sqlite"), 0o644);
        set(&theirs, 0o644);

        narrow(folder.path(), |name| name == "log").unwrap();
        assert_eq!((mode(&log), mode(&log.join("log.sqlite"))), (0o700, 0o600));
        assert_eq!((mode(folder.path()), mode(&theirs)), (0o755, 0o644));

        fs::remove_file(&theirs).unwrap();
        narrow(folder.path(), |name| name == "log").unwrap();
        assert_eq!(mode(folder.path()), 0o700);
    }
}
