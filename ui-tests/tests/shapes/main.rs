//! Shapes of functions: each compiles without a warning, in both editions, and gives what it gives without the attribute, recorded or
//! not.
#![deny(warnings, clippy::all, clippy::pedantic)]
#![expect(clippy::panic, reason = "functions of type `!` have to end somehow")]

mod arguments;
mod async_trait_impls;
mod asynchronous;
mod attributes;
mod blocks;
mod callers;
mod depth;
mod drops;
mod fallible;
mod frames;
mod futures;
mod generated;
mod generics;
mod markers;
mod names;
mod plain;
mod receivers;
mod recursion;
mod sizes;
mod support;
mod tags;
mod traits;
mod unsafe_functions;
