//! Empty: `links` in the manifest wants a build script.

fn main() {}
