//! The small file tree of a container, which is kept in memory.

use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most files and directories.
const MAX_NODES: usize = 1000;

/// The most bytes in all files together. Further bytes are dropped, as on a full disk.
const MAX_BYTES: usize = 4 << 20;

/// A directory, or a file with its content.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Directory,
    File(Vec<u8>),
}

/// A file tree: its nodes by absolute path, without trailing slashes. Clones share the tree.
#[derive(Clone)]
pub(super) struct Files(Arc<Mutex<BTreeMap<String, Node>>>);

/// Why an operation on a file failed, as `strerror(3)` words it.
pub(super) type Problem = &'static str;

const NO_ENTRY: Problem = "No such file or directory";
const IS_DIRECTORY: Problem = "Is a directory";
const FULL: Problem = "No space left on device";

impl Files {
    /// Makes a tree with the usual directories, and these files with their directories.
    pub(super) fn new(files: impl IntoIterator<Item = (String, String)>) -> Files {
        let mut nodes = BTreeMap::new();
        for path in [
            "/", "/bin", "/dev", "/etc", "/proc", "/root", "/sys", "/tmp", "/usr", "/usr/bin", "/var", "/var/log",
        ] {
            nodes.insert(path.to_owned(), Node::Directory);
        }
        for path in ["/dev/null", "/dev/zero", "/dev/tty"] {
            nodes.insert(path.to_owned(), Node::File(Vec::new()));
        }
        for name in super::commands::NAMES {
            nodes.insert(format!("/bin/{name}"), Node::File(Vec::new()));
        }
        for (path, content) in files {
            let mut parent = parent(&path);
            while !nodes.contains_key(parent) {
                nodes.insert(parent.to_owned(), Node::Directory);
                parent = self::parent(parent);
            }
            nodes.insert(path, Node::File(content.into_bytes()));
        }
        Files(Arc::new(Mutex::new(nodes)))
    }

    fn nodes(&self) -> MutexGuard<'_, BTreeMap<String, Node>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the node at an absolute path.
    pub(super) fn get(&self, path: &str) -> Option<Node> {
        self.nodes().get(path).cloned()
    }

    /// Returns the names in a directory, sorted, with their nodes.
    pub(super) fn children(&self, path: &str) -> Vec<(String, Node)> {
        let prefix = if path == "/" {
            "/".to_owned()
        } else {
            format!("{path}/")
        };
        let nodes = self.nodes();
        let below = nodes
            .range(prefix.clone()..)
            .take_while(|(at, _)| at.starts_with(&prefix));
        below
            .filter_map(|(at, node)| {
                let name = at.get(prefix.len()..)?;
                (!name.is_empty() && !name.contains('/')).then(|| (name.to_owned(), node.clone()))
            })
            .collect()
    }

    /// Returns the content of the file at an absolute path.
    pub(super) fn read(&self, path: &str) -> Result<Bytes, Problem> {
        match self.get(path) {
            Some(Node::File(content)) => Ok(Bytes::from(content)),
            Some(Node::Directory) => Err(IS_DIRECTORY),
            None => Err(NO_ENTRY),
        }
    }

    /// Makes the file at an absolute path, or empties the one there unless `append` is set.
    pub(super) fn create(&self, path: &str, append: bool) -> Result<(), Problem> {
        let mut nodes = self.nodes();
        match nodes.get(path) {
            Some(Node::Directory) => return Err(IS_DIRECTORY),
            Some(Node::File(_)) if append => return Ok(()),
            Some(Node::File(_)) => {}
            None if !matches!(nodes.get(parent(path)), Some(Node::Directory)) => return Err(NO_ENTRY),
            None if nodes.len() >= MAX_NODES => return Err(FULL),
            None => {}
        }
        nodes.insert(path.to_owned(), Node::File(Vec::new()));
        Ok(())
    }

    /// Appends to the file at an absolute path.
    pub(super) fn append(&self, path: &str, bytes: &[u8]) {
        let mut nodes = self.nodes();
        let sizes = nodes.values().map(|node| match node {
            Node::File(content) => content.len(),
            Node::Directory => 0,
        });
        let free = MAX_BYTES.saturating_sub(sizes.sum());
        if let Some(Node::File(content)) = nodes.get_mut(path) {
            content.extend_from_slice(bytes.get(..free).unwrap_or(bytes));
        }
    }
}

/// Returns an absolute path without `.`, `..` and doubled slashes.
pub(super) fn resolve(directory: &str, path: &str) -> String {
    let mut parts = Vec::new();
    let base = if path.starts_with('/') { "" } else { directory };
    for part in base.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((parent, _)) => parent,
    }
}
