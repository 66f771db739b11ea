use dd_traced::traced;

fn bad(ret: &u8) -> Option<String> {
    (*ret > 4).then(|| ret.to_string())
}

#[traced(err(bad, debug, "display" nonsense = 5))]
fn several() -> u8 {
    5
}

#[traced(err(bad debug))]
fn no_comma() -> u8 {
    5
}

#[traced(err(bad,))]
fn right() -> u8 {
    5
}

fn main() {
    several();
    no_comma();
    right();
}
