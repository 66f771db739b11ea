use dd_traced::traced;

#[traced(kind = "upstream")]
fn text() {}

#[traced(kind = SERVER)]
fn constant() {}

fn main() {
    text();
    constant();
}
