//! What the words behind the name of the program ask for.

use std::fmt;

use crate::config::nearest;
use crate::model::TraceId;

/// What is wanted.
#[derive(Debug, PartialEq)]
pub(super) enum Request {
    Help,
    Version,
    Examine(Arguments),
}

/// What is to be looked at.
#[derive(Debug, PartialEq)]
pub(super) struct Arguments {
    pub(super) command: Command,
    /// Whether the report is JSON. Defaults to false.
    pub(super) is_json: bool,
    /// Whether a test trace is sent. Defaults to true.
    pub(super) sends_trace: bool,
}

#[derive(Debug, PartialEq)]
pub(super) enum Command {
    All,
    Settings,
    Agent,
    Sample(Asked),
}

/// The trace whose sampling is asked about, by its first span.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Asked {
    /// That of the settings by default.
    pub(super) service: Option<String>,
    /// `web.request` by default.
    pub(super) name: Option<String>,
    /// The name by default.
    pub(super) resource: Option<String>,
    pub(super) tags: Vec<(String, String)>,
    /// A new one by default.
    pub(super) trace_id: Option<TraceId>,
}

impl Command {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Settings => "settings",
            Self::Agent => "agent",
            Self::Sample(_) => "sample",
        }
    }
}

const COMMANDS: [&str; 4] = ["settings", "agent", "sample", "help"];
const SWITCHES: [&str; 4] = ["--json", "--no-trace", "--help", "--version"];
const OF_SAMPLE: [&str; 5] = ["--service", "--name", "--resource", "--tag", "--trace-id"];

/// Why the words make no sense.
#[derive(Debug, PartialEq)]
pub(super) enum Mistake {
    /// Nobody knows this word; the nearest that is known.
    Unknown(String, &'static str),
    /// Two commands.
    Second(String),
    /// The option wants a value, or none, or another one: what it wants.
    Value(&'static str, &'static str),
    /// The option belongs to another command.
    Misplaced(&'static str, &'static str),
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |word| crate::diagnostics::Escaped::new(word, 100);
        f.write_str("dd-traced-doctor: ")?;
        match self {
            Self::Unknown(word, nearest) => {
                write!(f, "\"{}\" is unknown; did you mean {nearest}?", shown(word))?;
            }
            Self::Second(word) => {
                write!(f, "one command is enough, and \"{}\" is a second one", shown(word))?;
            }
            Self::Value(option, wants) => write!(f, "{option} wants {wants}")?,
            Self::Misplaced(option, command) => write!(f, "{option} belongs to {command}")?,
        }
        f.write_str(" (--help says what there is)")
    }
}

impl Request {
    /// Reads the words.
    ///
    /// # Errors
    ///
    /// The first mistake in them.
    pub(super) fn of(words: impl Iterator<Item = String>) -> Result<Self, Mistake> {
        Reader::default().read(words)
    }
}

/// What was read so far.
#[derive(Debug, Default)]
struct Reader {
    command: Option<String>,
    asked: Asked,
    /// The first option that only `sample` has.
    of_sample: Option<&'static str>,
    is_json: bool,
    skips_trace: bool,
}

impl Reader {
    fn read(mut self, mut words: impl Iterator<Item = String>) -> Result<Request, Mistake> {
        while let Some(word) = words.next() {
            let (name, value) = match word.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
                _ => (word.as_str(), None),
            };
            if let Some(option) = OF_SAMPLE.into_iter().find(|option| *option == name) {
                self.of_sample.get_or_insert(option);
                // What looks like the next option is one, unless it stands behind `=`.
                let next = || words.next().filter(|next| !next.starts_with("--"));
                self.ask(option, value.or_else(next))?;
                continue;
            }
            if let (Some(option), Some(_)) = (SWITCHES.into_iter().find(|switch| *switch == name), &value) {
                return Err(Mistake::Value(option, "no value"));
            }
            match word.as_str() {
                "--help" | "-h" | "help" => return Ok(Request::Help),
                "--version" | "-V" => return Ok(Request::Version),
                "--json" => self.is_json = true,
                "--no-trace" => self.skips_trace = true,
                command if !COMMANDS.contains(&command) => return Err(unknown(name)),
                _ if self.command.is_some() => return Err(Mistake::Second(word)),
                _ => self.command = Some(word),
            }
        }
        self.request()
    }

    fn ask(&mut self, option: &'static str, value: Option<String>) -> Result<(), Mistake> {
        let Some(value) = value else { return Err(Mistake::Value(option, "a value")) };
        match option {
            "--service" => self.asked.service = Some(value),
            "--name" => self.asked.name = Some(value),
            "--resource" => self.asked.resource = Some(value),
            "--tag" => match value.split_once('=') {
                Some((key, value)) if !key.is_empty() => {
                    self.asked.tags.push((key.to_owned(), value.to_owned()));
                }
                _ => return Err(Mistake::Value(option, "key=value")),
            },
            _ => match trace_id(&value) {
                Some(id) => self.asked.trace_id = Some(id),
                None => {
                    return Err(Mistake::Value(option, "32 hexadecimal digits or a decimal number, not 0"));
                }
            },
        }
        Ok(())
    }

    fn request(self) -> Result<Request, Mistake> {
        let Self { command, asked, of_sample, is_json, skips_trace } = self;
        let command = match (command.as_deref(), of_sample) {
            (Some("sample"), _) => Command::Sample(asked),
            (_, Some(option)) => return Err(Mistake::Misplaced(option, "sample")),
            (Some("settings"), _) => Command::Settings,
            (Some("agent"), _) => Command::Agent,
            _ => Command::All,
        };
        if skips_trace && !matches!(command, Command::All | Command::Agent) {
            return Err(Mistake::Misplaced("--no-trace", "agent, or to no command"));
        }
        Ok(Request::Examine(Arguments { command, is_json, sends_trace: !skips_trace }))
    }
}

fn unknown(word: &str) -> Mistake {
    let is_option = word.starts_with('-');
    let known = COMMANDS.into_iter().chain(SWITCHES).chain(OF_SAMPLE);
    let alike = known.filter(|known| known.starts_with('-') == is_option);
    let nearest = nearest(word, alike).map_or("--help", |(nearest, _)| nearest);
    Mistake::Unknown(word.to_owned(), nearest)
}

/// An id as log lines have it: 32 hexadecimal digits, or a decimal number of 64 bits.
fn trace_id(text: &str) -> Option<TraceId> {
    let is_hex = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_decimal = text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit());
    let id = match (is_hex, is_decimal) {
        (true, _) => u128::from_str_radix(text, 16).ok()?,
        (_, true) => text.parse::<u64>().ok()?.into(),
        _ => return None,
    };
    // The hash is one of the lower half, which is never 0.
    (id as u64 != 0).then(|| TraceId::new(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(line: &str) -> Result<Request, Mistake> {
        Request::of(line.split_whitespace().map(str::to_owned))
    }

    fn shown(line: &str) -> String {
        read(line).unwrap_err().to_string()
    }

    #[test]
    fn commands_and_options_are_read_in_any_order() {
        let plain = |command| Arguments { command, is_json: false, sends_trace: true };
        assert_eq!(read(""), Ok(Request::Examine(plain(Command::All))));
        let json = Arguments { is_json: true, sends_trace: false, ..plain(Command::Agent) };
        assert_eq!(read("--json agent --no-trace"), Ok(Request::Examine(json)));
        let asked = Asked {
            service: Some("s=1".into()),
            name: Some("n".into()),
            tags: vec![("k".into(), "v=w".into()), ("e".into(), String::new())],
            trace_id: Some(TraceId::new(1 << 64 | 255)),
            ..Asked::default()
        };
        let line =
            "--service=s=1 --tag k=v=w sample --name n --tag=e= --trace-id 000000000000000100000000000000ff";
        assert_eq!(read(line), Ok(Request::Examine(plain(Command::Sample(asked)))));
        assert_eq!((read("settings -h"), read("-V")), (Ok(Request::Help), Ok(Request::Version)));
    }

    #[test]
    fn mistakes_are_named() {
        for (line, expected) in [
            ("setings", "\"setings\" is unknown; did you mean settings?"),
            ("--jsn", "\"--jsn\" is unknown; did you mean --json?"),
            ("--servce=x", "\"--servce\" is unknown; did you mean --service?"),
            ("agent settings", "one command is enough, and \"settings\" is a second one"),
            ("sample --name", "--name wants a value"),
            ("sample --name --json", "--name wants a value"),
            ("sample --tag k", "--tag wants key=value"),
            ("sample --trace-id 0", "--trace-id wants 32 hexadecimal digits or a decimal number, not 0"),
            ("--json=yes", "--json wants no value"),
            ("agent --service s", "--service belongs to sample"),
            ("settings --no-trace", "--no-trace belongs to agent, or to no command"),
        ] {
            assert!(
                shown(line).starts_with(&format!("dd-traced-doctor: {expected}")),
                "{line}: {}",
                shown(line)
            );
        }
    }

    proptest! {
        #[test]
        fn any_words_are_read(words: Vec<String>, option in 0..OF_SAMPLE.len()) {
            let words = words.into_iter().chain([OF_SAMPLE[option].to_owned(), "x".to_owned()]);
            if let Err(mistake) = Request::of(words) {
                prop_assert!(!mistake.to_string().contains(crate::diagnostics::is_hostile));
            }
        }
    }
}
