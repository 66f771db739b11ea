use dd_traced::traced;

#[traced(measurd, name = 5, service "a", tags(qty, a = 1, a = 2, b = ), kind = "up" type = "")]
fn function(id: u8) -> u8 {
    id
}

fn main() {
    function("the item is still there");
}
