// SPDX-License-Identifier: GPL-2.0-only OR MIT
// field: names of Rust's mangling of its own, v0
// build: rustc -g -O -C symbol-mangling-version=v0 -o rust-v0 --crate-name rust $SRC/rust-v0.rs
// needs: rustc
// modes: full
// expect: errors 0
// expect: says <rust::Square as rust::Shape>::area(  |$)
// expect: not ::h[0-9a-f]{16}\b
trait Shape {
    fn area(&self) -> Vec<u8>;
}

struct Square(usize);

impl Shape for Square {
    #[inline(never)]
    fn area(&self) -> Vec<u8> {
        vec![1; self.0 * 1000]
    }
}

fn main() {
    let shape: Box<dyn Shape> = Box::new(Square(std::env::args().count()));
    let kept = shape.area();
    println!("{}", kept.len());
    std::mem::forget(kept);
}
