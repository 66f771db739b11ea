use dd_traced::traced;

#[traced(name = "a" service = "b")]
fn arguments() {}

#[traced("a" measured)]
fn positional() {}

#[traced(tags(a = 1 b = 2))]
fn tags() {}

#[traced(tags(user-id = 1))]
fn hyphen(user: u8) {
    let _ = user;
}

fn main() {
    arguments();
    positional();
    tags();
    hyphen(1);
}
