//! The operator's kubeconfig files. Each is read separately, and an unusable one does not affect
//! the others.

use std::{
    collections::HashSet,
    io,
    path::{Component, Path, PathBuf},
};

use super::{Context, InvalidSource, Source};

/// A context of one of several files.
#[derive(Clone, Debug)]
pub struct FileContext {
    /// A key that identifies the context across restarts.
    pub key: String,
    /// The context.
    pub context: Context,
}

impl Source {
    /// Reads the contexts of the operator's kubeconfig files, in the order of the files.
    ///
    /// Empty paths, repeated files and files that can't be used are skipped and logged.
    ///
    /// # Errors
    /// [`InvalidSource`] if `files` is not empty and none of them exists.
    pub fn from_kubeconfig_files(files: &[PathBuf]) -> Result<Vec<FileContext>, InvalidSource> {
        let mut found = Vec::new();
        let mut missing = Vec::new();
        let mut seen = HashSet::new();
        for file in files {
            if file.as_os_str().is_empty() {
                tracing::warn!("skipping an empty path among the kubeconfig files");
                continue;
            }
            match file.canonicalize() {
                Ok(real) if seen.insert(real.clone()) => found.push((file, real)),
                Ok(_) => tracing::warn!(file = %file.display(), "a kubeconfig file is named twice and read once"),
                // A pipe, such as `<(command)`, has no canonical path.
                Err(_) if file.metadata().is_ok() => found.push((file, file.clone())),
                Err(error) if error.kind() == io::ErrorKind::NotFound => missing.push(file),
                Err(error) => {
                    tracing::error!(file = %file.display(), %error, "skipping a kubeconfig file that can't be read");
                    found.push((file, file.clone()));
                }
            }
        }
        if found.is_empty() && !missing.is_empty() {
            let names: Vec<_> = missing.iter().map(|file| file.display().to_string()).collect();
            return Err(InvalidSource(format!(
                "none of the kubeconfig files exists (`{}`): check --kubeconfig and PODGATE_KUBECONFIG",
                names.join("`, `")
            )));
        }
        for file in missing {
            tracing::error!(file = %file.display(), "skipping a kubeconfig file that does not exist");
        }
        Ok(found
            .into_iter()
            .flat_map(|(file, real)| contexts(file, &real))
            .collect())
    }
}

/// Returns the contexts of one file. If it can't be used, logs why and returns an empty list.
fn contexts(file: &Path, real: &Path) -> Vec<FileContext> {
    // Use the path as given, not the real one: the real path in a Secret's volume changes with each
    // version, and paths in the file are relative to the link.
    let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let identity = if is_version(real) { &absolute } else { real };
    match Source::from_kubeconfig_file(&absolute) {
        Ok(contexts) => contexts
            .into_iter()
            .map(|context| FileContext {
                key: format!("kubeconfig:{}#{}", identity.display(), context.original),
                context,
            })
            .collect(),
        Err(InvalidSource(reason)) => {
            tracing::error!(file = %file.display(), reason, "skipping a kubeconfig file that can't be used");
            Vec::new()
        }
    }
}

/// Returns whether a path leads through a version folder of a Kubernetes volume, such as
/// `..2026_01_01_00_00_00.1`.
fn is_version(path: &Path) -> bool {
    path.components()
        .any(|component| matches!(component, Component::Normal(name) if name.to_string_lossy().starts_with("..")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use std::{
        fs,
        io::Write,
        os::{fd::AsRawFd, unix::fs::symlink},
    };

    use super::*;

    const GOOD: &str = "{clusters: [{name: c, cluster: {server: 'https://c.example'}}], contexts: [{name: A, context: {cluster: c}}, {name: B, context: {cluster: gone}}]}";

    #[test]
    fn an_invalid_item_costs_only_itself() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("good"), GOOD).unwrap();
        fs::write(path("bad"), "clusters: [").unwrap();
        fs::write(path("empty"), "").unwrap();
        fs::create_dir(path("folder")).unwrap();
        symlink("good", path("link")).unwrap();
        let files = ["missing", "bad", "empty", "folder", "good", "link"].map(path);
        let found = Source::from_kubeconfig_files(&[&[PathBuf::new()], files.as_slice()].concat()).unwrap();
        let names: Vec<_> = found.iter().map(|found| found.context.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        let good = path("good").canonicalize().unwrap();
        assert_eq!(found[0].key, format!("kubeconfig:{}#A", good.display()));
        assert_eq!(found[0].context.source.api_server(), "https://c.example");
        assert_eq!(found[1].context.source.api_server(), "");
    }

    #[test]
    fn only_when_every_file_is_missing_there_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let InvalidSource(why) = Source::from_kubeconfig_files(&[path("a"), path("b")]).unwrap_err();
        assert!(
            why.contains(&path("a").display().to_string()) && why.contains(&path("b").display().to_string()),
            "{why}"
        );
        fs::write(path("b"), "not: a\n kubeconfig").unwrap();
        assert!(
            Source::from_kubeconfig_files(&[path("a"), path("b")])
                .unwrap()
                .is_empty()
        );
        assert!(Source::from_kubeconfig_files(&[PathBuf::new()]).unwrap().is_empty());
        assert!(Source::from_kubeconfig_files(&[]).unwrap().is_empty());
    }

    #[test]
    fn a_pipe_is_read_once_and_serves_from_then_on() {
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(GOOD.as_bytes()).unwrap();
        drop(writer);
        let file = PathBuf::from(format!("/dev/fd/{}", reader.as_raw_fd()));
        let found = Source::from_kubeconfig_files(&[file]).unwrap();
        assert_eq!(found.len(), 2);
        let source = &found[0].context.source;
        let loaded = source.load().unwrap_or_else(|InvalidSource(why)| panic!("{why}"));
        assert_eq!(loaded.server.host(), Some("c.example"));
    }

    #[test]
    fn a_mounted_secret_is_one_file_whatever_its_version() {
        let folder = tempfile::tempdir().unwrap();
        let mount = |version: &str| {
            let real = folder.path().join(version);
            fs::create_dir(&real).unwrap();
            fs::write(real.join("config"), GOOD).unwrap();
            let _ = fs::remove_file(folder.path().join("..data"));
            symlink(version, folder.path().join("..data")).unwrap();
        };
        mount("..2026_01_01.1");
        let file = folder.path().join("config");
        symlink("..data/config", &file).unwrap();
        let read = || {
            Source::from_kubeconfig_files(std::slice::from_ref(&file))
                .unwrap()
                .remove(0)
        };
        let first = read();
        assert_eq!(first.key, format!("kubeconfig:{}#A", file.display()));
        mount("..2026_01_02.1");
        fs::remove_dir_all(folder.path().join("..2026_01_01.1")).unwrap();
        fs::write(&file, GOOD.replace("c.example", "moved.example")).unwrap();
        assert_eq!(read().key, first.key);
        let loaded = first
            .context
            .source
            .load()
            .unwrap_or_else(|InvalidSource(why)| panic!("{why}"));
        assert_eq!(loaded.server.host(), Some("moved.example"));
    }
}
