//! Templates against a real server.
