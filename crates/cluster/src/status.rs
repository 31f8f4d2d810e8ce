//! STATUS, RESTARTS and READY as `kubectl get pods` prints them: `printPod` of Kubernetes 1.36
//! (`pkg/printers/internalversion/printers.go`).
