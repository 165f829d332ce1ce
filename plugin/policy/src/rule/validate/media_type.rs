//! Content types, and what a body of one is read as.
