//! Path, query, header and cookie parameters.
