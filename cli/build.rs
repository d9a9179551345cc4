//! Has the binary built anew when a shipped rule is added or changed.

fn main() {
    println!("cargo::rerun-if-changed=../rules/packs");
}
