//! `multipart/form-data` bodies (RFC 7578).
