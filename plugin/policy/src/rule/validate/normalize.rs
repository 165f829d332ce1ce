//! What is done to strings before they are judged.
