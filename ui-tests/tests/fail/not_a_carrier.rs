use dd_traced::{active_span, extract, inject};

fn main() {
    let mut headers = "x-datadog-trace-id: 1".to_owned();
    inject(&active_span(), &mut headers);
    let _ = extract(&headers);
}
