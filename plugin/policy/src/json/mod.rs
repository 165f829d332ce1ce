//! JSON (RFC 8259) read with its bounds: what readers differ on is refused while it is read.
