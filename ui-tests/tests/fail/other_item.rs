use dd_traced::traced;

#[traced]
struct Struct;

#[traced]
pub(crate) enum Enum {}

#[traced]
mod module {}

#[traced]
const CONSTANT: u8 = 1;

#[traced]
use std::fmt;

#[traced]
type Alias = Struct;

fn main() {
    let _: Alias = Struct;
    let _ = CONSTANT;
}
