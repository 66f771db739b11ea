use dd_traced::traced;

#[traced(resource = id)]
fn number(id: u64) {}

#[traced(service = Some("shop"), type = id)]
fn fallible(id: u64) -> Result<(), String> {
    Ok(())
}

#[traced(resource = id + 1)]
async fn asynchronous(id: u64) {}

fn main() {
    number(1);
    let _ = fallible(1);
    let _ = asynchronous(1);
}
