use dd_traced::dd_format;

fn main() {
    let id = 1;
    let _: String = dd_format!();
    let _ = dd_format!(info, "a level {id}");
    let _ = dd_format!("{dd.trace}");
    let _ = dd_format!("too few {} {}", id);
    let _ = dd_format!("open {dd.span_id");
}
