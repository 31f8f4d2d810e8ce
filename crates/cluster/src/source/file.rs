//! A kubeconfig file that its contexts read repeatedly and share.

use std::{
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use super::{InvalidSource, kubeconfig::Kubeconfig, material};

/// The most bytes of a kubeconfig file.
const MAX: u64 = 16 << 20;

/// A kubeconfig file and its last content. It is parsed again only after it has changed, because it
/// may have hundreds of contexts, each of which reads it once a minute.
pub(super) struct File {
    path: PathBuf,
    /// The stamp and content of the last read. Locked while the file is read, on threads that may
    /// block.
    last: Mutex<(Option<Stamp>, Arc<Kubeconfig>)>,
}

/// The properties by which a written or replaced file is recognised: device, inode, length, and the
/// time of its last status change in seconds and nanoseconds.
#[derive(Clone, Copy, PartialEq)]
struct Stamp(u64, u64, u64, i64, i64);

impl Stamp {
    /// Reads the stamp of a file; `None` for a pipe, which has no such properties.
    fn read(path: &Path) -> Option<Self> {
        let now = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
        Some(Self(now.dev(), now.ino(), now.len(), now.ctime(), now.ctime_nsec()))
    }
}

impl File {
    /// Reads a file. Blocks.
    ///
    /// # Errors
    /// [`InvalidSource`] if it can't be read or is not a kubeconfig.
    pub(super) fn open(path: &Path) -> Result<(Self, Arc<Kubeconfig>), InvalidSource> {
        let stamp = Stamp::read(path);
        let kubeconfig = Arc::new(parse(path)?);
        let file = Self {
            path: path.to_owned(),
            last: Mutex::new((stamp, kubeconfig.clone())),
        };
        Ok((file, kubeconfig))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the current content of the file. Blocks.
    ///
    /// # Errors
    /// As [`File::open`].
    pub(super) fn read(&self) -> Result<Arc<Kubeconfig>, InvalidSource> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        // Read the stamp before the content, so that a change in between is noticed the next time.
        let stamp = Stamp::read(&self.path);
        if stamp.is_none() || stamp != last.0 {
            *last = (stamp, Arc::new(parse(&self.path)?));
        }
        Ok(last.1.clone())
    }
}

/// Reads a kubeconfig from its file. Blocks.
pub(super) fn parse(path: &Path) -> Result<Kubeconfig, InvalidSource> {
    let shown = path.display();
    let bytes = material::read(path, MAX)
        .map_err(|why| InvalidSource(format!("the kubeconfig `{shown}` can't be read: {why}")))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| InvalidSource(format!("`{shown}` is not a kubeconfig: it is not text")))?;
    Kubeconfig::parse(&text)
        .map_err(|InvalidSource(why)| InvalidSource(format!("`{shown}` is not a kubeconfig: {why}")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn it_is_parsed_again_once_it_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        let write = |context: &str| {
            let next = folder.path().join("next");
            std::fs::write(&next, format!("contexts: [{{name: {context}}}]")).unwrap();
            std::fs::rename(next, &path).unwrap();
        };
        write("a");
        let (file, first) = File::open(&path).map_err(|InvalidSource(why)| why).unwrap();
        assert!(Arc::ptr_eq(&first, &file.read().unwrap()));
        write("b");
        let second = file.read().unwrap();
        assert_eq!(second.contexts(), ["b"]);
        assert!(Arc::ptr_eq(&second, &file.read().unwrap()));
        std::fs::remove_file(&path).unwrap();
        assert!(file.read().is_err());
        write("c");
        assert_eq!(file.read().unwrap().contexts(), ["c"]);
    }
}
