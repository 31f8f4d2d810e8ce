//! Encryption at rest: XChaCha20-Poly1305 under a key from a file.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
    sync::Arc,
};

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{
    error::{Error, Result},
    private::{GROUP, GROUP_READ, OTHERS, create_private_dir},
};

/// The length of a key in bytes.
const KEY: usize = 32;
/// The length of a nonce in bytes: long enough to be random for every message.
const NONCE: usize = 24;
/// The first byte of a sealed text, so that another scheme can follow.
const VERSION: u8 = 1;

/// The key that encrypts stored credentials.
///
/// Cheap to clone. Dropping the last clone wipes it from memory. Its `Debug` output shows nothing.
#[derive(Clone)]
pub(crate) struct Key(Arc<Zeroizing<[u8; KEY]>>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

impl Key {
    /// Creates a key file of 32 random bytes (mode 0600, its folder 0700) and reads it.
    ///
    /// Processes that do so at the same time all get the same key.
    ///
    /// # Errors
    /// Those of [`Key::load`]; [`Error::Random`].
    pub(crate) fn create(path: &Path) -> Result<Self> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            create_private_dir(folder)?;
        }
        Self::create_file(path)?;
        Self::load(path)?.ok_or_else(|| Error::File {
            action: "read the key file",
            path: path.to_owned(),
            source: io::ErrorKind::NotFound.into(),
        })
    }

    /// Creates the file, unless another process has created it meanwhile.
    ///
    /// The file gets its name when it is complete, so no process finds half a key, whether it
    /// starts at the same time or after a crash.
    fn create_file(path: &Path) -> Result<()> {
        let mut key = Zeroizing::new([0; KEY]);
        let mut suffix = [0; 8];
        for bytes in [key.as_mut_slice(), &mut suffix] {
            getrandom::fill(bytes).map_err(|error| Error::Random(error.to_string()))?;
        }
        let mut draft = path.as_os_str().to_owned();
        draft.push(format!(".{:016x}", u64::from_ne_bytes(suffix)));
        let draft = Path::new(&draft);
        let created = write_new(draft, key.as_ref()).and_then(|()| match fs::hard_link(draft, path) {
            // Not every file system has links. The next best is an exclusive creation: only one
            // process writes.
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => write_new(path, key.as_ref()),
            linked => linked,
        });
        let _ = fs::remove_file(draft);
        match created {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other.and_then(|()| sync_folder(path)),
        }
        .map_err(|source| Error::File {
            action: "create the key file",
            path: path.to_owned(),
            source,
        })
    }

    /// Reads the key file; `None` if it does not exist.
    ///
    /// # Errors
    /// [`Error::Key`] for a file that others or its group may use (see [`exposed`]), or that is not
    /// 32 bytes long; [`Error::File`].
    pub(crate) fn load(path: &Path) -> Result<Option<Self>> {
        let read = |source| Error::File {
            action: "read the key file",
            path: path.to_owned(),
            source,
        };
        let refuse = |reason: String| Error::Key {
            path: path.to_owned(),
            reason,
        };
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(read)?,
        };
        let metadata = file.metadata().map_err(read)?;
        if let Some(who) = exposed(metadata.mode(), metadata.uid(), rustix::process::geteuid().as_raw()) {
            return Err(refuse(format!(
                "has mode {:04o}, so that {who} may use it: run chmod 600 on it, and replace the clusters' credentials, because they may be known",
                metadata.mode() & 0o777
            )));
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(KEY + 1));
        // Read one byte more than a key has, to notice a longer file.
        file.take(KEY as u64 + 1).read_to_end(&mut bytes).map_err(read)?;
        let key = <[u8; KEY]>::try_from(bytes.as_slice()).map_err(|_| {
            refuse(format!(
                "is {} bytes long instead of {KEY}: restore it from a backup; without one, replace it by {KEY} random bytes (head -c {KEY} \
                 /dev/urandom) and supply the clusters' credentials again",
                metadata.len()
            ))
        })?;
        Ok(Some(Self(Arc::new(Zeroizing::new(key)))))
    }

    /// Hashes a list of parts for one purpose. Without the key, nobody can find the parts by trying
    /// all of them.
    ///
    /// Uses HMAC-SHA-256 (RFC 2104) under a key of the purpose's own. Each part's length is hashed
    /// too, so that no two lists hash the same bytes.
    pub(crate) fn keyed_hash(&self, purpose: &'static str, parts: &[&[u8]]) -> Result<[u8; 32]> {
        let own = hmac(self.0.as_slice(), &[purpose.as_bytes()])?;
        hmac(&own, parts)
    }

    /// Encrypts a text for one purpose and row. It decrypts for no other, so that stored texts
    /// can't be swapped.
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

    /// Decrypts a text that [`Key::seal`] encrypted for the same purpose and row.
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

/// Writes a new file that only its owner may read, and syncs it to the disk.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Syncs a new file's name to the disk. A key that a power failure loses would leave credentials
/// that nothing decrypts.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// Computes the HMAC-SHA-256 of parts, each preceded by its length.
fn hmac(key: &[u8], parts: &[&[u8]]) -> Result<[u8; 32]> {
    // HMAC accepts a key of any length.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|error| Error::Random(error.to_string()))?;
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    Ok(mac.finalize().into_bytes().into())
}

/// Returns who may use a key file apart from its owner; `None` if nobody may.
///
/// The group may read, but not write, a file of root's if we are not root: a Kubernetes Secret with
/// `defaultMode: 0400` looks like that in a pod with an `fsGroup`, which is our own group there.
fn exposed(mode: u32, owner: u32, euid: u32) -> Option<&'static str> {
    let secret = owner == 0 && euid != 0 && mode & GROUP == GROUP_READ;
    if mode & OTHERS != 0 {
        Some("every user of this machine")
    } else if mode & GROUP != 0 && !secret {
        Some("every member of its group")
    } else {
        None
    }
}

/// Returns the data that a sealed text is bound to. The length comes first, so that no two pairs
/// give the same bytes.
fn associated(purpose: &str, row: i64) -> Vec<u8> {
    let length = u32::try_from(purpose.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), purpose.as_bytes(), &row.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::{fs::Permissions, os::unix::fs::PermissionsExt, sync::Barrier};

    use super::*;

    fn key() -> (tempfile::TempDir, Key) {
        let folder = tempfile::tempdir().unwrap();
        let key = Key::create(&folder.path().join("key")).unwrap();
        (folder, key)
    }

    #[test]
    fn a_sealed_value_opens_for_its_purpose_and_row_only() {
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
        assert!(Key::load(&path).unwrap().is_none());
        let first = Key::create(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let above = fs::metadata(path.parent().unwrap()).unwrap();
        assert_eq!(above.permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::read(&path).unwrap().len(), KEY);
        let sealed = first.seal("credential", 1, "s3cret").unwrap();
        let second = Key::load(&path).unwrap().unwrap();
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
                Key::create(&path).unwrap()
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
        let error = Key::load(&path).unwrap_err().to_string();
        assert!(
            error.contains("has mode 0644") && error.contains("chmod 600"),
            "{error}"
        );
    }

    #[test]
    fn a_group_may_read_a_secret_of_kubernetes_only() {
        const EVERYONE: Option<&str> = Some("every user of this machine");
        const MEMBERS: Option<&str> = Some("every member of its group");
        for (mode, owner, we, who) in [
            (0o100_600, 1000, 1000, None),
            (0o100_400, 0, 0, None),
            (0o100_440, 0, 1000, None),
            (0o100_640, 0, 1000, None),
            (0o100_660, 0, 1000, MEMBERS),
            (0o100_620, 0, 1000, MEMBERS),
            (0o100_450, 0, 1000, MEMBERS),
            (0o100_440, 0, 0, MEMBERS),
            (0o100_640, 1000, 1000, MEMBERS),
            (0o100_660, 1000, 0, MEMBERS),
            (0o100_610, 1000, 1000, MEMBERS),
            (0o100_644, 1000, 1000, EVERYONE),
            (0o100_444, 0, 1000, EVERYONE),
            (0o100_602, 0, 1000, EVERYONE),
        ] {
            assert_eq!(exposed(mode, owner, we), who, "{mode:o} of {owner} for {we}");
        }
    }

    #[test]
    fn a_keyed_hash_depends_on_key_purpose_and_every_part() {
        let ((_one, key), (_other, another)) = (key(), key());
        let parts: [&[u8]; 2] = [b"admin", b"10.0.0.1"];
        let hash = key.keyed_hash("networks", &parts).unwrap();
        assert_eq!(key.keyed_hash("networks", &parts).unwrap(), hash);
        for other in [
            another.keyed_hash("networks", &parts),
            key.keyed_hash("others", &parts),
            key.keyed_hash("networks", &[b"admin1", b"0.0.0.1"]),
            key.keyed_hash("networks", &[b"admin10.0.0.1"]),
        ] {
            assert_ne!(other.unwrap(), hash);
        }
    }

    #[test]
    fn a_key_file_of_a_wrong_length_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        for length in [0, 31, 33, 4096] {
            let path = folder.path().join(format!("key-{length}"));
            fs::write(&path, vec![1; length]).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
            let error = Key::load(&path).unwrap_err().to_string();
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
