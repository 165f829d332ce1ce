//! What a parameter's schema asks for: it decides how text is read.
