//! Makes the binary follow the web build: files that are embedded are not seen by the compiler
//! while they are new.

fn main() {
    println!("cargo:rerun-if-changed=../../web/build");
}
