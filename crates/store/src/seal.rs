//! Encryption at rest: XChaCha20-Poly1305 under a key from a file.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
    sync::Arc,
};

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use zeroize::Zeroizing;

use crate::{
    error::{Error, Result},
    private::{OTHERS, create_private_dir},
};

/// Bytes of a key.
const KEY: usize = 32;
/// Bytes of a nonce: long enough to be random for every message.
const NONCE: usize = 24;
/// The first byte of what we write, so that another scheme can follow.
const VERSION: u8 = 1;

/// The key that stored credentials are encrypted with. Cheap to clone; wiped from memory with its last clone; its `Debug` shows nothing.
#[derive(Clone)]
pub struct Key(Arc<Zeroizing<[u8; KEY]>>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

impl Key {
    /// Reads the key file, or makes one of 32 random bytes (mode 0600, its folder 0700) where there is none.
    ///
    /// # Errors
    /// [`Error::Key`] for a file that others may read or write, or that is not 32 bytes long; [`Error::File`], [`Error::Random`].
    pub fn load_or_create(path: &Path) -> Result<Self> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            create_private_dir(folder)?;
        }
        if !path.try_exists().unwrap_or(true) {
            Self::create(path)?;
        }
        Self::load(path)
    }

    /// Makes the file, unless another process has made it meanwhile. It gets its name when it is whole: neither a process that starts at the same
    /// time nor one that starts after a crash finds half a key.
    fn create(path: &Path) -> Result<()> {
        let mut key = Zeroizing::new([0; KEY]);
        let mut suffix = [0; 8];
        for bytes in [key.as_mut_slice(), &mut suffix] {
            getrandom::fill(bytes).map_err(|error| Error::Random(error.to_string()))?;
        }
        let mut draft = path.as_os_str().to_owned();
        draft.push(format!(".{:016x}", u64::from_ne_bytes(suffix)));
        let draft = Path::new(&draft);
        let made = write_new(draft, key.as_ref()).and_then(|()| match fs::hard_link(draft, path) {
            // Not every file system has links. An exclusive creation is the next best: of several processes one writes.
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => write_new(path, key.as_ref()),
            linked => linked,
        });
        let _ = fs::remove_file(draft);
        match made {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other.and_then(|()| sync_folder(path)),
        }
        .map_err(|source| Error::File {
            action: "create the key file",
            path: path.to_owned(),
            source,
        })
    }

    fn load(path: &Path) -> Result<Self> {
        let read = |source| Error::File {
            action: "read the key file",
            path: path.to_owned(),
            source,
        };
        let refuse = |reason: String| Error::Key {
            path: path.to_owned(),
            reason,
        };
        let file = File::open(path).map_err(read)?;
        let metadata = file.metadata().map_err(read)?;
        let mode = metadata.permissions().mode() & 0o777;
        if mode & OTHERS != 0 {
            return Err(refuse(format!(
                "has mode {mode:04o}, so that every user of this machine may use it: run chmod 600 on it, and consider the \
                 credentials stored with it as known"
            )));
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(KEY + 1));
        // One byte more than a key, to notice a longer file.
        file.take(KEY as u64 + 1).read_to_end(&mut bytes).map_err(read)?;
        let key = <[u8; KEY]>::try_from(bytes.as_slice()).map_err(|_| {
            refuse(format!(
                "is {} bytes long instead of {KEY}: restore it from a backup; without one, remove it and enter the clusters' \
                 credentials again",
                metadata.len()
            ))
        })?;
        Ok(Self(Arc::new(Zeroizing::new(key))))
    }

    /// Encrypts a text for one purpose and one row: it opens for no other, so that stored texts can't be swapped.
    ///
    /// # Errors
    /// [`Error::Random`].
    pub(crate) fn seal(&self, purpose: &'static str, row: i64, text: &str) -> Result<Vec<u8>> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|error| Error::Random(error.to_string()))?;
        let sealed = self
            .cipher()
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: text.as_bytes(),
                    aad: &associated(purpose, row),
                },
            )
            .map_err(|_| Error::Unseal(purpose))?;
        Ok([&[VERSION], nonce.as_slice(), &sealed].concat())
    }

    /// Decrypts what [`Key::seal`] made for the same purpose and row.
    ///
    /// # Errors
    /// [`Error::Unseal`].
    pub(crate) fn unseal(&self, purpose: &'static str, row: i64, sealed: &[u8]) -> Result<Zeroizing<String>> {
        let fail = || Error::Unseal(purpose);
        let (&VERSION, rest) = sealed.split_first().ok_or_else(fail)? else {
            return Err(fail());
        };
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>().ok_or_else(fail)?;
        let text = self
            .cipher()
            .decrypt(
                &XNonce::from(*nonce),
                Payload {
                    msg: sealed,
                    aad: &associated(purpose, row),
                },
            )
            .map_err(|_| fail())?;
        String::from_utf8(text).map(Zeroizing::new).map_err(|_| fail())
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&(**self.0).into())
    }
}

/// Writes a new file that only we may read, down to the disk.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes a new file's name durable: a key that is lost with the power leaves credentials that nothing opens.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// What a text is sealed for; the length first, so that no two pairs read the same.
fn associated(purpose: &str, row: i64) -> Vec<u8> {
    let length = u32::try_from(purpose.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), purpose.as_bytes(), &row.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::{fs::Permissions, sync::Barrier};

    use super::*;

    fn key() -> (tempfile::TempDir, Key) {
        let folder = tempfile::tempdir().unwrap();
        let key = Key::load_or_create(&folder.path().join("key")).unwrap();
        (folder, key)
    }

    #[test]
    fn what_is_sealed_opens_for_the_same_purpose_and_row_only() {
        let (_folder, key) = key();
        let sealed = key.seal("credential", 7, "s3cret").unwrap();
        assert_eq!(*key.unseal("credential", 7, &sealed).unwrap(), "s3cret");
        assert!(matches!(key.unseal("credential", 8, &sealed), Err(Error::Unseal(_))));
        assert!(matches!(key.unseal("other", 7, &sealed), Err(Error::Unseal(_))));
        assert!(matches!(key.unseal("credential", 7, b""), Err(Error::Unseal(_))));
        assert!(matches!(
            key.unseal("credential", 7, &sealed[..20]),
            Err(Error::Unseal(_))
        ));
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert!(key.unseal("credential", 7, &altered).is_err(), "byte {at} altered");
        }
    }

    #[test]
    fn equal_texts_are_sealed_differently_and_not_in_clear() {
        let (_folder, key) = key();
        let [one, two] = [(); 2].map(|()| key.seal("credential", 7, "the-same-secret").unwrap());
        assert_ne!(one, two);
        assert!(!one.windows(6).any(|part| part == b"secret"));
    }

    #[test]
    fn a_new_key_file_is_private_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data").join("key");
        let first = Key::load_or_create(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let above = fs::metadata(path.parent().unwrap()).unwrap();
        assert_eq!(above.permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::read(&path).unwrap().len(), KEY);
        let sealed = first.seal("credential", 1, "s3cret").unwrap();
        let second = Key::load_or_create(&path).unwrap();
        assert_eq!(*second.unseal("credential", 1, &sealed).unwrap(), "s3cret");
    }

    #[test]
    fn processes_that_start_at_once_share_one_key_and_leave_nothing_else() {
        for _ in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("key");
            let start = Barrier::new(8);
            let load = || {
                start.wait();
                Key::load_or_create(&path).unwrap()
            };
            let keys: Vec<Key> = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..8).map(|_| scope.spawn(load)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            let sealed = keys[0].seal("credential", 1, "s3cret").unwrap();
            assert!(keys.iter().all(|key| key.unseal("credential", 1, &sealed).is_ok()));
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn a_key_file_that_others_may_read_is_refused() {
        let (folder, _key) = key();
        let path = folder.path().join("key");
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let error = Key::load_or_create(&path).unwrap_err().to_string();
        assert!(
            error.contains("has mode 0644") && error.contains("chmod 600"),
            "{error}"
        );
        // A Kubernetes volume is readable by the pod's group.
        fs::set_permissions(&path, Permissions::from_mode(0o660)).unwrap();
        Key::load_or_create(&path).unwrap();
    }

    #[test]
    fn a_key_file_of_a_wrong_length_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        for length in [0, 31, 33, 4096] {
            let path = folder.path().join(format!("key-{length}"));
            fs::write(&path, vec![1; length]).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
            let error = Key::load_or_create(&path).unwrap_err().to_string();
            assert!(
                error.contains(&format!("is {length} bytes long instead of 32")),
                "{error}"
            );
            assert_eq!(fs::read(&path).unwrap().len(), length);
        }
    }

    #[test]
    fn debug_shows_no_key() {
        let (_folder, key) = key();
        assert_eq!(format!("{key:?}"), "Key(..)");
    }
}
