use dd_traced::traced;

#[traced(ret = "display")]
fn word() -> u8 {
    1
}

#[traced(ret(debug))]
fn brackets() -> u8 {
    1
}

#[traced(ret)]
fn nothing() {}

#[traced(ret)]
#[track_caller]
fn caller() -> u8 {
    1
}

fn main() {
    word();
    brackets();
    nothing();
    caller();
}
