use dd_traced::traced;

struct Opaque;

#[traced(tags(a))]
fn place(a: Opaque) {
    let _ = a;
}

#[traced(tags(a = Opaque))]
fn expression() {}

#[traced(tags(a = Some(Opaque), b = 2))]
fn temporary() -> Result<(), String> {
    Ok(())
}

#[traced(tags(a = ?Opaque, b = %Opaque))]
async fn described() {}

#[traced(tags(a = missing(1), b = 1 + "x"))]
fn wrong() {}

fn main() {
    place(Opaque);
    expression();
    let _ = temporary();
    let _ = described();
    wrong();
}
