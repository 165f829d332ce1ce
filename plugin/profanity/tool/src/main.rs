//! Packs what `portcullis-profanity` carries: lexicons with their allow words, the dictionary, and the fold table.

fn main() {}
