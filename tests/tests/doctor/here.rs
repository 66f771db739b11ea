//! What it finds on this side: settings, the file of messages, log lines; and that it keeps secrets.

use std::fs;
use std::path::{Path, PathBuf};

use dd_traced_tests::{
    Address, Answer, Bounded, PLANTED, Place, SECRET, SECRET_SETTINGS, run, set_mode, with_agent,
};

use crate::installed::{doctor, examine};

/// A directory that is deleted with this value.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("doctor-{name}-{}", std::process::id()));
        fs::create_dir(&path).expect("a new directory");
        Self(path)
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).expect("a directory");
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    }

    fn text(&self) -> &str {
        self.0.to_str().expect("a path in Unicode")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn each_setting_is_shown_with_its_origin_and_what_it_beats() {
    let variables = [("DD_ENV", "prod"), ("DD_SERVICE", "shop"), ("OTEL_SERVICE_NAME", "basket")];
    let examined = examine(&["settings"], &variables);
    let settings = examined.detail("settings", "settings").as_array().expect("settings");
    assert!(settings.len() > 80, "all of them");
    let named = |name: &str| settings.iter().find(|setting| setting["name"] == name).expect("a setting");
    let env = named("DD_ENV");
    assert_eq!((&env["value"], &env["origin"]), (&"prod".into(), &"env_var".into()));
    assert_eq!(named("DD_TRACE_RATE_LIMIT")["origin"], "default");
    let beaten = &named("DD_SERVICE")["shadowed"][0];
    assert_eq!((&beaten["variable"], &beaten["value"]), (&"OTEL_SERVICE_NAME".into(), &"basket".into()));

    let text = run(&mut doctor(&["settings"], &variables)).expect_success().stdout;
    let line = text.lines().find(|line| line.trim_start().starts_with("DD_SERVICE ")).expect("a line");
    let words: Vec<_> = line.split_whitespace().collect();
    assert_eq!(words, ["DD_SERVICE", "shop", "env_var", "env_var", "OTEL_SERVICE_NAME=basket"]);
}

#[test]
fn values_that_cannot_be_used_are_a_problem() {
    let examined = examine(&["settings"], &[("DD_TRACE_AGENT_TIMEOUT", "soon")]);
    assert_eq!((examined.code(), examined.verdicts()), (Some(3), vec!["settings problem".to_owned()]));
    let notices = examined.detail("settings", "notices").to_string();
    assert!(notices.contains("DD_TRACE_AGENT_TIMEOUT") && notices.contains("soon"), "{notices}");
    // The other rule holds; a program would keep what this one was to reject.
    for name in ["DD_TRACE_SAMPLING_RULES", "DD_SPAN_SAMPLING_RULES"] {
        let rules = r#"[{"sample_rate":0.5},{"name":"health","sample_rate":7}]"#;
        let examined = examine(&["settings"], &[(name, rules)]);
        assert_eq!((examined.code(), examined.verdicts()), (Some(3), vec!["settings problem".to_owned()]));
    }
}

#[test]
fn a_variable_that_is_nearly_a_setting_is_told() {
    let examined = examine(&["settings"], &[("DD_SERVCE", "shop")]);
    assert_eq!((examined.code(), examined.verdicts()), (Some(0), vec!["settings warn".to_owned()]));
    let notices = examined.detail("settings", "notices");
    assert_eq!(notices, &serde_json::json!(["DD_SERVCE is no setting; DD_SERVICE is"]));
}

#[test]
fn settings_by_which_nothing_is_sent_are_told() {
    let words = |name, value| {
        let examined = examine(&[], &[(name, value), ("DD_TRACE_AGENT_TIMEOUT", "0.1")]);
        assert_eq!(examined.code(), Some(0), "an agent is not missed: {:#}", examined.report);
        assert_eq!(examined.finding("recording")["verdict"], "warn");
        examined.words("recording").to_owned()
    };
    assert!(words("DD_TRACE_ENABLED", "false").contains("DD_TRACE_ENABLED=false (env_var)"));
    assert!(words("DD_TRACE_LOCAL_VIEW", "waterfall").contains("DD_TRACE_LOCAL_VIEW=waterfall (env_var)"));
}

#[test]
fn a_file_of_messages_that_cannot_be_written_is_a_problem() {
    with_agent(|agent| {
        let url = agent.url();
        for (name, value, reason) in [
            ("DD_TRACE_LOG_DIRECTORY", "/nowhere", "No such file or directory"),
            ("DD_TRACE_LOG_FILE", "/dev/null/messages", "Not a directory"),
            ("DD_TRACE_LOG_FILE", "/", "Is a directory"),
        ] {
            let examined = examine(&["--no-trace"], &[("DD_TRACE_AGENT_URL", &url), (name, value)]);
            assert_eq!(examined.code(), Some(7), "{:#}", examined.report);
            let words = examined.words("log_file");
            assert!(words.contains(reason) && !examined.advice("log_file").is_empty(), "{words}");
        }
    });
}

/// As root, who has every right, it is run as another user.
#[test]
fn a_place_without_the_right_to_write_is_a_problem() {
    let place = Place::new();
    set_mode(place.directory(), 0o755);
    for (name, mode) in [("open", 0o777), ("closed", 0o555), ("shut", 0o000)] {
        fs::create_dir(place.path(name)).expect("a new directory");
        set_mode(place.path(name), mode);
    }
    for (name, code) in [("open", 0), ("closed", 7), ("shut", 7)] {
        for (variable, path) in [
            ("DD_TRACE_LOG_DIRECTORY", place.path(name)),
            ("DD_TRACE_LOG_FILE", place.path(&format!("{name}/messages"))),
        ] {
            // Nothing would be sent, so that no agent is missed.
            let variables =
                [(variable, &*path), ("DD_TRACE_LOCAL_VIEW", "waterfall"), ("DD_TRACE_AGENT_TIMEOUT", "0.1")];
            let ended = Bounded::new(&doctor(&["--no-trace"], &variables)).run();
            assert_eq!(ended.status.code(), Some(code), "{path}: {ended:#?}");
            let is_told = ended.stdout.contains("the file of messages cannot be written: Permission denied")
                && ended.stdout.contains("give the user of the program the right to write there");
            assert_eq!(is_told, code == 7, "{}", ended.stdout);
        }
    }
    for name in ["closed", "shut"] {
        // Else it could not be deleted.
        set_mode(place.path(name), 0o755);
    }
}

#[test]
fn a_file_of_messages_is_left_as_it_is() {
    let directory = Directory::new("messages");
    let touched = |name: &str, value: &str| {
        let examined = examine(&["--no-trace"], &[("DD_TRACE_AGENT_TIMEOUT", "0.1"), (name, value)]);
        assert_eq!(examined.finding("log_file")["verdict"], "ok", "{:#}", examined.report);
        examined.detail("log_file", "touched").as_str().expect("a text").to_owned()
    };
    assert_eq!(
        touched("DD_TRACE_LOG_DIRECTORY", directory.text()),
        "a file beside it was made and removed again"
    );
    assert_eq!(directory.files(), Vec::<String>::new());
    let file = directory.0.join("messages");
    let path = file.to_str().expect("a path in Unicode");
    assert_eq!(touched("DD_TRACE_LOG_FILE", path), "a file beside it was made and removed again");
    assert_eq!(directory.files(), Vec::<String>::new(), "else it would be the doctor's user's");
    fs::write(&file, "a line\n").expect("a file");
    assert_eq!(touched("DD_TRACE_LOG_FILE", path), "opened, nothing written");
    assert_eq!((fs::read(&file).expect("a file"), directory.files().len()), (b"a line\n".to_vec(), 1));
}

#[test]
fn log_lines_are_shown_in_both_forms_of_the_id() {
    let nobody = Address::unused().expect("a free port").to_string();
    let lines = |value| {
        let variables = [
            ("DD_SERVICE", "shop"),
            ("DD_ENV", "prod"),
            ("DD_TRACE_AGENT_URL", nobody.as_str()),
            ("DD_TRACE_128_BIT_TRACEID_LOGGING_ENABLED", value),
        ];
        let examined = examine(&[], &variables);
        let [text, wide, narrow] = ["text", "with_128_bits", "with_64_bits"]
            .map(|name| examined.detail("log_lines", name).as_str().expect("a text").to_owned());
        assert_eq!(text, if value == "true" { wide.clone() } else { narrow.clone() });
        [wide, narrow].map(|line| {
            let rest =
                line.strip_prefix("[dd.service=shop dd.env=prod dd.trace_id=").expect("the usual start");
            rest.split(' ').next().expect("an id").to_owned()
        })
    };
    for value in ["true", "false"] {
        let [wide, narrow] = lines(value);
        let id = u128::from_str_radix(&wide, 16).expect("32 hexadecimal digits");
        assert_eq!((wide.len(), narrow), (32, (id as u64).to_string()));
    }
    let off = examine(&["--no-trace"], &[("DD_LOGS_INJECTION", "false"), ("DD_TRACE_AGENT_URL", &nobody)]);
    assert_eq!(off.finding("log_lines")["verdict"], "warn");
}

/// What the agent says may hold some too, and control characters besides.
#[test]
fn secrets_and_control_characters_are_not_shown() {
    let received = with_agent(|agent| {
        let error = "no: token=s3cret {\"api_key\":\"s3cret\"} DD-API-KEY: s3cret http://me:s3cret@h/ \
                     \u{1b}[31m\r\nproblem   forged";
        let info = r#"{"version":"api_key=s3cret","endpoints":["/v0.4/traces","/\u001b[31m\nproblem   forged"],
            "peer_tags":["password=s3cret"],"config":{"default_env":"http://me:s3cret@h/"}}"#;
        agent.answers_info(Answer::ok().with_body(info));
        agent.answers_next(Answer::status(400).with_body(error));
        agent.answers(Answer::rates(&[("service:api_key=s3cret,env:token=s3cret", 1.0)]));
        let url = agent.url().replace("http://", "http://me:s3cret@");
        let variables = [
            ("DD_TRACE_AGENT_URL", url.as_str()),
            ("DD_API_KEY", "s3cret"),
            ("DD_TAGS", "db.password:s3cret"),
            ("DD_TRACE_SAMPLING_RULES", r#"[{"tags":{"api_key":"s3cret"},"sample_rate":1}]"#),
            ("DD_DOGSTATSD_URL", "http://me:s3cret@agent"),
            ("DD_GIT_REPOSITORY_URL", "https://me:s3cret@git.example/r.git"),
            ("DD_SERVICE", "shop\u{1b}[31m\u{202e}"),
            ("DD_TRACE_SAMPLE_RATE", "\u{1b}[31m"),
        ];
        for arguments in
            [&[][..], &["--json"], &["settings"], &["settings", "--json"], &["sample"], &["agent"]]
        {
            let ended = run(&mut doctor(arguments, &variables));
            assert!(!ended.stdout.contains("s3cret") && !ended.stderr.contains("s3cret"), "{ended:#?}");
            let shown = ended.stdout.replace('\n', "");
            assert!(!shown.contains(|character: char| character.is_control() || character == '\u{202e}'));
            assert!(!ended.stdout.lines().any(|line| line.starts_with("problem   forged")), "{ended:#?}");
        }
    });
    let authorized = received.requests.iter().filter(|request| request.header("authorization").is_some());
    assert_eq!(authorized.count(), received.requests.len(), "it is the agent of the address");
}

#[test]
fn no_secret_of_a_setting_is_shown_by_any_command() {
    with_agent(|agent| {
        let url = agent.url().replace("http://", "http://me:s3cret@");
        let mut variables = [PLANTED.as_slice(), &SECRET_SETTINGS].concat();
        variables.push(("DD_TRACE_AGENT_URL", &url));
        for command in [&[][..], &["settings"], &["agent"], &["sample", "--tag", "token=s3cret"]] {
            for form in [&[][..], &["--json"]] {
                let ended = run(&mut doctor(&[command, form].concat(), &variables));
                let leaks: Vec<_> = ended.stdout.lines().filter(|line| line.contains(SECRET)).collect();
                assert!(
                    leaks.is_empty() && !ended.stderr.contains(SECRET),
                    "{command:?} {leaks:#?} {}",
                    ended.stderr
                );
                let twins = if command == ["settings"] { 1..=PLANTED.len() } else { 2..=2 };
                for twin in twins.map(|number| format!("harmless{number}")) {
                    assert!(
                        ended.stdout.contains(&twin) || command == ["agent"],
                        "{command:?} {twin}: {}",
                        ended.stdout
                    );
                }
            }
        }
    });
}
