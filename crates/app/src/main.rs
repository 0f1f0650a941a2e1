//! The netwark binary.

fn main() {}
