//! The small file tree of a container, in memory.

use super::io::{Input, Out};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Files and directories, at most.
const MAX_NODES: usize = 1000;

/// Bytes in all files together, at most; what goes beyond is dropped, as on a full disk.
const MAX_BYTES: usize = 4 << 20;

/// A directory or a file with its content.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Directory,
    File(Vec<u8>),
}

/// Every path (absolute, without a trailing slash but for the root) and what is there. Clones share the tree.
#[derive(Clone)]
pub(super) struct Files(Arc<Mutex<BTreeMap<String, Node>>>);

/// What an operation on a file failed with, as `strerror(3)` words it.
pub(super) type Problem = &'static str;

const NO_ENTRY: Problem = "No such file or directory";
const IS_DIRECTORY: Problem = "Is a directory";
const FULL: Problem = "No space left on device";

impl Files {
    /// The usual directories, and these files; their directories are made.
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

    /// What is at an absolute path.
    pub(super) fn get(&self, path: &str) -> Option<Node> {
        self.nodes().get(path).cloned()
    }

    /// The names in a directory, sorted.
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

    /// A file to read from.
    pub(super) fn open(&self, directory: &str, path: &str) -> Result<Input, Problem> {
        let path = resolve(directory, path);
        match (path.as_str(), self.get(&path)) {
            ("/dev/zero", _) => Ok(Input::Zeros),
            (_, Some(Node::File(content))) => Ok(Input::Bytes(Bytes::from(content))),
            (_, Some(Node::Directory)) => Err(IS_DIRECTORY),
            (_, None) => Err(NO_ENTRY),
        }
    }

    /// A file to write to; emptied unless it is appended to.
    pub(super) fn create(&self, directory: &str, path: &str, append: bool) -> Result<Out, Problem> {
        let path = resolve(directory, path);
        if matches!(path.as_str(), "/dev/null" | "/dev/zero") {
            return Ok(Out::Null);
        }
        let mut nodes = self.nodes();
        match nodes.get_mut(&path) {
            Some(Node::Directory) => return Err(IS_DIRECTORY),
            Some(Node::File(content)) => {
                if !append {
                    content.clear();
                }
            }
            None => {
                if !matches!(nodes.get(parent(&path)), Some(Node::Directory)) {
                    return Err(NO_ENTRY);
                }
                if nodes.len() >= MAX_NODES {
                    return Err(FULL);
                }
                nodes.insert(path.clone(), Node::File(Vec::new()));
            }
        }
        Ok(Out::File {
            files: self.clone(),
            path,
        })
    }

    /// Adds to the end of a file.
    pub(super) fn append(&self, path: &str, bytes: &[u8]) {
        let mut nodes = self.nodes();
        let used: usize = nodes
            .values()
            .map(|node| {
                if let Node::File(content) = node {
                    content.len()
                } else {
                    0
                }
            })
            .sum();
        if let Some(Node::File(content)) = nodes.get_mut(path) {
            content.extend_from_slice(bytes.get(..MAX_BYTES.saturating_sub(used)).unwrap_or(bytes));
        }
    }

    /// Makes a directory, with those above it when `parents`.
    pub(super) fn make_directory(&self, directory: &str, path: &str, parents: bool) -> Result<(), Problem> {
        let path = resolve(directory, path);
        let mut nodes = self.nodes();
        let mut missing = Vec::new();
        let mut at = path.as_str();
        while !nodes.contains_key(at) {
            missing.push(at.to_owned());
            at = parent(at);
        }
        match (nodes.get(at), missing.len()) {
            (Some(Node::File(_)), _) => Err("Not a directory"),
            (_, 0) if !parents => Err("File exists"),
            (_, 2..) if !parents => Err(NO_ENTRY),
            (_, count) if nodes.len() + count > MAX_NODES => Err(FULL),
            _ => {
                nodes.extend(missing.into_iter().map(|path| (path, Node::Directory)));
                Ok(())
            }
        }
    }

    /// Removes a file, or a directory with all below it when `recursive`.
    pub(super) fn remove(&self, directory: &str, path: &str, recursive: bool) -> Result<(), Problem> {
        let path = resolve(directory, path);
        let mut nodes = self.nodes();
        match nodes.get(&path) {
            None => Err(NO_ENTRY),
            Some(Node::Directory) if path == "/" => Err("Device or resource busy"),
            Some(Node::Directory) if !recursive => Err(IS_DIRECTORY),
            Some(_) => {
                let below = format!("{path}/");
                nodes.retain(|at, _| *at != path && !at.starts_with(&below));
                Ok(())
            }
        }
    }
}

/// An absolute path without `.`, `..` and doubled slashes.
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
