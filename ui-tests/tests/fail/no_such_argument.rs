use dd_traced::traced;

#[traced(tags(qty))]
fn function(id: u8, path: &str) {
    let _ = (id, path);
}

#[traced(tags(?self.shard, %b.c))]
fn free() {}

fn main() {
    function(1, "a");
    free();
}
