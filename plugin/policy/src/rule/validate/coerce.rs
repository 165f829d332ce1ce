//! Text to the values that a schema speaks of.
