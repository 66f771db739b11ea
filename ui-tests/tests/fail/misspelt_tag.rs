use dd_traced::traced;

#[traced(tags(http.status = 200, db.statment = "select 1", "http.status" = 1))]
fn function() {}

fn main() {
    function();
}
