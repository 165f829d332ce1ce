//! That the sets are what they say.
