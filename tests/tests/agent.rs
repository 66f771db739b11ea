//! The agent's contract: what the tracer sends is accepted by the APM test agent with all its checks, over TCP and over a Unix
//! socket.

use dd_traced_tests::TestAgent;

#[test]
fn probe() {
    let Some(agent) = TestAgent::on_port(env!("CARGO_TARGET_TMPDIR")) else { return };
    let Some(other) = TestAgent::on_socket(env!("CARGO_TARGET_TMPDIR")) else { return };
    println!("{} {}", agent.url(), other.url());
    assert!(agent.traces().is_empty());
    assert!(other.traces().is_empty());
}
