//! What `--help` prints.

pub(super) const TEXT: &str = "\
dd-traced-doctor looks for the reason when nothing arrives in Datadog. Run it where the program runs: as the same user, in the same container, with the
same environment. It reads the settings and asks the agent by the code of the library itself; what a program sets in code it cannot know.

usage: dd-traced-doctor [settings | agent | sample …] [--json] [--no-trace]

  (nothing)   all checks: settings, recording, agent, clock, trace, sampling, log_file, log_lines
  settings    every setting with its value, its origin, and the values that it beats
  agent       the agent, its clock, and a test trace
  sample      whether a trace would be kept, and why, by its first span:
    --service S, --name N, --resource R   defaults: the service of the settings, web.request, the name
    --tag K=V                             a tag, as text; may be repeated
    --trace-id ID                         a given trace; 32 hexadecimal digits, or decimal, as log lines have it

  --json      the report as one object of JSON
  --no-trace  sends no test trace
  --help, --version

exit status: the first of these that applies, or 0
  2  the arguments make no sense
  3  a setting has a value that cannot be used, or a configuration file cannot be read
  4  the agent cannot be reached, or does not answer in time
  5  the agent refuses traces, or what answers is none
  6  the clock here and that of the agent are a minute apart or more
  7  the file of messages cannot be written
";

#[cfg(test)]
mod tests {
    use super::super::finding::{Problem, USAGE};
    use super::*;

    #[test]
    fn every_exit_status_is_listed() {
        let problems =
            [Problem::Settings, Problem::Unreachable, Problem::Refused, Problem::Clock, Problem::LogFile];
        let codes: Vec<u8> = std::iter::once(USAGE).chain(problems.map(Problem::exit_code)).collect();
        let listed: Vec<u8> = TEXT
            .lines()
            .skip_while(|line| !line.starts_with("exit status"))
            .filter_map(|line| line.split_whitespace().next()?.parse().ok())
            .collect();
        assert_eq!(listed, codes);
    }
}
