//! Which container this process runs in, so that the agent can tell its tags.
//!
//! Source: `internal/container_linux.go` of DataDog/dd-trace-go and the trace-agent's header names.

use std::path::Path;

/// What the agent is told about the container; nothing outside of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Container {
    /// The header `Datadog-Container-ID`.
    pub(crate) id: Option<String>,
    /// The header `Datadog-Entity-ID`: `ci-` and the id, or `in-` and an inode.
    pub(crate) entity_id: Option<String>,
}

/// The inode of the cgroup namespace of the host (`PROC_CGROUP_INIT_INO` of the kernel).
const HOST_CGROUP_NAMESPACE: u64 = 0xEFFF_FFFB;
/// More than any container runtime writes.
const MAX_LINES: usize = 1_000;

impl Container {
    /// Reads `/proc` and `/sys`; call it once, from the worker's thread.
    pub(crate) fn detect() -> Self {
        let Ok(text) = std::fs::read_to_string("/proc/self/cgroup") else { return Self::default() };
        Self::from_cgroup(&text, inode(Path::new("/proc/self/ns/cgroup")), |path| {
            inode(&Path::new("/sys/fs/cgroup").join(path))
        })
    }

    /// The container by the lines of `/proc/self/cgroup`, the inode of the cgroup namespace, and the inodes of paths below
    /// `/sys/fs/cgroup`.
    pub(crate) fn from_cgroup(
        text: &str,
        namespace: Option<u64>,
        inode: impl Fn(&str) -> Option<u64>,
    ) -> Self {
        let lines = || text.lines().take(MAX_LINES).filter_map(Line::parse);
        if let Some(id) = lines().find_map(|line| container_id(line.path)) {
            return Self { id: Some(id.to_owned()), entity_id: Some(format!("ci-{id}")) };
        }
        if namespace == Some(HOST_CGROUP_NAMESPACE) {
            return Self::default();
        }
        let memory =
            lines().find(|line| line.controllers.split(',').any(|controller| controller == "memory"));
        let unified = lines().find(|line| line.controllers.is_empty());
        let paths = [
            memory.map(|line| format!("memory{}", line.path)),
            unified.map(|line| line.relative().to_owned()),
        ];
        let inode = paths.into_iter().flatten().find_map(|path| inode(&path));
        Self { id: None, entity_id: inode.map(|inode| format!("in-{inode}")) }
    }
}

/// A line `number:controllers:path`.
#[derive(Clone, Copy)]
struct Line<'a> {
    controllers: &'a str,
    path: &'a str,
}

impl<'a> Line<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (number, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        number.bytes().all(|byte| byte.is_ascii_digit()).then_some(Self { controllers, path })
    }

    fn relative(self) -> &'a str {
        self.path.trim_start_matches('/')
    }
}

/// The id at the end of a cgroup's path: 64 hexadecimal digits, 32 of them with a task number, or a UUID.
fn container_id(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next()?;
    let name = name.strip_suffix(".scope").unwrap_or(name);
    let ends = [64, 36, 28].map(|len| name.get(name.len().checked_sub(len)?..));
    let [hex, uuid, short] = ends;
    if let Some(id) = hex.filter(|id| is_hex(id)) {
        return Some(id);
    }
    if let Some(id) = task_id(name) {
        return Some(id);
    }
    uuid.filter(|id| is_grouped(id, &[8, 4, 4, 4, 12]))
        .or(short.filter(|id| is_grouped(id, &[8, 4, 4, 4, 4])))
}

/// Digits of the longest number of a task.
const MAX_DIGITS: usize = 20;

/// `32 digits-number`, as on ECS.
fn task_id(name: &str) -> Option<&str> {
    let (before, number) = name.rsplit_once('-')?;
    let start = before.len().checked_sub(32)?;
    let is_number =
        (1..=MAX_DIGITS).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && before.get(start..).is_some_and(is_hex)).then(|| name.get(start..)).flatten()
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_grouped(text: &str, lengths: &[usize]) -> bool {
    let mut groups = text.split(['-', '_']);
    lengths.iter().all(|len| groups.next().is_some_and(|group| group.len() == *len && is_hex(group)))
        && groups.next().is_none()
}

#[cfg(unix)]
fn inode(path: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).ok().map(|metadata| metadata.ino())
}

#[cfg(not(unix))]
fn inode(_: &Path) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_of(text: &str) -> Option<String> {
        let container = Container::from_cgroup(text, None, |_| None);
        assert_eq!(container.entity_id, container.id.as_ref().map(|id| format!("ci-{id}")));
        container.id
    }

    #[test]
    fn ids_of_known_runtimes_are_found() {
        let hex = "3726184226f5d3147c25fdeab5b60097e378e8a720503a5e19ecfdf29f869860";
        let task = "34dc0b5e626f2c5c4c5170e34b10e765-1234567890";
        let uuid = "34dc0b5e-626f-2c5c-4c51-70e34b10e765";
        let garden = "8c7f0a1b-0001-0002-0003-abcd";
        for (line, id) in [
            (format!("13:name=systemd:/docker/{hex}"), hex),
            (format!("0::/system.slice/docker-{hex}.scope"), hex),
            (format!("1:cpu:/kubepods/besteffort/pod3d274242/cri-containerd-{hex}.scope"), hex),
            (format!("9:perf_event:/ecs/task/{task}"), task),
            (format!("1:name=systemd:/ecs/{uuid}"), uuid),
            (format!("1:name=systemd:/garden/{garden}"), garden),
        ] {
            assert_eq!(id_of(&line).as_deref(), Some(id), "{line}");
        }
    }

    #[test]
    fn first_line_with_an_id_wins() {
        let text = format!("x\n2:a:/none\n3:b:/{}\n4:c:/{}\n", "a".repeat(64), "b".repeat(64));
        assert_eq!(id_of(&text), Some("a".repeat(64)));
        assert_eq!(id_of("0::/\n1:cpu:/user.slice/user-1000.slice\nno line"), None);
    }

    #[test]
    fn inode_stands_for_a_container_with_its_own_namespace() {
        let inode = |path: &str| (path == "memory/inner").then_some(7).or((path == "inner").then_some(8));
        let entity = |text, namespace| Container::from_cgroup(text, namespace, inode).entity_id;
        assert_eq!(entity("0::/inner", Some(1)).as_deref(), Some("in-8"));
        assert_eq!(entity("3:cpu,memory:/inner\n0::/inner", Some(1)).as_deref(), Some("in-7"));
        assert_eq!(entity("0::/inner", Some(HOST_CGROUP_NAMESPACE)), None);
        assert_eq!(entity("0::/outer", None), None);
    }
}
