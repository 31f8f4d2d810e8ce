//! Files and folders that only their owner may read.

use std::{
    fs::{DirBuilder, OpenOptions, Permissions},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

use crate::error::{Error, Result};

/// The permission bits of users outside owner and group.
pub(crate) const OTHERS: u32 = 0o007;
/// The permission bits of the group.
pub(crate) const GROUP: u32 = 0o070;
/// The permission bit that lets the group read.
pub(crate) const GROUP_READ: u32 = 0o040;
/// The permission bit that lets users outside owner and group create, replace and remove a folder's
/// files.
const OTHERS_WRITE: u32 = 0o002;

/// Creates the data directory and its parents for the owner alone (mode 0700). An existing one
/// keeps its mode.
///
/// Its group may write, because Kubernetes gives a volume to the pod's group (`fsGroup`).
///
/// # Errors
/// [`Error::Folder`] for a folder that others may write; [`Error::File`].
pub fn create_data_dir(path: &Path) -> Result<()> {
    create_private_dir(path)?;
    let metadata = std::fs::metadata(path).map_err(|source| Error::File {
        action: "read the mode of",
        path: path.to_owned(),
        source,
    })?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & OTHERS_WRITE != 0 {
        return Err(Error::Folder {
            path: path.to_owned(),
            reason: format!(
                "has mode {mode:04o}, so that every user of this machine may replace the database and the key in it: run chmod o-w on it, or \
                 choose another with --data-dir"
            ),
        });
    }
    Ok(())
}

/// Creates a folder and its parents for the owner alone (mode 0700). An existing one keeps its
/// mode.
///
/// # Errors
/// [`Error::File`].
pub(crate) fn create_private_dir(path: &Path) -> Result<()> {
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

/// Creates an empty file for the owner alone (mode 0600). If it exists, removes the permissions of
/// others.
///
/// SQLite gives its side files (`-wal`, `-shm`) the same mode.
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
