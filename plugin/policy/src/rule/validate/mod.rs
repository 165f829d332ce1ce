//! `validate`: what a route's parameters and body must look like.

#![expect(dead_code, reason = "not yet called")]

mod body;
mod coerce;
mod form;
mod inflate;
mod media_type;
mod multipart;
mod normalize;
mod parameters;
mod query;
mod schema;
mod shape;
mod style;
mod violation;
