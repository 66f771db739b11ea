use dd_traced::traced;

#[traced(err = "display")]
#[track_caller]
fn function() -> Result<(), String> {
    Ok(())
}

fn main() {
    let _ = function();
}
