//! The agent is a neighbour: a proxy that the environment names for the application's own calls sees nothing of the tracer.

use dd_traced_tests::{Report, program, run, with_agent};

#[test]
fn a_proxy_sees_nothing() {
    let mut seen = None;
    let received = with_agent(|agent| {
        seen = Some(with_agent(|proxy| {
            let mut program = program(env!("CARGO_BIN_EXE_program"), "work", 5);
            program.env("DD_TRACE_AGENT_URL", agent.url());
            for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
                program.env(name, proxy.url());
            }
            let report = Report::of(&run(&mut program).expect_success());
            report.books.expect_settled(10);
        }));
    });
    assert_eq!(received.span_count(), 10);
    assert_eq!(seen.map(|proxy| (proxy.connections, proxy.requests.len())), Some((0, 0)));
}
