//! The parts of Kubernetes objects that a row needs. Partial on purpose: what is not named here is never kept in memory.
