//! Measures the bytes per pod at several numbers of pods, and after ten million operations: `cargo
//! bench --workspace --bench memory`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../tests/support/fleet.rs"]
mod fleet;
#[path = "../tests/support/memory.rs"]
mod memory;

fn main() {
    println!("| pods | bytes a pod, every order kept |\n| ---: | ---: |");
    for pods in [1_000, 20_000, 100_000, 500_000] {
        let (_index, bytes) = memory::weighed((0..pods).map(|n| fleet::pod(n, pods, 0)));
        println!("| {pods} | {} |", bytes / pods);
    }
    let (churned, fresh) = memory::churned(20_000, 10_000_000);
    println!(
        "\nAfter 10 million operations {churned} bytes, fresh {fresh}: {:+.1} %",
        { (churned as f64 / fresh as f64 - 1.0) * 100.0 }
    );
}
