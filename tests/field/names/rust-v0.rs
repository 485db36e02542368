// SPDX-License-Identifier: GPL-2.0-only OR MIT
// field: names of Rust's mangling of its own, v0
// build: rustc -g -O -C symbol-mangling-version=v0 -o rust-v0 --crate-name rust $SRC/rust-v0.rs
// needs: rustc
// modes: full
// expect: errors 0
// expect: says <rust::Square as rust::Shape>::area(  |$)
// expect: not ::h[0-9a-f]{16}\b
include!("rust.rs");
