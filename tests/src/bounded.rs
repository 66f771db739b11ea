//! Programs that are not allowed everything, whoever runs the tests.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::child::{Ended, command, run};
use crate::place::Place;

/// A user without rights that is on every system: `nobody`.
const NOBODY: u32 = 65_534;

/// A command whose process has to respect the rights of files: as root, who has not, it is run as another user, from a copy of its program
/// that this one may read.
#[derive(Debug)]
pub struct Bounded {
    command: Command,
    _copy: Option<Place>,
}

impl Bounded {
    /// The same command, with its arguments and its variables.
    pub fn new(given: &Command) -> Self {
        let place = Place::new();
        if fs::metadata(place.directory()).expect("a directory").uid() != 0 {
            return Self { command: again(given, given.get_program()), _copy: None };
        }
        set_mode(place.directory(), 0o755);
        let program = place.directory().join("program");
        // By another process: a file that a fork of ours has open for writing cannot be run.
        let copied = Command::new("cp").arg(given.get_program()).arg(&program).status();
        assert!(copied.expect("`cp` runs").success(), "a copy of the program");
        set_mode(&program, 0o755);
        let mut command = again(given, program.as_os_str());
        // Other groups are left with the user.
        command.uid(NOBODY).gid(NOBODY).current_dir("/");
        Self { command, _copy: Some(place) }
    }

    /// Runs it to its end.
    pub fn run(&mut self) -> Ended {
        run(&mut self.command)
    }
}

fn again(given: &Command, program: &OsStr) -> Command {
    let mut again = command(Path::new(program));
    again.args(given.get_args());
    again.envs(given.get_envs().filter_map(|(name, value)| Some((name, value?))));
    again
}

/// Gives a file or a directory these rights.
pub fn set_mode(path: impl AsRef<Path>, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("the right to set rights");
}
