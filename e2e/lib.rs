//! The product against a real Kubernetes: `tests/e2e`, run by `make e2e`.
