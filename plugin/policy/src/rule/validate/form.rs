//! `application/x-www-form-urlencoded` bodies.
