//! What the engine costs by itself, without a host: nanoseconds a decision.
fn main() {}
