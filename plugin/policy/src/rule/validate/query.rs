//! The names and values of a query string.
