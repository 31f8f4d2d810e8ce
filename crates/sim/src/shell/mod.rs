//! The shell inside the simulated containers.
