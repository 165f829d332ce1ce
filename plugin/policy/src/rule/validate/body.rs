//! What a route's body has to be.
