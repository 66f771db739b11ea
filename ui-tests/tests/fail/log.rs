use dd_traced::dd_log;

fn main() {
    let id = 1;
    dd_log!();
    dd_log!(info);
    dd_log!(info, id);
    dd_log!(inof, "level {id}");
    dd_log!(warning, "level {id}");
    dd_log!("{dd.trace} {dd.span}");
    dd_log!("too few {} {}", id);
    dd_log!("missing {name}");
    dd_log!("missing {name} {dd.span_id}");
    dd_log!("open {dd.span_id");
    dd_log!(5, "a level");
    dd_log!(target: "t");
    dd_log!(target: 5, "t");
    dd_log!(info, user = id, "no semicolon");
    dd_log!(WARN, "level {id}");
    dd_log!(fatal, "level {id}");
    dd_log!(err, "level {id}");
    dd_log!(target: "t", info, "level {id}");
}
