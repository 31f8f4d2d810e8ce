//! The REST and WebSocket API.
