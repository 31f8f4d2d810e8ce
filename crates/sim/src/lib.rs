//! A simulated Kubernetes cluster that speaks the wire protocol on loopback TLS: for tests, for the demo and for the bench.
