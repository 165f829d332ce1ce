//! How OpenAPI's styles spread a value over a query, a path or a header.
