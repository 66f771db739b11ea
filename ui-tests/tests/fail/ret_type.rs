use dd_traced::traced;

struct Opaque;

#[traced(measured, ret)]
fn display() -> Opaque {
    Opaque
}

#[traced(ret = "debug")]
async fn debug() -> Result<Opaque, u8> {
    Ok(Opaque)
}

#[traced(err = "display")]
fn error() -> Result<u8, Opaque> {
    Err(Opaque)
}

fn main() {
    display();
    drop(debug());
    let _ = error();
}
