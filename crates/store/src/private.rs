//! Files and folders that only we may read.

use std::{
    fs::{DirBuilder, OpenOptions, Permissions},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

use crate::error::{Error, Result};

/// The permission bits of everyone outside owner and group. The group is let be: Kubernetes gives files on a volume to the pod's
/// group (`fsGroup`).
pub(crate) const OTHERS: u32 = 0o007;

/// Creates a folder, and those above it, for the owner alone (mode 0700). One that exists stays as it is.
///
/// # Errors
/// [`Error::File`].
pub fn create_private_dir(path: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| Error::File {
            action: "create the folder",
            path: path.to_owned(),
            source,
        })
}

/// Creates an empty file for the owner alone (mode 0600) where there is none, and takes others' permissions off one that exists. SQLite
/// gives its side files (`-wal`, `-shm`) the same mode.
pub(crate) fn create_private_file(path: &Path) -> Result<()> {
    let fail = |action, source| Error::File {
        action,
        path: path.to_owned(),
        source,
    };
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| fail("open the file", error))?;
    let mode = file
        .metadata()
        .map_err(|error| fail("read the mode of", error))?
        .permissions()
        .mode();
    if mode & OTHERS != 0 {
        file.set_permissions(Permissions::from_mode(0o600))
            .map_err(|error| fail("set the mode 0600 of", error))?;
    }
    Ok(())
}
