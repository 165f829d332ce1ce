//! Compressed bodies, opened within bounds.
